"""A clock that does not jump in the middle of a lesson."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from analytics.store.records import utc_now

TOLERANCE = timedelta(seconds=2)  # a difference below this is the machine's time service at work, which slews


class SteadyClock:
    """The present in UTC, advanced by the monotonic clock since the last `adjust`.

    If somebody sets the machine's clock an hour forward while a lesson runs, the wall clock would end the lesson and
    date its rows wrongly; an hour back, every frame would lie before the lesson. This one goes on evenly; `adjust`,
    called when no lesson runs, takes the machine's time over.
    """

    def __init__(self, wall: Callable[[], datetime] = utc_now, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset = self._now_offset()

    def __call__(self) -> datetime:
        return self._offset + timedelta(seconds=self._monotonic())

    def adjust(self) -> timedelta:
        """Takes over the machine's time; returns by how much it differed (positive: the machine was ahead)."""
        difference = self._now_offset() - self._offset
        if abs(difference) > TOLERANCE:
            self._offset += difference
        return difference

    def _now_offset(self) -> datetime:
        return self._wall() - timedelta(seconds=self._monotonic())
