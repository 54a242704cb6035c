"""Putting a database in place: a damaged one is kept aside at the start, a backup replaces the present one."""

import logging
import shutil
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from analytics.access.files import discard, finished_of, keep_aside, place, take_over
from analytics.store.connection import DatabaseDamagedError, connect, names_of
from analytics.store.copies import log_of, rewriting_path
from analytics.store.erasing import make_due_again
from analytics.store.kept_copies import RESTORING, copies_of
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError, utc_now
from analytics.store.revocations import Revocations
from analytics.store.upkeep import explained, exports_folder, was_copied_to_hub

LOG = logging.getLogger(__name__)


def open_store(path: str | Path) -> LessonStore:
    """The store at ``path``. A damaged file, or if that is enough its damaged log, is moved aside first, never deleted.

    A lesson must be able to begin although last week's file is broken; the loud message names the file, so that a
    backup can be restored in the evening. Raises `StoreError` for everything else: a file in use, of a newer program,
    of something else, or in a folder that cannot be written.
    """
    names = names_of(Path(path))
    database = names[0]
    _finish_restoring(database)
    _take_from_others(names)
    for damaged in (log_of(database), database):
        try:
            return open_verified(Path(path))
        except DatabaseDamagedError as error:
            if damaged.exists():
                with explained(damaged):
                    kept = keep_aside(
                        damaged, damaged.with_name(f"{damaged.name}.damaged-{utc_now():%Y%m%dT%H%M%S%fZ}")
                    )
                    if database.exists() and not database.stat().st_size:
                        _fill(database)
                make_due_again(names, hub=False)
                LOG.critical(
                    "THE LESSON DATABASE IS DAMAGED. %s is kept as %s, the app goes on without it. %s",
                    damaged,
                    kept,
                    error,
                )
    return LessonStore(path)


def _take_from_others(names: Sequence[Path]) -> None:
    """Leaves what lies beside the database to its owner: earlier versions left it readable for everybody."""
    files = [*names, *map(log_of, names)]
    with suppress(OSError, StoreError):  # a folder that cannot be read is told by those who need it
        files += copies_of(names)
        files += [file for named in names for file in exports_folder(named).rglob("*")]
    for file in files:
        with suppress(OSError):  # of another owner, or on a file system without rights: it is as it was
            mode = file.lstat().st_mode
            if stat.S_ISREG(mode) and mode & 0o077:
                file.chmod(stat.S_IMODE(mode) & ~0o077)


def _fill(database: Path) -> None:
    """Makes an empty database of a file without bytes, which DuckDB does not do."""
    fresh = rewriting_path(database)
    for leftover in (fresh, log_of(fresh)):
        leftover.unlink(missing_ok=True)
    connect(fresh).close()
    place(fresh, database)


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
    `StoreError`, and then the present file is where it was.

    A child that was erased since does not come back, nor does a consent that was withdrawn; of an erasing that is not
    finished all steps are due again.
    """
    if not backup.is_file():
        raise StoreError(f"there is no backup {backup}: the backups are in the folder 'backups' beside the database")
    names = names_of(database)
    target = names[0]
    arriving = target.with_name(target.name + RESTORING)
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(backup, arriving)
            hub = _looked_through(arriving, backup)
            if replayed := Revocations(target).replay(arriving):
                LOG.warning("%s: what was withdrawn or erased since then holds for %d children", backup, replayed)
            if target.exists():
                take_over(arriving, target)
            kept = _step_aside(target)
            try:
                make_due_again(names, hub)
                place(arriving, target, [log_of(target)])
            except BaseException:
                if kept is not None and not target.exists() and not finished_of(target).exists():
                    kept.rename(target)
                raise
        finally:
            discard(arriving, log_of(arriving))
    return kept


def _finish_restoring(database: Path) -> None:
    """Puts a backup in the place of a database that a restore had kept aside when it was stopped."""
    arriving = database.with_name(database.name + RESTORING)
    if database.exists() or not arriving.exists() or finished_of(database).exists():
        return
    with explained(database):
        _looked_through(arriving, arriving)
        place(arriving, database)
    LOG.warning("%s is restored: the restore had been stopped before it was finished", database)


def _looked_through(arriving: Path, backup: Path) -> bool:
    """Whether the database in ``arriving``, a copy of ``backup``, has a copy on the Hub. Raises `StoreError` if it is
    not whole, naming the backup.
    """
    try:
        with open_verified(arriving) as store, store.database.cursor() as cursor:
            return was_copied_to_hub(cursor)
    except DatabaseDamagedError as error:
        raise StoreError(
            f"{backup} is damaged, or was never a backup of lessons, and is not restored: choose another one"
        ) from error
    except StoreError as error:
        raise StoreError(str(error).replace(str(arriving), str(backup))) from error


def _step_aside(database: Path) -> Path | None:
    if not database.exists():
        return None
    try:
        LessonStore(database).close()  # proves that no app holds it, and folds its log into the file
    except DatabaseDamagedError as error:
        print(f"the present file is damaged and is kept as it is ({error})", file=sys.stderr)
    kept = database.with_name(f"{database.stem}.before-restore-{utc_now():%Y%m%dT%H%M%S%fZ}{database.suffix}")
    if log_of(database).exists():
        keep_aside(log_of(database), log_of(kept))
    return keep_aside(database, kept, leave=True)
