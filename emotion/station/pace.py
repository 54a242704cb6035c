"""Photographs of visitors give way to the frames of a lesson: while one runs they get a third of the time at most."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

IDLE_FOR_EACH_BUSY = 2.0  # seconds without a photograph for each second with one


class Pace:
    """Spaces pieces of work that one visitor after the other asks for. ``is_lesson``: whether frames arrive now.

    One piece at a time; a piece that comes after a long silence does not wait.
    """

    def __init__(self, is_lesson: Callable[[], bool]) -> None:
        self._is_lesson = is_lesson
        self._lock = threading.Lock()
        self._free_at = 0.0

    @contextmanager
    def piece(self) -> Iterator[None]:
        """Waits for its turn, then runs the block."""
        with self._lock:
            if self._is_lesson():
                time.sleep(max(0.0, self._free_at - time.monotonic()))
            began = time.monotonic()
            try:
                yield
            finally:
                ended = time.monotonic()
                self._free_at = ended + IDLE_FOR_EACH_BUSY * (ended - began)
