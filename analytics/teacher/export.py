"""One lesson as a file to take away: CSV or Parquet in an archive, or JSON; each with a data dictionary inside.

Exports hold pseudonyms and animals, never a code. They lie in the folder ``exports`` beside the database until somebody
erases a child, or they are older than the retention; each is written down in the audit trail.
"""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson, utc_now
from analytics.store.upkeep import exports_folder
from emotion.labels import KEYS

FORMATS = ("csv", "parquet", "json")
# What a spreadsheet takes for the start of a formula, a full-width form included (OWASP, "CSV Injection").
FORMULA_STARTS = tuple("=+-@\t\r\n|%＝＋－＠")

PROBABILITY = "probability of the expression {key}, 0 to 1; the eight sum to 1; empty where no face was seen"
DICTIONARY: dict[str, dict[str, str]] = {
    "observations": {
        "child": "pseudonym of the child: 20 hexadecimal digits, the same in all lessons of its class",
        "animal": "how the teacher's pages call the child",
        "at": "time of the frame, UTC",
        **{key: PROBABILITY.format(key=key) for key in KEYS},
        "face_quality": "how well the face could be seen, 0 (unusable) to 1; empty where no face was seen",
        "faces_seen": "number of faces in the frame; 0 is an absence, no expression; 255 stands for so many and more",
        "source": "what sent the frame",
        "model": "version of the classifier that answered; empty where no face was seen",
    },
    "events": {
        "id": "identifier of the event",
        "child": "pseudonym; empty for the whole class",
        "animal": "how the teacher's pages call the child; empty for the whole class",
        "at": "time of the event, UTC",
        "kind": "task_started, task_solved, task_failed, hint, break or note",
        "detail": "free text, for example the name of the task",
    },
    "corrections": {
        "id": "identifier of the correction",
        "child": "pseudonym",
        "animal": "how the teacher's pages call the child",
        "start": "start of the span that the teacher judged, UTC",
        "end": "end of the span, UTC",
        "label": "the teacher's own label; empty where there is only a note",
        "note": "free text of the teacher",
        "at": "when it was written, UTC",
    },
    "lesson": {
        "id": "identifier of the lesson",
        "title": "title",
        "class_name": "class",
        "started_at": "start, UTC",
        "planned_minutes": "planned length in minutes",
        "ended_at": "end, UTC; empty while the lesson runs",
        "synthetic": "true: made up by a program, nobody was recorded",
    },
}
CAUTION = (
    "Probabilities of facial expressions, estimated by a program. An expression is not a feeling; never use them "
    "for grades or "
    "discipline. The data are pseudonymised and remain personal data."
)


def export_lesson(store: LessonStore, lesson_id: str, file_format: str, actor: str) -> Path:
    """Writes a lesson (id or code) into the exports folder and returns the file.

    Raises ValueError for an unknown lesson or format, `StoreError` or OSError if it cannot be read or written.
    """
    if file_format not in FORMATS:
        raise ValueError(f"format {file_format[:20]!r} is unknown: use one of {', '.join(FORMATS)}")
    lesson = store.find_lesson(lesson_id)
    if lesson is None:
        raise ValueError(f"there is no lesson {lesson_id[:64]!r}: look at the list of lessons")
    tables = lesson_tables(store, lesson)
    folder = exports_folder(store.path)
    folder.mkdir(parents=True, exist_ok=True)
    suffix = "json" if file_format == "json" else f"{file_format}.zip"
    target = folder / f"lesson-{lesson.started_at:%Y%m%dT%H%M}-{lesson.id[:8]}-{utc_now():%H%M%S%f}.{suffix}"
    target.touch(mode=0o600)
    if file_format == "json":
        target.write_text(_json(tables), encoding="utf-8")
    else:
        _archive(target, tables, file_format)
    store.audit("export", actor, f"lesson {lesson.id} as {file_format}")
    return target


def lesson_tables(store: LessonStore, lesson: Lesson) -> dict[str, pd.DataFrame]:
    """The tables of an export by name, with the columns of `DICTIONARY` in its order."""
    animals = {child.pseudonym: child.animal for child in store.children(lesson.class_name)}
    observations = store.observations(lesson.id)
    events = pd.DataFrame(
        [(event.id, event.child, event.at, event.kind, event.detail) for event in store.events(lesson.id)],
        columns=["id", "child", "at", "kind", "detail"],
    )
    corrections = pd.DataFrame(
        [
            (found.id, found.child, found.start, found.end, found.label, found.note, found.at)
            for found in store.corrections(lesson.id)
        ],
        columns=["id", "child", "start", "end", "label", "note", "at"],
    )
    header = pd.DataFrame([{name: getattr(lesson, name) for name in DICTIONARY["lesson"]}])
    for table in (observations, events, corrections):
        table["animal"] = table["child"].map(animals).astype("str")
    tables = {"observations": observations, "events": events, "corrections": corrections, "lesson": header}
    return {name: table[list(DICTIONARY[name])] for name, table in tables.items()}


def neutralised_formula(text: str) -> str:
    """A text that no spreadsheet runs as a formula: an apostrophe goes before what could start one."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS) else text


def dictionary_table() -> pd.DataFrame:
    """The data dictionary: table, column, meaning."""
    rows = [(table, column, meaning) for table, columns in DICTIONARY.items() for column, meaning in columns.items()]
    return pd.DataFrame(rows, columns=["table", "column", "meaning"])


def _archive(target: Path, tables: dict[str, pd.DataFrame], file_format: str) -> None:
    write: Callable[[pd.DataFrame], bytes] = _csv if file_format == "csv" else _parquet
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, table in tables.items():
            archive.writestr(f"{name}.{file_format}", write(table))
        archive.writestr("dictionary.csv", _csv(dictionary_table()))
        archive.writestr("README.txt", CAUTION + "\n")


def _csv(table: pd.DataFrame) -> bytes:
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    for index, field in enumerate(arrow.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = arrow.column(index).combine_chunks().dictionary_encode()
            words = pa.array([neutralised_formula(word) for word in column.dictionary.to_pylist()], type=pa.string())
            plain = pa.DictionaryArray.from_arrays(column.indices, words).cast(pa.string())
            arrow = arrow.set_column(index, field.name, plain)
        elif pa.types.is_timestamp(field.type):
            times = pa.compute.strftime(arrow.column(index), format="%Y-%m-%dT%H:%M:%SZ")
            arrow = arrow.set_column(index, field.name, times)
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(arrow, buffer)
    return b"\xef\xbb\xbf" + buffer.getvalue()  # the mark by which spreadsheets know UTF-8


def _parquet(table: pd.DataFrame) -> bytes:
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(arrow, buffer, compression="zstd")
    return buffer.getvalue()


def _json(tables: dict[str, pd.DataFrame]) -> str:
    parts = [f'"caution": {json.dumps(CAUTION)}', f'"dictionary": {json.dumps(DICTIONARY)}']
    parts += [
        f'"{name}": {table.to_json(orient="records", date_format="iso", date_unit="us", force_ascii=False)}'
        for name, table in tables.items()
    ]
    return "{" + ",\n".join(parts) + "}\n"
