"""Which files the lesson store opens, brings up to date, or leaves alone."""

import re
import sqlite3
from pathlib import Path

import duckdb
import pytest

from analytics.store import database as database_module
from analytics.store.connection import connect, transaction
from analytics.store.copies import has_storage_of_duckdb_1, log_of
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Correction, StoreError
from analytics.store.recovery import open_store, restore
from tests.analytics.examples import START, make_lesson, make_observation


def test_a_file_of_an_older_version_is_brought_up_to_date_with_its_rows(database: Path) -> None:
    connection = duckdb.connect(str(database))
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(database_module.VERSION_TABLE)
    connection.execute(database_module.schema_parts()[0])
    connection.execute("INSERT INTO schema_version VALUES (1, now())")
    connection.execute(
        "INSERT INTO lesson VALUES (1, 'lesson-1', 'abc234', 'Loops', '2B', ?, 45, NULL, false)", [START]
    )
    connection.execute("INSERT INTO child VALUES (1, ?, '2B', 'fox', NULL, NULL, NULL, NULL, NULL)", ["c" * 20])
    connection.close()
    with LessonStore(database) as store:
        assert store.lessons() == [make_lesson()]
        store.add_correction(Correction("k", "lesson-1", "c" * 20, START, START, "sad", "", START))
        assert store.add_observations([make_observation()]) == 1
        versions = store.query("SELECT version FROM schema_version ORDER BY version")["version"].tolist()
    assert versions == list(range(1, len(database_module.schema_parts()) + 1))


def test_a_migration_that_fails_changes_nothing(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    LessonStore(database).close()
    before = duckdb.connect(str(database)).execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    parts = [*database_module.schema_parts(), "CREATE TABLE half (a INTEGER); SELECT no_such_column FROM lesson"]
    monkeypatch.setattr(database_module, "schema_parts", lambda: parts)
    with pytest.raises(StoreError):
        LessonStore(database)
    assert (
        duckdb.connect(str(database)).execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall() == before
    )


def test_a_file_of_a_newer_program_is_left_alone(database: Path) -> None:
    LessonStore(database).close()
    with duckdb.connect(str(database)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (999, now())")
    with pytest.raises(StoreError, match="update the program"):
        LessonStore(database)


def test_a_storage_format_of_a_newer_duckdb_is_left_alone(database: Path) -> None:
    LessonStore(database).close()
    newer = bytearray(database.read_bytes())
    newer[12:20] = (1000).to_bytes(8, "little")
    database.write_bytes(newer)
    with pytest.raises(duckdb.Error) as refused:  # DuckDB says which checksum would be right
        duckdb.connect(str(database))
    newer[:8] = int(re.findall(r"computed checksum (\d+)", str(refused.value))[0]).to_bytes(8, "little")
    database.write_bytes(newer)
    with pytest.raises(StoreError, match="update this one"):
        open_store(database)
    assert database.read_bytes() == newer


@pytest.mark.parametrize("age", ["present", "old"])
def test_a_database_of_something_else_is_left_alone(database: Path, age: str) -> None:
    with duckdb.connect(config={} if age == "present" else {"storage_compatibility_version": "v1.0.0"}) as connection:
        connection.execute(f"ATTACH '{database}' AS other; CREATE TABLE other.accounts (a INTEGER)")
    before = database.read_bytes()
    assert has_storage_of_duckdb_1(database) == (age == "old")
    with pytest.raises(StoreError, match="something else"):
        LessonStore(database)
    assert database.read_bytes() == before
    assert [file.name for file in database.parent.iterdir()] == [database.name]


def test_a_file_that_is_no_database_is_refused_with_a_remedy_and_not_touched(database: Path) -> None:
    database.write_bytes(b"\x89PNG and so on" * 1000)
    with pytest.raises(StoreError, match="restore a backup"):
        LessonStore(database)
    assert database.read_bytes() == b"\x89PNG and so on" * 1000


def test_a_second_store_on_the_same_file_in_one_process_is_refused(store: LessonStore, database: Path) -> None:
    with pytest.raises(StoreError, match="already open"):
        LessonStore(database)
    assert store.lessons() == []


def test_a_database_of_another_kind_is_refused_in_a_sentence_and_nothing_is_fetched_for_it(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB would look for an extension that reads it: in the home folder, then on the network."""
    stray = tmp_path / "stray.backup"
    sqlite3.connect(stray).execute("CREATE TABLE a (b)").connection.close()
    monkeypatch.setattr(duckdb, "connect", lambda *_, **__: pytest.fail("DuckDB was asked to open it"))
    with pytest.raises(StoreError, match="never a lesson database"):
        LessonStore(stray)
    with pytest.raises(StoreError, match=f"{stray} is damaged, or was never a backup"):
        restore(stray, database)
    assert not database.exists()


def test_every_connection_is_made_in_one_place_which_installs_and_loads_nothing(tmp_path: Path) -> None:
    package = Path(database_module.__file__).parents[2]
    sources = [*(package / "analytics").rglob("*.py"), *(package / "emotion").rglob("*.py"), package / "app.py"]
    made = [path.name for path in sources for _ in re.findall(r"duckdb\.connect\(", path.read_text(encoding="utf-8"))]
    assert made == ["connection.py"]
    for read_only in (False, True):
        connection = connect(tmp_path / "a.duckdb", read_only=read_only)
        settings = dict(
            connection.execute("SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%extensions'").fetchall()
        )
        assert settings == {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        connection.close()


@pytest.mark.parametrize("name", ["what?.duckdb", "a?b?c", "?", "x?access_mode=read_only"])
def test_a_question_mark_in_the_name_is_a_letter_like_any_other(tmp_path: Path, name: str) -> None:
    database = tmp_path / name
    with LessonStore(database) as store:
        store.add_lesson(make_lesson())
        assert log_of(database).exists()
        store.rewrite()
        assert not log_of(database).exists()
    with LessonStore(database) as store:
        assert len(store.lessons()) == 1


def test_a_question_mark_in_the_folder_is_refused_with_the_reason_before_anything_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "which?"
    with pytest.raises(StoreError, match="question mark"):
        LessonStore(folder / "lessons.duckdb")
    assert not folder.exists()


def test_what_went_wrong_first_is_told_and_not_that_nothing_could_be_rolled_back(database: Path) -> None:
    connection = connect(database)

    def fail_and_lose_the_transaction() -> None:
        with transaction(connection):
            connection.rollback()
            connection.execute("SELECT no_such_column FROM nowhere")

    with pytest.raises(duckdb.CatalogException, match="nowhere"):
        fail_and_lose_the_transaction()
    connection.close()


def test_what_an_earlier_version_left_readable_for_everybody_is_its_owners_alone(database: Path) -> None:
    with LessonStore(database) as store:
        store.add_lesson(make_lesson())
        copy = store.backup()
    kept = restore(copy, database)
    assert kept is not None
    export = database.with_name("exports") / "abc" / "lesson.csv"
    export.parent.mkdir(parents=True)
    export.write_text("rows")
    for file in (database, copy, kept, export):
        file.chmod(0o644)
    open_store(database).close()
    assert {file.name: file.stat().st_mode & 0o777 for file in (database, copy, kept, export)} == {
        file.name: 0o600 for file in (database, copy, kept, export)
    }
