"""The DuckDB file itself: opening it with clear errors, bringing its tables up to date, and handing out cursors."""

import errno
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from analytics.access.files import discard, finish_placing, place
from analytics.store.connection import DatabaseDamagedError, DatabaseLockedError, connect, names_of, transaction
from analytics.store.copies import (
    back_up,
    backups_folder,
    copy_database,
    has_storage_of_duckdb_1,
    log_of,
    rewriting_path,
)
from analytics.store.records import StoreError

LOG = logging.getLogger(__name__)
SCHEMA = Path(__file__).with_name("schema.sql")
VERSION_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL, applied_at TIMESTAMPTZ NOT NULL)"

# The write-ahead log is folded into the file when it has this size: about 10,000 frames that were committed one by
# one. It bounds how long a start after a crash takes to read the log back (DuckDB's own 16 MB: four times as long).
CHECKPOINT_THRESHOLD = "4MB"
HEADER_BYTES = 3 * 4096  # bytes before the first block of a DuckDB file: one main header and two that alternate
FULL_CHECK_BYTES = 100_000_000


_open_paths: set[Path] = set()
_open_paths_lock = threading.Lock()


def schema_parts() -> list[str]:
    """The SQL that leads from each version to the next: part i takes a file from version i to version i + 1."""
    parts = re.split(r"^-- version (\d+)$", SCHEMA.read_text(encoding="utf-8"), flags=re.MULTILINE)
    numbers = [int(number) for number in parts[1::2]]
    if numbers != list(range(1, len(numbers) + 1)):
        raise StoreError(f"{SCHEMA.name} numbers its parts {numbers}: they must be 1, 2, 3 … without a gap")
    return parts[2::2]


