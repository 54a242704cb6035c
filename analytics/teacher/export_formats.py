"""Tables written while they are read, as CSV, JSON or Parquet: neither the rows nor the file are ever whole in memory.

Other requests are served meanwhile: Arrow makes the texts of `ROWS_AT_ONCE` rows without holding the interpreter.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

ROWS_AT_ONCE = 5000
# What a spreadsheet takes for the start of a formula, a full-width form included (OWASP, "CSV Injection").
FORMULA_STARTS = "=+-@\t\r\n|%＝＋－＠"
# What may stand before it: blanks, signs without a width, and a quotation mark, which a spreadsheet that cuts the text
# at a separator takes for the cell's own.
_BEFORE = '[\\s"\u00ad\u200b-\u200f\u2060\ufeff]*'
_CELL_BEGINS = re.compile(rf"(^|[;,\t\r\n])(?={_BEFORE}[{re.escape(FORMULA_STARTS)}])")


@dataclass(frozen=True, slots=True)
class StreamedTable:
    """``parts``: tables with the columns of ``schema``, each read from the store when it is asked for. Once only."""

    schema: pa.Schema
    parts: Iterable[pa.Table]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, `ROWS_AT_ONCE` at a time."""
        for part in self.parts:
            yield from part.to_batches(max_chunksize=ROWS_AT_ONCE)


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """What a spreadsheet of one language expects between cells, and in a number."""

    separator: str
    decimal: str


CSV_DIALECTS = {"en": CsvDialect(",", "."), "ru": CsvDialect(";", ",")}


def neutralised_formula(text: str) -> str:
    """A text that no spreadsheet runs as a formula: an apostrophe goes before what could start one, behind a separator
    too, because a spreadsheet of another language cuts the text there."""
    return _CELL_BEGINS.sub(r"\1'", text)


def write_csv(stream: IO[bytes], table: StreamedTable, dialect: CsvDialect) -> None:
    """RFC 4180 in UTF-8, with the mark by which spreadsheets know that. A missing value is an empty cell; times are ISO
    8601 in UTC, with microseconds."""
    between, cell = dialect.separator, partial(_csv_cell, separator=dialect.separator)
    stream.write(f"\ufeff{between.join(map(cell, table.schema.names))}\r\n".encode())
    for batch in table.batches():
        columns = [_texts(column, cell, "", dialect.decimal, "") for column in batch.columns]
        stream.write(
            "".join(f"{row}\r\n" for row in pc.binary_join_element_wise(*columns, between).to_pylist()).encode()
        )


def write_parquet(stream: IO[bytes], table: StreamedTable) -> None:
    """One row group for each part."""
    with pa.parquet.ParquetWriter(stream, table.schema, compression="zstd") as writer:
        for part in table.parts:
            writer.write_table(part)


def write_json(stream: IO[bytes], head: Mapping[str, object], tables: Mapping[str, StreamedTable]) -> None:
    """One object: the entries of ``head``, then each table as a list of rows. A missing value is null."""
    stream.write(b"{")
    stream.write(",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()).encode())
    for name, table in tables.items():
        stream.write(f",\n{json.dumps(name)}: [".encode())
        between = ""
        for batch in table.batches():
            pieces: list[object] = []
            for column, field in zip(batch.columns, batch.schema, strict=True):
                pieces += [
                    f"{',' if pieces else '{'}{json.dumps(field.name)}:",
                    _texts(column, _json_text, '"', ".", "null"),
                ]
            rows = pc.binary_join_element_wise(*pieces, "}", "").to_pylist()
            stream.write((between + ",".join(rows)).encode())
            between = ","
        stream.write(b"]")
    stream.write(b"}\n")


def _texts(column: pa.Array, quoted: Callable[[str], str], mark: str, decimal: str, missing: str) -> pa.Array:
    """A column as it stands in a file. ``quoted``: makes that of a text; ``mark``: stands around a
    time or an identifier."""
    if pa.types.is_string(column.type) and pc.all(pc.match_substring_regex(column, "^[0-9a-z]+$")).as_py():
        texts = pc.binary_join_element_wise(mark, column, mark, "")  # identifiers: nothing in them needs care
    elif pa.types.is_string(column.type):
        encoded = column.dictionary_encode()  # most texts repeat: each is looked at once
        words = pa.array([quoted(word) for word in encoded.dictionary.to_pylist()], pa.string())
        texts = words.take(encoded.indices)
    elif pa.types.is_timestamp(column.type):
        times = pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
        texts = pc.binary_join_element_wise(mark, times, mark, "")
    elif pa.types.is_floating(column.type):
        texts = pc.replace_substring(column.cast(pa.string()), ".", decimal)
    else:
        texts = column.cast(pa.string())
    return pc.fill_null(texts, missing)


def _csv_cell(text: str, separator: str) -> str:
    harmless = neutralised_formula(text)
    if any(sign in harmless for sign in (separator, '"', "\r", "\n")):
        return '"' + harmless.replace('"', '""') + '"'
    return harmless


_json_text = partial(json.dumps, ensure_ascii=False)
