"""Which images a data set of class folders holds, and what else lies there. Nothing is opened here."""

import os
from collections.abc import Iterator
from pathlib import Path

from emotion.images import shown_name
from emotion.labels import KEYS, Emotion
from emotion.training.command_line import DataError

# What computers leave beside photographs, and what is no part of a data set: macOS, Synology, QNAP, Windows, Linux.
LEFT_BY_COMPUTERS = ("__macosx", "lost+found", "system volume information", "thumbs.db", "desktop.ini")
FOLDERS_LEFT_BY_COMPUTERS = (".", "@", "#", "$")  # first letters: .git, @eaDir, #recycle, $RECYCLE.BIN


def list_class_images(folder: Path, every_class: bool = True) -> list[tuple[Path, Emotion]]:
    """Every image file of a class-folder data set with its class, in the order of the classes, then of the names.

    Raises DataError when a folder is not named after a class, and when a class has no folder or no image, unless
    ``every_class`` is off: a school that judges a checkpoint need not have contempt.
    """
    return survey(folder, every_class)[0]


def survey(folder: Path, every_class: bool = True) -> tuple[list[tuple[Path, Emotion]], list[str]]:
    """`list_class_images`, and what else lies there, as "name: reason".

    Every file counts as an image, whatever its suffix: reading it will tell. Only what computers leave, what is no
    file at all, and links to folders are passed over.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder} is not a folder. A data set is a folder with one sub-folder per class: {_classes()}."
        )
    ignored = []
    present = set()
    for path in sorted(folder.iterdir()):
        if left_by_computer(path):
            ignored.append(f"{shown_name(path.name)}: left by the computer's system")
        elif path.is_dir():
            present.add(path.name)
        elif path.name not in ("groups.csv", "people.csv"):
            ignored.append(f"{shown_name(path.name)}: lies beside the folders of the classes")
    if unknown := sorted(present - set(KEYS)):
        raise DataError(f"{folder / unknown[0]} is not named after a class. Rename it to one of: {_classes()}.")
    found: list[tuple[Path, Emotion]] = []
    for emotion in Emotion:
        files = sorted(_files_below(folder, emotion.key, ignored)) if emotion.key in present else []
        if not files and every_class:
            raise DataError(f"The class {emotion.key!r} is empty: put images into {folder / emotion.key}.")
        found += [(path, emotion) for path in files]
    if not found:
        raise DataError(f"{folder} holds no image: put some into a sub-folder for each class, {_classes()}.")
    return found, ignored


def left_by_computer(path: Path) -> bool:
    """Whether a system or a program left this beside the photographs: previews, waste bins, its own notes."""
    name = path.name.casefold()
    return name.startswith(".") or name in LEFT_BY_COMPUTERS or (name[0] in FOLDERS_LEFT_BY_COMPUTERS and path.is_dir())


def _files_below(folder: Path, key: str, ignored: list[str]) -> Iterator[Path]:
    """The files of a class, also in folders within it; what is passed over is added to ``ignored``."""

    def stop(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read ({error.strerror}): check its permissions.") from error

    for place, folders, files in os.walk(folder / key, onerror=stop):
        for name in (*folders, *files):
            path = Path(place, name)
            shown = shown_name(path.relative_to(folder).as_posix())
            if left_by_computer(path):
                ignored.append(f"{shown}: left by the computer's system")
            elif name in folders:
                if path.is_symlink():
                    ignored.append(f"{shown}: a link to a folder; put the images themselves here")
            elif path.is_file():
                yield path
            else:
                ignored.append(f"{shown}: not a file (a pipe, a device, or a link that leads nowhere)")
        folders[:] = [name for name in folders if not left_by_computer(Path(place, name))]


def _classes() -> str:
    return ", ".join(KEYS)
