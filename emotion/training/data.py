"""Reads training and test images: FER+ arrays, and folders of photographs with one sub-folder per class.

    python -m emotion.training.data --images fer2013.csv --votes fer2013new.csv --out data/ferplus

builds train.npz, valid.npz and test.npz from the two files that their authors publish: fer2013.csv (Kaggle challenge
"Challenges in Representation Learning: Facial Expression Recognition", 2013; for research, not to be passed on) and
fer2013new.csv (github.com/microsoft/FERPlus, MIT licence).
"""

import argparse
import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from emotion.images import ImageError, read_image
from emotion.labels import KEYS, Emotion

CropFunction = Callable[[np.ndarray], np.ndarray | None]
"""Cuts the face out of a photograph, (height, width, 3) uint8, as (side, side, channels) uint8; None without a face."""

# FER+ counts its votes as neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, not a face.
FERPLUS_COLUMNS = (
    Emotion.NEUTRAL,
    Emotion.HAPPY,
    Emotion.SURPRISE,
    Emotion.SAD,
    Emotion.ANGRY,
    Emotion.DISGUST,
    Emotion.FEAR,
    Emotion.CONTEMPT,
)
OUTLIER_VOTES = 1  # the FER+ authors drop a class that only one of ten people named
SPLITS = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


class DataError(ValueError):
    """The data set cannot be used as it is; the message names the file or folder and the remedy."""


@dataclass(frozen=True)
class FaceDataset:
    """Face crops with their labels.

    ``images``: (n, side, side, channels) uint8. ``targets``: (n, 8) float32, each row a distribution over `Emotion`.
    ``majority``: (n,) bool, whether more than half of all votes went to the top class. ``children``: (n,) bool, or None
    where that is not known. ``names``: (n,) str. ``skipped``: images left out, as "name: reason".
    """

    images: np.ndarray
    targets: np.ndarray
    majority: np.ndarray
    names: np.ndarray
    children: np.ndarray | None = None
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels(self) -> np.ndarray:
        """(n,) int64: the class with the most votes."""
        return self.targets.argmax(1)

    def take(self, chosen: np.ndarray) -> "FaceDataset":
        """The faces at ``chosen``, a mask or an array of indices."""
        children = None if self.children is None else self.children[chosen]
        return FaceDataset(
            self.images[chosen], self.targets[chosen], self.majority[chosen], self.names[chosen], children, self.skipped
        )


def load_ferplus(path: Path) -> FaceDataset:
    """Reads one FER+ array file under the plurality protocol.

    Classes with a single vote are set to zero; an image whose top answer is then "unknown" or "not a face" is left out.
    The target is the distribution of the remaining votes over the eight classes.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist. Build it with python -m emotion.training.data (see --help).")
    with np.load(path) as arrays:
        images, votes, names = arrays["images"], arrays["votes"], arrays["names"]
        children = arrays.get("apparent_child")
    votes = np.where(votes <= OUTLIER_VOTES, 0, votes).astype(np.float32)
    keep = (votes.argmax(1) < len(Emotion)) & (votes[:, : len(Emotion)].sum(1) > 0)
    votes, total = votes[keep], votes[keep].sum(1)
    counts = np.zeros((len(votes), len(Emotion)), np.float32)
    counts[:, list(FERPLUS_COLUMNS)] = votes[:, : len(Emotion)]
    return FaceDataset(
        images=images[keep][..., None],
        targets=counts / counts.sum(1, keepdims=True),
        majority=counts.max(1) > total / 2,
        names=names[keep],
        children=None if children is None else children[keep],
        skipped=tuple(f"{name}: most voters saw no face, or none of the eight expressions" for name in names[~keep]),
    )


def list_class_images(folder: Path, every_class: bool = True) -> list[tuple[Path, Emotion]]:
    """Every image file of a class-folder data set with its class, sorted by class, then by name.

    Raises DataError when a folder is not named after a class or holds no image, and when a class has no folder, unless
    ``every_class`` is off: a school that evaluates a checkpoint may have no photograph of contempt.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder} is not a folder. A data set is a folder with one sub-folder per class: {_classes()}."
        )
    present = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    if unknown := sorted(present - set(KEYS)):
        raise DataError(f"{folder / unknown[0]} is not named after a class. Rename it to one of: {_classes()}.")
    found: list[tuple[Path, Emotion]] = []
    for emotion in Emotion:
        if not every_class and emotion.key not in present:
            continue
        files = sorted(p for p in (folder / emotion.key).glob("**/*") if p.suffix.lower() in IMAGE_SUFFIXES)
        if not files:
            raise DataError(f"The class {emotion.key!r} is empty: put images into {folder / emotion.key}.")
        found += [(path, emotion) for path in files]
    return found


