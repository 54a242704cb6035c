"""What keeps the file small, private and safe: erasing, retention, rewriting, backups. Used by `LessonStore` alone.

DuckDB marks deleted rows and frees their blocks, but does not overwrite them: the bytes stay in the file until
something else is written there. So whatever must be gone is deleted and the file is then rewritten from what is left.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from analytics.store.copies import BACKUP_PATTERN, copy_database, log_of, rewriting_path
from analytics.store.database import Database
from analytics.store.records import StoreError, storable, utc_now

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RemovedRows:
    """How many rows of each kind a deletion removed."""

    observations: int
    events: int
    corrections: int
    lessons: int = 0
    children: int = 0

    def __str__(self) -> str:
        return (
            f"{self.observations} observations, {self.events} events, {self.corrections} corrections, {self.lessons} "
            f"lessons, {self.children} children"
        )


def exports_folder(database: Path) -> Path:
    """Where exported lessons are kept until somebody erases a child, or they grow older than what is kept."""
    return database.with_name("exports")


def rewrite_marker(database: Path) -> Path:
    """An empty file that says: rows were deleted, and the file has not been rewritten since."""
    return database.with_name(database.name + ".rewrite")


def delete_child(cursor: duckdb.DuckDBPyConnection, pseudonym: str, actor: str) -> RemovedRows:
    """Deletes all rows of a child, and its animal from the audit trail. Raises ValueError if there is none."""
    row = cursor.execute(
        "SELECT number, class_name, animal FROM child WHERE pseudonym = ?", [storable(pseudonym)]
    ).fetchone()
    if row is None:
        raise ValueError("there is no such child: it may have been erased already")
    number, class_name, animal = row
    removed = RemovedRows(
        *(_delete(cursor, table, "child = ?", [number]) for table in ("observation", "event", "correction"))
    )
    _delete(cursor, "child", "number = ?", [number])
    cursor.execute(
        "UPDATE audit SET detail = $1 || ': a child that was erased' "
        "WHERE detail = $1 || ': ' || $2 OR starts_with(detail, $1 || ': ' || $2 || ',')",
        [class_name, animal],
    )
    _audit(cursor, "erase_child", actor, f"{class_name}: one child, {removed}")
    return removed


def delete_before(cursor: duckdb.DuckDBPyConnection, moment: datetime, actor: str) -> RemovedRows:
    """Deletes what happened before ``moment``, lessons that are empty after it, and children whose consent ended
    before it.

    Synthetic lessons stay: nobody was recorded in them.
    """
    measured = "lesson IN (SELECT number FROM lesson WHERE NOT synthetic)"
    observations = _delete(cursor, "observation", f'"at" < ? AND {measured}', [moment])
    events = _delete(cursor, "event", f'"at" < ? AND {measured}', [moment])
    corrections = _delete(cursor, "correction", f'"start" < ? AND {measured}', [moment])
    lessons = _delete(
        cursor,
        "lesson",
        "ended_at < ? AND NOT synthetic AND number NOT IN (SELECT lesson FROM observation) "
        "AND number NOT IN (SELECT lesson FROM event) AND number NOT IN (SELECT lesson FROM correction)",
        [moment],
    )
    children = _delete(
        cursor,
        "child",
        "least(consent_expires_at, consent_withdrawn_at) < ? AND number NOT IN (SELECT child FROM observation) "
        "AND number NOT IN (SELECT child FROM event WHERE child IS NOT NULL) AND number NOT IN (SELECT child FROM "
        "correction)",
        [moment],
    )
    removed = RemovedRows(observations, events, corrections, lessons, children)
    if removed != RemovedRows(0, 0, 0):
        _audit(cursor, "retention", actor, f"before {moment.isoformat(timespec='seconds')}: {removed}")
    return removed


def rewrite(database: Database, keep_old: bool = False) -> None:
    """Replaces the file by one that holds what is left and nothing else. Called where nobody writes meanwhile.

    ``keep_old``: what lies there, and its log, is kept under a new name.
    """
    database.path.parent.mkdir(parents=True, exist_ok=True)
    fresh = rewriting_path(database.path)
    with database.cursor() as cursor:
        copy_database(cursor, fresh)
    with database.closed_meanwhile():
        for old in (database.path, log_of(database.path)):
            if keep_old and old.exists():
                kept = old.rename(old.with_name(f"{old.name}.replaced-{utc_now():%Y%m%dT%H%M%S%fZ}"))
                LOG.critical("%s was not written by this app while it had it open; it is kept as %s", old, kept)
        fresh.replace(database.path)
        log_of(database.path).unlink(missing_ok=True)
    rewrite_marker(database.path).unlink(missing_ok=True)


def rescue(database: Database) -> None:
    """Writes all that the open database holds into a new file under its name, after somebody took the old one away.

    A file that lies there by now is kept under a new name. Called where nobody writes meanwhile.
    """
    rewrite(database, keep_old=True)
    LOG.critical("%s was taken away while it was open; it is written anew and nothing is lost", database.path)


def rewrite_backups(folder: Path, pseudonym: str) -> int:
    """Removes a child from every backup in ``folder`` that knows it; returns how many were rewritten."""
    count = 0
    for backup in sorted(folder.glob(BACKUP_PATTERN)):
        fresh = backup.with_suffix(".rewriting")
        with _connected(backup) as connection:
            connection.begin()
            try:
                delete_child(connection, pseudonym, "erasure of backups")
            except ValueError:  # this backup does not know the child
                connection.rollback()
                continue
            connection.commit()
            copy_database(connection, fresh)
        fresh.replace(backup)
        log_of(backup).unlink(missing_ok=True)
        count += 1
    return count


def remove_old_files(folder: Path, before: datetime) -> int:
    """Deletes files of ``folder`` that were written before ``before``; returns how many."""
    old = [file for file in folder.glob("*") if file.is_file() and file.stat().st_mtime < before.timestamp()]
    for file in old:
        file.unlink()
    return len(old)


@contextmanager
def _connected(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = duckdb.connect(str(path))
    except duckdb.Error as error:
        raise StoreError(
            f"the backup {path} cannot be opened: {error}. Delete it, or move it out of the folder"
        ) from error
    try:
        yield connection
    finally:
        connection.close()


def _delete(cursor: duckdb.DuckDBPyConnection, table: str, condition: str, parameters: list[object]) -> int:
    row = cursor.execute(f"DELETE FROM {table} WHERE {condition}", parameters).fetchone()
    return int(row[0]) if row else 0


def _audit(cursor: duckdb.DuckDBPyConnection, action: str, actor: str, detail: str) -> None:
    cursor.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", [utc_now(), actor, action, detail])
