"""A checkpoint goes to the Hub whole, with a card that the Hub can read and nothing that is not to be passed on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import ModelCard
from safetensors.numpy import save_file

from emotion.labels import KEYS
from emotion.network.checkpoint import CONFIGURATION_FILE, PACKAGED_CHECKPOINT, Checkpoint, load_checkpoint
from emotion.training.package import _sha256
from emotion.training.sharing.push import card_for_hub
from tests.emotion.network.hub_server import COMMIT, REPOSITORY, hub

ROOT = Path(__file__).parents[3]


@pytest.fixture
def small(tmp_path: Path) -> Checkpoint:
    """A checkpoint of one small file, with a report on somebody's class beside it."""
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    save_file({"a": np.ones(3, np.float16)}, folder / "model.safetensors")
    shards = {"model.safetensors": _sha256(folder / "model.safetensors")}
    text = load_checkpoint(PACKAGED_CHECKPOINT).configuration.with_shards(shards).to_json()
    (folder / CONFIGURATION_FILE).write_text(text)
    (folder / "README.md").write_text("# Ours\n")
    (folder / "evaluation-2A.json").write_text('{"skipped": ["happy/anna1.jpg: no face was found"]}')
    (folder / "evaluation-2A.html").write_text("pictures")
    return load_checkpoint(folder)


def push(
    checkpoint: Checkpoint, address: str, repository: str = REPOSITORY, *more: str
) -> subprocess.CompletedProcess[str]:
    command = ("-m", "emotion.training.sharing.push", "--repository", repository, "--license", "mit", *more)
    return subprocess.run(
        [sys.executable, *command, "--checkpoint", str(checkpoint.folder)],
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": address, "HF_TOKEN": "hf_x", "HF_HUB_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_what_is_pushed_is_the_checkpoint_and_no_report_on_a_class(small: Checkpoint, tmp_path: Path) -> None:
    there = tmp_path / "hub"
    there.mkdir()
    with hub(there) as (address, _):
        answer = push(small, address)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == f"{REPOSITORY}@{COMMIT}: {small.version}\n"
    assert {path.name for path in there.iterdir()} == {"config.json", "model.safetensors", "README.md"}
    assert load_checkpoint(there).version == small.version
    card = ModelCard((there / "README.md").read_text())
    assert (card.data.license, card.data.library_name, card.data.pipeline_tag) == (
        "mit",
        "timm",
        "image-classification",
    )
    assert "# Ours" in card.text


def test_a_hub_that_refuses_is_told_in_one_line(small: Checkpoint, tmp_path: Path) -> None:
    with hub(tmp_path) as (address, _):
        answer = push(small, address, "school/other")
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].startswith("error: school/other takes nothing: ")


def test_what_is_to_be_private_does_not_go_where_everybody_reads(small: Checkpoint, tmp_path: Path) -> None:
    there = tmp_path / "hub"
    there.mkdir()
    with hub(there) as (address, _):
        answer = push(small, address, REPOSITORY, "--private")
    assert answer.returncode == 1
    assert "is not private: nothing was pushed" in answer.stderr
    assert list(there.iterdir()) == []


def test_a_card_that_states_its_metadata_keeps_it() -> None:
    card = card_for_hub(load_checkpoint(PACKAGED_CHECKPOINT), "apache-2.0")
    assert card.data.license == "mit"
    assert "ferplus" in card.data.tags
    assert card.data.eval_results is not None


def test_the_configuration_says_to_timm_and_transformers_what_they_ask(small: Checkpoint) -> None:
    found = json.loads((small.folder / CONFIGURATION_FILE).read_text())
    assert found["model_type"] == "timm_wrapper"
    assert [found["id2label"][str(place)] for place in range(8)] == found["label_names"] == list(KEYS)
    assert found["pretrained_cfg"]["input_size"] == [3, 224, 224]
    assert found["pretrained_cfg"]["mean"] == [0.508] * 3, "grey is repeated to three channels"


def test_a_key_for_another_program_is_left_to_it(small: Checkpoint) -> None:
    path = small.folder / CONFIGURATION_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"transformers_version": "5.0"}))
    assert load_checkpoint(small.folder).configuration == small.configuration
