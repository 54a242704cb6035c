"""The reference network: its shape, its weights, and the preprocessing that travels with them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.network.checkpoint import Checkpoint, CheckpointError, Configuration, load_checkpoint
from emotion.network.resnet152 import ExpressionNetwork, Preprocessing, build_resnet152, load_network


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint()


@pytest.fixture(scope="module")
def network(checkpoint: Checkpoint) -> ExpressionNetwork:
    return load_network(checkpoint)


def test_it_is_torchvisions_resnet152_with_eight_outputs(network: ExpressionNetwork) -> None:
    names = {name for name, _ in network.backbone.named_modules()}
    assert {"layer1.2.conv3", "layer2.7.conv3", "layer3.35.conv3", "layer4.2.conv3"} <= names
    assert "layer3.36" not in names
    # He et al. 2016: 60.2 million parameters with 1000 classes; 2049 of them go with each class.
    assert sum(weight.numel() for weight in network.parameters()) == 60_192_808 - 992 * 2049


def test_the_packaged_weights_are_loaded_and_stay_finite(network: ExpressionNetwork, checkpoint: Checkpoint) -> None:
    stored = checkpoint.state_dict()["layer3.17.conv2.weight"]
    loaded = network.backbone.state_dict()["layer3.17.conv2.weight"]
    np.testing.assert_array_equal(loaded.numpy(), stored.astype(np.float32))
    side = checkpoint.configuration.crop_size
    crops = torch.randint(0, 256, (2, side, side, 1), dtype=torch.uint8)
    with torch.inference_mode():
        logits = network(crops)
    assert logits.shape == (2, 8)
    assert logits.isfinite().all()


def test_a_gradient_reaches_every_trained_weight(network: ExpressionNetwork, checkpoint: Checkpoint) -> None:
    side = checkpoint.configuration.crop_size
    network(torch.randint(0, 256, (2, side, side, 1), dtype=torch.uint8)).sum().backward()
    without = [name for name, weight in network.named_parameters() if weight.grad is None]
    network.zero_grad(set_to_none=True)
    assert without == []


def configured(checkpoint: Checkpoint, **changes: object) -> Configuration:
    return replace(checkpoint.configuration, **changes)


def test_preprocessing_is_what_the_configuration_says(checkpoint: Checkpoint) -> None:
    preset = configured(checkpoint, input_size=96, colour="rgb", mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 0.2))
    crops = torch.full((1, 48, 48, 3), 255, dtype=torch.uint8)
    images = Preprocessing(preset)(crops)
    assert images.shape == (1, 3, 96, 96)
    expected = torch.tensor([(1 - 0.1) / 0.5, (1 - 0.2) / 0.25, (1 - 0.3) / 0.2])
    torch.testing.assert_close(images[0].mean((1, 2)), expected)


@settings(max_examples=25, deadline=None)
@given(value=st.integers(0, 255), mean=st.floats(0, 1), std=st.floats(0.05, 1), size=st.integers(32, 80))
def test_an_even_grey_crop_stays_even_in_three_equal_channels(value: int, mean: float, std: float, size: int) -> None:
    preset = configured(load_checkpoint(), input_size=size, mean=(mean,), std=(std,))
    images = Preprocessing(preset)(torch.full((1, 48, 48, 1), value, dtype=torch.uint8))
    assert images.shape == (1, 3, size, size)
    torch.testing.assert_close(images, torch.full_like(images, (value / 255 - mean) / std), rtol=1e-4, atol=1e-4)


def test_weights_of_another_network_are_refused(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = checkpoint.state_dict()
    del tensors["fc.bias"]
    monkeypatch.setattr(Checkpoint, "state_dict", lambda self: tensors)
    with pytest.raises(CheckpointError, match=r"not those of a ResNet152.*fc\.bias"):
        load_network(checkpoint)


def test_building_it_untrained_costs_no_download() -> None:
    with torch.device("meta"):
        assert build_resnet152().fc.out_features == 8
