"""The lesson store when things go wrong: each fault is a real one, on a real file and, where it matters, a real
process.
"""

import os
import random
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from analytics.store.copies import log_of
from analytics.store.housekeeping import Housekeeper
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError
from tests.analytics.examples import START, make_child, make_lesson, make_observation

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def start_process(*arguments: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_until_killed(database: Path, first: int, seconds: float) -> list[int]:
    """Lets a process write, kills it ``seconds`` after its first row, and returns the rows it had acknowledged."""
    process = start_process(Path(__file__).with_name("writing_process.py"), database, str(first))
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    threading.Timer(seconds, process.kill).start()
    rest = process.stdout.read()  # ends when the process dies
    process.wait()
    if process.stderr:
        process.stderr.close()
    process.stdout.close()
    return [int(line), *(int(text) for text in rest.split("\n")[:-1])]


def kill_again_and_again(database: Path, times: int, seed: int) -> tuple[int, float]:
    """Returns how many rows were acknowledged in all, and the longest time that opening took after a kill, in
    seconds.
    """
    chance = random.Random(seed)
    acknowledged: set[int] = set()
    slowest = 0.0
    for attempt in range(times):
        acknowledged.update(run_until_killed(database, attempt * 1_000_000, chance.uniform(0, 0.7)))
        begun = time.perf_counter()
        with LessonStore(database) as store:
            slowest = max(slowest, time.perf_counter() - begun)
            frame = store.observations("lesson-1")
        stored = [round((moment - START).total_seconds()) for moment in frame["at"]]
        assert len(stored) == len(set(stored))
        assert acknowledged <= set(stored)
    return len(acknowledged), slowest


def test_a_killed_process_loses_no_acknowledged_row(database: Path) -> None:
    rows, _ = kill_again_and_again(database, times=3, seed=1)
    assert rows > 3


@pytest.mark.slow
def test_fifty_kills_in_a_row_lose_no_acknowledged_row(
    database: Path, record_property: Callable[[str, object], None]
) -> None:
    rows, seconds = kill_again_and_again(database, times=50, seed=2)
    record_property("acknowledged rows", rows)
    record_property("slowest opening after a kill, seconds", seconds)
    print(f"{rows} rows acknowledged, 0 lost, slowest opening after a kill {seconds:.2f} s")
    assert seconds < 10


def test_a_second_process_gets_a_clear_message_and_the_first_goes_on(lesson_store: LessonStore) -> None:
    code = (
        "import sys; from analytics.store.lesson_store import LessonStore; "
        "from analytics.store.records import StoreError\n"
        "try: LessonStore(sys.argv[1])\n"
        "except StoreError as error: print(error)"
    )
    process = start_process("-c", code, lesson_store.path)
    output, errors = process.communicate(timeout=30)
    assert "in use by another process" in output
    assert str(os.getpid()) in output
    assert "EMOTION_DATABASE" in output
    assert errors == ""
    assert lesson_store.add_observations([make_observation()]) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB, as a folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a file system needs root: the test below limits the file size instead")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(store: LessonStore, first: int, until_full: bool) -> tuple[int, StoreError | None]:
    """Writes batches of 500 rows: until the disk is full, or 10 batches. Returns the rows acknowledged, and the
    error.
    """
    written = first
    for _ in range(400 if until_full else 10):
        rows = [make_observation(written + number, identity=str(written + number)) for number in range(500)]
        try:
            store.add_observations(rows)
        except StoreError as error:
            return written, error
        written += 500
    return written, None


def stored_rows(store: LessonStore) -> set[int]:
    return {round((moment - START).total_seconds()) for moment in store.observations("lesson-1")["at"]}


def test_a_full_disk_is_said_loses_nothing_and_is_forgotten_when_there_is_room(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(3_000_000))
    database = small_disk / "lessons.duckdb"
    with LessonStore(database) as store:
        store.add_lesson(make_lesson())
        store.put_child(make_child())
        written, error = fill(store, 0, until_full=True)
        assert error is not None
        assert "free some space" in str(error)
        assert stored_rows(store) >= set(range(written))  # reading goes on
        _, error = fill(store, written, until_full=False)
        assert error is not None
        ballast.unlink()
        written, error = fill(store, written, until_full=False)
        assert error is None
        assert stored_rows(store) == set(range(written))
    with LessonStore(database) as store:
        assert stored_rows(store) == set(range(written))


def test_a_file_size_limit_that_is_reached_and_lifted_loses_nothing(database: Path) -> None:
    """The same without root: in a process of its own, because the limit holds for a whole process."""
    process = start_process(Path(__file__), database)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert output.startswith("full and recovered")


def with_rows(store: LessonStore, rows: int) -> None:
    store.add_lesson(make_lesson())
    store.put_child(make_child())
    store.add_observations([make_observation(number) for number in range(rows)])


@pytest.mark.parametrize("next_step", ["writing", "closing", "housekeeping"])
@pytest.mark.parametrize("put_there", [None, b"another file"])
def test_a_file_that_is_taken_away_from_a_running_app_is_written_anew_and_loses_nothing(
    database: Path, next_step: str, put_there: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    with LessonStore(database) as store:
        with_rows(store, 500)
        database.unlink()
        log_of(database).unlink(missing_ok=True)
        if put_there:
            database.write_bytes(put_there)
        if next_step == "writing":
            assert store.add_observations([make_observation(500)]) == 1
        elif next_step == "housekeeping":
            Housekeeper(store, 100_000).tick()
            assert not store.database.file_is_lost
    assert "nothing is lost" in caplog.text
    with LessonStore(database) as store:
        assert stored_rows(store) == set(range(501 if next_step == "writing" else 500))
    kept = [file.read_bytes() for file in database.parent.glob("*.replaced-*")]
    assert kept == ([put_there] if put_there else [])


def test_a_file_that_is_damaged_under_a_running_app_is_said_and_restored_without_a_restart(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with LessonStore(database) as store:
        with_rows(store, 30_000)
        copy = store.backup()
    with LessonStore(database) as store:
        database.write_bytes(bytes(database.stat().st_size))
        for _ in range(3):
            with pytest.raises(StoreError):
                store.add_observations([make_observation(30_000)])
            with pytest.raises(StoreError):
                store.require_writable()
        (said,) = [record for record in caplog.records if record.levelname == "CRITICAL"]
        assert "python -m analytics.store.backup restore" in said.getMessage()
        command = start_process("-m", "analytics.store.backup", "restore", copy, "--database", database)
        _, errors = command.communicate(timeout=60)
        assert command.returncode == 0, errors
        store.require_writable()
        assert store.add_observations([make_observation(30_000)]) == 1
        assert stored_rows(store) == set(range(30_001))


def test_writable_means_that_a_commit_reaches_the_disk(small_disk: Path) -> None:
    with LessonStore(small_disk / "lessons.duckdb") as store:
        store.require_writable()
        ballast = small_disk / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        with pytest.raises(StoreError, match="free some space"):
            ask_again_and_again(store)
        ballast.unlink()
        store.require_writable()


def ask_again_and_again(store: LessonStore) -> None:
    for _ in range(500):  # until the page that the log has begun is full
        store._writer.last_commit = -float("inf")  # as if it had been a while ago
        store.require_writable()


def limited_process(database: Path) -> None:
    with LessonStore(database) as store:
        store.add_lesson(make_lesson())
        store.put_child(make_child())
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
        written, error = fill(store, 0, until_full=True)
        assert error is not None, "the limit was never reached"
        assert "free some space" in str(error), error
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        written, error = fill(store, written, until_full=False)
        assert error is None, error
        assert stored_rows(store) == set(range(written))
    print("full and recovered", written)


if __name__ == "__main__":
    limited_process(Path(sys.argv[1]))
