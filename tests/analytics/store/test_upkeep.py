"""Erasing, retention, backup, restore, damaged files, an orderly stop: on real files, searched byte by byte."""

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from analytics.classroom.recorder import LessonRecorder
from analytics.store import backup, upkeep
from analytics.store.copies import backups_folder, log_of
from analytics.store.housekeeping import Housekeeper
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Correction, Event, StoreError, utc_now
from analytics.store.recovery import open_store
from tests.analytics.examples import START, make_child, make_lesson, make_observation

ROOT = Path(__file__).resolve().parents[3]
FOX, BEAR = "f0" * 10, "bea7" * 5


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


@pytest.fixture
def class_store(store: LessonStore) -> LessonStore:
    store.add_lesson(make_lesson())
    store.put_child(make_child(FOX, "fox"))
    store.put_child(make_child(BEAR, "bear"))
    for child in (FOX, BEAR):
        store.add_observations([make_observation(second, child) for second in range(50)])
        store.add_event(Event(f"event of {child}", "lesson-1", child, START, "task_failed", "task 4"))
        store.add_correction(
            Correction(f"correction of {child}", "lesson-1", child, START, START, "sad", f"note on {child}", START)
        )
    store.audit("consent_given", "parent", "2B: fox, version 1")
    return store


def test_an_erased_child_is_gone_from_tables_file_log_backups_and_exports(class_store: LessonStore) -> None:
    folder = class_store.path.parent
    class_store.backup()
    exports = upkeep.exports_folder(class_store.path)
    exports.mkdir()
    (exports / "lesson.csv").write_text(FOX)
    assert bytes_of(folder).count(FOX.encode()) >= 3
    removed = class_store.erase_child(FOX, "teacher")
    assert (removed.observations, removed.events, removed.corrections) == (50, 1, 1)
    assert class_store.find_child(FOX) is None
    assert set(class_store.observations("lesson-1")["child"]) == {BEAR}
    raw = bytes_of(folder)
    assert FOX.encode() not in raw
    assert BEAR.encode() in raw
    assert not list(exports.iterdir())
    class_store.close()
    assert FOX.encode() not in bytes_of(folder)


def test_the_audit_trail_says_that_a_child_was_erased_and_not_which(class_store: LessonStore) -> None:
    class_store.erase_child(FOX, "teacher")
    entries = class_store.audit_entries()
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("consent_given", "parent"),
        ("erase_child", "teacher"),
    ]
    assert all("fox" not in entry.detail and FOX not in entry.detail for entry in entries)


def test_recording_goes_on_after_an_erasure_and_the_child_stays_unknown(class_store: LessonStore) -> None:
    class_store.erase_child(FOX, "teacher")
    assert class_store.add_observations([make_observation(60, BEAR)]) == 1
    with pytest.raises(ValueError, match="no such child"):
        class_store.add_observations([make_observation(60, FOX)])
    with pytest.raises(ValueError, match="no such child"):
        class_store.erase_child(FOX, "teacher")


def test_an_erasure_while_others_write_and_read_loses_nothing_of_theirs(class_store: LessonStore) -> None:
    stop = threading.Event()
    written = [0]
    failures: list[Exception] = []

    def work() -> None:
        try:
            while not stop.is_set():
                class_store.add_observations([make_observation(100 + written[0], BEAR)])
                written[0] += 1
                class_store.observations("lesson-1", BEAR)
        except Exception as error:  # noqa: BLE001  # handed to the test's thread
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while written[0] < 3:
        time.sleep(0.01)
    class_store.erase_child(FOX, "teacher")
    seen = written[0]
    while written[0] < seen + 2 and not failures:
        time.sleep(0.01)
    stop.set()
    thread.join()
    assert not failures
    assert len(class_store.observations("lesson-1", BEAR)) == 50 + written[0]


def test_an_interrupted_rewriting_is_made_up_for_by_housekeeping(class_store: LessonStore) -> None:
    upkeep.rewrite_marker(class_store.path).touch()
    class_store._writer.run(lambda cursor: upkeep.delete_child(cursor, FOX, "teacher"))  # as if killed at this point
    assert class_store.rewrite_pending
    class_store.end_lesson("lesson-1", START + timedelta(minutes=45))
    Housekeeper(class_store, retention_days=100_000).tick()
    assert not class_store.rewrite_pending
    assert FOX.encode() not in class_store.path.read_bytes()


