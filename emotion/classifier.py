"""`EmotionClassifier`: images in, faces with their eight probabilities out."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from emotion.faces.detector import SECOND_PASS_SIDE, Face, FaceDetector, align
from emotion.images import ImageError, ImageSource, read_reduced, shown_name
from emotion.images.reading import DecodedImage
from emotion.labels import KEYS, Emotion, Prediction
from emotion.network.checkpoint import PACKAGED_CHECKPOINT, load_checkpoint
from emotion.runtime.batching import LARGEST_BATCH, BatchingRuntime
from emotion.runtime.choose import CACHE_FOLDER, choose_runtime
from emotion.runtime.evidence import strongest_places

# Only the child in front of the tablet, who has the largest face, is recorded. A poster of six hundred faces behind it
# would keep the network of a whole class busy for seconds.
FRAME_FACES = 1


# Faces that are looked for when a child shows its own: a second one may be the child beside it, and is told.
CALIBRATION_FACES = 2

FEATURES = 2048  # of `emotion.runtime.base.Reading`
FOLDER_TYPES = {
    "expression": "str",
    **dict.fromkeys((*KEYS, "face_quality", "milliseconds"), "float64"),
    "faces_seen": "Int64",
}
FOLDER_COLUMNS = ["image", "expression", *KEYS, "face_quality", "faces_seen", "milliseconds", "model", "error"]


class OwnHead(Protocol):
    """The last layer of one child (`emotion.personal`). ``name`` is added to the network's version in what is
    stored."""

    @property
    def name(self) -> str: ...

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """(m, 2048) float32 -> (m, 8) float32, rows sum to 1."""
        ...


@dataclass(frozen=True, slots=True)
class RecognisedFace:
    """A face and what the network says of it."""

    face: Face
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class Recognition:
    """The answer for one image.

    ``faces``: largest first; empty means that no face was found. ``faces_seen``: how many there are, which may be more
    than were classified. ``width``, ``height``: pixels, after the EXIF orientation was applied. ``model``: the
    network's version (`Runtime.version`). ``milliseconds``: wall-clock time of the whole answer, waiting included.
    """

    faces: tuple[RecognisedFace, ...]
    faces_seen: int
    width: int
    height: int
    model: str
    milliseconds: float


class EmotionClassifier:
    """Finds the faces of an image and classifies their expressions. Thread-safe.

    ``checkpoint``: a folder or a Hub repository (see `emotion.network.checkpoint.load_checkpoint`); ``runtime``: one of
    `emotion.runtime.base.RUNTIMES`; ``cache``: folder for compiled models; ``on_batch`` is told the size of each batch.
    Raises `CheckpointError`, ValueError or RuntimeError.
    """

    def __init__(
        self,
        checkpoint: str | Path = PACKAGED_CHECKPOINT,
        runtime: str = "auto",
        cache: Path | None = CACHE_FOLDER,
        on_batch: Callable[[int], object] | None = None,
    ) -> None:
        self.checkpoint = load_checkpoint(checkpoint)
        chosen = choose_runtime(self.checkpoint, runtime, cache)
        self.runtime = BatchingRuntime(chosen, on_batch)
        shared = chosen.for_throughput()
        self.lesson_runtime = self.runtime if shared is chosen else BatchingRuntime(shared, on_batch)
        self._detector = FaceDetector()

    def __call__(self, images: ImageSource | Iterable[ImageSource]) -> Recognition | list[Recognition]:
        """`recognise` of one image, `recognise_many` of several: a list, or an array (n, height, width, 3)."""
        if _is_one(images):
            return self.recognise(cast(ImageSource, images))
        return self.recognise_many(cast(Iterable[ImageSource], images))

    def recognise(self, image: ImageSource) -> Recognition:
        """Every face of one image: PIL image, array (height, width, 3) uint8 RGB, path, or an encoded image's bytes.

        Raises `emotion.images.ImageError` for what is no image.
        """
        return self.recognise_many([image])[0]

    def recognise_frame(self, image: ImageSource, head: OwnHead | None = None) -> Recognition:
        """The same for a frame of a lesson's camera: with a cheaper search (`FaceDetector.detect_in_frame`), in which
        no more of a large JPEG is decoded than the search looks at, and a network that many frames share. Of all the
        faces seen the largest `FRAME_FACES` are classified, by the child's own ``head`` where it has one, in the same
        batch as everybody's.
        """
        return self._recognise([image], self._largest_faces, self.lesson_runtime, SECOND_PASS_SIDE, head)[0]

    def features_of_frame(self, image: ImageSource) -> tuple[list[Face], np.ndarray]:
        """The largest `CALIBRATION_FACES` faces of a frame, largest first, in its own pixels, and the features (2048,)
        float32 of the first one, as lessons read them; no features, (0,), without a face. Raises `ImageError`.
        """
        pixels, size = read_reduced(image, SECOND_PASS_SIDE)
        found, _ = self._detector.detect_in_frame(pixels, CALIBRATION_FACES)
        if not found:
            return [], np.zeros(0, np.float32)
        features = self.lesson_runtime.read(self._crop(pixels, found[0])[np.newaxis]).features[0]
        return [face.scaled(size[0] / pixels.shape[1], size[1] / pixels.shape[0]) for face in found], features

    @property
    def lesson_network(self) -> str:
        """What makes the features of lessons: a head serves with the weights and precision that it was fitted to."""
        return f"{self.lesson_runtime.version} {self.lesson_runtime.name}"

    def recognise_many(self, images: Iterable[ImageSource]) -> list[Recognition]:
        """One answer for each image, in their order; all faces share the network's batches, and the time is that of
        all.
        """
        return self._recognise(images, self._all_faces, self.runtime)

    def classify_folder(self, folder: str | Path) -> pd.DataFrame:
        """The largest face of every file in a folder and in the folders within it, a row each, with a progress bar.

        ``image``: the path within the folder; ``expression``: the key of the likeliest, and each key with its
        probability (0..1); ``face_quality`` (0..1); ``faces_seen``; all of them missing where no face was found.
        ``milliseconds``: wall-clock time of this image; ``model``: the network's version; ``error``: why the file could
        not be read, else empty. Hidden files are passed over. Raises NotADirectoryError where there is no such folder.
        """
        place = Path(folder)
        if not place.is_dir():
            raise NotADirectoryError(f"{place} is not a folder that is there; check the path.")
        files = sorted(path for path in place.rglob("*") if path.is_file() and not path.name.startswith("."))
        rows = [
            {"image": shown_name(path.relative_to(place).as_posix())} | self._row(path)
            for path in tqdm(files, desc=f"classifying {shown_name(place.name)}", unit="image", file=sys.stderr)
        ]
        return pd.DataFrame(rows, columns=FOLDER_COLUMNS).astype(FOLDER_TYPES)

    def _row(self, path: Path) -> dict[str, object]:
        """What `classify_folder` says of one file."""
        began = time.perf_counter()
        try:
            found = self.recognise(path)
        except (ImageError, OSError) as error:
            spent = (time.perf_counter() - began) * 1000
            return {"milliseconds": spent, "model": self.runtime.version, "error": str(error)}
        row = {"faces_seen": found.faces_seen, "milliseconds": found.milliseconds, "model": found.model, "error": ""}
        if found.faces:
            prediction = found.faces[0].prediction
            row |= {"expression": prediction.expression.key, "face_quality": prediction.face_quality}
            row |= dict(zip(KEYS, prediction.probabilities, strict=True))
        return row

    def features(self, images: ImageSource | Iterable[ImageSource]) -> np.ndarray:
        """(n, 2048) float32: what the network's last layer is given for the largest face of each image, in their order;
        NaN where no face was found. One image is (1, 2048). Raises `emotion.images.ImageError` for what is no image.
        """
        several = [cast(ImageSource, images)] if _is_one(images) else cast(Iterable[ImageSource], images)
        crops: list[np.ndarray] = []
        places: list[int] = []
        count = 0
        for count, source in enumerate(several, 1):
            pixels, _ = read_reduced(source, None)
            if faces := self._detector.detect(pixels):
                crops.append(self._crop(pixels, faces[0]))
                places.append(count - 1)
        answers = np.full((count, FEATURES), np.nan, np.float32)
        for start in range(0, len(crops), LARGEST_BATCH):
            reading = self.runtime.read(np.stack(crops[start : start + LARGEST_BATCH]))
            answers[places[start : start + LARGEST_BATCH]] = reading.features
        return answers

    def _all_faces(self, pixels: np.ndarray) -> tuple[list[Face], int]:
        faces = self._detector.detect(pixels)
        return faces, len(faces)

    def _largest_faces(self, pixels: np.ndarray) -> tuple[list[Face], int]:
        return self._detector.detect_in_frame(pixels, FRAME_FACES)

    def _recognise(
        self,
        images: Iterable[ImageSource],
        detect: Callable[[np.ndarray], tuple[list[Face], int]],
        runtime: BatchingRuntime,
        minimum_side: int | None = None,
        head: OwnHead | None = None,
    ) -> list[Recognition]:
        began = time.perf_counter()
        sizes: list[tuple[int, int]] = []
        counts: list[int] = []
        faces: list[list[Face]] = []
        crops: list[np.ndarray] = []
        for source in images:
            pixels, size = read_reduced(source, minimum_side)
            found, count = detect(pixels)
            counts.append(count)
            sizes.append(size)
            faces.append([face.scaled(size[0] / pixels.shape[1], size[1] / pixels.shape[0]) for face in found])
            crops.extend(self._crop(pixels, face) for face in found)
        predictions = iter(self.classify_crops(crops, [face for found in faces for face in found], runtime, head))
        answers = [tuple(RecognisedFace(face, next(predictions)) for face in found) for found in faces]
        elapsed = (time.perf_counter() - began) * 1000
        return [
            Recognition(answer, count, width, height, runtime.version, elapsed)
            for answer, count, (width, height) in zip(answers, counts, sizes, strict=True)
        ]

    def where_it_looked(self, pixels: np.ndarray, face: Face, expression: Emotion) -> np.ndarray:
        """How much each place of a face's aligned crop speaks for ``expression``: (crop_size, crop_size) float32 in
        0..1. ``pixels``: (height, width, 3) uint8 RGB, in whose coordinates the face is.
        """
        preset = self.checkpoint.configuration
        crop = self._crop(pixels, face)
        return strongest_places(self.runtime.evidence(crop[np.newaxis])[0, expression], preset.crop_size)

    def warm_up(self) -> None:
        """Lets the network meet every number of faces that it will be asked for at a time: the first time of each takes
        up to ten times as long as the next, and some memory that stays taken.
        """
        self.runtime.warm_up(self._blank_crop())
        if self.lesson_runtime is not self.runtime:
            self.lesson_runtime.warm_up(self._blank_crop())

    def require_working(self) -> None:
        """Raises what the network raises, if the last batch failed and a blank one fails now."""
        for runtime in (self.runtime, self.lesson_runtime):
            if runtime.failed:
                runtime.probabilities(self._blank_crop())

    def _crop(self, pixels: np.ndarray, face: Face) -> np.ndarray:
        preset = self.checkpoint.configuration
        return align(pixels, face, preset.crop_template, preset.crop_size, preset.colour)

    def _blank_crop(self) -> np.ndarray:
        preset = self.checkpoint.configuration
        return np.zeros((1, preset.crop_size, preset.crop_size, preset.channels), np.uint8)

    def classify_crops(
        self, crops: Sequence[np.ndarray], faces: Sequence[Face], runtime: BatchingRuntime, head: OwnHead | None = None
    ) -> list[Prediction]:
        """The answer of ``runtime``, or of a child's own ``head`` behind it, for aligned crops, each (crop_size,
        crop_size, channels) uint8, of these ``faces``.
        """
        predictions = []
        for start in range(0, len(crops), LARGEST_BATCH):
            reading = runtime.read(np.stack(crops[start : start + LARGEST_BATCH]))
            rows = reading.probabilities if head is None else head.probabilities(reading.features)
            predictions.extend(rows.astype(float).tolist())
        version = runtime.version if head is None else f"{runtime.version}+{head.name}"
        return [
            Prediction(tuple(row), face.quality.overall, version) for row, face in zip(predictions, faces, strict=True)
        ]


def _is_one(images: ImageSource | Iterable[ImageSource]) -> bool:
    """Whether this is one image, and not several."""
    if isinstance(images, np.ndarray):
        return images.ndim < 4
    return isinstance(images, str | bytes | Path | Image.Image | DecodedImage)