class Database:
    """One open DuckDB file. Any number of threads may hold a cursor; `closed_meanwhile` waits for them and keeps new
    ones out.

    After a failure that invalidates the DuckDB instance (a full disk, for example) the file is opened anew for the next
    caller; what was committed is in the file or in its write-ahead log and is there again.
    """

    def __init__(self, path: Path) -> None:
        self.names = names_of(path)
        self.path = self.names[0]
        if "?" in str(self.path.parent):
            raise StoreError(
                f"{self.path} lies in a folder with a question mark in its name, where DuckDB cannot keep a log: "
                "rename the folder, or choose another file with EMOTION_DATABASE"
            )
        self._condition = threading.Condition()
        self._users = 0
        self._exclusive = False
        self._closed = False
        self._broken = False
        self._identity: tuple[int, int] | None = None
        self._damage_said = False
        self.changes = 0  # how often anything but observations may have changed: what was read before may be untrue
        self._connection: duckdb.DuckDBPyConnection | None = None
        with _open_paths_lock:
            if self.path in _open_paths:
                raise DatabaseLockedError(
                    f"{self.path} is already open in this program: use the store that opened it, or close it first"
                )
            _open_paths.add(self.path)
        try:
            self._connect()
        except BaseException:
            self._forget()
            raise

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own for one call; errors of DuckDB leave as `StoreError`."""
        self._enter()
        try:
            with self.translated():
                assert self._connection is not None
                cursor = self._connection.cursor()
                try:
                    yield cursor
                finally:
                    cursor.close()
        finally:
            with self._condition:
                self._users -= 1
                self._condition.notify_all()

    def changed(self) -> None:
        """To be called after every commit of anything but observations."""
        with self._condition:
            self.changes += 1

    @property
    def file_is_lost(self) -> bool:
        """Whether somebody deleted, moved or replaced the file while it is open: DuckDB goes on with the one that has
        no name any more, and all that is in it would vanish with the process.
        """
        return not (self._broken or self._closed) and self._identity != _identity_of(self.path)

    def verify(self) -> None:
        """Raises `DatabaseDamagedError` if a block lies beyond the file's end, or a block's checksum is wrong.

        DuckDB opens a file that was cut off and fails at the first read beyond its end. Every table is read; the wide
        one only in files of up to `FULL_CHECK_BYTES`, so that the check takes no more than a second or two; in all, the
        places of its blocks are compared with the file's length. (DuckDB's count of blocks says nothing of that: it
        cuts free blocks from the end and still counts them.)
        """
        size = self.path.stat().st_size
        tables = [
            "lesson",
            "child",
            "event",
            "correction",
            "audit",
            "calibration",
            "calibration_frame",
            "class_calibration",
            *(["observation"] if size <= FULL_CHECK_BYTES else []),
        ]
        try:
            with self.cursor() as cursor:
                block_size, last = cursor.execute(
                    "SELECT any_value(block_size), max(block_id) "
                    "FROM pragma_database_size(), pragma_storage_info('observation')"
                ).fetchone() or (None, None)
                if last is not None and size < HEADER_BYTES + (last + 1) * block_size:
                    end = HEADER_BYTES + (last + 1) * block_size
                    raise DatabaseDamagedError(
                        f"{self.path} has {size} bytes and a block that ends at {end}: it was cut off"
                    )
                for table in tables:
                    cursor.execute(f"SELECT bit_xor(hash({table})) FROM {table}").fetchall()
        except DatabaseDamagedError:
            raise
        except StoreError as error:
            raise DatabaseDamagedError(
                f"{error}. Restore a backup (python -m analytics.store.backup restore)"
            ) from error

    @contextmanager
    def closed_meanwhile(self) -> Iterator[None]:
        """Waits until no cursor is in use, closes the file for the length of the block, and opens it again after it."""
        with self._condition:
            self._condition.wait_for(lambda: not self._exclusive and self._users == 0)
            self._require_open()
            self._exclusive = True
        try:
            self._disconnect()
            yield
        finally:
            with self._condition:
                self._exclusive = False
                self._broken = True  # the next cursor, or the line below, opens it
                self._condition.notify_all()
        with self._condition:
            self._reopen_if_broken()

    def close(self) -> None:
        """Waits for cursors in use, writes the log into the file and closes it. May be called twice."""
        with self._condition:
            self._condition.wait_for(lambda: not self._exclusive and self._users == 0)
            if self._closed:
                return
            self._closed = True
            if self._connection is not None:
                # Without room for it the checkpoint fails; all that was acknowledged is then read from the log next
                # time.
                with suppress(duckdb.Error):
                    self._connection.execute("CHECKPOINT")
            self._disconnect()
            self._forget()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turns an error of DuckDB into a `StoreError` with a remedy, and marks the instance for reopening if it
        is lost.
        """
        try:
            yield
        except duckdb.Error as error:
            # A block with a wrong checksum is a plain `duckdb.Error`: it is the one error without a class of its own.
            lost = duckdb.FatalException | duckdb.IOException | duckdb.InternalException
            if isinstance(error, lost) or type(error) is duckdb.Error:
                self._broken = True
            raise StoreError(self._explain(error)) from error

    def _enter(self) -> None:
        with self._condition:
            self._condition.wait_for(lambda: not self._exclusive)
            self._require_open()
            self._reopen_if_broken()
            self._users += 1

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError(f"{self.path} has been closed: open the store again")

    def _reopen_if_broken(self) -> None:
        """Held by the caller: the condition. Waits for cursors of the lost instance, because DuckDB would hand it
        out again.
        """
        if self._broken:
            self._condition.wait_for(lambda: self._users == 0 and not self._exclusive)
        if self._broken:
            self._require_open()
            self._disconnect()
            try:
                self._connect()
            except DatabaseDamagedError as error:
                if not self._damage_said:
                    self._damage_said = True
                    LOG.critical(
                        "THE LESSON DATABASE WAS DAMAGED WHILE THE APP RUNS, and nothing is recorded until it is "
                        "repaired. The app need not be stopped for a restore; started anew without one, it keeps the "
                        "file aside and begins with an empty one. %s",
                        error,
                    )
                raise
            self._damage_said = False

    def _connect(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            finish_placing(self.path, [log_of(self.path)])
            if has_storage_of_duckdb_1(self.path):
                self._upgrade_storage()
            connection = connect(self.path, threads=2)
        except (duckdb.Error, OSError) as error:
            raise self._open_error(error) from error
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"SET checkpoint_threshold = '{CHECKPOINT_THRESHOLD}'")
            migrate(connection, self.path)
        except duckdb.Error as error:
            connection.close()
            raise StoreError(self._explain(error)) from error
        except StoreError:
            connection.close()
            raise
        self._connection = connection
        self._identity = _identity_of(self.path)
        self._broken = False
        self.changed()

    def _upgrade_storage(self) -> None:
        """Gives a file of DuckDB 1 the storage format of DuckDB 2. Before anything is written, a copy in the old
        format, which DuckDB 1 can read, is in the folder of backups; if the disk is full, nothing is changed.
        """
        fresh = rewriting_path(self.path)
        with connect(self.path, read_only=True) as old:
            schema_version(old, self.path)  # a file of something else stays as it is
            copy_database(old, fresh, storage="latest")
            try:
                kept = back_up(old, self.path, backups_folder(self.path), note="-before-duckdb-2")
            except BaseException:
                discard(fresh)
                raise
        with connect(self.path) as old:
            old.execute("CHECKPOINT")  # no log must be left that would be played into the new file
        place(fresh, self.path, [log_of(self.path)])
        LOG.warning(
            "%s has the storage format of DuckDB 2 now, which older versions of this program cannot read; a copy "
            "that they can read is kept as %s",
            self.path,
            kept,
        )

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _forget(self) -> None:
        with _open_paths_lock:
            _open_paths.discard(self.path)

    def _open_error(self, error: Exception) -> StoreError:
        text = str(error)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return StoreError(self._explain(error))
        if "Conflicting lock" in text or "being used by another process" in text:
            process = re.search(r"PID (\d+)", text)
            by = f" (process {process.group(1)})" if process else ""
            return DatabaseLockedError(
                f"{self.path} is in use by another process{by}: stop that one, or give this one a file of its own "
                "with EMOTION_DATABASE"
            )
        if _disk_is_full(text):
            return StoreError(self._explain(error))
        if isinstance(error, OSError) or "ermission denied" in text or "ead-only" in text or "annot open file" in text:
            return StoreError(
                f"{self.path} cannot be written: give this user write permission to the folder, or choose another file "
                f"with EMOTION_DATABASE ({text.splitlines()[0]})"
            )
        if "newer version of DuckDB" in text:
            return StoreError(
                f"{self.path} was written by a newer program: update this one, or choose another file with "
                f"EMOTION_DATABASE ({text.splitlines()[0]})"
            )
        return DatabaseDamagedError(
            f"{self.path} is damaged, or was never a lesson database: restore a backup "
            f"(python -m analytics.store.backup restore), or move the file away and start again "
            f"({text.splitlines()[0]})"
        )

    def _explain(self, error: Exception) -> str:
        text = str(error).splitlines()[0]
        if _disk_is_full(str(error)):
            return (
                f"there is no room left on the disk of {self.path}: free some space; nothing that was acknowledged "
                f"is lost "
                f"({text})"
            )
        return f"the lesson database {self.path} could not be read or written, and nothing was changed ({text})"


