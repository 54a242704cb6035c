"""Putting a database in place: a damaged one is kept aside at the start, a backup replaces the present one."""

import logging
import shutil
import sys
from pathlib import Path

from analytics.store.copies import log_of
from analytics.store.database import DatabaseDamagedError
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError, utc_now

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


def restore(backup: Path, database: Path) -> Path | None:
    """Puts ``backup`` in the place of ``database``; returns where the file that was there is kept. Raises
    `StoreError`.
    """
    if not backup.is_file():
        raise StoreError(f"there is no backup {backup}: the backups are in the folder 'backups' beside the database")
    database.parent.mkdir(parents=True, exist_ok=True)
    arriving = database.with_name(database.name + ".restoring")
    shutil.copyfile(backup, arriving)
    try:
        open_verified(arriving).close()
        kept = _step_aside(database)
        arriving.replace(database)
    finally:
        for leftover in (arriving, log_of(arriving)):
            leftover.unlink(missing_ok=True)
    return kept


def _step_aside(database: Path) -> Path | None:
    if not database.exists():
        return None
    try:
        LessonStore(database).close()  # proves that no app holds it, and folds its log into the file
    except DatabaseDamagedError as error:
        print(f"the present file is damaged and is kept as it is ({error})", file=sys.stderr)
    kept = database.with_name(f"{database.stem}.before-restore-{utc_now():%Y%m%dT%H%M%SZ}{database.suffix}")
    if log_of(database).exists():
        log_of(database).rename(log_of(kept))
    return database.rename(kept)


def _keep_aside(path: Path) -> Path:
    return path.rename(path.with_name(f"{path.name}.damaged-{utc_now():%Y%m%dT%H%M%S%fZ}"))
