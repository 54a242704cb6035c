"""Faults that a school's server meets, each brought about on a real process of the app while tablets post frames.

Every function takes an empty folder and returns an `Outcome`; it raises AssertionError if the app behaved worse than
promised: an acknowledged row lost, an answer that is no sentence, no recovery. `tests/test_faults.py` runs them as
tests, `tests/benchmarks/faults.py` prints the table.
"""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import httpx
from gradio_client import Client
from PIL import Image

from analytics.store.lesson_store import LessonStore
from tests.fault_tools import (
    Outcome,
    outcome,
    post_picture,
    readiness,
    refused_start,
    run_command,
    small_disk,
    wait_until_not_ready,
)
from tests.running_app import ROOT, PreparedLesson, RunningApp, free_port, prepare_lesson, running_app
from tests.stations import Stations

FAULTY_APP = ROOT / "tests" / "faulty_app.py"
CLOCK = "TEST_CLOCK_SHIFT"  # names the file by which the clock of tests/faulty_app.py is set
SWITCH = "TEST_NETWORK_FAULT"  # names the file whose presence lets the network of tests/faulty_app.py fail
DATABASE = "lessons.duckdb"


def killed(folder: Path, times: int = 5, seed: int = 1) -> Outcome:
    """SIGKILL during load, again and again."""
    chance = random.Random(seed)
    lesson, port, begun = prepare_lesson(folder), free_port(), time.monotonic()
    seconds: list[float] = []
    with Stations(f"http://127.0.0.1:{port}", lesson.lesson.id, lesson.codes, period=0.2) as stations:
        for attempt in range(times + 1):
            with running_app(folder, port) as app:
                if attempt:
                    stations.wait_for_more()
                    seconds.append(time.monotonic() - begun)
                stations.wait_for_more(chance.randint(1, 12))
                if attempt == times:
                    break
                begun = time.monotonic()
                app.process.kill()
                app.process.wait()
    seen = f"{stations.broken.total()} requests without an answer, tried again"
    return outcome(f"kill -9 during load, {times} times", folder / DATABASE, lesson, stations, seconds, seen)


def full_disk(folder: Path) -> Outcome:
    """Another program fills the disk during a lesson; later there is room again."""
    with small_disk(folder) as disk:
        lesson = prepare_lesson(disk)
        ballast = disk / "ballast"
        with running_app(folder, EMOTION_DATABASE=str(disk / DATABASE)) as app:
            with Stations(app.url, lesson.lesson.id, lesson.codes) as stations:
                stations.wait_for_more(5)
                with suppress(OSError), ballast.open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))
                stations.wait_for_refusal("503 not_served")
                wait_until_not_ready(app)
                assert httpx.get(app.url + "/healthz").status_code == 200
                ballast.unlink()
                seconds = [stations.wait_for_more()]
                assert readiness(app) == 200
                stations.wait_for_more(5)
            assert app.stop() == 0
        seen = f"{stations.refusals.total()} times 503 with a sentence; /readyz 503, then 200"
        return outcome("disk full, then freed", disk / DATABASE, lesson, stations, seconds, seen)


def lesson_in(app: RunningApp, lesson: PreparedLesson, seconds: list[float], begun: float) -> Stations:
    """A short lesson in an app that has just started; notes the time to its first acknowledged frame."""
    stations = Stations(app.url, lesson.lesson.id, lesson.codes)
    with stations:
        stations.wait_for_more()
        seconds.append(time.monotonic() - begun)
        stations.wait_for_more(3)
    assert app.stop() == 0
    return stations


