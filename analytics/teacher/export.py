"""One lesson as a file to take away: CSV or Parquet in an archive, or JSON; each with a data dictionary inside.

Exports hold pseudonyms and animals, never a code. They lie in the folder ``exports`` beside the database until somebody
erases a child, or they are older than the retention; a later export of the same kind takes the place of the earlier.
Each is written down in the audit trail.
"""

import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from analytics.signals.child_by_child import ChildByChild
from analytics.signals.smoothing import affect_of
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson
from analytics.store.upkeep import exports_folder
from analytics.teacher.export_formats import (
    CSV_DIALECTS,
    ROWS_AT_ONCE,
    StreamedTable,
    neutralised_formula,
    write_csv,
    write_json,
    write_parquet,
)
from analytics.words.texts import say
from emotion.labels import KEYS

__all__ = ["DICTIONARY", "FORMATS", "export_lesson", "lesson_tables", "neutralised_formula"]

FORMATS = ("csv", "parquet", "json")
PROBABILITY = "probability of the expression {key}, 0 to 1; the eight sum to 1; empty where no face was seen"
TIME = (
    "UTC; in CSV and JSON as ISO 8601 with microseconds, 2026-03-02T09:00:01.500000Z, which R reads with "
    'as.POSIXct(at, format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC") and pandas with to_datetime'
)
DICTIONARY: dict[str, dict[str, str]] = {
    "observations": {
        "child": "pseudonym of the child: 20 hexadecimal digits, the same in all lessons of its class",
        "animal": "how the teacher's pages call the child",
        "at": f"time of the frame, {TIME}",
        **{key: PROBABILITY.format(key=key) for key in KEYS},
        "valence": "how pleasant this frame's expression is, -1 to 1: the mean of the expressions' places on Russell's "
        "circumplex, weighed by their probabilities; not smoothed; empty where no face was seen",
        "arousal": "likewise how aroused it is, -1 (calm) to 1",
        "face_quality": "how well the face could be seen, 0 (unusable) to 1; empty where no face was seen",
        "faces_seen": "number of faces in the frame; 0 is an absence, no expression; 255 stands for so many and more",
        "source": "what sent the frame: station (the page on a tablet), or api and, behind a colon, the program's name",
        "model": "version of the classifier that answered; empty where no face was seen; with +own- if its last layer "
        "was fitted to this child, +class- if it was fitted to others of its class",
        "frame": "identifier of the frame within the lesson, 16 hexadecimal digits: the first of SHA-256 over the "
        "child's pseudonym, a zero byte and the id that the sender gave the frame",
    },
    "signals": {
        "id": "identifier of the support signal",
        "child": "pseudonym",
        "animal": "how the teacher's pages call the child",
        "kind": "distressed, struggling, unpleasant, tired, away or delighted",
        "start": f"when it probably began, {TIME}",
        "raised": f"when there was evidence enough to say so, {TIME}",
        "end": f"when it was over, at the latest with the lesson, {TIME}; empty while it lasts in a lesson that runs",
        "strength": "0 to 1",
        "reason": "key of the sentence that the teacher reads",
        "evidence": "the numbers of that sentence, as JSON",
        "suggestion": "key of what is suggested: break, ask_for_help, hint, assistant or teacher",
    },
    "events": {
        "id": "identifier of the event",
        "child": "pseudonym; empty for the whole class",
        "animal": "how the teacher's pages call the child; empty for the whole class",
        "at": f"time of the event, {TIME}",
        "kind": "task_started, task_solved, task_failed, hint, break, note, or a program's own word",
        "detail": "free text, for example the name of the task",
    },
    "corrections": {
        "id": "identifier of the correction",
        "child": "pseudonym",
        "animal": "how the teacher's pages call the child",
        "start": f"start of the span that the teacher judged, {TIME}",
        "end": f"end of the span, {TIME}",
        "label": "the teacher's own label; empty where there is only a note",
        "note": "free text of the teacher",
        "at": f"when it was written, {TIME}",
    },
    "lesson": {
        "id": "identifier of the lesson",
        "title": "title",
        "class_name": "class",
        "started_at": f"start, {TIME}",
        "planned_minutes": "planned length in minutes",
        "ended_at": f"end, {TIME}; empty while the lesson runs",
        "synthetic": "true: made up by a program, nobody was recorded",
    },
}
CAUTION = (
    "Probabilities of facial expressions, estimated by a program. An expression is not a feeling; never use them "
    "for grades or discipline. The data are pseudonymised and remain personal data."
)


_TIME = pa.timestamp("us", tz="UTC")
_TYPES = {
    **dict.fromkeys((*KEYS, "valence", "arousal", "face_quality"), pa.float32()),
    **dict.fromkeys(("at", "start", "raised", "end", "started_at", "ended_at"), _TIME),
    "strength": pa.float64(),
    "faces_seen": pa.uint8(),
    "planned_minutes": pa.float64(),
    "synthetic": pa.bool_(),
}
SCHEMAS = {
    name: pa.schema([(column, _TYPES.get(column, pa.string())) for column in columns])
    for name, columns in DICTIONARY.items()
}


