"""Reads training and test images: FER+ arrays, and folders of photographs with one sub-folder per class.

    python -m emotion.training.data --images fer2013.csv --votes fer2013new.csv --out data/ferplus

builds train.npz, valid.npz and test.npz from the two files that their authors publish: fer2013.csv (Kaggle challenge
"Challenges in Representation Learning: Facial Expression Recognition", 2013; for research, not to be passed on) and
fer2013new.csv (github.com/microsoft/FERPlus, MIT licence).
"""

import argparse
import csv
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import TextIO

import numpy as np
from tqdm import tqdm

from emotion.images import ImageError, read_image, shown_name
from emotion.labels import Emotion
from emotion.training.class_folders import list_class_images, survey
from emotion.training.command_line import DataError, command, existing_file, folder_to_write, write_atomically
from emotion.training.tables import read_column, read_table_file

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
SHARE = 0.25  # of each class, held out for the test
SPLITS = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}


@dataclass(frozen=True)
class FaceDataset:
    """Face crops with their labels.

    ``images``: (n, side, side, channels) uint8. ``targets``: (n, 8) float32, each row a distribution over `Emotion`.
    ``majority``: (n,) bool, whether more than half of all votes went to the top class. ``children``: (n,) bool, or None
    where that is not known. ``names``: (n,) str. ``skipped``: images that could not be used, as "name: reason".
    ``ignored``: what lay among the images and is none, in the same form.
    """

    images: np.ndarray
    targets: np.ndarray
    majority: np.ndarray
    names: np.ndarray
    children: np.ndarray | None = None
    skipped: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels(self) -> np.ndarray:
        """(n,) int64: the class with the most votes."""
        return self.targets.argmax(1)

    def take(self, chosen: np.ndarray) -> "FaceDataset":
        """The faces at ``chosen``, a mask or an array of indices."""
        children = None if self.children is None else self.children[chosen]
        return replace(
            self,
            images=self.images[chosen],
            targets=self.targets[chosen],
            majority=self.majority[chosen],
            names=self.names[chosen],
            children=children,
        )


