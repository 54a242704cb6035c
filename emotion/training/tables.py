"""Reads the tables that people keep beside their photographs and edit in Excel: one row an image, checked as a whole.

Commas, semicolons (a Russian Excel) and tabs are taken, UTF-8 with and without a mark, and UTF-16. Whatever does not
fit is refused with file, line and column, before any photograph is opened.
"""

import codecs
import csv
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from emotion.images import shown_name
from emotion.training.command_line import DataError

IMAGE = "image"  # the column that says of which image a row is
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Table:
    """A table: ``columns`` without ``image``, and by image its values by column."""

    path: Path
    columns: tuple[str, ...]
    rows: dict[str, dict[str, str]]

    def column(self, name: str) -> str:
        """The column of that name as the table spells it. Raises DataError where there is none."""
        for column in self.columns:
            if column.casefold() == name.casefold():
                return column
        raise DataError(f"{self.path} has no column {name!r}; it needs the columns image and {name}.")

    def of(self, names: Sequence[str] | np.ndarray) -> list[dict[str, str]]:
        """The rows of the images ``names``. Raises DataError where one is missing."""
        keys = [image_key(str(name)) for name in names]
        if absent := [name for name, key in zip(names, keys, strict=True) if key not in self.rows]:
            raise DataError(
                f"{self.path} says nothing of {len(absent)} images, first '{shown_name(absent[0])}': "
                "add a row for each."
            )
        return [self.rows[key] for key in keys]

    def warn_of_others(self, names: Sequence[str]) -> None:
        """Says on standard error which rows are of no image: names that are misspelt, usually."""
        if others := sorted(self.rows.keys() - {image_key(name) for name in names}):
            print(f"warning: {self.path} has {len(others)} rows of no image here, first {others[0]!r}", file=sys.stderr)


def image_key(name: str) -> str:
    """An image's name as it is compared: slashes as here, letters composed (macOS decomposes file names)."""
    return unicodedata.normalize("NFC", name.strip().replace("\\", "/")).removeprefix("./")


def read_table_file(path: Path) -> Table:
    """The table in ``path``. Raises DataError that names line and column of what does not fit."""
    lines = _lines(path)
    if not lines:
        raise DataError(f"{path} is empty: its first line names the columns, image and others.")
    header = _header(path, *lines[0])
    columns = [(place, name) for place, name in enumerate(header) if name.casefold() != IMAGE]
    place_of_image = next((place for place, name in enumerate(header) if name.casefold() == IMAGE), None)
    if place_of_image is None:
        raise DataError(f"{path}, line {lines[0][0]}: there is no column 'image' among {', '.join(header)}.")
    rows: dict[str, dict[str, str]] = {}
    seen: dict[str, int] = {}
    for line, cells in lines[1:]:
        _check_cells(path, line, cells, header)
        key = image_key(cells[place_of_image])
        row = {name: cells[place] for place, name in columns}
        if not key:
            raise DataError(f"{path}, line {line}, column 'image': the name is missing.")
        if rows.get(key, row) != row:
            raise DataError(f"{path}, line {line}: {key!r} stands in line {seen[key]} with other values; keep one.")
        rows[key] = row
        seen.setdefault(key, line)
    return Table(path, tuple(name for _, name in columns), rows)


def read_column(path: Path, names: np.ndarray, column: str) -> np.ndarray:
    """The values (n,) str of ``column`` for each image name, from a table with a column ``image``.

    Raises DataError when the column or the row of an image is missing.
    """
    table = read_table_file(path)
    column = table.column(column)
    return np.array([row[column] for row in table.of(names)])


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Number and trimmed cells of every line that is not blank. Raises DataError."""
    text = _text(path)
    head, _, rest = text.partition("\n")
    first = 1
    if head.strip().lower().startswith("sep="):  # Excel's own line
        text, first = rest, 2
    head = text.partition("\n")[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=head.count), strict=True)
    lines = []
    try:
        for cells in reader:
            # No-break spaces and the mark of a file glued to another are blanks as well.
            trimmed = [cell.replace("\ufeff", "").strip() for cell in cells]
            if any(trimmed):
                lines.append((reader.line_num + first - 1, trimmed))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num + first - 1}: {error}; check the quotation marks.") from error
    return lines


def _text(path: Path) -> str:
    """The file's text; bytes that are not UTF-8 stay in it as surrogates, so that their cell can be named."""
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not whole UTF-16: save it as CSV UTF-8.") from error
    return content.decode("utf-8-sig", "surrogateescape")


def _header(path: Path, line: int, cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    _check_text(path, line, cells, [f"number {place}" for place in range(1, len(cells) + 1)])
    names = [cell.casefold() for cell in cells]
    for place, name in enumerate(names):
        if not name:
            raise DataError(f"{path}, line {line}: column number {place + 1} has no name; give it one or delete it.")
        if name in names[:place]:
            raise DataError(f"{path}, line {line}: there are two columns {cells[place]!r}; rename one.")
    return cells


def _check_cells(path: Path, line: int, cells: list[str], header: list[str]) -> None:
    if len(cells) < len(header):
        raise DataError(
            f"{path}, line {line}: there are {len(cells)} cells, the first line names {len(header)} columns; "
            f"column {header[len(cells)]!r} is missing. Fill the row up."
        )
    if any(cells[len(header) :]):
        raise DataError(
            f"{path}, line {line}: there are {len(cells)} cells, the first line names {len(header)} columns. "
            "Name the further column, or put a text with the separator into quotation marks."
        )
    _check_text(path, line, cells, header)


def _check_text(path: Path, line: int, cells: list[str], header: list[str]) -> None:
    for name, cell in zip(header, cells, strict=False):
        try:
            cell.encode("utf-8")
        except UnicodeEncodeError as error:
            meant = _likely_code_page(cell)
            raise DataError(
                f"{path}, line {line}, column {name!r}: this is not UTF-8{meant}. "
                "Save the table as CSV UTF-8 (in Excel: Save As, CSV UTF-8)."
            ) from error


def _likely_code_page(cell: str) -> str:
    """Which code page of Windows a cell that is not UTF-8 seems to be in, in words, and how it then reads."""
    content = cell.encode("utf-8", "surrogateescape")
    try:
        reading = content.decode("cp1251")
    except UnicodeDecodeError:
        return ""
    # Russian words are letters throughout; in another code page they would be signs.
    return f" but looks like Windows-1251 ({reading!r})" if any("а" <= sign <= "я" for sign in reading.lower()) else ""
