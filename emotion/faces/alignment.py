"""Cuts a face out of a photo as the network saw faces in training: upright, scaled and shifted to a template."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from PIL import Image

Points = Sequence[tuple[float, float]] | np.ndarray

# A reduction goes in two passes: by a whole number until at least this many photo pixels are left to a pixel of the
# result (one fast C loop), then by a grid of as many samples, so that every photo pixel weighs about the same.
_LEAST_SAMPLES = 2


def similarity_transform(source: Points, target: Points) -> np.ndarray:
    """The (2, 3) matrix of the scaling, rotation and shift that best carries ``source`` onto ``target``, both (n, 2).

    Best in least squares: Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    IEEE PAMI 13(4), 1991, equations 38 to 42. Never mirrors. Raises ValueError when all source points coincide.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    source_mean, target_mean = source.mean(0), target.mean(0)
    centred_source, centred_target = source - source_mean, target - target_mean
    variance = (centred_source**2).sum() / len(source)
    if variance < 1e-12:
        raise ValueError("All source points coincide: no similarity transform is defined.")
    left, singular, right = np.linalg.svd(centred_target.T @ centred_source / len(source))
    signs = np.array([1.0, -1.0 if np.linalg.det(left) * np.linalg.det(right) < 0 else 1.0])
    rotation = left @ np.diag(signs) @ right
    scale = (singular * signs).sum() / variance
    return np.column_stack([scale * rotation, target_mean - scale * rotation @ source_mean])


def transform_points(matrix: np.ndarray, points: Points) -> np.ndarray:
    """Apply a (2, 3) matrix to (n, 2) points."""
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def warp_crop(image: np.ndarray, matrix: np.ndarray, size: int, colour: Literal["grey", "rgb"]) -> np.ndarray:
    """Draw (size, size, 1 or 3) uint8 from (h, w, 3) uint8; ``matrix`` carries photo pixels to crop pixels.

    Coordinates count from the outer edge of the top left pixel, whose centre is (0.5, 0.5). A reduction averages over
    the area of each new pixel, an enlargement is bilinear; outside of the photo its border is repeated. Grey is
    ITU-R BT.601 luma, as in the training images.
    """
    height, width = image.shape[:2]
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    pixels_per_pixel = round(math.sqrt(abs(np.linalg.det(inverse[:, :2]))), 6)  # 3, not 3.0000000001, needs 3 samples
    reduction = max(1, int(pixels_per_pixel / _LEAST_SAMPLES))
    margin = 2 * reduction
    # What lies wholly beyond a border shows that border, however far away it is.
    corners = transform_points(inverse, [(0, 0), (size, 0), (0, size), (size, size)])
    inverse[:, 2] += np.maximum(0, -margin - corners.max(0)) - np.maximum(0, corners.min(0) - (width, height) - margin)
    corners = transform_points(inverse, [(0, 0), (size, 0), (0, size), (size, size)])
    left, top, right, bottom = _window(corners, width, height, margin)
    window = Image.fromarray(image[top:bottom, left:right])
    if colour == "grey":
        window = window.convert("L")
    if reduction > 1:
        window = window.reduce(reduction)
    samples = max(1, math.ceil(pixels_per_pixel / reduction))
    from_grid = np.column_stack([inverse[:, :2] / samples, inverse[:, 2] - (left, top)]) / reduction
    drawn = _bilinear(np.atleast_3d(np.asarray(window, np.float32)), from_grid, size * samples)
    averaged = drawn.reshape(size, samples, size, samples, -1).mean((1, 3))
    return np.clip(np.rint(averaged), 0, 255).astype(np.uint8)


def _window(corners: np.ndarray, width: int, height: int, margin: int) -> tuple[int, int, int, int]:
    """The part of the photo that the corners span, at least one pixel of it even when they lie outside."""
    low, high = np.floor(corners.min(0)).astype(int) - margin, np.ceil(corners.max(0)).astype(int) + margin
    left, top = min(max(0, low[0]), width - 1), min(max(0, low[1]), height - 1)
    return left, top, max(left + 1, min(width, high[0])), max(top + 1, min(height, high[1]))


def _bilinear(image: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    """(side, side, c) float32 of (h, w, c) float32, borders repeated; ``matrix`` carries its pixels to the image's."""
    corners = transform_points(matrix, [(0, 0), (side, 0), (0, side), (side, side)])
    low, high = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int)
    before = np.maximum(0, -low)
    after = np.maximum(0, high - image.shape[1::-1])
    # The library draws nothing outside of an image: what is repeated there is put around it.
    padded = np.pad(image, ((before[1], after[1]), (before[0], after[0]), (0, 0)), mode="edge")
    coefficients = (matrix + np.column_stack([np.zeros((2, 2)), before])).ravel().tolist()
    bands = [
        Image.fromarray(np.ascontiguousarray(padded[..., band])).transform(
            (side, side), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
        )
        for band in range(image.shape[2])
    ]
    return np.stack([np.asarray(band) for band in bands], -1)
