"""Each runtime against the reference, torch in float32; and the rules by which one is chosen."""

import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emotion.network.checkpoint import (
    CONFIGURATION_FILE,
    PACKAGED_CHECKPOINT,
    Checkpoint,
    CheckpointError,
    LessonInput,
    load_checkpoint,
)
from emotion.network.quantisation import Quantisation, QuantisationError, read_quantisation, write_quantisation
from emotion.runtime.base import RUNTIMES, Runtime, softmax
from emotion.runtime.choose import choose_runtime
from emotion.runtime.openvino_graph import build_model
from emotion.runtime.openvino_runtime import OpenVinoRuntime
from emotion.runtime.processor import serves_a_class_at_full_size
from emotion.runtime.request_pool import STREAMS

# Largest difference of any probability to torch float32 on faces. Float32 differs by the order of its sums alone;
# bfloat16 keeps 8 bits of each number; int8 was allowed another top class on two faces in a hundred.
BOUNDS = {"openvino-f32": 1e-4, "openvino-bf16": 0.05, "torch-bf16": 0.05, "openvino-int8": 0.25}


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint()


@pytest.fixture(scope="module")
def faces(checkpoint: Checkpoint) -> np.ndarray:
    """Eight aligned crops of a real face: mirrored, darker, brighter, softer."""
    import skimage.data

    from emotion.faces.detector import FaceDetector, align

    photo, preset = skimage.data.astronaut(), checkpoint.configuration
    (face, *_) = FaceDetector().detect(photo)
    crop = align(photo, face, preset.crop_template, preset.crop_size, preset.colour).astype(np.float32)
    soft = (crop + np.roll(crop, 1, 0) + np.roll(crop, 1, 1) + np.roll(crop, 2, 0)) / 4
    variants = [crop, crop * 0.5, crop * 1.3, soft, 255 - crop]
    crops = np.stack([*variants, *(variant[:, ::-1] for variant in variants[:3])])
    return crops.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def reference(checkpoint: Checkpoint, faces: np.ndarray) -> np.ndarray:
    return choose_runtime(checkpoint, "torch", None).probabilities(faces)


@pytest.fixture(scope="module")
def fast(checkpoint: Checkpoint) -> Runtime:
    return OpenVinoRuntime(checkpoint, "openvino-f32", None)


@pytest.mark.parametrize("name", BOUNDS)
def test_probabilities_equal_the_references_within_the_stated_bound(
    name: str, checkpoint: Checkpoint, faces: np.ndarray, reference: np.ndarray
) -> None:
    if name == "openvino-int8" and checkpoint.configuration.int8 is None:
        pytest.skip("the packaged checkpoint brings no int8 model")
    answers = choose_runtime(checkpoint, name, None).probabilities(faces)
    assert answers.shape == (8, 8)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(1), 1, atol=1e-6)
    assert np.abs(answers - reference).max() <= BOUNDS[name]


def test_the_answer_does_not_depend_on_the_company_in_the_batch(fast: Runtime, faces: np.ndarray) -> None:
    together = fast.probabilities(faces)
    alone = np.concatenate([fast.probabilities(face[np.newaxis]) for face in faces])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_no_crops_give_no_rows(fast: Runtime, faces: np.ndarray) -> None:
    assert fast.probabilities(faces[:0]).shape == (0, 8)


def test_many_threads_get_the_answers_of_one(fast: Runtime, faces: np.ndarray) -> None:
    expected = fast.probabilities(faces)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda i: fast.probabilities(faces[i % 8][np.newaxis])[0], range(32)))
    for number, answer in enumerate(answers):
        np.testing.assert_allclose(answer, expected[number % 8], atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 48, 48, 3), (48, 48, 1), (1, 47, 48, 1)])
