"""The composed app with two teachers in this process: its routes and functions can be looked at, and it answers."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from gradio import Blocks, routes
from starlette.routing import BaseRoute, Mount

from analytics.access.accounts import Accounts, with_account
from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, Correction, Lesson, utc_now
from emotion.labels import KEYS, Prediction
from emotion.serving.settings import Settings
from emotion.serving.slow_clients import SlowClientProtocol
from tests.running_app import SECRET, free_port

PASSWORD = "correct horse battery"
CLASSES = {"anna": "Class-of-Anna", "boris": "Class-of-Boris"}
# What stands in anna's lesson and nowhere else: who reads one of these has read anna's data.
TITLE, NOTE, HINT = "Canary-title", "Canary-note", "Canary-hint"


@dataclass
class Taught:
    """A teacher's running lesson with children that were seen in it."""

    lesson: Lesson
    children: list[Child]
    codes: list[str]


@dataclass
class ComposedApp:
    """``app``: what uvicorn serves at ``url``. ``taught``: by teacher."""

    app: FastAPI
    url: str
    store: LessonStore
    recorder: LessonRecorder
    taught: dict[str, Taught] = field(default_factory=dict)

    def page(self, path: str) -> Blocks:
        """The Blocks that are mounted at ``path`` ("" or "/teacher")."""
        for route in self.app.routes:
            if isinstance(route, Mount) and route.path == path and isinstance(route.app, routes.App):
                return route.app.get_blocks()
        raise LookupError(path)

    def walk(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every path of the server with its methods, mounted apps included."""
        return _walk(self.app.routes)


def account_variable(classes: dict[str, str]) -> str:
    """EMOTION_ACCOUNTS for teachers with one class each; all have `PASSWORD`."""
    salt, digest = with_account(Accounts({}), "x", PASSWORD).hashes["x"]
    rows = {name: {"salt": salt, "scrypt": digest, "classes": [own]} for name, own in classes.items()}
    return json.dumps({"accounts": rows})


def teach(recorder: LessonRecorder, store: LessonStore, class_name: str, words: bool = False) -> Taught:
    """A lesson of three minutes so far, seen second by second; ``words``: with the canaries."""
    lesson = recorder.start_lesson(TITLE if words else "Robots", class_name, 45)
    enrolled = [recorder.enrol(class_name, "parent", "1") for _ in range(6)]
    prediction = Prediction(tuple(0.93 if key == "happy" else 0.01 for key in KEYS), 0.9, "test")
    for code, _ in enrolled:
        assert recorder.record(lesson.id, code, None, prediction, 1, "test", None).recorded
    now = utc_now()
    if words:
        code, child = enrolled[0]
        assert recorder.log_event(lesson.id, "note", HINT, code)[0].recorded
        assert recorder.log_event(lesson.id, "task_started", "Canary-task")[0].recorded
        span = (now - timedelta(milliseconds=1), now)
        store.add_correction(Correction("canary", lesson.id, child.pseudonym, *span, "sad", NOTE, now))
    return Taught(lesson, [child for _, child in enrolled], [code for code, _ in enrolled])


@contextmanager
def composed_app(folder: Path, **more: object) -> Iterator[ComposedApp]:
    """The app with the accounts of `CLASSES`, served on this computer; ``more``: further settings."""
    import app as application

    port = free_port()
    values = {"requests_per_minute": 1_000_000, "accounts": account_variable(CLASSES), "secret": SECRET, **more}
    settings = Settings(database=folder / "lessons.duckdb", port=port, **values)  # type: ignore[arg-type]
    with LessonStore(settings.database) as store:
        app = application.compose(settings, store)
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=port, http=SlowClientProtocol, log_config=None)
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.05)
        recorder = LessonRecorder(store, SECRET.encode())
        composed = ComposedApp(app, f"http://127.0.0.1:{port}", store, recorder)
        composed.taught = {name: teach(recorder, store, own, words=name == "anna") for name, own in CLASSES.items()}
        try:
            yield composed
        finally:
            server.should_exit = True
            thread.join(20)


def _walk(entries: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    for route in entries:
        path = prefix + getattr(route, "path", "")
        if isinstance(route, Mount):
            yield from _walk(route.routes, path.rstrip("/"))
        elif hasattr(route, "original_router"):  # FastAPI keeps an included router as one entry; its paths are whole
            yield from _walk(route.original_router.routes, prefix)
        else:
            yield path or "/", tuple(sorted(getattr(route, "methods", None) or ("GET",)))
