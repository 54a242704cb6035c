"""The files beside a database that hold rows of it: backups, files kept aside, exports, and what was left unfinished.

Erasing and retention reach all of them. A database that is reached through a link has them beside the file; what
earlier versions put beside the link is found as well.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import duckdb

from analytics.access.files import FINISHED, finish_placing, place, resolved
from analytics.store import upkeep
from analytics.store.connection import DatabaseDamagedError, connect, transaction
from analytics.store.copies import BACKUP_PATTERN, backups_folder, copy_database, log_of, rewriting_path
from analytics.store.database import migrate
from analytics.store.records import StoreError

HUB_FOLDER = "hub-copy-"  # of a copy on its way to or from the Hub
RESTORING = ".restoring"  # a backup that is being looked through before it takes the database's place
RESTORE_SECONDS = 3600.0  # older than this it was left behind: to look through a gigabyte takes minutes
REMEDY = "delete it, or move it out of the folder (then it is yours to erase from)"


def copies_of(names: Sequence[Path]) -> list[Path]:
    """Every copy of the database that may know a child. ``names``: see `names_of`, here as below.

    A link that leads nowhere (a disk that is not mounted) is one of them: nobody can say what is behind it. Raises
    `StoreError` for a folder that cannot be read.
    """
    found = []
    for named in names:
        found += [file for file in _entries(named.parent) if _is_kept(file.name, named) and not file.is_dir()]
        folder = backups_folder(named)
        if _leads_nowhere(folder):
            found.append(folder)
        else:
            found += [file for file in _entries(folder) if file.match(BACKUP_PATTERN) and not file.is_dir()]
    return found


def knows(copy: Path, pseudonym: str) -> bool:
    """Whether a child is in a copy; False for one that was taken away. Raises `StoreError` where nobody can say."""
    if _leads_nowhere(copy):
        raise StoreError(f"{copy} is a link that leads nowhere: mount its disk, or delete the link")
    if copy.is_dir():  # it led nowhere when the plan was made
        return any(knows(file, pseudonym) for file in _entries(copy) if file.match(BACKUP_PATTERN))
    if not copy.exists() or copy.stat().st_size == 0:
        return False
    if not copy.is_file():
        raise StoreError(f"{copy} is no file: {REMEDY}")
    with _opened(copy, read_only=True) as connection:
        tables = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'child'").fetchall()
        return bool(tables) and upkeep.is_known(connection, pseudonym)


def rewrite_without(copy: Path, pseudonym: str) -> None:
    """Takes a child out of a copy and out of its bytes. Raises `StoreError`, and then it may be tried again."""
    if copy.is_dir():
        for file in _entries(copy):
            if file.match(BACKUP_PATTERN):
                rewrite_without(file, pseudonym)
        return

    def delete(connection: duckdb.DuckDBPyConnection) -> None:
        if upkeep.is_known(connection, pseudonym):
            upkeep.delete_child(connection, pseudonym, "erasure of backups")

    rewrite_after(copy, delete)


def rewrite_after(copy: Path, delete: Callable[[duckdb.DuckDBPyConnection], object]) -> None:
    """Writes a copy anew after ``delete``, so that the bytes of what that takes away are gone. Raises `StoreError`, and
    then it may be tried again.
    """
    if not copy.exists():
        return
    target = resolved(copy)
    fresh = rewriting_path(target)
    with upkeep.explained(target):
        finish_placing(target, [log_of(target)])
        with _opened(target) as connection:
            migrate(connection, target)
            with transaction(connection):
                delete(connection)
            copy_database(connection, fresh)
        place(fresh, target, [log_of(target)])


def remove_exports(names: Sequence[Path], before: float | None = None) -> None:
    """Deletes exported files; ``before``: only those written before it, in seconds since 1970. Raises `StoreError`."""
    for named in names:
        folder = upkeep.exports_folder(named)
        if _leads_nowhere(folder):
            raise StoreError(f"{folder} is a link that leads nowhere: mount its disk, or delete the link")
        _remove_each(folder, lambda file: file.is_file() and (before is None or file.stat().st_mtime < before))


def remove_old(names: Sequence[Path], before: float) -> None:
    """Deletes backups, and files that were kept aside, that were last written before ``before``, in seconds since 1970.

    Raises `StoreError`.
    """
    for named in names:
        folder = backups_folder(named)
        if _leads_nowhere(folder):
            raise StoreError(f"{folder} is a link that leads nowhere: mount its disk, or delete the link")
        _remove_each(folder, lambda file: file.is_file() and file.stat().st_mtime < before)
        _remove_each(named.parent, partial(_is_kept_and_old, database=named, before=before))


def remove_leftovers(names: Sequence[Path]) -> None:
    """Deletes copies that a killed process did not finish. To be called where no backup is being made. Raises
    `StoreError`.
    """
    for named in names:
        for file in _entries(named.parent):
            if file.name == named.name + RESTORING and time.time() - file.stat().st_mtime < RESTORE_SECONDS:
                raise StoreError(f"{file} is just being restored, or was left by a restore that was stopped: wait")
        _remove_each(named.parent, partial(_is_leftover, database=named))
        _remove_each(backups_folder(named), lambda file: file.is_file() and _is_unfinished(file.name))


def _is_kept(name: str, database: Path) -> bool:
    """Whether a file of this name was kept aside of the database: by a restore, as damaged, or as replaced."""
    if _is_unfinished(name) or name.endswith(FINISHED):
        return False
    before_restore = name.startswith(f"{database.stem}.before-restore-") and name.endswith(database.suffix)
    kept = (f"{whole}.{how}-" for whole in (database.name, log_of(database).name) for how in ("damaged", "replaced"))
    return before_restore or name.startswith(tuple(kept))


def _is_kept_and_old(file: Path, database: Path, before: float) -> bool:
    return _is_kept(file.name.removesuffix(".wal"), database) and file.is_file() and file.stat().st_mtime < before


def _is_unfinished(name: str) -> bool:
    return name.removesuffix(".wal").endswith((".rewriting", ".partial"))


def _is_leftover(entry: Path, database: Path) -> bool:
    """Whether an entry of the database's folder is an unfinished copy of it."""
    if entry.is_dir():
        inside = [file.name.removesuffix(".wal").removesuffix(".partial") for file in entry.iterdir()]
        made_here = entry.name.startswith(HUB_FOLDER) or (entry.name.startswith("tmp") and bool(inside))
        return made_here and all(
            name.startswith(f"{database.stem}-") and name.endswith(BACKUP_PATTERN[1:]) for name in inside
        )
    own = (rewriting_path(database), database.with_name(database.name + RESTORING))
    if entry.name in [path.name for file in own for path in (file, log_of(file))]:
        return True
    owner = entry.with_name(entry.name.removesuffix(".wal"))
    if owner != entry and _is_kept(owner.name, database) and not owner.exists():
        return True  # the log of a copy that somebody took away
    whole = entry.name.removesuffix(".wal").removesuffix(".rewriting").removesuffix(".partial")
    return _is_unfinished(entry.name) and _is_kept(whole, database)


