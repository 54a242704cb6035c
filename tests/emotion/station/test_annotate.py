"""Boxes and labels are on the picture, whatever its size and wherever the face."""

import numpy as np
import pytest

from emotion.labels import COLOURS, Emotion, Prediction
from emotion.station.annotate import MAXIMUM_SIDE, annotate, reduced

HAPPY = Prediction((0.01, 0.01, 0.01, 0.01, 0.01, 0.93, 0.01, 0.01), 0.9, "test")


def colours_of(picture) -> set[str]:
    pixels = np.asarray(picture).reshape(-1, 3)
    return {"#{:02X}{:02X}{:02X}".format(*pixel) for pixel in np.unique(pixels, axis=0)}


@pytest.mark.parametrize("box", [(40, 40, 80, 90), (0, 0, 20, 20), (180, 130, 200, 150), (-5, -5, 210, 160)])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_box_has_the_colour_of_the_expression(box, language):
    grey = np.full((150, 200, 3), 128, np.uint8)
    assert COLOURS[Emotion.HAPPY] in colours_of(annotate(grey, [box], [HAPPY], language=language))
    assert (grey == 128).all(), "the photograph itself stays as it is"


def test_a_large_photograph_is_answered_by_a_small_copy():
    assert reduced(np.zeros((3000, 4000, 3), np.uint8)).shape == (MAXIMUM_SIDE * 3 // 4, MAXIMUM_SIDE, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_a_picture_of_one_pixel_in_any_direction_is_no_trouble(size):
    copy = reduced(np.zeros((size[1], size[0], 3), np.uint8))
    annotate(copy, [(0, 0, 1, 1)], [HAPPY])


def test_without_a_face_the_picture_comes_back_unchanged():
    noise = np.random.default_rng(0).integers(0, 255, (50, 60, 3), np.uint8)
    assert (np.asarray(annotate(noise, [], [])) == noise).all()
