"""Starts the real `python app.py` for end-to-end tests, with its own database, secret and port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson

ROOT = Path(__file__).resolve().parent.parent
SECRET = "a secret for tests only, long enough"
START_WITHIN = 500.0  # seconds; the app promises 20 on an idle machine, but tests share theirs with others


@dataclass
class RunningApp:
    """A process of the app; ``log`` holds what it wrote."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    seconds_to_answer: float

    def stop(self) -> int:
        """Ask it to end as a service manager does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@dataclass(frozen=True)
class PreparedLesson:
    """A running lesson with children whose consent is on file, made before the app opened the database."""

    lesson: Lesson
    class_name: str
    codes: tuple[str, ...]


def free_port() -> int:
    """A port on which nothing listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment_for(folder: Path, port: int, **more: str) -> dict[str, str]:
    """The environment of an app that keeps everything in ``folder``."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("EMOTION_", "GRADIO_"))}
    return {
        **own,
        "EMOTION_DATABASE": str(folder / "lessons.duckdb"),
        "EMOTION_SECRET": SECRET,
        "GRADIO_SERVER_PORT": str(port),
        **more,
    }


@contextmanager
def running_app(
    folder: Path, port: int | None = None, program: Path = ROOT / "app.py", **more: str
) -> Iterator[RunningApp]:
    """The app, answering; ended afterwards. ``more``: environment variables."""
    port = port or free_port()
    log = folder / "app.log"
    began = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, str(program)],
            env=environment_for(folder, port, **more),
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        while True:
            try:
                httpx.get(url + "/", timeout=5).raise_for_status()
                break
            except httpx.TransportError:
                if process.poll() is not None or time.monotonic() - began > START_WITHIN:
                    raise AssertionError(f"The app did not start:\n{log.read_text()[-3000:]}") from None
                time.sleep(0.2)
        yield RunningApp(url, process, log, time.monotonic() - began)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def prepare_lesson(folder: Path, children: int = 3, minutes: float = 45, class_name: str = "2B") -> PreparedLesson:
    """A lesson of the class that runs, and ``children`` enrolled in it."""
    with LessonStore(folder / "lessons.duckdb") as store:
        recorder = LessonRecorder(store, SECRET.encode())
        lesson = recorder.start_lesson("Robots", class_name, minutes)
        codes = tuple(recorder.enrol(class_name, "parent", "1")[0] for _ in range(children))
    return PreparedLesson(lesson, class_name, codes)


def recorded_rows(folder: Path, lesson: str) -> int:
    """Observations of a lesson in the database of an app that has ended."""
    with LessonStore(folder / "lessons.duckdb") as store:
        return len(store.observations(lesson))
