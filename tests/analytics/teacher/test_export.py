"""A lesson as a file: complete, explained, harmless in a spreadsheet, and written down."""

import csv
import io
import json
import os
import re
import resource
import shutil
import subprocess
import textwrap
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pyarrow.parquet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.store.lesson_store import LessonStore
from analytics.store.records import Correction, Event
from analytics.teacher.export import DICTIONARY, FORMATS, export_lesson, neutralised_formula
from analytics.teacher.export_formats import CSV_DIALECTS, ROWS_AT_ONCE, _csv_cell
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
    filled.add_observations([make_observation(second, probabilities=None) for second in range(4, 40)])  # a signal
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


WITHOUT_WIDTH = ' \t\n\r"\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff'


@given(text=st.text(max_size=20) | st.text(";,\t =+-@x'\"\u200b", max_size=8))
@example(";@")
@example('x;"=1+1;y')
def test_no_text_starts_a_formula_after_it_was_made_harmless(text: str) -> None:
    result = neutralised_formula(text)
    assert result.replace("'", "") == text.replace("'", ""), "nothing but apostrophes was put in"
    for separator in (",", ";", "\t"):
        cells = [cell.strip(WITHOUT_WIDTH) for cell in result.split(separator)]
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


@pytest.mark.parametrize("text", ['x;"=1+1;y', 'x; ""=1+1', 'x,"=1+1,y', "x;\u200b=1+1", 'x;\ufeff"@SUM(A1)'])
@pytest.mark.parametrize(("written", "read"), [(",", ";"), (";", ",")])
def test_no_cell_is_a_formula_where_a_spreadsheet_of_another_language_cuts_it(
    text: str, written: str, read: str
) -> None:
    """Quotation marks are doubled in a cell, and are the cell's own where the text is cut elsewhere."""
    cut = next(csv.reader([_csv_cell(text, written)], delimiter=read))
    assert not any(cell.strip(WITHOUT_WIDTH).startswith(("=", "+", "-", "@")) for cell in cut)


# What somebody wrote and a reader of tables takes for nothing, for a number, a truth or a date.
ODD_TEXTS = (
    "NA",
    "N/A",
    "null",
    "None",
    "nan",
    "NULL",
    "007",
    "1e5",
    "1,5",
    "1.5",
    "true",
    "2-3",
    'a;b,c\t"d"',
    "О\nК",
)
TEXTS = st.text(st.characters(min_codepoint=1, exclude_categories=("Cs",)), max_size=20)


