"""Tables written while they are read, as CSV, JSON or Parquet: neither the rows nor the file are ever whole in memory.

Other requests are served meanwhile. Whatever turns rows into text holds the interpreter, so it does that for
`ROWS_AT_ONCE` rows, a few milliseconds, and lets others in between.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

ROWS_AT_ONCE = 1000
# What a spreadsheet takes for the start of a formula, a full-width form included (OWASP, "CSV Injection").
FORMULA_STARTS = tuple("=+-@\t\r\n|%＝＋－＠")


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
    """A text that no spreadsheet runs as a formula: an apostrophe goes before what could start one."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS) else text


def write_csv(stream: IO[bytes], table: StreamedTable, dialect: CsvDialect) -> None:
    """RFC 4180 in UTF-8, with the mark by which spreadsheets know that. A missing value is an empty cell; times are ISO
    8601 in UTC, with microseconds."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    writer = csv.writer(text, delimiter=dialect.separator)
    writer.writerow(table.schema.names)
    for batch in table.batches():
        writer.writerows(zip(*(_cells(column, dialect.decimal) for column in batch.columns), strict=True))
    text.flush()
    text.detach()  # the stream is closed by whoever opened it


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
        between = b""
        for batch in table.batches():
            rows = batch.to_pandas().to_json(orient="records", date_format="iso", date_unit="us", force_ascii=False)
            stream.write(between + rows[1:-1].encode())  # without the brackets around the batch
            between = b","
        stream.write(b"]")
    stream.write(b"}\n")


def _cells(column: pa.Array, decimal: str) -> list[object]:
    if pa.types.is_string(column.type):
        encoded = column.dictionary_encode()  # most texts repeat: each is looked at once
        words = [neutralised_formula(word) for word in encoded.dictionary.to_pylist()]
        return [None if place is None else words[place] for place in encoded.indices.to_pylist()]
    if pa.types.is_timestamp(column.type):
        return pa.compute.strftime(column, format="%Y-%m-%dT%H:%M:%SZ").to_pylist()
    if pa.types.is_floating(column.type):
        return pa.compute.replace_substring(column.cast(pa.string()), ".", decimal).to_pylist()
    return column.cast(pa.string()).to_pylist()
