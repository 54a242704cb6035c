"""Copies of the database file: where they lie, and how one is made whole and durable before it gets its name."""

from contextlib import suppress
from pathlib import Path

import duckdb

from analytics.access.files import discard, sync, sync_folder
from analytics.store.records import utc_now

BACKUP_PATTERN = "*.backup.duckdb"
LAST_STORAGE_OF_DUCKDB_1 = 68  # DuckDB 0.9 to 1.5 wrote 64 to 68; all files of DuckDB 2 have 999


def backups_folder(database: Path) -> Path:
    """Where the backups of a database file are kept: beside it, so that erasing a child finds them."""
    return database.with_name("backups")


def log_of(database: Path) -> Path:
    """DuckDB's write-ahead log of a file. DuckDB takes what follows a question mark in the name for something else."""
    name, mark, rest = database.name.partition("?")
    return database.with_name(f"{name}.wal{mark}{rest}")


def rewriting_path(database: Path) -> Path:
    """Where the file that will replace ``database`` is written."""
    return database.with_name(database.name + ".rewriting")


def has_storage_of_duckdb_1(database: Path) -> bool:
    """Whether a file exists that DuckDB before 2.0 made: bytes 12 to 19 of its header hold the storage version.

    Not to be asked while this process has the file open: closing it again would give DuckDB's lock away.
    """
    try:
        with database.open("rb") as file:
            header = file.read(20)
    except FileNotFoundError:
        return False
    return header[8:12] == b"DUCK" and int.from_bytes(header[12:20], "little") <= LAST_STORAGE_OF_DUCKDB_1


def back_up(cursor: duckdb.DuckDBPyConnection, database: Path, folder: Path, note: str = "") -> Path:
    """Writes a consistent copy of ``database``, which ``cursor`` has open, into ``folder``. ``note``: part of its
    name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    backup = folder / f"{database.stem}-{utc_now():%Y%m%dT%H%M%S%fZ}{note}{BACKUP_PATTERN[1:]}"
    partial = backup.with_name(backup.name + ".partial")
    copy_database(cursor, partial)
    partial.chmod(0o600)
    sync(partial)
    partial.rename(backup)
    for parent in (folder, folder.parent):  # the new names must outlast a loss of power, too
        sync_folder(parent)
    return backup


def copy_database(cursor: duckdb.DuckDBPyConnection, target: Path, storage: str | None = None) -> None:
    """Copies all tables into a new file, as one transaction sees them. ``storage``: DuckDB's name of the new file's
    storage version; that of the open file without it.
    """
    for leftover in (target, log_of(target)):
        leftover.unlink(missing_ok=True)
    alias = f"copy_{utc_now():%H%M%S%f}"
    quoted = str(target).replace("'", "''")
    name, present = cursor.execute(
        "SELECT database_name, rtrim(tags['storage_version'], '+') FROM duckdb_databases() "
        "WHERE database_name = current_database()"
    ).fetchall()[0]
    source = name.replace('"', '""')
    try:
        cursor.execute(f"ATTACH '{quoted}' AS {alias} (READ_WRITE, STORAGE_VERSION '{storage or present}')")
        cursor.execute(f'COPY FROM DATABASE "{source}" TO {alias}')
        cursor.execute(f"CHECKPOINT {alias}")
    except duckdb.Error:
        with suppress(duckdb.Error):  # nothing to roll back, or a lost instance, which takes the copy along
            cursor.rollback()
        with suppress(duckdb.Error):
            cursor.execute(f"DETACH DATABASE IF EXISTS {alias}")
        discard(target, log_of(target))
        raise
    cursor.execute(f"DETACH {alias}")