def export_lesson(store: LessonStore, lesson_id: str, file_format: str, actor: str, language: str = "en") -> Path:
    """Writes a lesson (id or code) into the exports folder and returns the file: whole, or not at all.

    ``language``: whose spreadsheet a CSV is for, and that of its README.txt. Raises ValueError for an unknown lesson or
    format, `StoreError` or OSError if it cannot be read or written.
    """
    if file_format not in FORMATS:
        raise ValueError(f"format {file_format[:20]!r} is unknown: use one of {', '.join(FORMATS)}")
    lesson = store.find_lesson(lesson_id)
    if lesson is None:
        raise ValueError(f"there is no lesson {lesson_id[:64]!r}: look at the list of lessons")
    folder = exports_folder(store.path)
    folder.mkdir(parents=True, exist_ok=True)
    suffix = "json" if file_format == "json" else f"{file_format}.zip"
    target = folder / f"lesson-{lesson.started_at:%Y%m%dT%H%M}-{lesson.id[:8]}.{suffix}"
    handle, name = tempfile.mkstemp(dir=folder, prefix="unfinished-")  # for its owner only
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "w+b") as stream, store.observations_by_child(lesson.id) as observations:
            tables = lesson_tables(store, lesson, observations)
            if file_format == "json":
                write_json(stream, {"caution": CAUTION, "dictionary": DICTIONARY}, tables)
            else:
                _write_archive(stream, tables, file_format, language)
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink()
        raise
    store.audit("export", actor, f"lesson {lesson.id} as {file_format}")
    return target


def lesson_tables(store: LessonStore, lesson: Lesson, observations: Iterator[pa.Table]) -> dict[str, StreamedTable]:
    """The tables of an export by name, with the columns of `DICTIONARY` in its order. ``observations``: as
    `LessonStore.observations_by_child` hands them out."""
    animals = {child.pseudonym: child.animal for child in store.children(lesson.class_name)}
    happened = store.events(lesson.id)
    events = [
        (event.id, event.child, animals.get(event.child or ""), event.at, event.kind, event.detail)
        for event in happened
    ]
    corrections = [
        (found.id, found.child, animals.get(found.child), found.start, found.end, found.label, found.note, found.at)
        for found in store.corrections(lesson.id)
    ]
    header = [tuple(getattr(lesson, name) for name in DICTIONARY["lesson"])]
    told = ChildByChild(store, lesson, sorted(happened, key=lambda event: event.at))
    tables = {
        "observations": StreamedTable(SCHEMAS["observations"], _completed(observations, animals, told)),
        "signals": StreamedTable(SCHEMAS["signals"], _signals(told, animals)),
    }
    rows_of: dict[str, Sequence[tuple[object, ...]]] = {"events": events, "corrections": corrections, "lesson": header}
    for name, rows in rows_of.items():
        tables[name] = StreamedTable(SCHEMAS[name], _parts(rows, SCHEMAS[name]))
    return tables


def _signals(told: ChildByChild, animals: dict[str, str]) -> Iterator[pa.Table]:
    """Worked out when they are asked for, which is after all observations were written."""
    over = told.lesson.ended_at
    rows: list[tuple[object, ...]] = [
        (
            *(signal.id, signal.child, animals.get(signal.child), signal.kind, signal.start, signal.raised),
            *(signal.end or over, signal.strength, signal.reason_key, json.dumps(signal.evidence, ensure_ascii=False)),
            signal.suggestion_key,
        )
        for signal in told.signals()
    ]
    yield from _parts(rows, SCHEMAS["signals"])


def _completed(observations: Iterator[pa.Table], animals: dict[str, str], told: ChildByChild) -> Iterator[pa.Table]:
    """With the columns that are not stored as they are exported (animal, valence, arousal, frame); ``told`` takes the
    frames of each child on their way."""
    for part in observations:
        told.add(part["child"][0].as_py(), part.drop_columns(["fingerprint"]).to_pandas())
        animal = pa.repeat(pa.scalar(animals.get(part["child"][0].as_py()), pa.string()), part.num_rows)
        # to_numpy makes NaN of what is missing, and NaN is made missing again
        probabilities = np.column_stack([part[key].to_numpy() for key in KEYS]).astype(np.float64)
        affect = affect_of(probabilities)
        frames = [f"{fingerprint:016x}" for fingerprint in part["fingerprint"].to_pylist()]
        added = {
            "animal": animal,
            "valence": pa.array(affect[:, 0], from_pandas=True),
            "arousal": pa.array(affect[:, 1], from_pandas=True),
            "frame": pa.array(frames, pa.string()),
        }
        for name, column in added.items():
            part = part.append_column(name, column)
        yield part.select(SCHEMAS["observations"].names).cast(SCHEMAS["observations"])


def _parts(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> Iterator[pa.Table]:
    for first in range(0, len(rows), ROWS_AT_ONCE):
        columns = zip(*rows[first : first + ROWS_AT_ONCE], strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        yield pa.Table.from_arrays(arrays, schema=schema)


def _dictionary_table() -> StreamedTable:
    """The data dictionary: table, column, meaning."""
    rows = [(table, column, meaning) for table, columns in DICTIONARY.items() for column, meaning in columns.items()]
    schema = pa.schema([(name, pa.string()) for name in ("table", "column", "meaning")])
    return StreamedTable(schema, _parts(rows, schema))


def _write_archive(target: IO[bytes], tables: dict[str, StreamedTable], file_format: str, language: str) -> None:
    dialect = CSV_DIALECTS[language]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, table in tables.items():
            with archive.open(f"{name}.{file_format}", "w") as stream:
                if file_format == "csv":
                    write_csv(stream, table, dialect)
                else:
                    write_parquet(stream, table)
        with archive.open("dictionary.csv", "w") as stream:
            write_csv(stream, _dictionary_table(), dialect)
        archive.writestr("README.txt", readme(file_format, language))


def readme(file_format: str, language: str) -> str:
    """What lies beside the tables of an archive: a caution, and the lines that read them with nothing lost."""
    dialect = CSV_DIALECTS[language]
    return "\ufeff" + say(
        language, f"export_readme_{file_format}", separator=dialect.separator, decimal=dialect.decimal
    )
