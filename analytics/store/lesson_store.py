"""`LessonStore`: every read and write of the lesson database. Nobody else opens the file.

One writer thread commits in groups and a write returns after its commit; each reading call has a cursor of its own
and sees what was committed before it began. All times are aware and in UTC. Every method may be called from any
thread.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import astuple
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from analytics.store import classes, observations, upkeep
from analytics.store.cache import QueryCache
from analytics.store.calibrations import Calibrations
from analytics.store.clock import LessonClock
from analytics.store.copies import back_up, backups_folder
from analytics.store.database import Database
from analytics.store.erasing import Erasing
from analytics.store.erasing_plan import Plan
from analytics.store.records import (
    CHILD_COLUMNS,
    LESSON_COLUMNS,
    AuditEntry,
    Child,
    Correction,
    Event,
    Lesson,
    Observation,
    child_of,
    lesson_of,
    storable,
    time_of,
)
from analytics.store.revocations import Revocations
from analytics.store.writer import Writer

WRITABLE_SECONDS = 5.0  # a proof that the disk takes writes holds this long: who asks often costs no write each time


class LessonStore:
    """The lesson database at ``path``, which is made if it does not exist.

    ``clock``: the one that all ask who write into the store or read from it. Raises `StoreError` if the file is in use
    by another process, is no lesson database, is newer than this program, or cannot be written.
    """

    def __init__(self, path: str | Path, clock: LessonClock | None = None) -> None:
        self.clock = clock or LessonClock()
        self.database = Database(Path(path))
        self.path = self.database.path
        self._writer = Writer(self.database, observations.insert)
        self._lessons: QueryCache[Lesson] = QueryCache(self.database)
        self._children: QueryCache[Child] = QueryCache(self.database)
        self._classes = classes.ClassNames(self.database)
        self._revocations = Revocations(self.path)
        self.erasing = Erasing(self.database, self._writer, self._revocations)
        self.calibrations = Calibrations(self.database, self._writer, self.erasing, self.find_child)

    def close(self) -> None:
        """Commits what is waiting (at most 10 s) and closes the file. May be called twice."""
        self._writer.stop()
        if self.database.file_is_lost:
            upkeep.rescue(self.database)
        self.database.close()

    def __enter__(self) -> "LessonStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def waiting_writes(self) -> int:
        """How many writes wait for their commit: stays near 0 on a healthy machine."""
        return self._writer.waiting

    @property
    def last_commit(self) -> float:
        """When rows were written last, in seconds of `time.monotonic`: while it stays, nothing new is in the file."""
        return self._writer.last_commit

    def require_writable(self) -> None:
        """Raises `StoreError` unless a commit reached the disk within the last seconds, or one does now."""
        if time.monotonic() - self._writer.last_commit > WRITABLE_SECONDS:
            # Goes all the way through the log to the disk; DuckDB writes nothing for an UPDATE that changes nothing.
            self._writer.run(lambda cursor: _rows(cursor, "COMMENT ON TABLE schema_version IS 'writable'", []))

    # lessons

    def add_lesson(self, lesson: Lesson) -> None:
        """Adds a lesson. Raises ValueError if its id or code is taken."""

        def work(cursor: duckdb.DuckDBPyConnection) -> None:
            if _rows(cursor, "SELECT 1 FROM lesson WHERE id IN ($1, $2) OR code IN ($1, $2)", [lesson.id, lesson.code]):
                raise ValueError("a lesson with this id or code exists: take a new id and code")
            cursor.execute(
                "INSERT INTO lesson SELECT (SELECT coalesce(max(number), 0) + 1 FROM lesson), "
                "?, ?, ?, ?, ?, ?, ?, ?, ?",
                astuple(lesson),
            )

        self._writer.run(work)

    def end_lesson(self, lesson_id: str, at: datetime) -> Lesson:
        """Ends a lesson and returns it. One that has ended keeps its end. Raises ValueError if there is no such
        lesson.
        """

        def work(cursor: duckdb.DuckDBPyConnection) -> Lesson:
            cursor.execute(
                "UPDATE lesson SET ended_at = greatest($1, started_at) WHERE id = $2 AND ended_at IS NULL",
                [at, storable(lesson_id)],
            )
            return lesson_of(_one(cursor, f"SELECT {LESSON_COLUMNS} FROM lesson WHERE id = ?", lesson_id, "lesson"))

        return self._writer.run(work)

    def find_lesson(self, id_or_code: str) -> Lesson | None:
        """The lesson with this id or code, or None."""

        def read() -> Lesson | None:
            rows = self._read(f"SELECT {LESSON_COLUMNS} FROM lesson WHERE id = $1 OR code = $1", [id_or_code])
            return lesson_of(rows[0]) if rows else None

        return self._lessons.get(id_or_code, read)

    def lessons(self, class_name: str | None = None) -> list[Lesson]:
        """All lessons, or those of a class in whatever spelling; the newest first."""
        rows = self._read(
            f"SELECT {LESSON_COLUMNS} FROM lesson WHERE $1 IS NULL OR list_contains($1::VARCHAR[], class_name) "
            "ORDER BY started_at DESC, number DESC",
            [None if class_name is None else list(self.class_spellings(class_name))],
        )
        return [lesson_of(row) for row in rows]

    # classes

    def class_spellings(self, class_name: str) -> tuple[str, ...]:
        """The spellings of a class in the store, that of its first child or lesson first; empty for a new class."""
        return self._classes.spellings(class_name)

    def class_names(self) -> list[str]:
        """The classes that have a child or a lesson, each in the spelling of its first."""
        return self._classes.names()

    # children

    def put_child(self, child: Child) -> None:
        """Adds a child, or replaces what is known of it. Raises ValueError if another child of the class has its
        animal.
        """
        if child.consent is not None and child.consent.withdrawn_at is not None:
            self._revocations.add(child.pseudonym, "withdrawn", child.consent.withdrawn_at)
        self._writer.run(lambda cursor: classes.put_child(cursor, child))

    def find_child(self, pseudonym: str) -> Child | None:
        """The child with this pseudonym, or None."""

        def read() -> Child | None:
            rows = self._read(f"SELECT {CHILD_COLUMNS} FROM child WHERE pseudonym = ?", [pseudonym])
            return child_of(rows[0]) if rows else None

        return self._children.get(pseudonym, read)

    def children(self, class_name: str) -> list[Child]:
        """The children of a class in whatever spelling, in the order of their animals."""
        of_class = "list_contains(?::VARCHAR[], class_name)"
        names = list(self.class_spellings(class_name))
        rows = self._read(f"SELECT {CHILD_COLUMNS} FROM child WHERE {of_class} ORDER BY animal, number", [names])
        return [child_of(row) for row in rows]

    # observations

    def add_observations(self, rows: Sequence[Observation]) -> int:
        """Stores observations and returns how many of them are new; returns after the commit.

        One whose id is known for its lesson and child is left out, so sending again is harmless. Raises ValueError, and
        stores none, if one refers to a lesson or child that does not exist. (An `Observation` with impossible values
        cannot be made: its constructor raises ValueError.)
        """
        return int(self._writer.insert(tuple(rows))) if rows else 0

    def observations(
        self, lesson_id: str, child: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> pd.DataFrame:
        """The observations of a lesson, or of one child in it, in since <= at < until; sorted by child and time.

        Columns: child (pseudonym), at (datetime64[us, UTC]), the eight keys (float32, NaN where no face was seen),
        face_quality (float32, NaN likewise), faces_seen (uint8), source, model. Empty for an unknown lesson or child.
        """
        with self.database.cursor() as cursor:
            return observations.read(cursor, lesson_id, child, since, until)

    def frame_counts(self, lesson_id: str, until: datetime) -> dict[str, int]:
        """How many observations of each child (pseudonym) a lesson has with at < until."""
        with self.database.cursor() as cursor:
            return observations.frame_counts(cursor, lesson_id, until)

    def observations_of(self, child: str, lesson_ids: Sequence[str]) -> dict[str, pd.DataFrame]:
        """The observations of one child in several lessons: lesson id -> as `observations` answers it, empty where
        there are none. In about half the time of asking for each.
        """
        with self.database.cursor() as cursor:
            return observations.read_lessons(cursor, child, lesson_ids)

    @contextmanager
    def observations_by_child(self, lesson_id: str) -> Iterator[Iterator[pa.Table]]:
        """The observations of a lesson, a table for each child, each read when it is asked for within the block. Sorted
        as `observations`, with its columns, null where no face was seen, and the ``fingerprint`` of each frame. Raises
        ValueError for an unknown lesson.
        """
        with self.database.cursor() as cursor:
            yield observations.read_by_child(cursor, lesson_id)

    # events, corrections, audit

    def add_event(self, event: Event) -> bool:
        """Adds an event; one that was sent before is left out. False if its id is another event's, which stays: of
        another child, kind or detail. Raises ValueError for an unknown lesson or child."""

        def work(cursor: duckdb.DuckDBPyConnection) -> bool:
            lesson = observations.lesson_number(cursor, event.lesson)
            child = None if event.child is None else observations.child_number(cursor, event.child)
            stored = _rows(
                cursor, "SELECT child, kind, detail FROM event WHERE lesson = ? AND id = ?", [lesson, event.id]
            )
            if not stored:
                cursor.execute(
                    "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
                    [event.id, lesson, child, event.at, event.kind, event.detail],
                )
            return stored in ([], [(child, event.kind, event.detail)])

        return self._writer.run(work)

    def events(self, lesson_id: str, child: str | None = None) -> list[Event]:
        """The events of a lesson in order of time; for a child: its own and those of the whole class."""
        rows = self._read(
            'SELECT event.id, lesson.id, pseudonym, epoch_us(event."at"), kind, detail FROM event '
            "JOIN lesson ON lesson.number = event.lesson LEFT JOIN child ON child.number = event.child "
            "WHERE lesson.id = $1 AND ($2 IS NULL OR event.child IS NULL OR pseudonym = $2) "
            'ORDER BY event."at", event.id',
            [lesson_id, child],
        )
        return [Event(key, lesson, whose, time_of(at), kind, detail) for key, lesson, whose, at, kind, detail in rows]

    def add_correction(self, correction: Correction) -> None:
        """Adds a correction; one whose id is known replaces it. Raises ValueError for an unknown lesson or child."""

        def work(cursor: duckdb.DuckDBPyConnection) -> None:
            lesson = observations.lesson_number(cursor, correction.lesson)
            child = observations.child_number(cursor, correction.child)
            cursor.execute("DELETE FROM correction WHERE lesson = ? AND id = ?", [lesson, correction.id])
            cursor.execute(
                "INSERT INTO correction VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [correction.id, lesson, child, *astuple(correction)[3:]],
            )

        self._writer.run(work)

    def corrections(self, lesson_id: str, child: str | None = None) -> list[Correction]:
        """The corrections of a lesson, or of one child in it, in the order of their starts."""
        rows = self._read(
            'SELECT correction.id, lesson.id, pseudonym, epoch_us("start"), epoch_us("end"), label, note, '
            'epoch_us(correction."at") FROM correction JOIN lesson ON lesson.number = correction.lesson '
            "JOIN child ON child.number = correction.child WHERE lesson.id = $1 AND ($2 IS NULL OR pseudonym = $2) "
            'ORDER BY "start", correction.id',
            [lesson_id, child],
        )
        return [
            Correction(key, lesson, whose, time_of(start), time_of(end), label, note, time_of(at))
            for key, lesson, whose, start, end, label, note, at in rows
        ]

    def audit(self, action: str, actor: str, detail: str) -> None:
        """Writes down that ``actor`` (a role or account) did ``action`` now. Put no pseudonym or code into
        ``detail``.
        """
        entry = [self.clock(), actor, action, detail]
        self._writer.run(lambda cursor: _rows(cursor, "INSERT INTO audit VALUES (?, ?, ?, ?)", entry))

    def audit_entries(self) -> list[AuditEntry]:
        """What was written by `audit`, the oldest first."""
        rows = self._read('SELECT epoch_us("at"), actor, action, detail FROM audit ORDER BY "at"', [])
        return [AuditEntry(time_of(row[0]), row[1], row[2], row[3]) for row in rows]

    # reading for analysis

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """One SELECT of the analytics package over the tables of schema.sql, as a data frame; times are in UTC."""
        with self.database.cursor() as cursor:
            return cursor.execute(sql, list(parameters)).df()

    # erasing, retention, backup

    def erase_child(self, pseudonym: str, actor: str) -> upkeep.RemovedRows:
        """Removes a child from all tables, from this file's bytes, from every copy beside it and on the Hub, and
        deletes exported files.

        What is to be done is written down first; ``steps_left`` of the answer says how much of it is not done yet:
        housekeeping tries that again, also after a crash, and so does a second call, which answers how much is left
        then. Writes wait meanwhile. Raises ValueError for a child that is neither known nor being erased, and
        `StoreError` if nothing could be begun: then nothing is deleted.
        """
        return self.erasing.erase_child(pseudonym, actor)

    def unfinished_erasures(self) -> list[Plan]:
        """The children that are being erased, with the steps that are still due."""
        return [plan for plan in self.erasing.unfinished() if plan.pseudonym]

    def delete_before(self, moment: datetime, actor: str) -> upkeep.RemovedRows:
        """Deletes what was recorded before ``moment`` (retention), rewrites the file, and deletes older copies and
        exports; what could not be done now is tried again as for `erase_child`. Raises `StoreError` if nothing could be
        begun.
        """
        return self.erasing.delete_before(moment, actor)

    @property
    def copying(self) -> AbstractContextManager[object]:
        """To be held by whoever reads rows and writes them into another file: erasing waits for it, and it for
        erasing.
        """
        return self.erasing.copying

    def rewrite(self) -> None:
        """Writes the file anew, so that the bytes of deleted rows are gone; reading and writing wait for it."""
        self._writer.run_alone(lambda: upkeep.rewrite(self.database))

    def rescue_if_lost(self) -> None:
        """Writes the file anew if somebody took it away while it is open. Every write does so too."""
        if self.database.file_is_lost:
            self._writer.run(lambda cursor: None)

    @property
    def rewrite_pending(self) -> bool:
        """Whether rows were deleted whose bytes are still in the file, because a rewriting was interrupted."""
        return self.erasing.rewrite_pending

    def backup(self) -> Path:
        """Writes a consistent copy into the folder ``backups`` beside the file and returns it; recording goes on
        meanwhile.
        """
        folder = backups_folder(self.path)
        with self.copying, upkeep.explained(folder), self.database.cursor() as cursor:
            return back_up(cursor, self.path, folder)

    def _read(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self.database.cursor() as cursor:
            return _rows(cursor, sql, parameters)


def _rows(cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    return cursor.execute(sql, [storable(value) for value in parameters]).fetchall()


def _one(cursor: duckdb.DuckDBPyConnection, sql: str, key: str, what: str) -> tuple[Any, ...]:
    rows = _rows(cursor, sql, [key])
    if not rows:
        raise ValueError(f"there is no such {what}")
    return rows[0]