def locked(folder: Path) -> Outcome:
    """Another process has the database open when the app starts."""
    lesson, seconds = prepare_lesson(folder), []
    code = (
        "import sys, analytics.store.lesson_store as s; x = s.LessonStore(sys.argv[1]); print(flush=True); "
        "sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(folder / DATABASE)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    said = refused_start(folder)
    assert f"in use by another process (process {holder.pid})" in said, said
    begun = time.monotonic()
    holder.communicate("")
    with running_app(folder) as app:
        stations = lesson_in(app, lesson, seconds, begun)
    seen = "the start stops with a sentence that names the other process"
    return outcome("database held by another process", folder / DATABASE, lesson, stations, seconds, seen)


def read_only(folder: Path) -> Outcome:
    """The folder of the database cannot be written when the app starts."""
    seconds: list[float] = []
    with small_disk(folder) as disk:
        lesson = prepare_lesson(disk)
        database = str(disk / DATABASE)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        said = refused_start(folder, EMOTION_DATABASE=database)
        assert "cannot be written" in said, said
        begun = time.monotonic()
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        with running_app(folder, EMOTION_DATABASE=database) as app:
            stations = lesson_in(app, lesson, seconds, begun)
        seen = "the start stops with a sentence that says what to do"
        return outcome("read-only folder", disk / DATABASE, lesson, stations, seconds, seen)


def damaged(folder: Path, damage: Callable[[bytes], bytes], fault: str) -> Outcome:
    """The file is damaged when the app starts; the backup of it is restored in the evening."""
    lesson, seconds = prepare_lesson(folder), []
    database = folder / DATABASE
    with running_app(folder) as app:
        stations = lesson_in(app, lesson, [], time.monotonic())
    with LessonStore(database) as store:
        backup = store.backup()
    broken = damage(database.read_bytes())
    database.write_bytes(broken)
    begun = time.monotonic()
    with running_app(folder) as app:
        seconds.append(time.monotonic() - begun)
        assert readiness(app) == 200
        assert "THE LESSON DATABASE IS DAMAGED" in app.log.read_text()
        assert app.stop() == 0
    (kept,) = folder.glob(f"{DATABASE}.damaged-*")
    assert kept.read_bytes() == broken
    run_command([sys.executable, "-m", "analytics.store.backup", "restore", str(backup), "--database", str(database)])
    seen = "kept under a new name, a fresh one started, said loudly; then the backup restored"
    return outcome(fault, database, lesson, stations, seconds, seen)


def truncated(folder: Path) -> Outcome:
    """See `damaged`."""
    return damaged(folder, lambda whole: whole[: len(whole) * 2 // 3], "truncated database at the start")


def garbage(folder: Path) -> Outcome:
    """See `damaged`."""
    return damaged(folder, lambda whole: random.Random(4).randbytes(len(whole)), "garbage instead of the database")


def taken_away(folder: Path) -> Outcome:
    """Somebody deletes the database, and its log, while the app has it open; the app is killed two seconds later."""
    lesson, database = prepare_lesson(folder), folder / DATABASE
    with running_app(folder) as app, Stations(app.url, lesson.lesson.id, lesson.codes) as stations:
        stations.wait_for_more(5)
        for file in folder.glob(f"{DATABASE}*"):
            file.unlink()
        seconds = [stations.wait_for_more()]
        stations.wait_for_more(3)
        app.process.kill()
    return outcome("database deleted under the app", database, lesson, stations, seconds, "written anew from memory")


def clock_jump(folder: Path) -> Outcome:
    """The machine's clock is set an hour forward during a lesson, then two hours back; the tablets' clocks are right.

    The process asks the clock in one place only, `analytics.store.records.utc_now`, and that is where the test sets it.
    """
    shift = folder / "shift"
    shift.write_text("0")
    lesson, seconds = prepare_lesson(folder), []
    environment = {CLOCK: str(shift)}
    with running_app(folder, program=FAULTY_APP, **environment) as app:
        with Stations(app.url, lesson.lesson.id, lesson.codes) as stations:
            stations.wait_for_more(3)
            for jump in ("3600", "-3600"):
                shift.write_text(jump)
                seconds.append(stations.wait_for_more())
                stations.wait_for_more(6)
                undated(app, lesson, stations.picture)
                board = Client(f"{app.url}/teacher/", verbose=False).predict(lesson.lesson.id, api_name="/class_board")
                assert [row["state"] for row in board if row["state"] == "silent"] == [], "by whose clock?"
        assert app.stop() == 0
    assert set(stations.refusals) <= {"200 replaced"}, stations.refusals
    with LessonStore(folder / DATABASE) as store:
        frame = store.observations(lesson.lesson.id)
    assert all(lesson.lesson.started_at < moment <= datetime.now(UTC) for moment in frame["at"]), "dated wrongly"
    seen = "no frame refused, every row dated rightly"
    return outcome("clock an hour forward, then two back", folder / DATABASE, lesson, stations, seconds, seen)


def undated(app: RunningApp, lesson: PreparedLesson, picture: bytes) -> None:
    """A frame without a time of its own: the app dates it."""
    assert post_picture(app, lesson, picture).json()["recorded"]


def network_fails(folder: Path) -> Outcome:
    """The classifier raises for every frame, for a while."""
    lesson = prepare_lesson(folder)
    switch = folder / "fault"
    environment = {SWITCH: str(switch)}
    with running_app(folder, program=FAULTY_APP, **environment) as app:
        with Stations(app.url, lesson.lesson.id, lesson.codes) as stations:
            stations.wait_for_more(3)
            switch.touch()
            for _ in range(3):
                stations.wait_for_refusal("503 not_served")
            wait_until_not_ready(app)
            switch.unlink()
            seconds = [stations.wait_for_more()]
            assert readiness(app) == 200
        assert app.stop() == 0
    seen = f"{stations.refusals.total()} times 503 with a sentence; /readyz 503, then 200"
    return outcome("classifier raises", folder / DATABASE, lesson, stations, seconds, seen)


def out_of_memory(folder: Path) -> Outcome:
    """The process may take no more memory, and pictures of 16 megapixels come in; then it may again.

    Long and low ones, which are decoded whole: that is where memory runs out. Where it runs out inside OpenVINO, the
    process ends as it does when it is killed.
    """
    lesson = prepare_lesson(folder)
    stream = BytesIO()
    Image.new("RGB", (60_000, 260), "grey").save(stream, "JPEG")
    with running_app(folder) as app:
        with Stations(app.url, lesson.lesson.id, lesson.codes) as stations:
            stations.wait_for_more(9)
            pages = int(Path(f"/proc/{app.process.pid}/statm").read_text().split()[0])
            hard = resource.prlimit(app.process.pid, resource.RLIMIT_AS)[1]
            limit = pages * resource.getpagesize() + 32_000_000
            resource.prlimit(app.process.pid, resource.RLIMIT_AS, (limit, hard))
            said = [post_picture(app, lesson, stream.getvalue()) for _ in range(3)]
            resource.prlimit(app.process.pid, resource.RLIMIT_AS, (hard, hard))
            seconds = [stations.wait_for_more()]
            assert post_picture(app, lesson, stream.getvalue()).json()["recorded"]
            stations.acknowledged[lesson.codes[0]].append(stations.acknowledged[lesson.codes[0]][0])
        assert app.stop() == 0
    assert {answer.status_code for answer in said} <= {422, 503}, [answer.text for answer in said]
    assert all(answer.json()["reason"] in ("not_served", "damaged") for answer in said)
    seen = "the large pictures were refused with a sentence, the server lived on"
    return outcome("out of memory", folder / DATABASE, lesson, stations, seconds, seen)


def terminated(folder: Path) -> Outcome:
    """SIGTERM in the middle of a lesson, with frames under way, and a start after it."""
    lesson, port = prepare_lesson(folder), free_port()
    with Stations(f"http://127.0.0.1:{port}", lesson.lesson.id, lesson.codes, period=0.2) as stations:
        with running_app(folder, port) as app:
            stations.wait_for_more(10)
            begun = time.monotonic()
            app.process.send_signal(signal.SIGTERM)
            assert app.process.wait(60) == 0, "an orderly end"
            ended = time.monotonic() - begun
            starved = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)
            assert ended < 10 or starved, f"gone after {ended:.1f} s"
        assert not (folder / f"{DATABASE}.wal").exists(), "the log was folded into the file"
        with running_app(folder, port) as app:
            stations.wait_for_more()
            seconds = [time.monotonic() - begun]
            assert app.stop() == 0
    seen = f"drained and gone within {ended:.1f} s"
    return outcome("SIGTERM in a lesson", folder / DATABASE, lesson, stations, seconds, seen)


FAULTS: tuple[Callable[[Path], Outcome], ...] = (
    killed,
    full_disk,
    locked,
    read_only,
    truncated,
    garbage,
    taken_away,
    clock_jump,
    network_fails,
    out_of_memory,
    terminated,
)
