"""What the app does at its start when the database is damaged: keep it aside under a new name and start a fresh one."""

import logging
from pathlib import Path

from analytics.database import DatabaseDamagedError
from analytics.records import StoreError, utc_now
from analytics.store import LessonStore
from analytics.upkeep import log_of

LOG = logging.getLogger(__name__)


def open_store(path: str | Path) -> LessonStore:
    """The store at ``path``. A damaged file, or if that is enough its damaged log, is moved aside first, never deleted.

    A lesson must be able to begin although last week's file is broken; the loud message names the file, so that a
    backup can be restored in the evening. Raises `StoreError` for everything else: a file in use, of a newer program,
    of something else, or in a folder that cannot be written.
    """
    database = Path(path).absolute()
    for damaged in (log_of(database), database):
        try:
            return open_verified(database)
        except DatabaseDamagedError as error:
            if damaged.exists():
                kept = _keep_aside(damaged)
                LOG.critical(
                    "THE LESSON DATABASE IS DAMAGED. %s is kept as %s, the app goes on without it. %s",
                    damaged,
                    kept,
                    error,
                )
    return LessonStore(database)


def open_verified(path: Path) -> LessonStore:
    """The store at ``path`` after a look through the whole file. Raises `DatabaseDamagedError` and other
    `StoreError`s.
    """
    store = LessonStore(path)
    try:
        store.database.verify()
    except StoreError:
        store.close()
        raise
    return store


def _keep_aside(path: Path) -> Path:
    return path.rename(path.with_name(f"{path.name}.damaged-{utc_now():%Y%m%dT%H%M%S%fZ}"))
