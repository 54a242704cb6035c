"""The one clock: who dates a row and who asks how late it is ask the same, so that nobody is late for the other.

What happens when the machine's clock is set while a lesson runs (by hand, or by the network after a start with a flat
battery), or when the machine sleeps:

- A lesson that runs goes on evenly, as if nothing had happened: its rows, the board, signals, the time that is left.
- Sleep is time that passes: afterwards the lesson is so much older. A lesson may have ended in its sleep.
- A time that a program sends is taken for one of the clock that it is nearer to, the lesson's or the machine's: neither
  tablets that were right all the time nor those that follow the server have to be set.
- A lesson that begins afterwards, a consent, the audit trail and the retention go by the machine's new time at once. A
  consent that seems to lie in the future, because the clock was set back, counts as given.
- The app started anew in a running lesson knows the machine's new time only.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from analytics.store.records import Lesson, utc_now

TOLERANCE = timedelta(seconds=2)  # a difference below this is the machine's time service at work, which slews


def seconds_passed() -> float:
    """Seconds that nobody can set, sleep of the machine included where the system counts it (Linux: since boot)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class LessonClock:
    """Called, it tells the machine's time, aware and in UTC; `now` that of a lesson. May be asked by any thread.

    ``wall``: the machine's time; ``passed``: seconds from any moment, which go on evenly.
    """

    def __init__(
        self, wall: Callable[[], datetime] | None = None, passed: Callable[[], float] = seconds_passed
    ) -> None:
        self._wall = wall or utc_now
        self._passed = passed
        self._zero = self._zero_now()  # for the lessons that run already
        self._zeros: dict[str, datetime] = {}

    def __call__(self) -> datetime:
        return self._wall()

    def begin(self, lesson_id: str) -> datetime:
        """The present, from which a lesson that begins now goes on evenly."""
        self._zeros[lesson_id] = self._zero_now()
        return self._wall()

    def now(self, lesson: Lesson) -> datetime:
        """The present in a lesson that runs; the machine's time for one that has ended."""
        if lesson.ended_at is not None:
            self._zeros.pop(lesson.id, None)
            return self._wall()
        return self._zeros.get(lesson.id, self._zero) + timedelta(seconds=self._passed())

    def set_since(self, lesson: Lesson) -> timedelta:
        """By how much the machine's clock was set forward since a running lesson began; 0 for what is no more than
        `TOLERANCE`.
        """
        difference = self._wall() - self.now(lesson)
        return difference if abs(difference) > TOLERANCE else timedelta(0)

    def in_lesson(self, lesson: Lesson, at: datetime) -> datetime:
        """``at``, which somebody outside has read from a clock, as a time of the lesson."""
        ahead = self.set_since(lesson)
        return at - ahead if abs(at - self._wall()) < abs(at - self.now(lesson)) else at

    def _zero_now(self) -> datetime:
        return self._wall() - timedelta(seconds=self._passed())
