"""The codes by which children may teach their faces: each for one child and an hour, in memory alone."""

import threading
from collections.abc import Callable
from datetime import timedelta

from analytics.classroom.pseudonyms import new_calibration_code, normalise_calibration_code, plain_code
from analytics.store.clock import seconds_passed

VALID = timedelta(hours=1)
MOST_LINKS = 10_000


class CalibrationLinks:
    """After a start of the app new ones must be made. Thread-safe. ``passed``: seconds that go on evenly."""

    def __init__(self, passed: Callable[[], float] = seconds_passed) -> None:
        self._passed = passed
        self._lock = threading.Lock()
        self._ends: dict[str, tuple[str, float]] = {}  # code -> pseudonym, and the second at which it ends

    def make(self, child: str) -> str:
        """A code for a child (pseudonym); an earlier one of it ends. Raises ValueError where there are too many."""
        code, now = new_calibration_code(), self._passed()
        with self._lock:
            self._ends = {key: link for key, link in self._ends.items() if link[1] > now and link[0] != child}
            if len(self._ends) >= MOST_LINKS:
                raise ValueError("too many links hold at present: wait an hour")
            self._ends[code] = (child, now + VALID.total_seconds())
        return code

    def find(self, code: str) -> tuple[str, float]:
        """The child of a code, in any spelling, and the seconds that it holds yet; "" where there is no such code."""
        with self._lock:
            child, ends = self._ends.get(plain_code(code, normalise_calibration_code), ("", 0.0))
        left = ends - self._passed()
        return (child, left) if left > 0 else ("", 0.0)

    def end(self, child: str) -> None:
        """Ends the code of a child."""
        with self._lock:
            self._ends = {key: link for key, link in self._ends.items() if link[0] != child}
