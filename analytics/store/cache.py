"""What is asked of the database with every frame, known by heart until the next change."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from analytics.store.database import Database

Value = TypeVar("Value")


class QueryCache(Generic[Value]):
    """Remembers what was found in a database until anything but an observation is written there. Thread-safe.

    Nothing is answered that a committed change has made untrue. What was not found is looked for anew each time: those
    who guess codes must not fill the memory.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[str, Value] = {}
        self._changes = database.changes

    def get(self, key: str, read: Callable[[], Value | None]) -> Value | None:
        """What is known under ``key``, or else what ``read`` finds in the database."""
        with self._lock:
            changes = self._database.changes
            if changes != self._changes:
                self._known.clear()
                self._changes = changes
            known = self._known.get(key)
        if known is not None:
            return known
        found = read()
        with self._lock:
            # A change during the reading may have come too late for it.
            if found is not None and changes == self._changes == self._database.changes:
                self._known[key] = found
        return found
