"""Each property of a face's quality falls with the fault that it is about, and stays with the others."""

import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from emotion.faces.detector import Face, FaceDetector
from emotion.faces.quality import TEMPLATE, Quality, exposure, frontality, measure_quality, sharpness_ratio


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def face(photo) -> Face:
    return FaceDetector().detect(photo)[0]


def judged(photo: np.ndarray, face: Face) -> Quality:
    return measure_quality(photo, face.box, face.landmarks)


def test_a_good_portrait_leaves_little_to_wish_for(photo, face):
    quality = judged(photo, face)
    assert min(quality.size, quality.sharpness, quality.exposure, quality.frontality) > 0.9
    assert quality.overall == min(quality.size, quality.sharpness, quality.exposure, quality.frontality)


def test_blur_lowers_sharpness_only(photo, face):
    sharp = judged(photo, face)
    soft = judged(np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(3))), face)
    softer = judged(np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(6))), face)
    assert sharp.sharpness > soft.sharpness > softer.sharpness
    assert softer.sharpness < 0.1
    assert softer.exposure > 0.9


@pytest.mark.parametrize(
    "change", [lambda p: p // 6, lambda p: np.minimum(p.astype(int) * 3 + 80, 255).astype(np.uint8)]
)
def test_too_little_and_too_much_light_lower_exposure(photo, face, change):
    assert judged(change(photo), face).exposure < 0.4


def test_a_dim_picture_is_not_called_blurred(photo, face):
    assert judged(photo // 2, face).sharpness == pytest.approx(judged(photo, face).sharpness, abs=0.1)


def test_size_counts_in_pixels_of_the_network(photo, face):
    small = measure_quality(photo, (100, 100, 124, 124), face.landmarks)
    assert small.size == pytest.approx(0.5)


def test_turning_the_head_lowers_frontality_to_nothing_at_the_profile():
    shifted = [
        frontality([(x + shift, y) if i == 2 else (x, y) for i, (x, y) in enumerate(TEMPLATE)])
        for shift in np.linspace(0, 0.2, 6)
    ]
    assert shifted[0] > 0.95
    assert shifted == sorted(shifted, reverse=True)
    assert shifted[-1] == 0


@given(st.floats(-np.pi, np.pi), st.floats(0.1, 1000))
def test_frontality_does_not_depend_on_tilt_or_distance(angle, size):
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert frontality(np.array(TEMPLATE) @ turn.T) == pytest.approx(frontality(TEMPLATE), abs=1e-6)


def test_points_that_coincide_have_no_front():
    assert frontality([(3, 3)] * 5) == 0


@given(st.integers(0, 255))
def test_an_even_crop_is_neither_sharp_nor_well_exposed(level):
    crop = np.full((48, 48), level, np.float32)
    assert sharpness_ratio(crop) == 0
    assert exposure(crop) == 0
