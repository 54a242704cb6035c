"""Finds photographs that a data set holds more than once, mirrored or not.

FER2013 repeats photographs, also across its splits: a network that has learnt a test image is judged too well.
Checked by eye on FER+: above a similarity of 0.95 practically all pairs are the same photograph, between 0.92 and 0.94
most are two people in the same pose.
"""

import numpy as np

THUMBNAIL_SIDE = (
    16  # pixels of the thumbnail: finer ones tell a shifted copy from its original, coarser ones confuse people
)
DUPLICATE_SIMILARITY = 0.94
BLOCK = 2000  # rows compared at a time: a block against 7,000 images takes 56 MB


def normalised_thumbnails(images: np.ndarray) -> np.ndarray:
    """(n, side, side) uint8, the side a multiple of 16 -> (n, 16, 16) float32, mean 0 and length 1 (0 where flat)."""
    count, side, _ = images.shape
    if side % THUMBNAIL_SIDE:
        raise ValueError(f"images are {side} pixels wide; a multiple of {THUMBNAIL_SIDE} is needed: resize them first")
    step = side // THUMBNAIL_SIDE
    small = images.reshape(count, THUMBNAIL_SIDE, step, THUMBNAIL_SIDE, step).mean((2, 4), dtype=np.float32)
    small -= small.mean((1, 2), keepdims=True)
    length = np.linalg.norm(small.reshape(count, -1), axis=1)[:, None, None]
    return np.divide(small, length, out=np.zeros_like(small), where=length > 1e-3)


def highest_similarity(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n, side, side) and (m, side, side) uint8 -> (n,) float32: the cosine of each image's thumbnail to the most
    similar of ``others``, taking the image as it is or mirrored."""
    left = normalised_thumbnails(images)
    right = normalised_thumbnails(others).reshape(len(others), -1).T
    best = np.full(len(images), -1, np.float32)
    for variant in (left, left[:, :, ::-1]):
        flat = variant.reshape(len(images), -1)
        for start in range(0, len(flat), BLOCK):
            block = flat[start : start + BLOCK] @ right
            best[start : start + BLOCK] = np.maximum(best[start : start + BLOCK], block.max(1))
    return best


def is_duplicate(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) bool: which images show a photograph that is also among ``others``."""
    return highest_similarity(images, others) > DUPLICATE_SIMILARITY
