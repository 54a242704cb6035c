"""A cache of lookups that are needed for every frame, cleared by every change of the database."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from analytics.store.database import Database

Value = TypeVar("Value")


class QueryCache(Generic[Value]):
    """Keeps results until anything but an observation is written to the database. Thread-safe.

    A result that a committed change has made stale is never returned. Lookups without a result are not kept: whoever
    guesses codes must not fill the memory.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[str, Value] = {}
        self._changes = database.changes

    def get(self, key: str, read: Callable[[], Value | None]) -> Value | None:
        """The result under ``key``, or else the result of ``read``."""
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