def load_folder(folder: Path, crop: CropFunction, every_class: bool = True) -> FaceDataset:
    """Reads a class-folder data set. Images that cannot be read or show no face are skipped and listed on
    standard error.

    All crops are held in memory (150 KB each at 224 pixels in colour: 10,000 take 1.5 GB).
    """
    crops, labels, names, skipped = [], [], [], []
    files = list_class_images(folder, every_class)
    for path, emotion in tqdm(files, desc=f"reading {folder.name}", unit="image", file=sys.stderr):
        name = path.relative_to(folder).as_posix()
        try:
            face = crop(read_image(path))
        except ImageError as error:
            skipped.append(f"{name}: {error}")
            continue
        if face is None:
            skipped.append(f"{name}: no face was found")
            continue
        crops.append(face)
        labels.append(emotion)
        names.append(name)
    for line in skipped:
        print(f"skipped {line}", file=sys.stderr)
    if skipped:
        print(f"warning: {len(skipped)} of {len(files)} images of {folder} were skipped", file=sys.stderr)
    for emotion in Emotion:
        if emotion not in labels:
            raise DataError(
                f"No image of the class {emotion.key!r} in {folder} could be used; the lines above say why."
            )
    targets = np.eye(len(Emotion), dtype=np.float32)[np.array(labels)]
    return FaceDataset(np.stack(crops), targets, np.ones(len(crops), bool), np.array(names), None, tuple(skipped))


def _classes() -> str:
    return ", ".join(KEYS)


