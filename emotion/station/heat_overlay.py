"""Draws the map of where the network looked over a photo."""

import numpy as np
from PIL import Image

from emotion.faces.alignment import similarity_transform
from emotion.faces.detector import Face
from emotion.network.checkpoint import Configuration

OPACITY = 0.55  # of the overlay where the map is 1


def overlay_heat(photo: np.ndarray, face: Face, heat: np.ndarray, configuration: Configuration) -> np.ndarray:
    """The map (side, side) in 0..1 of a face's aligned crop, laid back onto the photo (h, w, 3) uint8 it was cut from.

    From transparent over orange to yellow: strength shows in opacity and brightness too, not in hue alone.
    """
    side = len(heat)
    matrix = similarity_transform(face.landmarks, np.asarray(configuration.crop_template) * side)
    height, width = photo.shape[:2]
    # Pillow asks where in the source a target pixel comes from, counted from outer edges like our matrices.
    drawn = Image.fromarray(np.asarray(heat, np.float32)).transform(
        (width, height), Image.Transform.AFFINE, tuple(matrix.ravel()), Image.Resampling.BILINEAR, fillcolor=0
    )
    strength = np.clip(np.asarray(drawn), 0, 1)[..., None]
    colour = np.concatenate([np.full_like(strength, 255), 110 + 130 * strength, 40 * strength], axis=2)
    opacity = OPACITY * strength
    return np.rint(photo * (1 - opacity) + colour * opacity).astype(np.uint8)
