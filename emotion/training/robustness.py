"""Perturbations of face crops as a classroom brings them, under which the accuracy is measured again.

Unlike the augmentations each has one strength and a fixed seed, so that two checkpoints can be compared. Each takes
and returns crops (n, side, side, channels) uint8. Lengths are fractions of the crop's side; the places of mouth and
eyes are those of the crop template that FER+ follows.
"""

import math
from collections.abc import Callable
from io import BytesIO

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torchvision.transforms.v2 import functional as transforms

Perturbation = Callable[[np.ndarray], np.ndarray]


def warm_light(crops: np.ndarray) -> np.ndarray:
    """Red times 1.3, blue times 0.6, as under a lamp; a grey crop is what a camera makes of that in grey."""
    gains = np.array([1.3, 1.0, 0.6])
    if crops.shape[3] == 1:
        gains = np.array([gains @ [0.299, 0.587, 0.114]])  # ITU-R BT.601, as in the grey conversion
    return _bytes(crops * gains)


def blur(crops: np.ndarray) -> np.ndarray:
    """Gaussian, deviation 3 % of the side."""
    deviation = 0.03 * crops.shape[1]
    width = 2 * math.ceil(2.5 * deviation) + 1
    planes = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    return _bytes(transforms.gaussian_blur(planes, [width, width], [deviation] * 2).permute(0, 2, 3, 1).numpy())


def jpeg(crops: np.ndarray) -> np.ndarray:
    """JPEG at quality 30."""
    result = np.empty_like(crops)
    for index, crop in enumerate(crops):
        file = BytesIO()
        Image.fromarray(crop.squeeze(2) if crop.shape[2] == 1 else crop).save(file, "JPEG", quality=30)
        result[index] = np.asarray(Image.open(file)).reshape(crop.shape)
    return result


def low_light(crops: np.ndarray) -> np.ndarray:
    """A quarter of the light, with the noise of a sensor turned up: deviation 1.5 % of the range."""
    return _bytes(crops * 0.25 + np.random.default_rng(0).normal(0, 0.015 * 255, crops.shape))


def noise(crops: np.ndarray) -> np.ndarray:
    """Gaussian noise, deviation 8 % of the range."""
    return _bytes(crops + np.random.default_rng(0).normal(0, 0.08 * 255, crops.shape))


def rotation(crops: np.ndarray) -> np.ndarray:
    """Every other crop 20 degrees to the left, the rest to the right: a head tilted further than alignment undoes."""
    angles = torch.where(torch.arange(len(crops)) % 2 == 0, 1.0, -1.0) * math.radians(20)
    cosine, sine, zero = angles.cos(), angles.sin(), torch.zeros(len(crops))
    matrix = torch.stack([torch.stack([cosine, -sine, zero], 1), torch.stack([sine, cosine, zero], 1)], 1)
    planes = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    grid = F.affine_grid(matrix, list(planes.shape), align_corners=False)
    turned = F.grid_sample(planes, grid, padding_mode="border", align_corners=False)
    return _bytes(turned.permute(0, 2, 3, 1).numpy())


def mask(crops: np.ndarray) -> np.ndarray:
    """A light mask from under the nose's bridge to the chin, 76 % of the width."""
    down, across = _places(crops.shape[1])
    covered = (down > 0.58 + 0.25 * np.abs(across - 0.5)) & (np.abs(across - 0.5) < 0.38)
    return np.where(covered[None, :, :, None], np.uint8(200), crops)


def dark_glasses(crops: np.ndarray) -> np.ndarray:
    """Two dark lenses over the eyes with a bridge between them."""
    down, across = _places(crops.shape[1])
    lenses = [((across - x) / 0.16) ** 2 + ((down - 0.39) / 0.11) ** 2 < 1 for x in (0.31, 0.68)]
    bridge = (np.abs(down - 0.38) < 0.02) & (np.abs(across - 0.495) < 0.1)
    return np.where((lenses[0] | lenses[1] | bridge)[None, :, :, None], np.uint8(25), crops)


PERTURBATIONS: dict[str, Perturbation] = {
    "warm light": warm_light,
    "blur": blur,
    "JPEG 30": jpeg,
    "low light": low_light,
    "noise": noise,
    "rotation ±20°": rotation,
    "mask over the mouth": mask,
    "dark glasses": dark_glasses,
}


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _places(side: int) -> tuple[np.ndarray, np.ndarray]:
    """(side, side) each: how far down and how far across the middle of every pixel lies, as fractions."""
    middle = (np.arange(side) + 0.5) / side
    down, across = np.meshgrid(middle, middle, indexing="ij")
    return down, across