def test_retention_deletes_what_is_older_and_nothing_else(store: LessonStore) -> None:
    now = utc_now()
    store.put_child(make_child(FOX, "fox"))
    for identity, age in (("old", 31), ("young", 29)):
        begun = now - timedelta(days=age)
        store.add_lesson(
            make_lesson(identity, f"code-{identity}", started_at=begun, ended_at=begun + timedelta(hours=1))
        )
        seconds = (begun - START).total_seconds()
        store.add_observations([make_observation(seconds + second, FOX, identity) for second in range(5)])
        store.add_event(Event(identity, identity, FOX, begun, "hint"))
    store.add_lesson(make_lesson("sample", "sample", started_at=START, ended_at=START, synthetic=True))
    store.add_observations([make_observation(0, FOX, "sample")])
    for folder in (backups_folder(store.path), upkeep.exports_folder(store.path)):
        folder.mkdir()
        for name, age in (("old", 31), ("young", 29)):
            (folder / name).touch()
            os.utime(folder / name, times=(now.timestamp() - age * 86400,) * 2)
    Housekeeper(store, retention_days=30).tick()
    assert {lesson.id for lesson in store.lessons()} == {"young", "sample"}
    assert len(store.observations("young")) == 5
    assert len(store.observations("sample")) == 1
    assert [entry.action for entry in store.audit_entries()] == ["retention"]
    assert "5 observations, 1 events, 0 corrections, 1 lessons" in store.audit_entries()[0].detail
    assert {file.name for file in backups_folder(store.path).iterdir()} == {"young"}
    assert {file.name for file in upkeep.exports_folder(store.path).iterdir()} == {"young"}


def test_retention_waits_for_the_end_of_a_lesson(store: LessonStore) -> None:
    old = utc_now() - timedelta(days=90)
    store.add_lesson(make_lesson("old", "code-old", started_at=old, ended_at=old))
    store.add_lesson(make_lesson("running", "code-now", started_at=utc_now()))
    housekeeper = Housekeeper(store, retention_days=30)
    housekeeper._last = time.monotonic() - 90_000  # 25 hours ago
    housekeeper.tick()
    assert len(store.lessons()) == 2
    store.end_lesson("running", utc_now())
    housekeeper.tick()
    assert [lesson.id for lesson in store.lessons()] == ["running"]


def test_a_backup_of_a_running_store_is_consistent_and_can_be_restored(
    class_store: LessonStore, tmp_path: Path
) -> None:
    before = class_store.observations("lesson-1")
    copy = class_store.backup()
    class_store.add_observations([make_observation(99, BEAR)])
    class_store.close()
    assert copy.stat().st_mode & 0o077 == 0
    kept = backup.restore(copy, class_store.path)
    assert kept is not None
    with LessonStore(class_store.path) as restored, LessonStore(kept) as earlier:
        assert restored.observations("lesson-1").equals(before)
        assert restored.children("2B") == earlier.children("2B")
        assert restored.corrections("lesson-1") == earlier.corrections("lesson-1")
        assert len(earlier.observations("lesson-1")) == 101


