"""A researcher's path from `pip install -e .`: class folders, fine-tuned, quantised, exported, pushed, opened again."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion.labels import KEYS, Emotion
from tests.emotion.network.hub_server import REPOSITORY, REVISION, hub

ROOT = Path(__file__).resolve().parents[1]
SIDE = 64  # pixels: the smallest pictures on which the network still tells classes apart, for the sake of time
pytestmark = pytest.mark.slow


def run(place: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program of a researcher who stands in a folder of their own, in the environment that they installed into."""
    answer = subprocess.run(
        [place / "venv" / "bin" / "python", *map(str, arguments)],
        cwd=place,
        env={**os.environ, "HF_HUB_DISABLE_TELEMETRY": "1", **environment},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    return answer


def install(place: Path) -> None:
    """`pip install -e .` into a new environment that sees the libraries of this one. What pip leaves in a checkout is
    left beside links to this one."""
    checkout = place / "checkout"
    checkout.mkdir()
    for name in ("emotion", "analytics", "checkpoints", "pyproject.toml", "requirements.txt", "README.md", "LICENSE"):
        (checkout / name).symlink_to(ROOT / name)
    venv.create(place / "venv", with_pip=False)
    (packages,) = (place / "venv" / "lib").glob("python*/site-packages")
    present = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "present.pth").write_text("\n".join(present) + "\n")
    run(place, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "-e", checkout)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the packages installed, and a class folder: colour crops in which an expression is the row of
    a bright bar; nobody is on them."""
    place = tmp_path_factory.mktemp("researcher")
    install(place)
    generator = np.random.default_rng(0)
    for emotion in Emotion:
        folder = place / "photographs" / emotion.key
        folder.mkdir(parents=True)
        for number in range(4):
            pixels = generator.integers(0, 90, (SIDE, SIDE, 3), dtype=np.uint8)
            pixels[8 * emotion : 8 * emotion + 8] += 150
            Image.fromarray(pixels).save(folder / f"{number}.png")
    return place


@pytest.fixture(scope="module")
def tuned(place: Path) -> Path:
    """The checkpoint of a run on those photographs, from the packaged weights."""
    answer = run(
        place,
        *("-m", "emotion.training.train", "--preset", "paper", "--data", "photographs", "--crops", "--resume", "RUN"),
        *("--start", ROOT / "checkpoints" / "resnet152-ferplus-224", "--size", "64", "--epochs", "1", "--lr", "1e-5"),
        *("--batch-size", "8", "--device", "cpu", "--seed", "11", "--drop-state"),
    )
    assert "before training  validation_loss" in answer.stderr
    assert "seed 11: 24 training faces, 8 for validation" in answer.stderr
    assert "24/24" in answer.stderr, "progress is counted in faces"
    assert not (place / "RUN" / "state.pt").exists()
    return place / "RUN" / "checkpoint"


@pytest.fixture(scope="module")
def pushed(place: Path, tuned: Path) -> Iterator[tuple[Path, str]]:
    """What the Hub holds after int8 was made and all was pushed, and the Hub's address."""
    quantised = run(
        place,
        *("-m", "emotion.training.quantise", "--data", "photographs", "--crops", "--checkpoint", tuned),
        *("--seed", "11", "--calibration", "8"),
    ).stdout
    assert "calibrated on 8 training images, compared on 8 held-out ones" in quantised
    assert "float32, 64 pixels" in quantised
    assert "int8, 64 pixels" in quantised
    there = place / "hub"
    there.mkdir()
    with hub(there) as (address, _):
        push = ("-m", "emotion.training.sharing.push", "--checkpoint", tuned, "--repository", REPOSITORY)
        run(place, *push, "--license", "mit", HF_ENDPOINT=address, HF_TOKEN="hf_x")
        yield there, address


OPEN = """
import sys
import numpy as np
from PIL import Image
from emotion import EmotionClassifier
classifier = EmotionClassifier(sys.argv[1], runtime="openvino-int8", cache=None)
crop = np.asarray(Image.open(sys.argv[2]).resize((224, 224)))[np.newaxis]
print(classifier.checkpoint.version, classifier.runtime.name, classifier.runtime.probabilities(crop).shape)
"""


def test_a_tuned_checkpoint_comes_back_from_the_hub_with_its_int8_model(
    place: Path, tuned: Path, pushed: tuple[Path, str]
) -> None:
    _, address = pushed
    cache = {"HF_ENDPOINT": address, "HF_HUB_CACHE": str(place / "cache")}
    answer = run(place, "-c", OPEN, f"{REPOSITORY}@{REVISION}", "photographs/happy/0.png", **cache).stdout
    version, *rest = answer.split(maxsplit=1)
    described = json.loads((tuned / "config.json").read_text())
    assert described["colour"] == "rgb"
    assert version.startswith("resnet152-")
    assert rest == ["openvino-int8 (1, 8)\n"]


def test_a_tuned_checkpoint_is_written_as_onnx_that_answers_as_torch_does(place: Path, tuned: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    written = run(place, "-m", "emotion.training.sharing.to_onnx", "--checkpoint", tuned, "--out", "tuned.onnx").stdout
    assert "of torch" in written


FOREIGN = """
import sys
import torch
from PIL import Image
import timm
from transformers import pipeline
folder, path = sys.argv[1:]
network = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
prepare = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
with torch.inference_mode():
    ours = network(prepare(Image.open(path))[None]).softmax(1)[0]
names = network.pretrained_cfg["label_names"]
theirs = {answer["label"]: answer["score"] for answer in pipeline("image-classification", model=folder)(path, top_k=8)}
print(max(abs(theirs[name] - float(ours[place])) for place, name in enumerate(names)))
print(*names)
"""


@pytest.mark.skipif(not (find_spec("timm") and find_spec("transformers")), reason="timm and transformers are missing")
def test_timm_and_transformers_open_what_was_pushed_and_agree(place: Path, pushed: tuple[Path, str]) -> None:
    there, _ = pushed
    difference, names = run(
        place, "-c", FOREIGN, there, "photographs/happy/0.png", HF_HUB_OFFLINE="1"
    ).stdout.splitlines()
    assert float(difference) < 1e-3
    assert names.split() == list(KEYS)
