"""Files that DuckDB 1.5.5 wrote: they open with every row, and a copy that DuckDB 1 can read is kept beside them.

``data/closed.duckdb.gz``: as an orderly stop leaves a file, with 200 rows. ``data/killed.duckdb.gz`` and its log: as a
killed process leaves them, with 200 rows in the file and 50 in the log.
"""

import gzip
import logging
import random
import time
from pathlib import Path

import pytest

from analytics.store.copies import BACKUP_PATTERN, backups_folder, has_storage_of_duckdb_1, log_of
from analytics.store.database import DatabaseLockedError
from analytics.store.records import Event, StoreError, utc_now
from analytics.store.recovery import open_store, restore
from tests.analytics.examples import START, make_child, make_lesson, make_observation
from tests.analytics.store.test_store_faults import small_disk, start_process

__all__ = ["small_disk"]
DATA = Path(__file__).with_name("data")
FOX, BEAR = "c" * 20, "d" * 20
ROWS = {"closed": 200, "killed": 250}


def put_old_file(name: str, database: Path) -> None:
    for file in (database, log_of(database)):
        packed = DATA / f"{name}{file.name.removeprefix(database.stem)}.gz"
        if packed.exists():
            file.write_bytes(gzip.decompress(packed.read_bytes()))


def backups_of(database: Path) -> list[Path]:
    return sorted(backups_folder(database).glob(BACKUP_PATTERN))


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_there_and_one_copy_in_the_old_format_is_kept(
    name: str, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put_old_file(name, database)
    assert has_storage_of_duckdb_1(database)
    with open_store(database) as store:
        assert store.lessons() == [make_lesson()]
        assert store.children("2B") == [make_child(BEAR, "bear"), make_child(FOX)]
        assert len(store.observations("lesson-1")) == ROWS[name]
        assert store.events("lesson-1") == [Event("event-1", "lesson-1", FOX, START, "hint", "task 4")]
        assert [correction.label for correction in store.corrections("lesson-1")] == ["sad"]
        assert store.add_observations([make_observation(5, identity="5")]) == 0, "it is known"
        assert store.add_observations([make_observation(999)]) == 1
    (kept,) = backups_of(database)
    assert "before-duckdb-2" in kept.name
    assert str(kept) in caplog.text
    assert kept.stat().st_mode & 0o077 == 0
    assert has_storage_of_duckdb_1(kept)
    assert not has_storage_of_duckdb_1(database)
    with open_store(database) as store:
        assert len(store.observations("lesson-1")) == ROWS[name] + 1
    assert backups_of(database) == [kept], "not at every start"
    restore(kept, database)
    with open_store(database) as store:
        assert len(store.observations("lesson-1")) == ROWS[name]


def test_the_kept_copy_is_found_by_erasure_and_stays_in_the_old_format(database: Path) -> None:
    put_old_file("killed", database)
    with open_store(database) as store:
        (kept,) = backups_of(database)
        assert FOX.encode() in kept.read_bytes()
        store.erase_child(FOX, "teacher")
        assert FOX.encode() not in kept.read_bytes()
        assert has_storage_of_duckdb_1(kept)
        assert not has_storage_of_duckdb_1(database)


def test_the_kept_copy_is_found_by_retention(database: Path) -> None:
    put_old_file("closed", database)
    with open_store(database) as store:
        store.delete_before(utc_now(), "housekeeping")
    assert backups_of(database) == []


@pytest.mark.parametrize("room", [700_000, 3_000_000])  # bytes: for no copy, for one of the two
def test_a_full_disk_is_said_and_changes_nothing(small_disk: Path, room: int) -> None:
    database = small_disk / "lessons.duckdb"
    put_old_file("killed", database)
    before = database.read_bytes(), log_of(database).read_bytes()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(4_180_000 - room))
    with pytest.raises(StoreError, match="free some space"):
        open_store(database)
    assert (database.read_bytes(), log_of(database).read_bytes()) == before
    ballast.unlink()
    assert not [file for file in small_disk.rglob("*") if file.is_file() and file not in (database, log_of(database))]


def test_a_file_in_use_is_left_to_who_has_it(database: Path) -> None:
    put_old_file("closed", database)
    code = "import duckdb, sys, time; held = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"
    process = start_process("-c", code, database)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(DatabaseLockedError):
        open_store(database)
    process.kill()
    process.communicate()
    assert backups_of(database) == []


def test_a_damaged_old_file_is_kept_aside_as_any_other(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    put_old_file("closed", database)
    whole = database.read_bytes()
    database.write_bytes(whole[: len(whole) // 2])
    with caplog.at_level(logging.CRITICAL), open_store(database) as store:
        assert store.lessons() == []
    (aside,) = database.parent.glob("*.damaged-*")
    assert aside.read_bytes() == whole[: len(whole) // 2]
    assert backups_of(database) == []


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_upgrades_loses_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from analytics.store.lesson_store import LessonStore; print('ready', flush=True); "
        "LessonStore(sys.argv[1]); print('open', flush=True)"
    )
    chance = random.Random(4)
    for attempt in range(20):
        database = tmp_path / str(attempt) / "lessons.duckdb"
        database.parent.mkdir()
        put_old_file("killed", database)
        process = start_process("-c", code, database)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0, 0.5))
        process.kill()
        process.communicate()
        with open_store(database) as store:
            assert len(store.observations("lesson-1")) == ROWS["killed"]
        assert backups_of(database), "a copy was made, by one or the other"
