"""A process that is killed before its first, second, third … line of the store's code, each time on a fresh copy.

    python killed_process.py FOLDER WORK STEP

FOLDER holds ``before``, a folder with ``lessons.duckdb`` or a link of this name. WORK is one
of erase, retain and restore, STEP the lines from one kill to the next. After each kill another process looks whether
all is as promised. Prints the last line's number; fails with the reason.
"""

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType

import analytics
from analytics.store.housekeeping import Housekeeper
from analytics.store.lesson_store import LessonStore
from analytics.store.records import utc_now
from analytics.store.recovery import open_store, restore
from tests.analytics.examples import START

FOX, BEAR = "f0" * 10, "bea7" * 5
WATCHED = tuple(str(Path(analytics.__file__).parent / part) for part in ("store/", "access/files.py"))


class Killer:
    """Kills this process before line number ``at`` of the store that is executed after it is armed, by any thread."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.armed = False
        sys.settrace(self._called)
        threading.settrace(self._called)

    def _called(self, frame: FrameType, event: str, argument: object) -> Callable[..., object] | None:
        return self._line if frame.f_code.co_filename.startswith(WATCHED) else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Callable[..., object]:
        if self.armed and event == "line":
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._line


def erase(place: Path, killer: Killer) -> None:
    """Erases a child of an open store."""
    with LessonStore(place / "lessons.duckdb") as store:
        killer.armed = True
        store.erase_child(FOX, "teacher")
        killer.armed = False


def retain(place: Path, killer: Killer) -> None:
    """Deletes what is old: everything of the first lesson."""
    with LessonStore(place / "lessons.duckdb") as store:
        killer.armed = True
        store.delete_before(START + timedelta(hours=2), "housekeeping")
        killer.armed = False


def put_back(place: Path, killer: Killer) -> None:
    """Restores the backup, in which only the bear is."""
    killer.armed = True
    restore(place / "bear.backup", place / "lessons.duckdb")
    killer.armed = False


def erased_after(place: Path) -> None:
    """After the next start the fox is nowhere, or is still there whole and can be erased; all else is as it was."""
    with open_store(place / "lessons.duckdb") as store:
        begun = bool(store.unfinished_erasures()) or store.find_child(FOX) is None
        if begun:
            for _ in range(2):
                Housekeeper(store, 100_000).tick()
        else:
            assert len(store.observations("lesson-1", FOX)) == 50
            store.erase_child(FOX, "teacher")
        assert not store.unfinished_erasures()
        assert set(store.observations("lesson-1")["child"]) == {BEAR}
        assert len(store.observations("lesson-1", BEAR)) == 50
        assert [entry.action for entry in store.audit_entries()].count("erase_child") == 1
    nowhere(place, FOX)


def retained_after(place: Path) -> None:
    """After the next start the first lesson is nowhere."""
    with open_store(place / "lessons.duckdb") as store:
        if not store.erasing.unfinished() and store.find_lesson("lesson-1") is not None:
            store.delete_before(START + timedelta(hours=2), "housekeeping")
        for _ in range(2):
            Housekeeper(store, (utc_now() - START).days - 1).tick()
        assert not store.erasing.unfinished()
        assert store.find_lesson("lesson-1") is None
        assert len(store.observations("lesson-2", BEAR)) == 5
    nowhere(place, "Secret of the first lesson")


def put_back_after(place: Path) -> None:
    """The present file or the backup is there, whole, and what was there is never lost."""
    with open_store(place / "lessons.duckdb") as store:
        children = {child.pseudonym for child in store.children("2B")}
        assert children in ({FOX, BEAR}, {BEAR}), children
        lost = children == {BEAR}
    if lost:
        kept = sorted(place.rglob("*.before-restore-*.duckdb"))[-1]
        assert "20260302" not in kept.name, "this one was there before"
        with LessonStore(kept) as store:
            assert len(store.observations("lesson-1", FOX)) == 50


def nowhere(place: Path, word: str) -> None:
    """A word is in no file below a folder, and no half-made file is left."""
    files = [file for file in place.rglob("*") if file.is_file()]
    assert not [file.name for file in files if word.encode() in file.read_bytes()], word
    assert not [file.name for file in files if file.suffix in (".rewriting", ".partial", ".new", ".finished")]


def in_a_child(work: Callable[[], None]) -> int:
    """The exit code of ``work`` in a process of its own, negative for a signal."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001  # told by the parent
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main(folder: Path, name: str, step: int) -> None:
    """Kills before every line in turn, or before each ``step``-th, until the work is done before the kill."""
    works = {"erase": (erase, erased_after), "retain": (retain, retained_after), "restore": (put_back, put_back_after)}
    work, look = works[name]
    for line in range(1, 100_000, step):
        place = folder / "now"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(folder / "before", place, symlinks=True)
        if (folder / "with a hard link").exists():
            (place / "other name.duckdb").hardlink_to(place / "lessons.duckdb")
        code = in_a_child(lambda: work(place, Killer(line)))  # noqa: B023
        assert code in (0, -signal.SIGKILL), f"line {line}: {code}"
        assert in_a_child(lambda: look(place)) == 0, f"killed before line {line}"  # noqa: B023
        if code == 0:
            print(f"killed before lines up to {line}")
            return
    raise AssertionError("it never came to an end")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