def _leads_nowhere(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(
            f"the folder {folder} cannot be read ({error.strerror}): give this user the right to"
        ) from error


def _remove_each(folder: Path, which: Callable[[Path], bool]) -> None:
    """Deletes what ``which`` says. One that cannot be deleted keeps no other; it is told at the end."""
    failed: OSError | None = None
    for entry in _entries(folder):
        try:
            if which(entry):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            failed = error
    if failed is not None:
        raise StoreError(f"{failed.filename} cannot be deleted ({failed.strerror}): delete it yourself") from failed


@contextmanager
def _opened(path: Path, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = connect(path, read_only=read_only)
    except DatabaseDamagedError as error:
        raise StoreError(f"the copy {path} is damaged, so nobody can say who is in it: {REMEDY}") from error
    except (duckdb.Error, OSError) as error:
        raise StoreError(f"the copy {path} cannot be opened ({str(error).splitlines()[0]}): {REMEDY}") from error
    try:
        yield connection
    except duckdb.Error as error:
        raise StoreError(
            f"the copy {path} cannot be read or written anew ({str(error).splitlines()[0]}): free some space, or "
            f"{REMEDY}"
        ) from error
    finally:
        with suppress(duckdb.Error):  # of a lost instance; what went wrong has been said
            connection.close()