def documented_lines(archive: Path, folder: Path, tool: str) -> str:
    """Takes the files out of an archive, as its README.txt says; answers the lines that it gives for ``tool``."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
        text = opened.read("README.txt").decode("utf-8-sig")
    blocks = re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", text, flags=re.MULTILINE)
    return textwrap.dedent(next(block for block in blocks if ("import" in block) == (tool == "pandas")))


def read_as_documented(archive: Path, folder: Path, table: str) -> pd.DataFrame:
    lines = documented_lines(archive, folder, "pandas").replace("events.", f"{table}.")
    for name in DICTIONARY:
        lines = re.sub(rf'"({name}\.\w+)"', lambda found: repr(str(folder / found[1])), lines)
    values: dict[str, pd.DataFrame] = {}
    exec(lines, values)
    return values["events"]


def written(store: LessonStore, texts: list[str], file_format: str, language: str) -> Path:
    """An export of a lesson whose only events have these details."""
    if store.find_lesson("lesson-1") is None:
        store.add_lesson(make_lesson(title="NA"))
    lesson = make_lesson(uuid4().hex, uuid4().hex[:6])
    store.add_lesson(lesson)
    for place, text in enumerate(texts):
        store.add_event(Event(f"{place:03d}", lesson.id, None, START, "note", text))
    return export_lesson(store, lesson.id, file_format, "teacher", language)


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_what_somebody_wrote_is_read_as_it_was_written(
    store: LessonStore, tmp_path: Path, file_format: str, language: str
) -> None:
    """The lines in the README.txt of the archive are run; without their arguments pandas loses "NA" and "007"."""
    events = read_as_documented(written(store, [*ODD_TEXTS], file_format, language), tmp_path, "events")
    assert tuple(events["detail"]) == ODD_TEXTS
    assert list(events["id"]) == [f"{place:03d}" for place in range(len(ODD_TEXTS))]


@pytest.fixture(scope="module")
def texts_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LessonStore]:
    with LessonStore(tmp_path_factory.mktemp("texts") / "lessons.duckdb") as opened:
        yield opened


@settings(max_examples=15, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=20), language=st.sampled_from(("en", "ru")))
@example(texts=["\r", "\r\n", " ", "'", '"', "\ufeff", "=1", ""], language="ru")
def test_any_text_comes_back_from_a_csv(
    texts_store: LessonStore, tmp_path_factory: pytest.TempPathFactory, texts: list[str], language: str
) -> None:
    events = read_as_documented(written(texts_store, texts, "csv", language), tmp_path_factory.mktemp("out"), "events")
    assert list(events["detail"].fillna("")) == [neutralised_formula(text) for text in texts]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_numbers_are_read_as_they_were_measured(filled: LessonStore, tmp_path: Path, language: str) -> None:
    file = export_lesson(filled, "lesson-1", "csv", "teacher", language)
    rows = read_as_documented(file, tmp_path, "observations")
    assert [float(value) for value in rows["happy"]] == pytest.approx([0.7, float("nan"), 0.7], nan_ok=True)
    assert list(rows["faces_seen"]) == [1, 0, 1]
    assert list(pd.to_datetime(rows["at"]) - pd.Timestamp(START)) == [pd.Timedelta(seconds=s) for s in (0, 1.5, 3)]


def test_a_csv_is_for_the_spreadsheet_of_its_language(filled: LessonStore) -> None:
    """Excel takes its separators from the system: in Russian a semicolon between cells and a comma in numbers."""
    first = {}
    for language in CSV_DIALECTS:
        with zipfile.ZipFile(export_lesson(filled, "lesson-1", "csv", "teacher", language)) as archive:
            table = archive.read("observations.csv")
        assert table.startswith(b"\xef\xbb\xbfchild"), "the mark by which Excel knows UTF-8"
        first[language] = table.decode("utf-8-sig").splitlines()[1]
    assert ",fox,2026-03-02T09:00:00.000000Z,0.02,0.01," in first["en"]
    assert ";fox;2026-03-02T09:00:00.000000Z;0,02;0,01;" in first["ru"]
    assert "Выражение лица" in documented_text(filled, "ru")
    assert "An expression" in documented_text(filled, "en")


def documented_text(store: LessonStore, language: str) -> str:
    with zipfile.ZipFile(export_lesson(store, "lesson-1", "csv", "teacher", language)) as archive:
        return archive.read("README.txt").decode("utf-8-sig")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_r_reads_what_somebody_wrote(store: LessonStore, tmp_path: Path, language: str) -> None:
    program = shutil.which("Rscript")
    if not program:
        pytest.skip("needs Rscript (Debian: apt-get install r-base-core)")
    lines = documented_lines(written(store, ["NA", "007", "1e5", "Цикл"], "csv", language), tmp_path, "R")
    lines += '\ncat(paste(events$detail, collapse = "|"))'
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    answer = subprocess.run([program, "-e", lines], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert answer.stdout.decode() == "NA|007|1e5|Цикл"


def test_a_table_is_written_in_batches(filled: LessonStore) -> None:
    """More rows than are turned into text at once: none is lost, or glued to the next, at a seam."""
    count = 2 * ROWS_AT_ONCE + 1
    filled.add_observations([make_observation(second) for second in range(4, 4 + count)])
    document = json.loads(export_lesson(filled, "lesson-1", "json", "teacher").read_text(encoding="utf-8"))
    csv_rows = read_csv(export_lesson(filled, "lesson-1", "csv", "teacher"), "observations")
    with zipfile.ZipFile(export_lesson(filled, "lesson-1", "parquet", "teacher")) as archive:
        parquet_rows = pyarrow.parquet.read_table(io.BytesIO(archive.read("observations.parquet"))).num_rows
    assert [len(document["observations"]), len(csv_rows), parquet_rows] == [count + 3] * 3
    assert [row["at"] for row in csv_rows] == [row["at"] for row in document["observations"]]


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can grow beyond 100 bytes meanwhile."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_export_without_room_leaves_the_earlier_one(filled: LessonStore, file_format: str) -> None:
    """What is half written is no export."""
    earlier = export_lesson(filled, "lesson-1", file_format, "teacher")
    whole = earlier.read_bytes()
    with full_disk(), pytest.raises(OSError, match="too large"):
        export_lesson(filled, "lesson-1", file_format, "teacher")
    assert [file.name for file in earlier.parent.iterdir()] == [earlier.name]
    assert earlier.read_bytes() == whole
    assert len(filled.audit_entries()) == 1, "only what was made is written down"


def memory_in_megabytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


@pytest.mark.slow
@pytest.mark.parametrize("file_format", FORMATS)
def test_an_export_of_thirty_children_and_four_hours_lets_others_work(store: LessonStore, file_format: str) -> None:
    """432,000 frames: as JSON they took 486 MB more, and the whole process stood still for seconds."""
    store.add_lesson(make_lesson(planned_minutes=240.0))
    for number in range(30):
        store.put_child(make_child(f"{number:02d}{'c' * 18}", f"animal {number}"))
    shares = ", ".join(["random() / 8"] * 8)
    with store.database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO observation SELECT 1, number, TIMESTAMPTZ '2026-03-02 09:00:00+00' + to_seconds(second), "
            f"hash(number, second), {shares}, 0.9, 1, 'webcam', 'model-1' FROM range(14400) t(second), child "
            "ORDER BY second"
        )
    gaps, done = [0.0], threading.Event()

    def heartbeat() -> None:
        last = time.perf_counter()
        while not done.wait(0.005):
            gaps.append(time.perf_counter() - last)
            last = time.perf_counter()

    Path("/proc/self/clear_refs").write_text("5")  # the highest level of memory so far is forgotten
    before = memory_in_megabytes("VmRSS")
    beating = threading.Thread(target=heartbeat)
    beating.start()
    try:
        export_lesson(store, "lesson-1", file_format, "teacher")
    finally:
        done.set()
        beating.join()
    assert memory_in_megabytes("VmHWM") - before < 100
    assert max(gaps) < 0.5, "usually 0.04; a busy machine takes its own pauses"
