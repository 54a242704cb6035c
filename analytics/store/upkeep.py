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

from analytics.access.files import LinkError, keep_aside, place
from analytics.access.spelling import fold
from analytics.store import classes
from analytics.store.copies import copy_database, log_of, rewriting_path
from analytics.store.database import Database
from analytics.store.records import OVERTIME, StoreError, storable, utc_now

LOG = logging.getLogger(__name__)
HUB_ACTION = "hub_copy"  # in the audit trail: this database and a copy on the Hub belong together
NO_SUCH_CHILD = (
    "there is no such child, and no erasing that is unfinished: of one that was erased before, nothing is kept here"
)


@dataclass(frozen=True, slots=True)
class RemovedRows:
    """How many rows of each kind a deletion removed; ``steps_left``: of an erasing that is not finished yet."""

    observations: int
    events: int
    corrections: int
    lessons: int = 0
    children: int = 0
    steps_left: int = 0
    calibration_frames: int = 0

    @property
    def of_child(self) -> int:
        """Rows in which a child was recorded, judged, or taught its face."""
        return self.observations + self.events + self.corrections + self.calibration_frames

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


def class_of(cursor: duckdb.DuckDBPyConnection, pseudonym: str) -> str | None:
    """The class of a child; None if it is not in the tables."""
    row = cursor.execute("SELECT class_name FROM child WHERE pseudonym = ?", [storable(pseudonym)]).fetchone()
    return None if row is None else str(row[0])


def is_known(cursor: duckdb.DuckDBPyConnection, pseudonym: str) -> bool:
    """Whether a child is in the tables."""
    return class_of(cursor, pseudonym) is not None


