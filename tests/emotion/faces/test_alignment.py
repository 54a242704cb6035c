"""The similarity transform and the crop that is cut with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.faces.alignment import similarity_transform, transform_points, warp_crop

coordinate = st.floats(-1000, 1000, allow_nan=False)
points = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=8).filter(
    lambda p: np.ptp(p, axis=0).min() > 1
)
turn = st.floats(-np.pi, np.pi)
scale = st.floats(0.01, 100)


def matrix_of(angle: float, factor: float, shift: tuple[float, float]) -> np.ndarray:
    cosine, sine = factor * np.cos(angle), factor * np.sin(angle)
    return np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])


@given(points, turn, scale, st.tuples(coordinate, coordinate))
def test_a_known_transform_is_recovered(source, angle, factor, shift):
    known = matrix_of(angle, factor, shift)
    found = similarity_transform(source, transform_points(known, source))
    np.testing.assert_allclose(found, known, atol=1e-6 * max(1, factor) * 1000)


@given(points, points.filter(lambda p: len(p) >= 3), turn, scale)
def test_no_other_similarity_fits_better(source, target, angle, factor):
    count = min(len(source), len(target))
    source, target = np.array(source[:count]), np.array(target[:count])
    best = similarity_transform(source, target)
    other = matrix_of(angle, factor, (0, 0))
    other[:, 2] = target.mean(0) - other[:, :2] @ source.mean(0)  # the best shift for that turn and scale

    def error(matrix: np.ndarray) -> float:
        return float(((transform_points(matrix, source) - target) ** 2).sum())

    assert error(best) <= error(other) * (1 + 1e-9) + 1e-6


@given(points, points)
def test_a_face_is_never_mirrored(source, target):
    count = min(len(source), len(target))
    assert np.linalg.det(similarity_transform(source[:count], target[:count])[:, :2]) >= 0


def test_points_that_coincide_are_refused():
    with pytest.raises(ValueError, match="coincide"):
        similarity_transform([(1, 1)] * 5, [(0, 0), (1, 0), (0, 1), (1, 1), (2, 2)])


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_the_identity_copies_the_picture():
    image = picture(20, 20)
    np.testing.assert_array_equal(warp_crop(image, np.eye(2, 3), 20, "rgb"), image)


@pytest.mark.parametrize("factor", [2, 3, 8, 20])
def test_a_reduction_averages_over_the_area(factor):
    image = picture(12 * factor, 12 * factor)
    blocks = image.reshape(12, factor, 12, factor, 3).mean((1, 3))
    reduced = warp_crop(image, np.eye(2, 3) / factor, 12, "rgb")
    np.testing.assert_allclose(reduced, blocks, atol=1.01)


def test_an_enlargement_is_bilinear():
    image = np.zeros((1, 2, 3), np.uint8)
    image[0, 1] = 200
    enlarged = warp_crop(image, np.eye(2, 3) * 4, 8, "rgb")
    assert enlarged[0, :, 0].tolist() == [0, 0, 25, 75, 125, 175, 200, 200]


def test_outside_of_the_photo_its_border_is_repeated():
    image = np.full((10, 10, 3), 77, np.uint8)
    assert (warp_crop(image, matrix_of(0.4, 1.5, (3, -40)), 30, "rgb") == 77).all()


def test_a_window_wholly_outside_of_the_photo_is_still_drawn():
    image = np.full((10, 10, 3), 77, np.uint8)
    assert (warp_crop(image, matrix_of(0, 1, (5000, 5000)), 8, "rgb") == 77).all()


def test_grey_is_luma_and_has_one_channel():
    image = np.zeros((8, 8, 3), np.uint8)
    image[..., 1] = 255
    grey = warp_crop(image, np.eye(2, 3), 8, "grey")
    assert grey.shape == (8, 8, 1)
    assert (grey == 150).all()  # 0.587 * 255
