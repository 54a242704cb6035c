"""A map of where the network looked, laid over the picture for people."""

import numpy as np
from PIL import Image

from emotion.faces.alignment import similarity_transform
from emotion.faces.detector import Face
from emotion.network.checkpoint import Configuration

STRENGTH = 0.55  # opacity of the overlay where the map is 1


def overlay(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The map (any size, 0..1) laid over a picture (h, w, 1 or 3) uint8 of the same field of view -> (h, w, 3) uint8.

    From transparent over orange to yellow; orientation is by opacity and brightness too, not by hue alone.
    """
    height, width = image.shape[:2]
    resized = Image.fromarray(np.asarray(heat, np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    return _blend(image, np.clip(np.asarray(resized), 0, 1))


def overlay_on_photo(photo: np.ndarray, face: Face, heat: np.ndarray, configuration: Configuration) -> np.ndarray:
    """The map of a face's aligned crop laid back onto the photo (h, w, 3) uint8 that the crop was cut from."""
    side = len(heat)
    matrix = similarity_transform(face.landmarks, np.asarray(configuration.crop_template) * side)
    height, width = photo.shape[:2]
    # Pillow asks where in the source a target pixel comes from, counted from outer edges like our matrices.
    drawn = Image.fromarray(np.asarray(heat, np.float32)).transform(
        (width, height), Image.Transform.AFFINE, tuple(matrix.ravel()), Image.Resampling.BILINEAR, fillcolor=0
    )
    return _blend(photo, np.clip(np.asarray(drawn), 0, 1))


def _blend(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    strength = heat[..., None]
    colour = np.concatenate([np.full_like(strength, 255), 110 + 130 * strength, 40 * strength], axis=2)
    opacity = STRENGTH * strength
    return np.rint(image * (1 - opacity) + colour * opacity).astype(np.uint8)