def was_copied_to_hub(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Whether a data set of the Hub holds a copy of this database (`analytics.store.hub_backup`)."""
    return cursor.execute("SELECT 1 FROM audit WHERE action = ? LIMIT 1", [HUB_ACTION]).fetchone() is not None


def delete_child(cursor: duckdb.DuckDBPyConnection, pseudonym: str, actor: str) -> RemovedRows:
    """Deletes all rows of a child, and its animal from the audit trail. Raises ValueError if there is none."""
    row = cursor.execute(
        "SELECT number, class_name, animal FROM child WHERE pseudonym = ?", [storable(pseudonym)]
    ).fetchone()
    if row is None:
        raise ValueError(NO_SUCH_CHILD)
    number, class_name, animal = row
    _delete(cursor, "calibration", "child = ?", [number])
    frames = _delete(cursor, "calibration_frame", "child = ?", [number])
    _delete_layer_of_class(cursor, class_name, utc_now())  # it may have been fitted to this child too
    observations, events, corrections = (
        _delete(cursor, table, "child = ?", [number]) for table in ("observation", "event", "correction")
    )
    removed = RemovedRows(observations, events, corrections, calibration_frames=frames)
    _delete(cursor, "child", "number = ?", [number])
    cursor.execute(
        "UPDATE audit SET detail = $1 || ': a child that was erased' "
        "WHERE detail = $1 || ': ' || $2 OR starts_with(detail, $1 || ': ' || $2 || ',')",
        [class_name, animal],
    )
    write_audit(cursor, "erase_child", actor, f"{class_name}: one child, {removed}")
    return removed


def delete_calibration(cursor: duckdb.DuckDBPyConnection, pseudonym: str, before: datetime) -> int:
    """Deletes what was taught of a child's face up to ``before``, and what its class's layer may have of it; returns
    how many frames that were."""
    class_name = class_of(cursor, pseudonym)
    if class_name is not None:
        _delete_layer_of_class(cursor, class_name, before)
    of_child = 'child = (SELECT number FROM child WHERE pseudonym = ?) AND "at" <= ?'
    _delete(cursor, "calibration", of_child, [storable(pseudonym), before])
    return _delete(cursor, "calibration_frame", of_child, [storable(pseudonym), before])


def delete_before(cursor: duckdb.DuckDBPyConnection, moment: datetime, actor: str) -> RemovedRows:
    """Deletes what happened before ``moment``, lessons that were over before it and are empty now, and children whose
    consent ended before it, with what was taught of their faces. A lesson that nobody ended was over at its closing
    time. The layer that was fitted to a child's frames stays as long as its consent.

    Synthetic lessons stay: nobody was recorded in them.
    """
    measured = "lesson IN (SELECT number FROM lesson WHERE NOT synthetic)"
    observations = _delete(cursor, "observation", f'"at" < ? AND {measured}', [moment])
    events = _delete(cursor, "event", f'"at" < ? AND {measured}', [moment])
    corrections = _delete(cursor, "correction", f'"start" < ? AND {measured}', [moment])
    lessons = _delete(
        cursor,
        "lesson",
        "coalesce(ended_at, started_at + to_microseconds(CAST(planned_minutes * 6e7 AS BIGINT)) + ?) < ? "
        "AND NOT synthetic AND number NOT IN (SELECT lesson FROM observation) "
        "AND number NOT IN (SELECT lesson FROM event) AND number NOT IN (SELECT lesson FROM correction)",
        [OVERTIME, moment],
    )
    frames = _delete(cursor, "calibration_frame", '"at" < ?', [moment])
    ended = "child IN (SELECT number FROM child WHERE least(consent_expires_at, consent_withdrawn_at) < ?)"
    frames += _delete(cursor, "calibration_frame", ended, [moment])
    _delete(cursor, "calibration", ended, [moment])
    # One that was fitted to children of whom nothing is left.
    fitted = "SELECT class_name FROM calibration JOIN child ON child.number = calibration.child"
    _delete(cursor, "class_calibration", f"class_name NOT IN ({fitted})", [])
    children = _delete(
        cursor,
        "child",
        "least(consent_expires_at, consent_withdrawn_at) < ? AND number NOT IN (SELECT child FROM observation) "
        "AND number NOT IN (SELECT child FROM event WHERE child IS NOT NULL) AND number NOT IN (SELECT child FROM "
        "correction)",
        [moment],
    )
    removed = RemovedRows(observations, events, corrections, lessons, children, calibration_frames=frames)
    if removed != RemovedRows(0, 0, 0):
        write_audit(cursor, "retention", actor, f"before {moment.isoformat(timespec='seconds')}: {removed}")
    return removed


def rewrite(database: Database, keep_old: bool = False) -> None:
    """Replaces the file by one that holds what is left and nothing else. Called where nobody writes meanwhile.

    ``keep_old``: what lies there, and its log, is kept under a new name. Raises `StoreError`, and then the old file or
    the new one is there, whole.
    """
    database.path.parent.mkdir(parents=True, exist_ok=True)
    fresh = rewriting_path(database.path)
    with database.cursor() as cursor:
        copy_database(cursor, fresh)
    with explained(database.path), database.closed_meanwhile():
        for old in (database.path, log_of(database.path)):
            if keep_old and old.exists():
                kept = keep_aside(old, old.with_name(f"{old.name}.replaced-{utc_now():%Y%m%dT%H%M%S%fZ}"))
                LOG.critical("%s was not written by this app while it had it open; it is kept as %s", old, kept)
        place(fresh, database.path, [log_of(database.path)])
    rewrite_marker(database.path).unlink(missing_ok=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns an OSError into a `StoreError` that names the file and what to do."""
    try:
        yield
    except LinkError as error:
        raise StoreError(str(error)) from error
    except OSError as error:
        raise StoreError(
            f"{path} could not be written anew ({error.strerror or type(error).__name__}): see to it that there is "
            "room and that this user may write there; it is tried again"
        ) from error


def rescue(database: Database) -> None:
    """Writes all that the open database holds into a new file under its name, after somebody took the old one away.

    A file that lies there by now is kept under a new name. Called where nobody writes meanwhile.
    """
    rewrite(database, keep_old=True)
    LOG.critical("%s was taken away while it was open; it is written anew and nothing is lost", database.path)


def _delete_layer_of_class(cursor: duckdb.DuckDBPyConnection, class_name: str, before: datetime) -> None:
    names = classes.all_spellings(cursor).get(fold(class_name), ())
    _delete(cursor, "class_calibration", 'list_contains(?::VARCHAR[], class_name) AND "at" <= ?', [list(names), before])


def _delete(cursor: duckdb.DuckDBPyConnection, table: str, condition: str, parameters: list[object]) -> int:
    row = cursor.execute(f"DELETE FROM {table} WHERE {condition}", parameters).fetchone()
    return int(row[0]) if row else 0


def write_audit(cursor: duckdb.DuckDBPyConnection, action: str, actor: str, detail: str) -> None:
    cursor.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", [utc_now(), actor, action, detail])
