"""A lesson as a file: complete, explained, harmless in a spreadsheet, and written down."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.store.lesson_store import LessonStore
from analytics.store.records import Correction, Event
from analytics.teacher.export import DICTIONARY, FORMATS, export_lesson, neutralised_formula
from tests.analytics.examples import START, make_child, make_lesson, make_observation

FORMULA = '=HYPERLINK("http://evil.example","click")'


@pytest.fixture
def filled(store: LessonStore) -> LessonStore:
    store.add_lesson(make_lesson(title="+1+1"))
    store.put_child(make_child())
    store.add_observations([make_observation(0), make_observation(1.5, probabilities=None), make_observation(3)])
    store.add_event(Event("e-1", "lesson-1", None, START, "note", FORMULA))
    store.add_event(Event("e-2", "lesson-1", "c" * 20, START, "hint", "Стрелка, «цикл»\nline two"))
    store.add_correction(Correction("k-1", "lesson-1", "c" * 20, START, START, "sad", "@SUM(A1)", START))
    return store


def read_csv(file: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(file) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode("utf-8-sig"), newline="")))


def test_a_csv_export_holds_every_row_and_no_formula(filled: LessonStore) -> None:
    file = export_lesson(filled, "lesson-1", "csv", "teacher")
    observations = read_csv(file, "observations")
    assert [row["faces_seen"] for row in observations] == ["1", "0", "1"]
    assert [row["happy"] for row in observations] == ["0.7", "", "0.7"]
    assert observations[1]["at"].startswith("2026-03-02T09:00:01.5")
    assert observations[0]["animal"] == "fox"
    events = {row["id"]: row for row in read_csv(file, "events")}
    assert events["e-1"]["detail"] == "'" + FORMULA
    assert events["e-1"]["child"] == ""
    assert events["e-2"]["detail"] == "Стрелка, «цикл»\nline two"
    assert read_csv(file, "corrections")[0]["note"] == "'@SUM(A1)"
    assert read_csv(file, "lesson")[0]["title"] == "'+1+1"


def test_a_parquet_export_keeps_types(filled: LessonStore, tmp_path: Path) -> None:
    with zipfile.ZipFile(export_lesson(filled, "abc234", "parquet", "teacher")) as archive:
        table = pyarrow.parquet.read_table(io.BytesIO(archive.read("observations.parquet")))
    assert table.num_rows == 3
    assert str(table.schema.field("at").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("happy").type) == "float"
    assert pd.isna(table.to_pandas()["happy"].iloc[1])


def test_a_json_export_is_one_document(filled: LessonStore) -> None:
    document = json.loads(export_lesson(filled, "lesson-1", "json", "teacher").read_text(encoding="utf-8"))
    assert [row["happy"] for row in document["observations"]] == [pytest.approx(0.7), None, pytest.approx(0.7)]
    assert document["lesson"][0]["title"] == "+1+1"
    assert {row["detail"] for row in document["events"]} >= {FORMULA}
    assert document["dictionary"] == DICTIONARY


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_dictionary_explains_every_column(filled: LessonStore, file_format: str) -> None:
    file = export_lesson(filled, "lesson-1", file_format, "teacher")
    if file_format == "json":
        document = json.loads(file.read_text(encoding="utf-8"))
        columns = {name: list(document[name][0]) for name in DICTIONARY}
    else:
        with zipfile.ZipFile(file) as archive:
            assert "dictionary.csv" in archive.namelist()
            read = pd.read_csv if file_format == "csv" else pd.read_parquet
            columns = {name: list(read(io.BytesIO(archive.read(f"{name}.{file_format}")))) for name in DICTIONARY}
    assert columns == {name: list(meanings) for name, meanings in DICTIONARY.items()}


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_empty_lesson_can_be_exported(store: LessonStore, file_format: str) -> None:
    store.add_lesson(make_lesson())
    assert export_lesson(store, "lesson-1", file_format, "teacher").stat().st_size > 0


def test_an_export_is_written_down_and_for_its_owner_only(filled: LessonStore) -> None:
    file = export_lesson(filled, "lesson-1", "csv", "anna")
    assert file.stat().st_mode & 0o077 == 0
    assert [(entry.action, entry.actor) for entry in filled.audit_entries()] == [("export", "anna")]


def test_an_unknown_lesson_or_format_is_refused(filled: LessonStore) -> None:
    with pytest.raises(ValueError, match="no lesson"):
        export_lesson(filled, "../../etc/passwd", "csv", "teacher")
    with pytest.raises(ValueError, match="parquet"):
        export_lesson(filled, "lesson-1", "xls", "teacher")


@given(text=st.text(max_size=20))
def test_no_text_starts_a_formula_after_it_was_made_harmless(text: str) -> None:
    result = neutralised_formula(text)
    assert result.removeprefix("'") == text or result == text
    assert not result.strip().startswith(("=", "+", "-", "@"))
