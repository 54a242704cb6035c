"""One code, one tablet: which tablet records for a child at present, and whether another one has tried to.

Two tablets with one code would mix two faces into one child's rows. The first keeps the seat; the second is asked, and
may take it over, whereupon the first is asked in its turn. What names no tablet (a program that posts frames) is never
turned away, because it may have a reason; the teacher is told of both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from analytics.store.clock import seconds_passed

HELD = 15.0  # seconds without a frame after which a seat is free: three times what the slowest station waits
TOLD = 60.0  # seconds for which the teacher is told that another tablet tried
FORGOTTEN = 24 * 3600.0


@dataclass
class _Seat:
    station: str
    seen: float
    other: float = -float("inf")  # when another tablet tried last


class Seats:
    """Of all lessons, in memory: after a start of the app whoever comes first has the seat. Thread-safe."""

    def __init__(self, passed: Callable[[], float] = seconds_passed) -> None:
        self._passed = passed
        self._lock = Lock()
        self._seats: dict[tuple[str, str], _Seat] = {}

    def claim(self, lesson: str, child: str, station: str, take: bool = False) -> bool:
        """Whether ``station`` may record for a child (pseudonym) of a lesson (id); ``take``: even if another does."""
        now = self._passed()
        with self._lock:
            seat = self._seats.get((lesson, child))
            if seat is None or now - seat.seen > HELD:
                if seat is None:
                    self._seats = {key: old for key, old in self._seats.items() if now - old.seen < FORGOTTEN}
                self._seats[lesson, child] = _Seat(station, now, seat.other if seat else -float("inf"))
                return True
            if seat.station == station:
                seat.seen = now
                return True
            seat.other = now
            if take or not seat.station:
                seat.station, seat.seen = station, now
                return True
            return not station

    def contested(self, lesson: str) -> set[str]:
        """The children of a lesson for whom more than one tablet tried lately."""
        now = self._passed()
        with self._lock:
            return {child for (at, child), seat in self._seats.items() if at == lesson and now - seat.other <= TOLD}