def read_column(path: Path, names: np.ndarray, column: str) -> np.ndarray:
    """The values (n,) str of ``column`` for each image name, from a CSV file with a column ``image``.

    Raises DataError when the column or the row of an image is missing.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if missing := {"image", column} - set(reader.fieldnames or ()):
            raise DataError(f"{path} has no column {sorted(missing)[0]!r}; it needs the columns image and {column}.")
        rows = {row["image"]: row[column] for row in reader}
    if absent := [name for name in names if name not in rows]:
        raise DataError(f"{path} says nothing of {len(absent)} images, first '{absent[0]}': add a row for each.")
    return np.array([rows[name] for name in names])


def split_training_test(
    faces: FaceDataset, seed: int, share: float = 0.25, people: np.ndarray | None = None
) -> tuple[FaceDataset, FaceDataset]:
    """Splits into training and test faces, stratified: ``share`` of each class is for the test.

    ``people`` (n,): who is on each image; then nobody is on both sides, and the shares of the classes come as close to
    ``share`` as whole people allow. Raises DataError when a side would lack a class.
    """
    generator = np.random.default_rng(seed)
    held_out = np.zeros(len(faces), bool)
    if people is None:
        for emotion in Emotion:
            members = generator.permutation(np.flatnonzero(faces.labels == emotion))
            held_out[members[: round(len(members) * share)]] = True
    else:
        one_hot = np.eye(len(Emotion))[faces.labels]
        wanted = one_hot.sum(0) * share
        reached = np.zeros(len(Emotion))
        for person in generator.permutation(np.unique(people)):
            theirs = one_hot[people == person].sum(0)
            # Relative to what is wanted, so that a rare class weighs as much as a frequent one.
            distance = [np.abs((total - wanted) / np.maximum(wanted, 1)).sum() for total in (reached, reached + theirs)]
            if distance[1] < distance[0]:
                held_out |= people == person
                reached += theirs
    for side, mask in (("training", ~held_out), ("test", held_out)):
        for emotion in Emotion:
            if emotion not in faces.labels[mask]:
                raise DataError(f"The {side} side has no {emotion.key!r}: more images (or people) of it are needed.")
    return faces.take(~held_out), faces.take(held_out)


def split_folder(folder: Path, faces: FaceDataset, seed: int) -> tuple[FaceDataset, FaceDataset]:
    """Training and test faces, 75 to 25, split by person when the folder holds ``people.csv`` (columns image, person).

    Without that file a warning goes to standard error.
    """
    people_file = folder / "people.csv"
    if people_file.is_file():
        return split_training_test(faces, seed, people=read_column(people_file, faces.names, "person"))
    print(
        f"warning: {people_file} is missing (columns image, person). Photographs of one person may be on both sides of "
        "the split, which makes every figure better than it will be for people the network has never seen.",
        file=sys.stderr,
    )
    return split_training_test(faces, seed)


def _rows(images: Path, votes: Path) -> Iterator[tuple[str, str, list[int], list[int]]]:
    """Usage, name, votes and pixels of each image of FER+, from the two files side by side (row i belongs to row i)."""
    with images.open(newline="") as image_file, votes.open(newline="") as vote_file:
        vote_rows = csv.reader(vote_file)
        next(vote_rows)  # the header
        for number, (image, vote) in enumerate(zip(csv.DictReader(image_file), vote_rows, strict=True), 2):
            pixels = [int(value) for value in image["pixels"].split()]
            if len(pixels) != 48 * 48:
                raise DataError(f"{images}, line {number}: {len(pixels)} pixels instead of 2,304; download it again.")
            yield vote[0], vote[1], [int(value) for value in vote[2:12]], pixels


def build_ferplus(images: Path, votes: Path, out: Path) -> dict[str, int]:
    """Writes train.npz, valid.npz and test.npz into ``out``; returns how many images each holds.

    Images that FER+ gave no name (it took them out) are left out. Whether a face looks like a child's needs an age
    estimator and is not in the two files; the figures for children are then left out too.
    """
    found: dict[str, tuple[list, list, list]] = {name: ([], [], []) for name in SPLITS.values()}
    for usage, name, vote, pixels in tqdm(_rows(images, votes), desc="reading FER+", unit="image", file=sys.stderr):
        if usage not in SPLITS:
            raise DataError(f"{votes}: the usage {usage!r} is none of {', '.join(SPLITS)}; is this fer2013new.csv?")
        if name:
            for values, value in zip(found[SPLITS[usage]], (pixels, vote, name), strict=True):
                values.append(value)
    out.mkdir(parents=True, exist_ok=True)
    for part, (pixel_rows, vote_rows, names) in found.items():
        np.savez_compressed(
            out / f"{part}.npz",
            images=np.array(pixel_rows, np.uint8).reshape(-1, 48, 48),
            votes=np.array(vote_rows, np.uint8).reshape(-1, 10),
            names=np.array(names),
        )
    return {part: len(names) for part, (_, _, names) in found.items()}


def main() -> None:
    """Builds the FER+ arrays."""
    parser = argparse.ArgumentParser(description="Builds the FER+ arrays from fer2013.csv and fer2013new.csv.")
    parser.add_argument("--images", type=Path, required=True, help="fer2013.csv of the Kaggle challenge")
    parser.add_argument("--votes", type=Path, required=True, help="fer2013new.csv of github.com/microsoft/FERPlus")
    parser.add_argument("--out", type=Path, required=True, help="folder for train.npz, valid.npz and test.npz")
    arguments = parser.parse_args()
    try:
        counts = build_ferplus(arguments.images, arguments.votes, arguments.out)
    except (DataError, OSError) as error:
        sys.exit(f"error: {error}")
    print(", ".join(f"{part}: {count} images" for part, count in counts.items()))


if __name__ == "__main__":
    main()
