"""The template's measurement: on a face whose landmarks are known, and its arithmetic."""

import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st

from emotion.faces.detector import FaceDetector, align
from emotion.network.checkpoint import PACKAGED_CHECKPOINT, load_checkpoint
from emotion.training.template import detect_landmarks, make_symmetric, measure_template, scale_about_centre

fraction = st.floats(0, 1)
five = st.lists(st.tuples(fraction, fraction), min_size=5, max_size=5)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="module")
def crop(detector) -> np.ndarray:
    template = load_checkpoint(PACKAGED_CHECKPOINT).configuration.crop_template
    photo = skimage.data.astronaut()
    return align(photo, detector.detect(photo)[0], template, 48, "grey")


def test_in_a_tight_crop_of_48_pixels_the_landmarks_are_found(detector, crop):
    points = detect_landmarks(crop, detector)
    assert points is not None
    np.testing.assert_allclose(points, load_checkpoint(PACKAGED_CHECKPOINT).configuration.crop_template, atol=0.06)


def test_a_crop_without_a_face_is_left_out(detector, crop):
    even = np.full_like(crop, 90)
    assert detect_landmarks(even, detector) is None
    _, _, found = measure_template(np.stack([crop, even, crop]), detector)
    assert found == 2


def test_crops_without_any_face_are_an_error(detector, crop):
    with pytest.raises(ValueError, match="no face"):
        measure_template(np.full((2, *crop.shape), 90, np.uint8), detector)


@given(five)
def test_the_symmetric_template_is_its_own_mirror_image(points):
    template = make_symmetric(points)
    mirrored = template[[1, 0, 2, 4, 3]] * (-1, 1) + (1, 0)
    np.testing.assert_allclose(mirrored, template, atol=1e-12)
    np.testing.assert_allclose(make_symmetric(template), template, atol=1e-12)


@given(five)
def test_scaling_keeps_the_centre_and_the_directions(points):
    points = np.array(points)
    np.testing.assert_allclose(scale_about_centre(points) - 0.5, 1.06 * (points - 0.5), atol=1e-12)
