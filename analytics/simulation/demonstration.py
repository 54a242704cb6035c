"""The sample's main lesson, played: it runs, in real time or ten times faster, for whoever wants to see a lesson.

Nothing is stored and nothing is remembered of who looks. It is made in memory, and how far it is follows from the time
of day: it plays over and over, in `BEGINNINGS` copies for each speed that begin one after another, so that somebody who
asks now finds one that has just begun. All who look at a copy see the same, however many they are.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd

from analytics.simulation.child import observation_frame
from analytics.simulation.sample import MINUTES, SAMPLE_MODEL, STARTED_AT, sample_events, sample_readings
from analytics.store.clock import LessonClock
from analytics.store.records import SAMPLE_CLASS, Event, Lesson

SPEEDS = (10, 1)
# Seconds of the lesson. Its time goes on in steps of what passes in two seconds, so that whoever looks in between sees
# what is known already.
LENGTH = MINUTES * 60
PERIOD = LENGTH + 300  # it stays at its end a while
BEGINNINGS = 12
BETWEEN = PERIOD / BEGINNINGS
STEP = 2  # seconds of the viewer, as often as the page asks
_ID = re.compile(r"demonstration-(10|1)-(\d|1[01])")
_JUST_AFTER = timedelta(microseconds=1)


def speed_of(lesson_id: str) -> int | None:
    """How many times faster than a real lesson this one is played; None for a lesson that is not played."""
    found = _ID.fullmatch(lesson_id)
    return int(found[1]) if found else None


class Demonstration:
    """All that can be read of the lessons that are played. ``now``: the present, aware. Safe for many threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def newest(self, speed: int) -> str:
        """The id of the copy that began last. ``speed``: one of `SPEEDS`."""
        return f"demonstration-{speed}-{int(self._played(speed) // BETWEEN) % BEGINNINGS}"

    def find(self, lesson_id: str) -> Lesson | None:
        """The lesson with this id, running or, for a while, over; None for a lesson that is not played."""
        if speed_of(lesson_id) is None:
            return None
        lesson = Lesson(lesson_id, lesson_id, "Loops with the robot", SAMPLE_CLASS, STARTED_AT, MINUTES, None, True)
        at = self._second(lesson_id)
        return lesson if at < LENGTH else replace(lesson, ended_at=lesson.planned_end)

    def time(self, lesson_id: str) -> datetime:
        """How late it is in a lesson that is played."""
        return STARTED_AT + timedelta(seconds=min(self._second(lesson_id), LENGTH))

    def observations(
        self, lesson_id: str, child: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> pd.DataFrame:
        """What `LessonStore.observations` answers of a lesson that came to its present moment."""
        end = self.time(lesson_id) + _JUST_AFTER
        end = min(end, until) if until else end
        rows = _all_rows()
        wanted = rows["at"] < end
        if since is not None:
            wanted &= rows["at"] >= since
        if child is not None:
            wanted &= rows["child"] == child
        return rows[wanted].reset_index(drop=True)

    def frame_counts(self, lesson_id: str, until: datetime) -> dict[str, int]:
        """See `LessonStore.frame_counts`."""
        counts = self.observations(lesson_id, until=until).groupby("child").size()
        return {str(child): int(count) for child, count in counts.items()}

    def events(self, lesson_id: str, child: str | None = None) -> list[Event]:
        """See `LessonStore.events`."""
        present = self.time(lesson_id)
        return [
            event for event in _in_order(sample_events(lesson_id))
            if event.at <= present and (child is None or event.child in (None, child))
        ]  # fmt: skip

    def _played(self, speed: int) -> float:
        """Seconds of the lesson that were played since 1970 at ``speed``, in whole steps."""
        return float(self._now().timestamp() // STEP * STEP * speed)

    def _second(self, lesson_id: str) -> float:
        found = _ID.fullmatch(lesson_id)
        if found is None:
            raise ValueError("no lesson that is played has this id")
        return (self._played(int(found[1])) - int(found[2]) * BETWEEN) % PERIOD


class DemonstrationClock(LessonClock):
    """``real``, and for a lesson that is played its own time."""

    def __init__(self, real: LessonClock, demonstration: Demonstration) -> None:
        self._real = real
        self._demonstration = demonstration

    def __call__(self) -> datetime:
        return self._real()

    def begin(self, lesson_id: str) -> datetime:
        """See `LessonClock.begin`."""
        return self._real.begin(lesson_id)

    def now(self, lesson: Lesson) -> datetime:
        """See `LessonClock.now`."""
        return self._real.now(lesson) if speed_of(lesson.id) is None else self._demonstration.time(lesson.id)

    def set_since(self, lesson: Lesson) -> timedelta:
        """See `LessonClock.set_since`; nobody sets the time of a lesson that is played."""
        return self._real.set_since(lesson) if speed_of(lesson.id) is None else timedelta(0)

    def in_lesson(self, lesson: Lesson, at: datetime) -> datetime:
        """See `LessonClock.in_lesson`."""
        return self._real.in_lesson(lesson, at)


@lru_cache(maxsize=1)
def _all_rows() -> pd.DataFrame:
    """All rows of the lesson in the order of the store, made when somebody first looks."""
    parts = [
        observation_frame(readings, STARTED_AT, child, "simulation", SAMPLE_MODEL)
        for child, readings in sample_readings()
    ]
    return pd.concat(parts).sort_values(["child", "at"], ignore_index=True).astype({"faces_seen": np.uint8})


def _in_order(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event.at, event.id))
