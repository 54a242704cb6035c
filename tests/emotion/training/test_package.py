"""Packing trained weights, and making the int8 model beside them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from emotion.labels import Emotion
from emotion.network.checkpoint import (
    CONFIGURATION_FILE,
    INDEX_FILE,
    PACKAGED_CHECKPOINT,
    Checkpoint,
    Configuration,
    load_checkpoint,
)
from emotion.network.resnet152 import build_resnet152
from emotion.runtime.openvino_runtime import OpenVinoRuntime
from emotion.training.package import adjust_logits, main, package


@pytest.fixture
def preset() -> Configuration:
    return load_checkpoint().configuration


def write_weights(path: Path, **changes: torch.Tensor) -> Path:
    """A safetensors file with every tensor of a ResNet152, all 0.125, but for ``changes``."""
    with torch.device("meta"):
        shapes = build_resnet152().state_dict()
    tensors = {name: torch.full(like.shape, 0.125).to(like.dtype) for name, like in shapes.items()}
    save_file(tensors | changes, path)
    return path


def test_weights_of_another_architecture_are_refused(tmp_path: Path, preset: Configuration) -> None:
    save_file({"fc.weight": torch.zeros(7, 2048)}, tmp_path / "small.safetensors")
    with pytest.raises(ValueError, match="no ResNet152 with 8 outputs"):
        package(tmp_path / "small.safetensors", preset, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_packed_folder_is_sharded_below_45_megabytes_and_reads_back(tmp_path: Path, preset: Configuration) -> None:
    weights = write_weights(tmp_path / "weights.safetensors", **{"fc.bias": torch.arange(8.0)})
    out = tmp_path / "out"
    out.mkdir()
    (out / "README.md").write_text("a card that was here before")
    (out / "int8.safetensors").write_text("of other weights")
    checkpoint = package(weights, replace(preset, input_size=112, lessons=None), out)
    shards = sorted(out.glob("*.safetensors"))
    assert len(shards) == 3
    assert all(path.stat().st_size <= 45e6 for path in shards)
    assert checkpoint.configuration.input_size == 112
    assert checkpoint.configuration.int8 is None
    assert set(json.loads((out / INDEX_FILE).read_text())["weight_map"].values()) == {path.name for path in shards}
    tensors = checkpoint.state_dict()
    np.testing.assert_array_equal(tensors["fc.bias"], np.arange(8))
    assert tensors["conv1.weight"].dtype == np.float16
    assert (out / "README.md").read_text() == "a card that was here before"


@pytest.mark.slow
def test_a_weight_too_large_for_float16_is_refused(tmp_path: Path, preset: Configuration) -> None:
    weights = write_weights(tmp_path / "weights.safetensors", **{"fc.bias": torch.full((8,), 1e6)})
    with pytest.raises(ValueError, match=r"not finite in float16.*fc\.bias"):
        package(weights, preset, tmp_path / "out")


@given(counts=st.lists(st.integers(1, 500), min_size=8, max_size=8), strength=st.floats(0.01, 1))
def test_adjusted_logits_weigh_a_class_by_its_rarity(counts: list[int], strength: float) -> None:
    labels, bias = np.repeat(np.arange(8), counts), torch.linspace(-1, 1, 8)
    gain = (adjust_logits(bias, labels, strength) - bias).double()
    # Odds between two classes change by the ratio of their counts, to the power of the strength.
    expected = (counts[1] / counts[0]) ** strength
    assert float((gain[0] - gain[1]).exp()) == pytest.approx(expected, rel=1e-4)
    assert float(gain.mean()) == pytest.approx(0, abs=1e-5)
    assert torch.equal(adjust_logits(bias, labels, 0.0), bias)


def test_adjusting_without_the_data_that_say_the_shares_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "weights.safetensors"
    save_file({"fc.bias": torch.zeros(8)}, weights)
    template = PACKAGED_CHECKPOINT / CONFIGURATION_FILE
    arguments = ["package", "--weights", weights, "--template", template, "--out", tmp_path / "out"]
    monkeypatch.setattr("sys.argv", [*map(str, arguments), "--adjust-logits", "0.2"])
    with pytest.raises(SystemExit):
        main()
    assert "--adjust-logits and --data go together" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_calibration_takes_as_many_of_each_class_as_there_are() -> None:
    from emotion.training.quantise import class_balanced_sample

    labels = np.repeat(np.arange(8), [100, 3, 100, 100, 100, 100, 100, 100])
    picked = class_balanced_sample(labels, 80, np.random.default_rng(0))
    assert len(np.unique(picked)) == len(picked)
    counts = np.bincount(labels[picked], minlength=8)
    assert counts[Emotion.DISGUST] == 3
    assert (np.delete(counts, Emotion.DISGUST) == 10).all()


@pytest.mark.slow
def test_the_quantised_network_stays_near_the_float_one(tmp_path: Path, preset: Configuration) -> None:
    from emotion.training.quantise import quantise, save_quantisation

    for path in PACKAGED_CHECKPOINT.glob("model-*.safetensors"):
        (tmp_path / path.name).symlink_to(path)
    small = replace(preset, input_size=64, lessons=None, int8=None)
    (tmp_path / CONFIGURATION_FILE).write_text(small.to_json())
    generator = np.random.default_rng(0)
    even = generator.integers(40, 200, (16, 1, 1, 1)) + generator.normal(0, 25, (16, 12, 12, 1))
    crops = even.repeat(4, 1).repeat(4, 2).clip(0, 255).astype(np.uint8)
    quantisation = quantise(Checkpoint(tmp_path, small), crops, ())
    assert len(quantisation.scales) == len(quantisation.biases) == 156  # 155 convolutions and the last layer
    checkpoint = save_quantisation(quantisation, Checkpoint(tmp_path, small))
    exact = OpenVinoRuntime(checkpoint, "openvino-f32", None).probabilities(crops)
    rounded = OpenVinoRuntime(checkpoint, "openvino-int8", None).probabilities(crops)
    assert np.abs(exact - rounded).max() < 0.25
    assert (exact.argmax(1) == rounded.argmax(1)).mean() >= 0.75


def test_an_attempt_at_int8_leaves_the_checkpoint_alone_until_it_is_accepted(tmp_path: Path) -> None:
    from emotion.network.quantisation import QUANTISATION_FILE, Quantisation
    from emotion.training.quantise import accept, save_quantisation, trial_copy

    real, trial = tmp_path / "real", tmp_path / "trial"
    real.mkdir()
    trial.mkdir()
    for path in (*PACKAGED_CHECKPOINT.glob("model-*.safetensors"), PACKAGED_CHECKPOINT / CONFIGURATION_FILE):
        (real / path.name).symlink_to(path) if path.suffix == ".safetensors" else (real / path.name).write_bytes(
            path.read_bytes()
        )
    (real / QUANTISATION_FILE).write_text("an earlier int8 model")
    checkpoint = load_checkpoint(real)
    before = {path.name: path.read_bytes() for path in real.iterdir()}
    tried = save_quantisation(Quantisation({}, {}, {}), trial_copy(checkpoint, trial))
    assert {path.name: path.read_bytes() for path in real.iterdir()} == before
    assert load_checkpoint(trial).configuration.int8 == tried.configuration.int8
    accept(tried, checkpoint)
    assert load_checkpoint(real).configuration.int8 == tried.configuration.int8
    assert (real / QUANTISATION_FILE).read_bytes() == (trial / QUANTISATION_FILE).read_bytes()


@pytest.mark.slow
def test_packing_into_a_folder_of_other_things_leaves_them(tmp_path: Path, preset: Configuration) -> None:
    weights = write_weights(tmp_path / "weights.safetensors")
    (tmp_path / "model-00009-of-00009.safetensors").write_text("a shard of the weights before")
    checkpoint = package(weights, preset, tmp_path)
    assert weights.exists()
    assert not (tmp_path / "model-00009-of-00009.safetensors").exists()
    assert weights.name not in checkpoint.configuration.shards
    assert not list(tmp_path.glob(".new-*"))
