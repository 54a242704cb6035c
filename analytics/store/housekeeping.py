"""The thread that looks after the store while the app runs: daily retention, unfinished erasing, lessons that nobody
ended, and backups.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from analytics.store.clock import seconds_passed
from analytics.store.erasing_plan import ROWS
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError, closing_time

LOG = logging.getLogger(__name__)
TICK = 1.0  # seconds between looks for a request: what `python -m analytics.store.backup create` waits for at most
DAY = 24 * 3600.0
STOP_TIMEOUT = 3.0  # seconds, of the ten that an orderly stop of the app may take
UPLOAD_INTERVAL = 3600.0  # what a Space may lose when its disk goes; never in the middle of a lesson
AFTER_FAILURE, IN_LESSONS = 60.0, 900.0  # seconds until what failed is tried again; with rewriting, while a lesson runs
# Retention waits for the end of lessons, because it rewrites the file, but not longer than this.
MAXIMUM_POSTPONEMENT = 2 * DAY


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
        self._uploaded: float | None = None  # monotonic time
        self._hub_missed = False
        self._steps_left = 0  # of erasing, after the last try
        self._erases_again = -MAXIMUM_POSTPONEMENT  # monotonic time before which it is not tried again
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
        """One round; called once a second. What fails keeps nothing else from being done; it is raised at the end."""
        failures: list[StoreError | OSError] = []
        for duty in (
            self._store.rescue_if_lost,
            lambda: answer_backup_request(self._store),
            lambda: close_overdue_lessons(self._store),
            self._retain_if_due,
            self._erase_if_due,
            self._upload_if_due,
        ):
            try:
                duty()
            except (StoreError, OSError) as error:
                failures.append(error)
        for failure in failures[1:]:
            LOG.error("housekeeping could not finish and tries again: %s", failure)
        if failures:
            raise failures[0]

    def _retain_if_due(self) -> None:
        since = seconds_passed() - self._last  # a computer that sleeps at night gets older all the same
        if since >= DAY and (since >= MAXIMUM_POSTPONEMENT or not self._lesson_runs()):
            self.delete_expired()
            self._last = seconds_passed()

    def _erase_if_due(self) -> None:
        """Goes on with what was begun; the log says what keeps a step from being done."""
        if time.monotonic() < self._erases_again:
            self._steps_left = 0
            return
        self._steps_left = self._store.erasing.go_on()

    def _upload_if_due(self) -> None:
        due = self._store.erasing.due_at_hub()
        if self._upload is None:
            if due and not self._hub_missed:
                self._hub_missed = True
                LOG.error(
                    "an erased child is still in the copy on the Hub, which this app no longer knows: set "
                    "EMOTION_BACKUP_DATASET again, or delete the data set and then %s",
                    ", ".join(str(self._store.path.with_name(plan.name)) for plan in due),
                )
            return
        if any(ROWS in plan.steps for plan in self._store.unfinished_erasures()):
            return  # the copy must not get what is about to be erased
        if (
            self._uploaded is None
            or due
            or (time.monotonic() - self._uploaded >= UPLOAD_INTERVAL and not self._lesson_runs())
        ):
            self._upload(self._store)
            self._uploaded = time.monotonic()
            self._store.erasing.copied_to_hub(due)

    def _lesson_runs(self) -> bool:
        return any(
            lesson.ended_at is None and self._store.clock.now(lesson) < lesson.planned_end
            for lesson in self._store.lessons()
        )

    def _run(self) -> None:
        wait = 0.0
        while not self._stop.wait(wait):
            wait = TICK
            try:
                self.tick()
                if self._steps_left:
                    # Each try copies the file while writes wait: seldom while children are being recorded.
                    self._erases_again = time.monotonic() + (IN_LESSONS if self._lesson_runs() else AFTER_FAILURE)
            except (StoreError, OSError) as error:
                LOG.error("housekeeping could not finish and tries again: %s", error)
                wait = AFTER_FAILURE
            except Exception:  # a fault of ours: it must not end the retention and the backups for good
                LOG.exception("housekeeping failed and goes on")
                wait = AFTER_FAILURE


def close_overdue_lessons(store: LessonStore) -> None:
    """Ends lessons that nobody ended, at the time at which they close by themselves. Raises `StoreError`.

    A synthetic one is ended by whoever makes it, perhaps at this moment: a later end would leave a board without rows.
    """
    for lesson in store.lessons():
        if lesson.ended_at is None and not lesson.synthetic and store.clock.now(lesson) >= closing_time(lesson):
            store.end_lesson(lesson.id, closing_time(lesson))


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
