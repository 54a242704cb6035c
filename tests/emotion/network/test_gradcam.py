"""The map of where the network looked: deterministic, in range, and about the class that was asked for."""

import numpy as np
import pytest
import skimage.data

from emotion.faces.detector import Face, FaceDetector, align
from emotion.labels import Emotion
from emotion.network import gradcam
from emotion.network.checkpoint import PACKAGED_CHECKPOINT, load_checkpoint
from emotion.network.gradcam import Explainer, explain
from emotion.network.resnet152 import ExpressionNetwork, load_network
from emotion.station.heat_overlay import overlay_heat


@pytest.fixture(scope="module")
def network() -> ExpressionNetwork:
    return load_network(load_checkpoint(PACKAGED_CHECKPOINT))


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def face(photo) -> Face:
    return FaceDetector().detect(photo)[0]


@pytest.fixture(scope="module")
def crop(photo, face) -> np.ndarray:
    preset = load_checkpoint(PACKAGED_CHECKPOINT).configuration
    return align(photo, face, preset.crop_template, preset.crop_size, preset.colour)


def test_the_map_is_in_range_and_reaches_its_end(network, crop):
    heat = explain(network, crop)
    assert heat.shape == crop.shape[:2]
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    assert heat.max() == pytest.approx(1)


def test_the_map_is_deterministic(network, crop):
    np.testing.assert_array_equal(explain(network, crop), explain(network, crop))


def test_by_default_the_top_class_is_explained_and_other_classes_look_elsewhere(network, crop):
    happy = explain(network, crop, Emotion.HAPPY)
    np.testing.assert_array_equal(explain(network, crop), happy)
    assert np.abs(explain(network, crop, Emotion.ANGRY) - happy).max() > 0.3


def test_the_map_follows_the_picture(network, crop):
    without_mouth = crop.copy()
    without_mouth[30:] = 128
    happy = explain(network, crop, Emotion.HAPPY)
    assert np.abs(explain(network, without_mouth, Emotion.HAPPY) - happy).max() > 0.05


def test_explaining_leaves_no_trace_in_the_network(network, crop):
    explain(network, crop)
    assert not any(module._forward_hooks for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_an_explainer_gives_the_same_map(network, crop):
    explainer = Explainer(load_checkpoint(PACKAGED_CHECKPOINT))
    np.testing.assert_array_equal(explainer.explain(crop), explain(network, crop))


def test_an_empty_map_leaves_the_photo_as_it_is(photo, face):
    preset = load_checkpoint(PACKAGED_CHECKPOINT).configuration
    np.testing.assert_array_equal(overlay_heat(photo, face, np.zeros((48, 48), np.float32), preset), photo)


def test_on_the_photo_the_map_covers_the_face_and_nothing_else(photo, face):
    preset = load_checkpoint(PACKAGED_CHECKPOINT).configuration
    drawn = overlay_heat(photo, face, np.ones((48, 48), np.float32), preset)
    changed = (drawn != photo).any(axis=2)
    left, top, right, bottom = face.box
    for x, y in face.landmarks:
        assert changed[int(y), int(x)]
    rows, columns = np.nonzero(changed)
    width, height = right - left, bottom - top
    assert columns.min() > left - width
    assert columns.max() < right + width
    assert rows.min() > top - height
    assert rows.max() < bottom + height


def test_a_smile_is_seen_at_the_mouth(network, crop):
    """Whatever the packaged network's input size: the lower half of a smiling face outweighs the upper."""
    heat = explain(network, crop, Emotion.HAPPY)
    assert heat[24:].mean() > heat[:24].mean()


@pytest.mark.parametrize(("input_size", "layer"), [(224, "layer4"), (112, "layer3"), (64, "layer2"), (48, "layer1")])
def test_the_deepest_layer_that_shows_places_is_asked(input_size, layer):
    assert gradcam._layer(input_size) == layer