def run_backup(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "analytics.store.backup", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_commands_work_beside_a_running_app_and_on_a_stopped_one(class_store: LessonStore) -> None:
    database = class_store.path
    housekeeper = Housekeeper(class_store, retention_days=100_000)
    housekeeper.start()
    running = run_backup("create", "--database", database)
    assert running.returncode == 0, running.stderr
    refused = run_backup("restore", running.stdout.strip(), "--database", database)
    assert refused.returncode == 1
    assert "in use by another process" in refused.stderr
    assert "Traceback" not in refused.stderr
    housekeeper.stop()
    class_store.erase_child(BEAR, "teacher")
    class_store.close()
    restored = run_backup("restore", running.stdout.strip(), "--database", database)
    assert restored.returncode == 0, restored.stderr
    with LessonStore(database) as store:
        assert [child.animal for child in store.children("2B")] == ["fox"]  # the erased one does not come back
        assert len(store.observations("lesson-1")) == 50


def test_a_damaged_backup_is_not_restored(class_store: LessonStore, tmp_path: Path) -> None:
    class_store.close()
    before = class_store.path.read_bytes()
    broken = tmp_path / "broken.backup.duckdb"
    broken.write_bytes(before[: len(before) // 2])
    with pytest.raises(StoreError):
        backup.restore(broken, class_store.path)
    assert class_store.path.read_bytes() == before


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut off", "large and cut off", "overwritten inside"])
def test_a_damaged_database_is_kept_aside_and_a_fresh_one_started_loudly(
    database: Path, damage: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if damage == "large and cut off":  # too large to be read through: the places of its blocks must tell
        monkeypatch.setattr("analytics.store.database.FULL_CHECK_BYTES", 0)
    chance = random.Random(3)
    with LessonStore(database) as store:
        store.add_lesson(make_lesson())
        store.put_child(make_child())
        for begin in range(0, 8000, 2000):
            rows = [[chance.random() for _ in range(8)] for _ in range(2000)]
            store.add_observations(
                [
                    make_observation(begin + number, probabilities=tuple(value / sum(row) for value in row))
                    for number, row in enumerate(rows)
                ]
            )
    whole = bytearray(database.read_bytes())
    if damage == "garbage":
        whole = bytearray(b"nonsense" * 1000)
    elif damage == "empty":
        whole = bytearray()
    elif "cut off" in damage:
        del whole[len(whole) * 2 // 3 :]
    else:
        whole[len(whole) // 3 : len(whole) // 3 + 5000] = chance.randbytes(5000)
    database.write_bytes(whole)
    with caplog.at_level(logging.CRITICAL), open_store(database) as store:
        assert store.lessons() == []
        store.add_lesson(make_lesson())
    (kept,) = database.parent.glob("*.damaged-*")
    assert kept.read_bytes() == bytes(whole)
    assert str(kept) in caplog.text


def test_a_database_that_is_opened_day_after_day_is_never_taken_for_a_damaged_one(class_store: LessonStore) -> None:
    class_store.close()
    database = class_store.path
    for day in range(12):  # DuckDB frees blocks and cuts them from the end: the file shrinks as well as grows
        with open_store(database) as store:
            recorder = LessonRecorder(store, b"s" * 32)
            assert len(store.observations("lesson-1")) == 100
            assert len(store.lessons()) == 1 + day
            recorder.start_lesson("Loops", f"class {day}", 45)
            for _ in range(5):
                recorder.enrol(f"class {day}", "parent", "1")
    assert not list(database.parent.glob("*.damaged-*"))


def test_a_folder_that_cannot_be_written_is_said_with_a_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir()
    if os.geteuid() == 0:  # permissions do not bind root: a file system that is mounted read-only does
        mount = ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("root, and mounting is not allowed here")
    else:
        folder.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="EMOTION_DATABASE"):
            open_store(folder / "lessons.duckdb")
        assert list(folder.iterdir()) == []
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", str(folder)], check=True)


STOPPING = """
import signal, sys, threading
from tests.analytics.examples import make_child, make_lesson, make_observation
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError
store = LessonStore(sys.argv[1])
store.add_lesson(make_lesson()); store.put_child(make_child())
def write(first):
    for number in range(first, first + 10**6):
        try:
            store.add_observations([make_observation(number, identity=str(number))])
        except StoreError:
            return
        sys.stdout.write(f"{number}\\n"); sys.stdout.flush()
threads = [threading.Thread(target=write, args=(10**6 * index,)) for index in range(8)]
signal.signal(signal.SIGTERM, lambda *_: stop.set())
stop = threading.Event()
for thread in threads: thread.start()
stop.wait(); store.close()
for thread in threads: thread.join()
"""


def test_a_terminated_process_drains_and_closes_within_ten_seconds(database: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPING, str(database)], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    threading.Timer(0.5, process.send_signal, args=(signal.SIGTERM,)).start()
    begun = time.monotonic()
    rest = process.stdout.read()
    assert process.wait(15) == 0
    assert time.monotonic() - begun < 10.5
    process.stdout.close()
    assert not log_of(database).exists()  # folded into the file: an orderly end
    acknowledged = {int(line) for line in (first + rest).split()}
    with LessonStore(database) as store:
        stored = {round((moment - START).total_seconds()) for moment in store.observations("lesson-1")["at"]}
    assert acknowledged <= stored
