"""The wide table: inserting groups of observations without repeating any, and reading them back as a data frame."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from analytics.store.records import MOST_FACES, Observation, storable
from emotion.labels import KEYS

COLUMNS = ("child", "at", *KEYS, "face_quality", "faces_seen", "source", "model")
ARROW_SCHEMA = pa.schema(
    [
        ("lesson", pa.int32()),
        ("child", pa.int32()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("fingerprint", pa.uint64()),
        *((key, pa.float32()) for key in KEYS),
        ("face_quality", pa.float32()),
        ("faces_seen", pa.uint8()),
        ("source", pa.string()),
        ("model", pa.string()),
    ]
)

# Scanning an Arrow table costs DuckDB 4 ms of processor time however small it is; up to here plain values are cheaper.
FEW_ROWS = 64
PLACEHOLDERS = f"({', '.join('?' * len(ARROW_SCHEMA))})"

Row = tuple[int, int, int, Observation]  # numbers of lesson and child, fingerprint, what is stored


def lesson_number(cursor: duckdb.DuckDBPyConnection, lesson_id: str) -> int:
    """The number of a lesson in the tables. Raises ValueError if there is none."""
    row = cursor.execute("SELECT number FROM lesson WHERE id = ?", [storable(lesson_id)]).fetchone()
    if row is None:
        raise ValueError("there is no such lesson: start it first")
    return int(row[0])


def child_number(cursor: duckdb.DuckDBPyConnection, pseudonym: str) -> int:
    """The number of a child in the tables. Raises ValueError if there is none."""
    row = cursor.execute("SELECT number FROM child WHERE pseudonym = ?", [storable(pseudonym)]).fetchone()
    if row is None:
        raise ValueError("there is no such child: put its consent on file first")
    return int(row[0])


def insert(cursor: duckdb.DuckDBPyConnection, payloads: Sequence[Sequence[Observation]]) -> list[int]:
    """Inserts what is new of all ``payloads`` in one statement; returns for each how many of its rows were new.

    Within one group, and against what is stored, the first row with a fingerprint wins.
    """
    everything = [row for payload in payloads for row in payload]
    lessons = {row.lesson: 0 for row in everything}
    children = {row.child: 0 for row in everything}
    lessons = {key: lesson_number(cursor, key) for key in lessons}
    children = {key: child_number(cursor, key) for key in children}
    seen = _stored(cursor, lessons, everything)
    rows: list[Row] = []
    counts = []
    for payload in payloads:
        before = len(rows)
        for row in payload:
            key = (lessons[row.lesson], row.fingerprint)
            if key not in seen:
                seen.add(key)
                rows.append((key[0], children[row.child], key[1], row))
        counts.append(len(rows) - before)
    if len(rows) > FEW_ROWS:
        cursor.register("arriving", _arrow(rows))
        cursor.execute("INSERT INTO observation SELECT * FROM arriving")
        cursor.unregister("arriving")
    elif rows:
        values = [value for row in rows for value in _values(row)]
        cursor.execute(f"INSERT INTO observation VALUES {', '.join([PLACEHOLDERS] * len(rows))}", values)
    return counts


def _stored(
    cursor: duckdb.DuckDBPyConnection, lessons: dict[str, int], rows: Sequence[Observation]
) -> set[tuple[int, int]]:
    """Which of the fingerprints are in the table already, each with its lesson. Reads the row groups of these
    lessons only.
    """
    marks = ", ".join("?" * len(lessons))
    found = cursor.execute(
        f"SELECT lesson, fingerprint FROM observation WHERE lesson IN ({marks}) "
        "AND fingerprint IN (SELECT unnest(?::UBIGINT[]))",
        [*lessons.values(), [row.fingerprint for row in rows]],
    ).fetchall()
    return {(int(lesson), int(fingerprint)) for lesson, fingerprint in found}


def _values(row: Row) -> list[object]:
    lesson, child, fingerprint, observation = row
    return [
        lesson,
        child,
        observation.at,
        fingerprint,
        *(observation.probabilities or (None,) * len(KEYS)),
        observation.face_quality,
        min(observation.faces_seen, MOST_FACES),
        observation.source,
        observation.model,
    ]


def _arrow(rows: Sequence[Row]) -> pa.Table:
    columns = zip(*(_values(row) for row in rows), strict=True)
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, ARROW_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=ARROW_SCHEMA)


def frame_counts(cursor: duckdb.DuckDBPyConnection, lesson_id: str, until: datetime) -> dict[str, int]:
    """See `LessonStore.frame_counts`. The lesson is looked up first, as in `read`."""
    cursor.begin()  # an erasure between the queries would leave rows without a pseudonym
    [(lesson,)] = cursor.execute("SELECT (SELECT number FROM lesson WHERE id = ?)", [storable(lesson_id)]).fetchall()
    counts = cursor.execute(
        'SELECT child, count(*) FROM observation WHERE lesson = ? AND "at" < ? GROUP BY child', [lesson, until]
    ).fetchall()
    names = _pseudonyms(cursor)
    cursor.commit()
    return {names[child]: count for child, count in counts}


def read(
    cursor: duckdb.DuckDBPyConnection,
    lesson_id: str,
    child: str | None,
    since: datetime | None,
    until: datetime | None,
) -> pd.DataFrame:
    """See `LessonStore.observations`. The lesson and child are looked up first, so that the scan compares constants,
    which DuckDB holds against each row group's minimum and maximum; a join would read them all.
    """
    cursor.begin()  # an erasure between the queries would leave rows without a pseudonym
    [(lesson_found, child_found)] = cursor.execute(
        "SELECT (SELECT number FROM lesson WHERE id = ?), (SELECT number FROM child WHERE pseudonym = ?)",
        [storable(lesson_id), storable(child)],
    ).fetchall()
    conditions = ["lesson = ?"]
    parameters: list[object] = [lesson_found]
    if child is not None:
        conditions.append("child = ?")
        parameters.append(child_found)
    if since is not None:
        conditions.append('"at" >= ?')
        parameters.append(since)
    if until is not None:
        conditions.append('"at" < ?')
        parameters.append(until)
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    table = cursor.sql(
        f"SELECT {names} FROM observation WHERE {' AND '.join(conditions)}", params=parameters
    ).to_arrow_table()
    frame = _frame(table, _pseudonyms(cursor) if child is None else {child_found: child})
    cursor.commit()
    return frame


def read_lessons(cursor: duckdb.DuckDBPyConnection, child: str, lesson_ids: Sequence[str]) -> dict[str, pd.DataFrame]:
    """See `LessonStore.observations_of`. One scan, which both cores share, instead of one for each lesson."""
    cursor.begin()
    rows = cursor.execute("SELECT number FROM child WHERE pseudonym = ?", [storable(child)]).fetchall()
    ids = [storable(lesson_id) for lesson_id in lesson_ids]
    numbers = dict(
        cursor.execute("SELECT id, number FROM lesson WHERE id IN (SELECT unnest(?::VARCHAR[]))", [ids]).fetchall()
    )
    found = int(rows[0][0]) if rows else -1
    marks = ", ".join("?" * len(numbers)) or "NULL"
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    table = cursor.sql(
        f"SELECT {names}, lesson FROM observation WHERE lesson IN ({marks}) AND child = ?",
        params=[*numbers.values(), found],
    ).to_arrow_table()
    cursor.commit()
    lessons = table["lesson"].to_numpy()
    order = np.argsort(lessons, kind="stable")
    table, lessons = table.take(pa.array(order)).drop_columns(["lesson"]), lessons[order]
    frames = {}
    for lesson_id in lesson_ids:
        number = numbers.get(lesson_id, -1)
        first, last = np.searchsorted(lessons, [number, number + 1]).tolist()
        frames[lesson_id] = _frame(table.slice(first, last - first), {found: child})
    return frames


def read_by_child(cursor: duckdb.DuckDBPyConnection, lesson_id: str) -> Iterator[pa.Table]:
    """See `LessonStore.observations_by_child`. A scan for each child: sorting a whole lesson at once would hold it."""
    cursor.begin()
    lesson = lesson_number(cursor, lesson_id)
    children = cursor.execute(
        "SELECT number, pseudonym FROM child WHERE number IN (SELECT child FROM observation WHERE lesson = ?) "
        "ORDER BY pseudonym",
        [lesson],
    ).fetchall()
    names = ", ".join(f'"{name}"' for name in (*COLUMNS, "fingerprint") if name != "child")
    for number, pseudonym in children:
        yield cursor.sql(
            f'SELECT ?::VARCHAR AS child, {names} FROM observation WHERE lesson = ? AND child = ? ORDER BY "at"',
            params=[pseudonym, lesson, number],
        ).to_arrow_table()
    cursor.commit()


def _frame(table: pa.Table, pseudonyms: dict[int, str]) -> pd.DataFrame:
    """Puts pseudonyms for numbers and sorts.

    Texts are columns of objects in which each different text exists once: making 81,000 Python strings would take
    longer than all else together, and grouping by the same objects is five times as fast as by Arrow's strings.
    """
    numbers, codes = np.unique(table["child"].to_numpy(), return_inverse=True)
    names = np.array([pseudonyms[int(number)] for number in numbers], dtype=object)
    by_name = np.argsort(names)
    ranks = np.argsort(by_name)[codes]
    times = table["at"].to_numpy().astype("datetime64[us]")
    order = np.lexsort((times, ranks))
    table = table.take(pa.array(order))
    columns: dict[str, object] = {
        "child": pd.Series(names[by_name][ranks[order]], dtype=object),
        "at": pd.DatetimeIndex(times[order]).tz_localize("UTC"),
    }
    for name in COLUMNS[2:]:
        column = table[name].combine_chunks()
        columns[name] = _text(column) if name in ("source", "model") else column.to_numpy(zero_copy_only=False)
    return pd.DataFrame(columns, copy=False)  # the columns are ours alone


def _text(column: pa.Array) -> pd.Series:
    encoded = column.dictionary_encode()
    words = np.array(encoded.dictionary.to_pylist(), dtype=object)
    return pd.Series(words[encoded.indices.to_numpy()], dtype=object)


def _pseudonyms(cursor: duckdb.DuckDBPyConnection) -> dict[int, str]:
    return dict(cursor.execute("SELECT number, pseudonym FROM child").fetchall())