def load_ferplus(path: Path) -> FaceDataset:
    """Reads one FER+ array file under the plurality protocol.

    Classes with a single vote are set to zero; an image whose top answer is then "unknown" or "not a face" is left out.
    The target is the distribution of the remaining votes over the eight classes. Raises DataError.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist. Build it with python -m emotion.training.data (see --help).")
    try:
        with np.load(path) as arrays:
            images, votes, names = arrays["images"], arrays["votes"], arrays["names"]
            children = arrays.get("apparent_child")
    except (
        KeyError,
        ValueError,
        EOFError,
        OSError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(
            f"{path} is no whole FER+ array file. Build it again (see --help), or copy it again."
        ) from error
    count = len(images)
    if images.shape != (count, 48, 48) or votes.shape != (count, 10) or names.shape != (count,):
        raise DataError(
            f"{path}: images {images.shape}, votes {votes.shape} and names {names.shape} do not belong together."
        )
    if children is not None and children.shape != (count,):
        raise DataError(f"{path}: apparent_child has {children.shape} values for {count} images.")
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


def load_folder(folder: Path, crop: CropFunction, every_class: bool = True) -> FaceDataset:
    """Reads a class-folder data set. Images that cannot be read or show no face are skipped and listed on
    standard error.

    All crops are held in memory (150 KB each at 224 pixels in colour: 10,000 take 1.5 GB).
    """
    crops, labels, names, skipped = [], [], [], []
    files, ignored = survey(folder, every_class)
    for path, emotion in tqdm(files, desc=f"reading {shown_name(folder.name)}", unit="image", file=sys.stderr):
        name = path.relative_to(folder).as_posix()
        try:
            face = crop(read_image(path))
        except ImageError as error:
            skipped.append(f"{shown_name(name)}: {error}")
            continue
        if face is None:
            skipped.append(f"{shown_name(name)}: no face was found")
            continue
        crops.append(face)
        labels.append(emotion)
        names.append(name)
    for line in skipped:
        print(f"skipped {line}", file=sys.stderr)
    for line in ignored:
        print(f"ignored {line}", file=sys.stderr)
    if skipped:
        print(f"warning: {len(skipped)} of {len(files)} images of {folder} were skipped", file=sys.stderr)
    for emotion in Emotion:
        if emotion not in labels and (every_class or not labels):
            which = f"of the class {emotion.key!r} in" if every_class else "of"
            raise DataError(f"No image {which} {folder} could be used; the lines above say why.")
    targets = np.eye(len(Emotion), dtype=np.float32)[np.array(labels)]
    majority = np.ones(len(crops), bool)
    return FaceDataset(np.stack(crops), targets, majority, np.array(names), None, tuple(skipped), tuple(ignored))


def split_training_test(
    faces: FaceDataset, seed: int, share: float = SHARE, people: np.ndarray | None = None, every_class: bool = True
) -> tuple[FaceDataset, FaceDataset]:
    """Splits into training and test faces, stratified: ``share`` of each class is for the test.

    ``people`` (n,): who is on each image; then nobody is on both sides, and the shares of the classes come as close to
    ``share`` as whole people allow. Raises DataError when a side would lack a class, or with ``every_class`` off one
    that the faces have.
    """
    held_out = _held_out(faces.labels, seed, share, people, every_class)
    return faces.take(~held_out), faces.take(held_out)


def _held_out(
    labels: np.ndarray, seed: int, share: float, people: np.ndarray | None, every_class: bool = True
) -> np.ndarray:
    """(n,) bool: which of the faces with these (n,) labels are for the test; see `split_training_test`."""
    generator = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), bool)
    if people is None:
        for emotion in Emotion:
            members = generator.permutation(np.flatnonzero(labels == emotion))
            held_out[members[: round(len(members) * share)]] = True
    else:
        one_hot = np.eye(len(Emotion))[labels]
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
            if emotion not in labels[mask] and (every_class or emotion in labels):
                raise DataError(f"The {side} side has no {emotion.key!r}: more images (or people) of it are needed.")
    return held_out


def check_split(folder: Path, seed: int, every_class: bool = True) -> None:
    """Reads ``people.csv`` and divides the file names alone, so that what is wrong is said before any face is searched.

    Raises DataError.
    """
    files = list_class_images(folder, every_class)
    names = np.array([path.relative_to(folder).as_posix() for path, _ in files])
    _held_out(np.array([emotion for _, emotion in files]), seed, SHARE, _people(folder, names), every_class)


def split_folder(
    folder: Path, faces: FaceDataset, seed: int, every_class: bool = True
) -> tuple[FaceDataset, FaceDataset]:
    """Training and test faces, 75 to 25, split by person when the folder holds ``people.csv`` (columns image, person).

    Without that file a warning goes to standard error.
    """
    people = _people(folder, faces.names)
    if people is None:
        print(
            f"warning: {folder / 'people.csv'} is missing (columns image, person). Photographs of one person may be on "
            "both sides of the split, which makes every figure better than it will be for people the network has never "
            "seen.",
            file=sys.stderr,
        )
    return split_training_test(faces, seed, SHARE, people, every_class)


def _people(folder: Path, names: np.ndarray) -> np.ndarray | None:
    """(n,) who is on each image, by ``people.csv``; None where there is none. Raises DataError."""
    path = folder / "people.csv"
    if not path.is_file():
        return None
    people = read_column(path, names, "person")
    if (people == "").any():
        nobody = shown_name(names[people == ""][0])
        raise DataError(
            f"{path}, column 'person': nobody is named for {nobody!r}. Unknown people need a name each, too."
        )
    return people


def check_groups(folder: Path) -> None:
    """Reads ``groups.csv``, where there is one, against the names of the images. Raises DataError."""
    path = folder / "groups.csv"
    if path.is_file():
        names = [image.relative_to(folder).as_posix() for image, _ in list_class_images(folder, every_class=False)]
        table = read_table_file(path)
        table.of(names)
        table.warn_of_others(names)


def _rows(images: Path, votes: Path) -> Iterator[tuple[str, str, list[int], list[int]]]:
    """Usage, name, votes and pixels of each image of FER+, from the two files side by side (row i belongs to row i)."""
    with _opened(images) as image_file, _opened(votes) as vote_file:
        image_rows, vote_rows = csv.reader(image_file), csv.reader(vote_file)
        header = [name.strip() for name in next(image_rows, [])]
        if "pixels" not in header:
            raise DataError(f"{images}, line 1: there is no column 'pixels'; is this fer2013.csv?")
        place = header.index("pixels")
        next(vote_rows, None)  # the header
        for number, (image, vote) in enumerate(zip_longest(image_rows, vote_rows), 2):
            if image is None or vote is None:
                shorter, longer = (images, votes) if image is None else (votes, images)
                raise DataError(f"{shorter} ends before line {number}, {longer} does not; download both again.")
            if len(image) <= place:
                raise DataError(f"{images}, line {number}: column 'pixels' is missing; download it again.")
            if len(vote) < 12:
                raise DataError(f"{votes}, line {number}: {len(vote)} cells instead of 12; is this fer2013new.csv?")
            pixels = _bytes(images, number, "pixels", image[place].split())
            if len(pixels) != 48 * 48:
                raise DataError(f"{images}, line {number}: {len(pixels)} pixels instead of 2,304; download it again.")
            yield vote[0].strip(), vote[1].strip(), _bytes(votes, number, "votes", vote[2:12]), pixels


def _opened(path: Path) -> TextIO:
    return path.open(newline="", encoding="utf-8-sig", errors="replace")


def _bytes(path: Path, line: int, column: str, cells: list[str]) -> list[int]:
    """Whole numbers 0..255 of the cells. Raises DataError."""
    try:
        values = [int(cell) for cell in cells]
    except ValueError as error:
        raise DataError(f"{path}, line {line}, column {column!r}: {error}; download it again.") from error
    if values and not 0 <= min(values) <= max(values) <= 255:
        raise DataError(f"{path}, line {line}, column {column!r}: values beyond 0 to 255; download it again.")
    return values


def build_ferplus(images: Path, votes: Path, out: Path) -> dict[str, int]:
    """Writes train.npz, valid.npz and test.npz into ``out``; returns how many images each holds.

    Images that FER+ gave no name (it took them out) are left out. Whether a face looks like a child's needs an age
    estimator and is not in the two files; the figures for children are then left out too.
    """
    found: dict[str, tuple[list, list, list]] = {name: ([], [], []) for name in SPLITS.values()}
    try:
        for usage, name, vote, pixels in tqdm(_rows(images, votes), desc="reading FER+", unit="image", file=sys.stderr):
            if usage not in SPLITS:
                raise DataError(f"{votes}: the usage {usage!r} is none of {', '.join(SPLITS)}; is this fer2013new.csv?")
            if name:
                for values, value in zip(found[SPLITS[usage]], (pixels, vote, name), strict=True):
                    values.append(value)
    except csv.Error as error:
        raise DataError(f"{images} or {votes} is no table ({error}); download both again.") from error
    out.mkdir(parents=True, exist_ok=True)
    for part, (pixel_rows, vote_rows, names) in found.items():
        arrays = {
            "images": np.array(pixel_rows, np.uint8).reshape(-1, 48, 48),
            "votes": np.array(vote_rows, np.uint8).reshape(-1, 10),
            "names": np.array(names),
        }

        def save(file: Path, arrays: dict[str, np.ndarray] = arrays) -> None:
            with file.open("wb") as opened:  # given a name, NumPy would add a suffix
                np.savez_compressed(opened, allow_pickle=False, **arrays)

        write_atomically(out / f"{part}.npz", save)
    return {part: len(names) for part, (_, _, names) in found.items()}


@command
def main() -> None:
    """Builds the FER+ arrays."""
    parser = argparse.ArgumentParser(description="Builds the FER+ arrays from fer2013.csv and fer2013new.csv.")
    parser.add_argument("--images", type=existing_file, required=True, help="fer2013.csv of the Kaggle challenge")
    parser.add_argument(
        "--votes", type=existing_file, required=True, help="fer2013new.csv of github.com/microsoft/FERPlus"
    )
    parser.add_argument(
        "--out", type=folder_to_write, required=True, help="folder for train.npz, valid.npz and test.npz"
    )
    arguments = parser.parse_args()
    counts = build_ferplus(arguments.images, arguments.votes, arguments.out)
    print(", ".join(f"{part}: {count} images" for part, count in counts.items()))


if __name__ == "__main__":
    main()