def test_crops_of_another_shape_are_refused(fast: Runtime, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Crops must be"):
        fast.probabilities(np.zeros(shape, np.uint8))


def test_crops_on_another_scale_are_refused(fast: Runtime) -> None:
    with pytest.raises(ValueError, match="Crops must be"):
        fast.probabilities(np.zeros((1, 48, 48, 1), np.float32))


def test_preprocessing_travels_with_the_weights(checkpoint: Checkpoint, faces: np.ndarray, fast: Runtime) -> None:
    shifted = replace(checkpoint.configuration, mean=(0.3,), std=(0.4,), input_size=80, temperature=2.0)
    other = Checkpoint(checkpoint.folder, shifted)
    ours = OpenVinoRuntime(other, "openvino-f32", None).probabilities(faces)
    torchs = choose_runtime(other, "torch", None).probabilities(faces)
    np.testing.assert_allclose(ours, torchs, atol=1e-4)
    assert np.abs(ours - fast.probabilities(faces)).max() > 0.01


def test_an_unknown_name_lists_the_known_ones(checkpoint: Checkpoint) -> None:
    with pytest.raises(ValueError, match="EMOTION_RUNTIME to one of auto, openvino"):
        choose_runtime(checkpoint, "quantum")


def test_cuda_by_name_without_cuda_says_so(checkpoint: Checkpoint) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(RuntimeError, match="finds no CUDA device"):
        choose_runtime(checkpoint, "torch-cuda")


def test_the_choice_is_logged(checkpoint: Checkpoint, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        runtime = choose_runtime(checkpoint, "auto", None)
    assert runtime.name in RUNTIMES
    assert f"Runtime {runtime.name} (asked for: auto)" in caplog.text


def test_weights_of_another_network_are_refused(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = checkpoint.state_dict()
    del tensors["layer3.7.bn2.weight"]
    monkeypatch.setattr(Checkpoint, "state_dict", lambda self: tensors)
    with pytest.raises(CheckpointError, match=r"not those of a ResNet152.*layer3\.7\.bn2\.weight"):
        build_model(checkpoint)


@given(logits=arrays(np.float32, (3, 8), elements=st.floats(-1000, 1000, width=32)), temperature=st.floats(0.05, 20))
def test_softmax_gives_probabilities_that_keep_the_order(logits: np.ndarray, temperature: float) -> None:
    rows = softmax(logits, temperature)
    assert ((rows >= 0) & (rows <= 1)).all()
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-6)
    assert (rows[np.arange(3), logits.argmax(1)] == rows.max(1)).all()


# int8: the file beside the weights


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder like the packaged one, whose files may be changed; without an int8 model."""
    for path in PACKAGED_CHECKPOINT.glob("model-*.safetensors"):
        (tmp_path / path.name).symlink_to(path)
    values = json.loads((PACKAGED_CHECKPOINT / CONFIGURATION_FILE).read_text()) | {"int8": None}
    (tmp_path / CONFIGURATION_FILE).write_text(json.dumps(values))
    return tmp_path


def with_int8(folder: Path) -> Checkpoint:
    """Adds an int8 model that quantises the last layer's weights and its input."""
    checkpoint = load_checkpoint(folder)
    weight = checkpoint.state_dict()["fc.weight"].astype(np.float32)
    quantisation = Quantisation(
        {"avgpool": (0.0, 6.0)}, {"fc": np.abs(weight).max(1) / 127}, {"fc": np.zeros(8, np.float32)}
    )
    described = write_quantisation(quantisation, checkpoint)
    configuration = replace(checkpoint.configuration, int8=described)
    (folder / CONFIGURATION_FILE).write_text(configuration.to_json())
    return load_checkpoint(folder)


def test_the_int8_file_is_read_back_as_it_was_written(copy: Path) -> None:
    quantisation = read_quantisation(with_int8(copy))
    assert quantisation.ranges == {"avgpool": (0.0, 6.0)}
    assert quantisation.scales["fc"].shape == quantisation.biases["fc"].shape == (8,)


def test_int8_is_chosen_where_the_checkpoint_brings_it_and_stays_near_the_reference(
    copy: Path, faces: np.ndarray
) -> None:
    checkpoint = with_int8(copy)
    runtime = OpenVinoRuntime(checkpoint, "openvino", None)
    assert runtime.name == "openvino-int8"
    biases = checkpoint.state_dict()["fc.bias"].astype(np.float32)
    logits = np.log(runtime.probabilities(faces)) * checkpoint.configuration.temperature + biases
    expected = choose_runtime(checkpoint, "torch", None).probabilities(faces)
    assert np.abs(softmax(logits, checkpoint.configuration.temperature) - expected).max() < 0.1


def test_the_second_start_takes_the_kept_model_and_answers_the_same(
    copy: Path, faces: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, cache = with_int8(copy), tmp_path / "cache"
    first = OpenVinoRuntime(checkpoint, "openvino-int8", cache).probabilities(faces)
    (kept,) = cache.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr("emotion.runtime.openvino_graph.build_model", None)  # calling it would fail
        second = OpenVinoRuntime(checkpoint, "openvino-int8", cache).probabilities(faces)
    np.testing.assert_allclose(first, second, atol=1e-5)

    kept.write_bytes(kept.read_bytes()[:-100])
    third = OpenVinoRuntime(checkpoint, "openvino-int8", cache).probabilities(faces)
    np.testing.assert_allclose(first, third, atol=1e-5)


def test_the_network_that_a_class_shares_comes_from_the_kept_model_too_and_answers_the_same(
    copy: Path, faces: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    alone = OpenVinoRuntime(with_int8(copy), "openvino-int8", cache)
    with monkeypatch.context() as patch:
        patch.setattr("emotion.runtime.openvino_graph.build_model", None)  # calling it would fail
        patch.setattr("emotion.runtime.openvino_runtime.serves_a_class_at_full_size", lambda: True)
        shared = alone.for_throughput()
    assert shared.version == alone.version
    assert (alone.streams, shared.streams) == (1, STREAMS)
    assert shared.name == alone.name
    np.testing.assert_allclose(shared.probabilities(faces), alone.probabilities(faces), atol=1e-4)
    assert len(list(cache.iterdir())) == 1


def test_a_slow_computer_reads_lessons_at_the_checkpoints_size_for_them_and_says_so(
    copy: Path, faces: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = with_int8(copy)
    checkpoint = Checkpoint(copy, replace(whole.configuration, lessons=LessonInput(96, 1.5)))
    monkeypatch.setattr("emotion.runtime.openvino_runtime.serves_a_class_at_full_size", lambda: False)
    for name in ("openvino-f32", "openvino-int8"):
        alone = OpenVinoRuntime(checkpoint, name, tmp_path / "cache")
        shared = alone.for_throughput()
        assert (alone.version, shared.version) == (checkpoint.version, f"{checkpoint.version}-96")
        smaller = OpenVinoRuntime(checkpoint.for_lessons(), name, None)
        np.testing.assert_allclose(shared.probabilities(faces), smaller.probabilities(faces), atol=1e-4)
        assert np.abs(shared.probabilities(faces) - alone.probabilities(faces)).max() > 1e-3
        assert shared.evidence(faces[:1]).shape == (1, 8, 3, 3)
    assert len(list((tmp_path / "cache").iterdir())) == 2, "the next start builds neither"


@pytest.mark.parametrize(
    ("flags", "cores", "full_size"),
    [
        ("fpu sse2 avx512_vnni amx_bf16 amx_int8", 2, True),
        ("fpu sse2 avx512_vnni avx512_bf16", 2, False),
        ("fpu sse2 avx512_vnni", 8, True),
        (None, 4, False),
    ],
)
def test_a_class_is_read_at_full_size_where_the_processor_has_amx_or_many_cores(
    flags: str | None, cores: int, full_size: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    if flags is not None:
        (tmp_path / "cpuinfo").write_text(f"model name : made up\nflags\t\t: {flags}\n")
    assert serves_a_class_at_full_size(tmp_path / "cpuinfo") is full_size


def test_torch_is_shared_as_it_is(checkpoint: Checkpoint) -> None:
    runtime = choose_runtime(checkpoint, "torch", None)
    assert runtime.for_throughput() is runtime


def test_another_preprocessing_is_another_kept_model_and_the_oldest_goes(copy: Path, tmp_path: Path) -> None:
    checkpoint, cache = with_int8(copy), tmp_path / "cache"
    kept = []
    for mean in (0.4, 0.5, 0.6):
        before = set(cache.iterdir()) if cache.is_dir() else set()
        changed = Checkpoint(copy, replace(checkpoint.configuration, mean=(mean,)))
        OpenVinoRuntime(changed, "openvino-int8", cache)
        kept += set(cache.iterdir()) - before
    assert len(set(kept)) == 3
    assert set(cache.iterdir()) == set(kept[1:])


def test_a_cache_that_cannot_be_written_is_a_warning(
    copy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    OpenVinoRuntime(with_int8(copy), "openvino-int8", tmp_path / "file" / "cache")
    assert "can't be kept" in caplog.text


def _other_weights(folder: Path) -> None:
    values = json.loads((folder / CONFIGURATION_FILE).read_text())
    values["int8"]["source_sha256"] = "0" * 64
    (folder / CONFIGURATION_FILE).write_text(json.dumps(values))


def _other_size(folder: Path) -> None:
    values = json.loads((folder / CONFIGURATION_FILE).read_text())
    (folder / CONFIGURATION_FILE).write_text(json.dumps(values | {"input_size": 192}))


def _altered(folder: Path) -> None:
    path = folder / "int8.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def _missing(folder: Path) -> None:
    (folder / "int8.safetensors").unlink()


@pytest.mark.parametrize("harm", [_other_weights, _other_size, _altered, _missing])
def test_an_int8_model_that_does_not_fit_falls_back_to_the_weights_with_a_warning(
    copy: Path, caplog: pytest.LogCaptureFixture, harm: object
) -> None:
    with_int8(copy)
    assert callable(harm)
    harm(copy)
    checkpoint = load_checkpoint(copy)
    runtime = OpenVinoRuntime(checkpoint, "openvino", None)
    assert runtime.name in ("openvino-bf16", "openvino-f32")
    assert "Falling back to the float weights" in caplog.text
    assert "emotion.training.quantise" in caplog.text
    with pytest.raises(QuantisationError, match=r"emotion\.training\.quantise"):
        OpenVinoRuntime(checkpoint, "openvino-int8", None)


def test_int8_by_name_without_a_model_says_how_to_make_one(copy: Path) -> None:
    with pytest.raises(QuantisationError, match=r"holds no int8 model.*emotion\.training\.quantise"):
        OpenVinoRuntime(load_checkpoint(copy), "openvino-int8", None)


# The start


def test_a_start_on_openvino_imports_no_torch() -> None:
    script = (
        "import sys; from emotion.classifier import EmotionClassifier; "
        "EmotionClassifier(runtime='openvino', cache=None); print('torch' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PACKAGED_CHECKPOINT.parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "False"
