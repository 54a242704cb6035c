"""What the faults of `tests/faults.py` are brought about and judged with."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from analytics.store.lesson_store import LessonStore
from tests.running_app import ROOT, PreparedLesson, RunningApp, environment_for, free_port
from tests.stations import Stations

STARTS_WITHIN = 500.0  # seconds


class CannotTryError(Exception):
    """This machine does not let us bring the fault about; the message says what is missing."""


@dataclass(frozen=True)
class Outcome:
    """``acknowledged``: rows; ``lost``: how many of them are not in the database afterwards; ``seconds``: from the end
    of the fault to the next acknowledged frame, one for each time it was tried; ``seen``: what clients or the operator
    were told meanwhile.
    """

    fault: str
    acknowledged: int
    lost: int
    seconds: tuple[float, ...]
    seen: str


def outcome(
    fault: str,
    database: Path,
    lesson: PreparedLesson,
    stations: Stations,
    seconds: list[float],
    seen: str,
) -> Outcome:
    """Counts what is in the database of an app that has ended. Raises AssertionError for what must not be."""
    with LessonStore(database) as store:
        store.database.verify()
        frame = store.observations(lesson.lesson.id)
    stored = set(frame["at"])
    assert len(stored) == len(frame), "a frame was stored twice"
    sent = {moment for moments in stations.acknowledged.values() for moment in moments}
    assert not stations.unfit, f"answers that are no sentence for a client: {stations.unfit[:3]}"
    found = Outcome(fault, len(sent), len(sent - stored), tuple(seconds), seen)
    assert found.lost == 0, found
    return found


@contextmanager
def small_disk(folder: Path, options: str = "size=8m") -> Iterator[Path]:
    """A file system of its own, as a folder. Raises `CannotTryError`."""
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], capture_output=True).returncode:
        raise CannotTryError("mounting a file system needs root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def readiness(app: RunningApp) -> int:
    """The status of ``/readyz``."""
    return httpx.get(app.url + "/readyz", timeout=60).status_code


def wait_until_not_ready(app: RunningApp, within: float = 30.0) -> None:
    """A proof that the disk takes writes holds for five seconds, then the app must say that it does not."""
    end = time.monotonic() + within
    while readiness(app) != 503:
        assert time.monotonic() < end, "/readyz goes on saying 200"
        time.sleep(0.5)


def refused_start(folder: Path, **more: str) -> str:
    """Starts the app where it cannot start; returns its one sentence."""
    run = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env=environment_for(folder, free_port(), **more),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
        check=False,
    )
    assert run.returncode == 1, run.stderr[-2000:]
    assert "Traceback" not in run.stderr
    return run.stderr.strip().splitlines()[-1]


def run_command(command: list[str]) -> str:
    """What a command printed; raises if it failed."""
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=300).stdout


def post_picture(app: RunningApp, lesson: PreparedLesson, picture: bytes) -> httpx.Response:
    """One picture of the first child; asks again while a newer frame of its tablet takes its place."""
    query = {"lesson": lesson.lesson.id, "child": lesson.codes[0]}
    while True:
        answer = httpx.post(f"{app.url}/observe", params=query, content=picture, timeout=60)
        if answer.status_code != 429 and answer.json().get("reason") != "replaced":
            return answer
