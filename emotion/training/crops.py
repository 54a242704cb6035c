"""Cuts the network's face crop out of a photograph: the aligned face as in the application, or the middle square."""

import numpy as np
from PIL import Image

from emotion.faces.detector import FaceDetector, FaceDetectorError, align
from emotion.network.checkpoint import Configuration
from emotion.training.command_line import CommandError
from emotion.training.data import CropFunction


def aligned_face_crop(configuration: Configuration) -> CropFunction:
    """A function that finds the largest face and aligns its landmarks with the checkpoint's template.

    Raises CommandError where there is no detector.
    """
    try:
        detector = FaceDetector()
    except FaceDetectorError as error:
        raise CommandError(str(error)) from error
    size, template = configuration.crop_size, configuration.crop_template

    def crop(image: np.ndarray) -> np.ndarray | None:
        faces = detector.detect(image)
        if not faces:
            return None
        return align(image, faces[0], template, size, "grey" if configuration.channels == 1 else "rgb")

    return crop


def centre_square_crop(configuration: Configuration) -> CropFunction:
    """A function for images that are face crops already: their middle square, averaged down or enlarged to the crop's
    size."""

    def crop(image: np.ndarray) -> np.ndarray:
        side = min(image.shape[:2])
        top, left = ((length - side) // 2 for length in image.shape[:2])
        square = Image.fromarray(image[top : top + side, left : left + side])
        square = square.convert("L" if configuration.colour == "grey" else "RGB")
        size = configuration.crop_size
        # BOX averages areas, as `align` does; enlarging it would only repeat pixels.
        square = square.resize((size, size), Image.Resampling.BOX if side > size else Image.Resampling.BILINEAR)
        return np.asarray(square).reshape(size, size, configuration.channels)

    return crop
