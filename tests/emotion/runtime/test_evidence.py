"""The map of where the network looked: what the places add up to, in range, and about the class that was asked for."""

import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emotion.classifier import EmotionClassifier
from emotion.faces.detector import Face, FaceDetector, align
from emotion.labels import Emotion
from emotion.network.checkpoint import Checkpoint, load_checkpoint
from emotion.network.resnet152 import load_network
from emotion.runtime.base import Runtime
from emotion.runtime.choose import choose_runtime
from emotion.runtime.evidence import strongest_places
from emotion.runtime.openvino_runtime import OpenVinoRuntime
from emotion.station.heat_overlay import overlay_heat


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint()


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def face(photo: np.ndarray) -> Face:
    return FaceDetector().detect(photo)[0]


@pytest.fixture(scope="module")
def crop(photo: np.ndarray, face: Face, checkpoint: Checkpoint) -> np.ndarray:
    preset = checkpoint.configuration
    return align(photo, face, preset.crop_template, preset.crop_size, preset.colour)


@pytest.fixture(scope="module")
def fast(checkpoint: Checkpoint) -> Runtime:
    return OpenVinoRuntime(checkpoint, "openvino-f32", None)


@pytest.mark.parametrize("name", ["openvino-f32", "torch"])
def test_what_the_places_say_adds_up_to_the_answer(checkpoint: Checkpoint, crop: np.ndarray, name: str) -> None:
    runtime = choose_runtime(checkpoint, name, None)
    evidence = runtime.evidence(np.stack([crop, crop[:, ::-1]]))
    cells = -(-checkpoint.configuration.input_size // 32)
    assert evidence.shape == (2, 8, cells, cells)
    logits = evidence.mean((2, 3)) + checkpoint.state_dict()["fc.bias"].astype(np.float32)
    powers = np.exp(logits / checkpoint.configuration.temperature)
    expected = runtime.probabilities(np.stack([crop, crop[:, ::-1]]))
    np.testing.assert_allclose(powers / powers.sum(1, keepdims=True), expected, atol=1e-3)


def test_the_map_is_the_one_that_gradients_give(checkpoint: Checkpoint, crop: np.ndarray, fast: Runtime) -> None:
    """Grad-CAM as its authors define it, by torch's gradients of the last convolutions."""
    network, maps = load_network(checkpoint), []
    network.backbone.layer4.register_forward_hook(lambda module, inputs, output: maps.append(output))
    logits = network(torch.from_numpy(np.ascontiguousarray(crop[None])))[0]
    (gradient,) = torch.autograd.grad(logits[Emotion.HAPPY], maps[0])
    expected = torch.relu((gradient.mean((2, 3), keepdim=True) * maps[0]).sum(1))[0].detach().numpy()
    found = np.maximum(fast.evidence(crop[None])[0, Emotion.HAPPY], 0)
    np.testing.assert_allclose(found / found.max(), expected / expected.max(), atol=1e-3)


def test_int8_looks_where_float_looks(checkpoint: Checkpoint, crop: np.ndarray, fast: Runtime) -> None:
    int8 = OpenVinoRuntime(checkpoint, "openvino-int8", None)
    one, other = (strongest_places(runtime.evidence(crop[None])[0, Emotion.HAPPY], 48) for runtime in (int8, fast))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.95


def test_a_model_that_was_kept_on_disk_shows_the_same(checkpoint: Checkpoint, crop: np.ndarray, tmp_path) -> None:
    first, second = (OpenVinoRuntime(checkpoint, "openvino-int8", tmp_path).evidence(crop[None]) for _ in range(2))
    np.testing.assert_allclose(first, second, atol=1e-4)


@given(
    evidence=arrays.arrays(
        np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(-9, 9, width=32)
    ),
    side=st.integers(9, 60),
)
def test_the_map_is_in_range_and_reaches_its_end(evidence: np.ndarray, side: int) -> None:
    heat = strongest_places(evidence, side)
    assert heat.shape == (side, side)
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    assert heat.max() == pytest.approx(1) or evidence.max() < 1e-30


def test_a_place_is_drawn_where_it_is() -> None:
    evidence = np.full((7, 7), -1.0)
    evidence[5, 1] = 2
    heat = strongest_places(evidence, 70)
    assert np.unravel_index(heat.argmax(), heat.shape) == (pytest.approx(55, abs=1), pytest.approx(15, abs=1))
    assert heat[:40].max() == heat[:, 30:].max() == 0


def test_a_smile_is_seen_at_the_mouth_and_other_classes_look_elsewhere(photo: np.ndarray, face: Face) -> None:
    classifier = EmotionClassifier(cache=None)
    happy = classifier.where_it_looked(photo, face, Emotion.HAPPY)
    assert happy[24:].mean() > happy[:24].mean()
    assert np.abs(classifier.where_it_looked(photo, face, Emotion.ANGRY) - happy).max() > 0.3


def test_an_empty_map_leaves_the_photo_as_it_is(photo: np.ndarray, face: Face, checkpoint: Checkpoint) -> None:
    preset = checkpoint.configuration
    np.testing.assert_array_equal(overlay_heat(photo, face, np.zeros((48, 48), np.float32), preset), photo)


def test_on_the_photo_the_map_covers_the_face_and_nothing_else(
    photo: np.ndarray, face: Face, checkpoint: Checkpoint
) -> None:
    drawn = overlay_heat(photo, face, np.ones((48, 48), np.float32), checkpoint.configuration)
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
