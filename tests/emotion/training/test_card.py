"""The model card says what was measured, and of these weights."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_evaluate import BrightnessRuntime, faces_of

from emotion.network.checkpoint import PACKAGED_CHECKPOINT, CheckpointError, load_checkpoint
from emotion.training.card import model_card
from emotion.training.evaluate import evaluate, nan_to_none


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A copy of the packaged checkpoint beside the evaluation of a made-up runtime."""
    folder = shutil.copytree(
        PACKAGED_CHECKPOINT, tmp_path / "checkpoint", ignore=shutil.ignore_patterns("int8", "evaluation*")
    )
    labels = np.arange(64) % 8
    faces = faces_of(labels.tolist(), np.where(np.arange(64) < 56, labels, 5).tolist(), [i < 32 for i in range(64)])
    result, _ = evaluate(load_checkpoint(folder), BrightnessRuntime(), faces, thorough=True)
    (folder / "evaluation.json").write_text(json.dumps(nan_to_none(result)))
    return folder


def test_the_card_carries_the_measured_figures_and_the_hub_s_metadata(judged: Path) -> None:
    text = model_card(load_checkpoint(judged))
    result = json.loads((judged / "evaluation.json").read_text())
    accuracy = result["plurality"]["all"]["accuracy"]
    assert f"| accuracy | {accuracy['value']:.3f} [{accuracy['low']:.3f}, {accuracy['high']:.3f}] |" in text
    front = text.split("---")[1]
    assert f"value: {accuracy['value']:.4f}" in front
    assert "{{" not in text
    for words in ("Meant for", "Not for", "children of 6 to 8", "Robustness", "Licences"):
        assert words in text


def test_the_card_says_how_well_slow_computers_read_lessons_where_that_was_judged(judged: Path) -> None:
    result = json.loads((judged / "evaluation.json").read_text())
    assert "At 160 pixels" not in model_card(load_checkpoint(judged))
    lessons = {"input_size": 160} | {name: result[name] for name in ("plurality", "majority")}
    (judged / "evaluation.json").write_text(json.dumps(result | {"lessons": lessons}))
    text = model_card(load_checkpoint(judged))
    assert "lessons are read at 160 x 160" in text
    assert f"At 160 pixels: plurality {result['plurality']['all']['accuracy']['value']:.3f}" in text


def test_figures_of_other_weights_are_refused(judged: Path) -> None:
    checkpoint = load_checkpoint(judged)
    other = replace(checkpoint, configuration=checkpoint.configuration.with_shards({"a.safetensors": "0"}))
    with pytest.raises(CheckpointError, match="other weights"):
        model_card(other)


def test_an_evaluation_that_was_not_thorough_gives_no_card(judged: Path) -> None:
    result = json.loads((judged / "evaluation.json").read_text())
    del result["robustness"]
    (judged / "evaluation.json").write_text(json.dumps(result))
    with pytest.raises(CheckpointError, match="--thorough"):
        model_card(load_checkpoint(judged))


def test_a_checkpoint_that_was_not_judged_has_no_card(judged: Path) -> None:
    (judged / "evaluation.json").unlink()
    with pytest.raises(CheckpointError, match="--thorough"):
        model_card(load_checkpoint(judged))


def test_the_packaged_card_is_the_one_its_evaluation_gives() -> None:
    assert (PACKAGED_CHECKPOINT / "README.md").read_text(encoding="utf-8") == model_card(load_checkpoint())
