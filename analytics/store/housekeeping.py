"""The thread that looks after the store while the app runs: daily retention, unfinished rewriting, and backups."""

import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from analytics.store.clock import seconds_passed
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError

LOG = logging.getLogger(__name__)
TICK = 1.0  # seconds between looks for a request: what `python -m analytics.store.backup create` waits for at most
DAY = 24 * 3600.0
STOP_TIMEOUT = 3.0  # seconds, of the ten that an orderly stop of the app may take
UPLOAD_INTERVAL = 3600.0  # what a Space may lose when its disk goes; never in the middle of a lesson
MAXIMUM_POSTPONEMENT = (
    2 * DAY
)  # retention waits for the end of lessons, because it rewrites the file, but not longer than this


class Housekeeper:
    """``retention_days``: observations, backups and exports older than this are deleted once a day, the first time at
    the start. Postponed while a lesson runs, for a day at most. ``upload`` copies the store elsewhere: every hour
    in which no lesson runs, and at once after a child was erased.
    """

    def __init__(
        self, store: LessonStore, retention_days: float, upload: Callable[[LessonStore], None] | None = None
    ) -> None:
        if not retention_days > 0:
            raise ValueError(f"retention of {retention_days} days: give a positive number (EMOTION_RETENTION_DAYS)")
        self._store = store
        self._retention = timedelta(days=retention_days)
        self._last = -MAXIMUM_POSTPONEMENT
        self._upload = upload
        self._uploaded: tuple[float, int] | None = None  # monotonic time, and the erasures that had been done
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lesson-store-housekeeper", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, after what it is doing, but waits no longer than `STOP_TIMEOUT`: an upload may hang. Call it
        before the store is closed.
        """
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT)

    def __enter__(self) -> "Housekeeper":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def delete_expired(self) -> None:
        """Deletes what is older than the retention, now."""
        self._store.delete_before(self._store.clock() - self._retention, "housekeeping")

    def tick(self) -> None:
        """One round; called once a second."""
        self._store.rescue_if_lost()
        answer_backup_request(self._store)
        since = seconds_passed() - self._last  # a computer that sleeps at night gets older all the same
        if since >= DAY and (since >= MAXIMUM_POSTPONEMENT or not self._lesson_runs()):
            self._last = seconds_passed()
            self.delete_expired()
        if self._store.rewrite_pending and not self._lesson_runs():
            self._store.rewrite()
        self._upload_if_due()

    def _upload_if_due(self) -> None:
        if self._upload is None:
            return
        erasures = self._store.erasures
        if (
            self._uploaded is None
            or erasures != self._uploaded[1]
            or (time.monotonic() - self._uploaded[0] >= UPLOAD_INTERVAL and not self._lesson_runs())
        ):
            self._upload(self._store)
            self._uploaded = (time.monotonic(), erasures)

    def _lesson_runs(self) -> bool:
        return any(
            lesson.ended_at is None
            and self._store.clock.now(lesson) < lesson.started_at + timedelta(minutes=lesson.planned_minutes)
            for lesson in self._store.lessons()
        )

    def _run(self) -> None:
        while not self._stop.wait(TICK):
            try:
                self.tick()
            except (StoreError, OSError) as error:
                LOG.error("housekeeping could not finish and tries again: %s", error)
                self._stop.wait(60)


def request_path(database: Path) -> Path:
    """The file by which the backup command asks the app that holds the database for a copy."""
    return database.with_name(database.name + ".backup-request")


def answer_path(database: Path) -> Path:
    """The file in which the app answers: JSON with ``path`` or ``error``."""
    return database.with_name(database.name + ".backup-answer")


def answer_backup_request(store: LessonStore) -> None:
    """Makes the backup that a command asked for, if one did."""
    request = request_path(store.path)
    if not request.exists():
        return
    request.unlink()
    try:
        answer = {"path": str(store.backup())}
    except (StoreError, OSError) as error:
        answer = {"error": str(error)}
    partial = answer_path(store.path).with_suffix(".partial")
    partial.write_text(json.dumps(answer), encoding="utf-8")
    partial.replace(answer_path(store.path))
