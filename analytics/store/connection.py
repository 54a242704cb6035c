"""How a DuckDB file is opened, and a transaction ended: the one place where a connection is made."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from analytics.access.files import LinkError, resolved
from analytics.store.records import StoreError

LOG = logging.getLogger(__name__)
# Bytes 8 to 12 of every DuckDB file. Another kind of database would make DuckDB look for an extension that reads it.
MAGIC = slice(8, 12), b"DUCK"
# Nothing is fetched from the network or loaded from the home folder: what we use is built in.
CLOSED = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}


class DatabaseLockedError(StoreError):
    """Another process, or another store of this process, has the file open."""


class DatabaseDamagedError(StoreError):
    """The file exists and is not a readable DuckDB database."""


def connect(path: Path, threads: int | None = None, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Opens a DuckDB file, which is made if it does not exist. Every connection of the project is made here.

    Raises duckdb.Error, OSError, and `DatabaseDamagedError` for a file of another kind.
    """
    if path.exists() and path.stat().st_size:
        with path.open("rb") as file:
            if file.read(MAGIC[0].stop)[MAGIC[0]] != MAGIC[1]:
                raise DatabaseDamagedError(
                    f"{path} is damaged, or was never a lesson database: restore a backup "
                    "(python -m analytics.store.backup restore), or move the file away and start again"
                )
    config: dict[str, str | bool | int | float | list[str]] = {**CLOSED}
    if threads:
        config["threads"] = threads
    return duckdb.connect(str(path), read_only=read_only, config=config)


def names_of(database: Path) -> tuple[Path, ...]:
    """The file itself, all links followed, and the name by which it was reached if that is another: copies lie beside
    the file, and those of earlier versions beside the name. Raises `StoreError`.
    """
    given = database.absolute()
    try:
        return tuple(dict.fromkeys((resolved(given), given)))
    except LinkError as error:
        raise StoreError(str(error)) from error


@contextmanager
def transaction(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commits at the end of the block, or rolls back. What went wrong first is what is raised: a commit that failed has
    rolled back already, and an instance that is lost has nothing to roll back.
    """
    cursor.begin()
    try:
        yield
        cursor.commit()
    except BaseException:
        try:
            cursor.rollback()
        except duckdb.Error as error:
            LOG.debug("nothing to roll back: %s", type(error).__name__)
        raise
