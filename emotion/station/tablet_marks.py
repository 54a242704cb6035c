"""The mark that a tablet carries once it has taken part: a cookie by which it is heard where too many guess.

It holds no code and no pseudonym, only what tells the tablets of one child from those of another, and a signature.
"""

import hmac
import time
from collections.abc import Callable

COOKIE = "station_mark"
VALID_SECONDS = 90 * 24 * 3600  # a term; renewed with each lesson
DIGITS = 16  # hexadecimal, of what stands for the child: 64 bits


class TabletMarks:
    """Makes and reads marks. ``key``: secret; with another one, earlier marks are void."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self.key = key
        self.clock = clock

    def make(self, child: str) -> str:
        """The mark for a tablet of ``child`` (any text that is the same for it in all lessons)."""
        owner = hmac.digest(self.key, f"child {child}".encode(), "sha256").hex()[:DIGITS]
        stated = f"{owner}.{int(self.clock()) + VALID_SECONDS}"
        return f"{stated}.{self._signature(stated)}"

    def owner(self, mark: str) -> str:
        """What stands for the child in a mark; "" for one that was not made here or has run out."""
        stated, _, signature = mark.rpartition(".")
        owner, _, until = stated.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(stated).encode()):
            return ""
        return owner if int(until) > self.clock() else ""

    def _signature(self, stated: str) -> str:
        return hmac.digest(self.key, f"mark {stated}".encode(), "sha256").hex()
