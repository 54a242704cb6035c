"""What the commands share: arguments with limits, mistakes told in one line, files written whole or not at all.

A name may be anything that a disk holds, also bytes of an old code page, and the output may be a pipe that knows no
Cyrillic: neither may cost an evaluation that took an hour.
"""

import argparse
import functools
import io
import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emotion.images import ImageError, shown_name
from emotion.network.checkpoint import CheckpointError

SMALLEST_INPUT, LARGEST_INPUT = 32, 512  # pixels, as `emotion.network.checkpoint` takes them


class CommandError(ValueError):
    """A command cannot do its work; the message says what is wrong, with what, and what to do."""


class DataError(CommandError):
    """The data set cannot be used as it is; the message names the file or folder and the remedy."""


def command(main: Callable[[], None]) -> Callable[[], None]:
    """Makes of ``main`` a command whose output can hold any text, and whose mistakes end it with one line, status 1."""

    @functools.wraps(main)
    def run() -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            main()
        except (CommandError, CheckpointError, ImageError) as error:
            sys.exit(f"error: {shown_name(str(error))}")
        except OSError as error:
            if error.filename is None and error.strerror is None:
                raise  # of no file: this is a fault of ours, whose trace is needed
            place = f"{shown_name(os.fsdecode(error.filename))}: " if error.filename else ""
            sys.exit(f"error: {place}{error.strerror}. What was there before is unchanged.")

    return run


# --- arguments -----------------------------------------------------------------------------------------------------


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """An argument's type: a whole number from ``low`` to ``high``."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return value

    return parse


def number_above(low: float, high: float) -> Callable[[str], float]:
    """An argument's type: a number above ``low`` and up to ``high``."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low < value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number above {low:g} and up to {high:g}")
        return value

    return parse


def existing_file(text: str) -> Path:
    """An argument's type: a file that is there."""
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{shown_name(text)} is not a file that is there; check the path")
    return path


def existing_folder(text: str) -> Path:
    """An argument's type: a folder that is there."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{shown_name(text)} is not a folder that is there; check the path")
    return path


def file_to_write(text: str) -> Path:
    """An argument's type: a file that can be written, in a folder that is there."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{shown_name(text)} is a folder; name a file")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(
            f"{shown_name(text)} cannot be written: {shown_name(path.parent)} is no folder that can be written to"
        )
    return path


def folder_to_write(text: str) -> Path:
    """An argument's type: a folder that can be written to, or that can be made."""
    path = Path(text)
    there = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise argparse.ArgumentTypeError(
            f"{shown_name(text)} cannot be written: {shown_name(there)} is no folder that can be written to"
        )
    return path


# --- files ---------------------------------------------------------------------------------------------------------


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Lets ``write`` fill a file beside ``path``, then puts it there at once: a kill leaves the old or the new."""
    path = path.resolve()  # a link stays one
    part = path.with_name(path.name + ".part")
    try:
        write(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Writes ``text`` as UTF-8, whole or not at all; what cannot be encoded becomes a replacement character."""
    content = shown_name(text).encode("utf-8")
    write_atomically(path, lambda part: part.write_bytes(content))


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises CommandError where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # of JSON and of UTF-8
        raise CommandError(f"{path} is not JSON in UTF-8 ({error}): fetch or write it again.") from error