def _disk_is_full(text: str) -> bool:
    return any(reason in text for reason in ("No space left", "Disk quota", "File too large"))


def _identity_of(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file, which another one under the same name does not have; None if there is none.

    The file itself must not be opened to look inside: to close it again would give DuckDB's lock away (POSIX locks
    belong to the process).
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def schema_version(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """The version of the tables, 0 in an empty file. Raises `StoreError` for a file of a newer program or of something
    else.
    """
    tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if tables and "schema_version" not in tables:
        raise StoreError(
            f"{path} is a DuckDB file of something else (tables: {', '.join(sorted(tables))[:200]}): choose another "
            f"file with "
            "EMOTION_DATABASE"
        )
    found = 0
    if tables:
        row = connection.execute("SELECT max(version) FROM schema_version").fetchone()
        found = int(row[0]) if row and row[0] is not None else 0
    known = len(schema_parts())
    if found > known:
        raise StoreError(
            f"{path} has tables of version {found}, this program knows up to {known}: update the program, or "
            f"choose another "
            "file with EMOTION_DATABASE"
        )
    return found


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Brings the tables to the newest version in one transaction. Raises as `schema_version` does."""
    found, parts = schema_version(connection, path), schema_parts()
    if found == len(parts):
        return
    with transaction(connection):
        connection.execute(VERSION_TABLE)
        for version, part in enumerate(parts[found:], start=found + 1):
            connection.execute(part)
            connection.execute("INSERT INTO schema_version VALUES (?, now())", [version])
