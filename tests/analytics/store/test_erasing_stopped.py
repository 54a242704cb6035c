"""Erasing, retention and restore that are stopped in the middle: by a kill, again and again."""

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from analytics.store import upkeep
from analytics.store.lesson_store import LessonStore
from analytics.store.records import utc_now
from tests.analytics.examples import START, make_child, make_lesson, make_observation
from tests.analytics.store.killed_process import BEAR, FOX

ROOT = Path(__file__).resolve().parents[3]
DRIVER = Path(__file__).with_name("killed_process.py")


def filled(database: Path) -> None:
    """Two children in an old lesson and one in yesterday's, a backup, an export, and what a killed process left."""
    with LessonStore(database) as store:
        store.put_child(make_child(BEAR, "bear"))
        copy = store.backup()
        copy.rename(database.with_name("bear.backup"))
        store.put_child(make_child(FOX, "fox"))
        title = "Secret of the first lesson"
        store.add_lesson(make_lesson(title=title, ended_at=START + timedelta(hours=1)))
        yesterday = utc_now() - timedelta(days=1)
        store.add_lesson(make_lesson("lesson-2", "xyz789", started_at=yesterday, ended_at=yesterday))
        for child in (FOX, BEAR):
            store.add_observations([make_observation(second, child) for second in range(50)])
        seconds = (yesterday - START).total_seconds()
        store.add_observations([make_observation(seconds + number, BEAR, "lesson-2") for number in range(5)])
        backup = store.backup()
    shutil.copyfile(database, database.with_name("lessons.before-restore-20260302T100000Z.duckdb"))
    exports = upkeep.exports_folder(database)
    exports.mkdir()
    (exports / "lesson.csv").write_text(FOX + title)
    old = (START + timedelta(hours=1)).timestamp()
    kept = database.with_name("lessons.before-restore-20260302T100000Z.duckdb")
    for file in (backup, exports / "lesson.csv", kept):
        os.utime(file, (old, old))
    backup.with_name("unfinished.backup.duckdb.partial").write_text(FOX)
    os.utime(backup.with_name("unfinished.backup.duckdb.partial"), (old, old))


def killed_everywhere(folder: Path, work: str, step: int = 1) -> int:
    """Kills ``work`` before each ``step``-th line of the store's code; returns the number of the last."""
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(folder), work, str(step)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    return int(done.stdout.split()[-1])


def prepared(folder: Path, reached_by: str) -> None:
    """What `killed_process` copies before each kill."""
    place = folder / "before"
    place.mkdir()
    filled(place / "lessons.duckdb")
    if reached_by == "a link":
        (place / "volume").mkdir()
        (place / "lessons.duckdb").rename(place / "volume" / "real.duckdb")
        (place / "lessons.duckdb").symlink_to("volume/real.duckdb")
    elif reached_by == "one name of several":
        (folder / "with a hard link").touch()


@pytest.mark.slow
@pytest.mark.parametrize("reached_by", ["its name", "a link", "one name of several"])
@pytest.mark.parametrize("work", ["erase", "retain", "restore"])
def test_a_kill_at_any_line_leaves_it_done_or_still_due_and_loses_nothing(
    tmp_path: Path, work: str, reached_by: str
) -> None:
    prepared(tmp_path, reached_by)
    # Each kill costs half a second: the plain case is looked at closely, the others share its code.
    assert killed_everywhere(tmp_path, work, step=13 if (work, reached_by) == ("erase", "its name") else 61) > 150


@pytest.mark.parametrize("work", ["erase", "retain", "restore"])
def test_a_kill_at_some_lines_leaves_it_done_or_still_due(tmp_path: Path, work: str) -> None:
    prepared(tmp_path, "its name")
    assert killed_everywhere(tmp_path, work, step=151) > 150
