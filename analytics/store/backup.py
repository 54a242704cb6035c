"""Backup and restore, one command each.

    python -m analytics.store.backup create  [--database FILE]
    python -m analytics.store.backup restore BACKUP [--database FILE]
    python -m analytics.store.backup fetch [OWNER/NAME] [--database FILE]

Without ``--database`` it is the file that the app opens, ``EMOTION_DATABASE``.

``create`` works while the app runs and while it does not. DuckDB lets one process open a file, so a running app makes
the copy itself: the command leaves a request beside the database, which the app answers within seconds. Recording
goes on, and the copy is what was committed at one moment. ``restore`` wants the app stopped; it checks the backup
first and keeps the present file under a new name. Backups stay in ``backups`` beside the database, where erasing a
child and retention reach them; a copy that you carry elsewhere is yours to erase from. ``fetch`` restores the copy that
the app keeps in a private data set of the Hub (`analytics.store.hub_backup`).
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from analytics.access.command_settings import DEFAULT_DATABASE, database_setting, setting
from analytics.store.connection import DatabaseLockedError, names_of
from analytics.store.housekeeping import answer_path, request_path
from analytics.store.hub_backup import HubBackup
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError
from analytics.store.recovery import restore

ANSWER_TIMEOUT = 120.0  # seconds that a running app may take for the copy


def create_backup(database: Path, timeout: float = ANSWER_TIMEOUT) -> Path:
    """Makes a backup and returns its path. Raises `StoreError`."""
    if not database.exists():
        raise StoreError(f"there is no database {database}: name it with --database (the value of EMOTION_DATABASE)")
    try:
        with LessonStore(database) as store:
            return store.backup()
    except DatabaseLockedError as locked:
        return _ask_running_app(database, timeout, locked)


def _ask_running_app(database: Path, timeout: float, locked: StoreError) -> Path:
    database = names_of(database)[0]
    answer = answer_path(database)
    answer.unlink(missing_ok=True)
    request_path(database).touch()
    end = time.monotonic() + timeout
    while not answer.exists():
        if time.monotonic() > end:
            request_path(database).unlink(missing_ok=True)
            raise StoreError(f"{locked} (it was asked for a backup and did not answer within {timeout:.0f} s)")
        time.sleep(0.1)
    reply = json.loads(answer.read_text(encoding="utf-8"))
    answer.unlink()
    if "error" in reply:
        raise StoreError(f"the running app could not make the backup: {reply['error']}")
    return Path(reply["path"])


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    os.umask(0o077)  # whatever is written here is for its owner alone
    parser = argparse.ArgumentParser(
        prog="python -m analytics.store.backup", description="Back up or restore the lesson database."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    parsers = {"create": commands.add_parser("create", help="make a backup, also while the app runs")}
    parsers["restore"] = commands.add_parser(
        "restore", help="replace the database by a backup; the app must be stopped"
    )
    parsers["restore"].add_argument("backup", type=Path)
    parsers["fetch"] = commands.add_parser("fetch", help="restore the copy on the Hub; the app must be stopped")
    parsers["fetch"].add_argument("dataset", nargs="?", help="default: EMOTION_BACKUP_DATASET")
    for command in parsers.values():
        command.add_argument("--database", type=Path, help=f"default: EMOTION_DATABASE, or else {DEFAULT_DATABASE}")
    options = parser.parse_args(arguments)
    try:
        options.database = options.database or database_setting()
        if options.command == "create":
            print(create_backup(options.database))
        else:
            if options.command == "fetch":
                dataset = options.dataset or setting("BACKUP_DATASET")
                if not dataset:
                    raise StoreError("name the data set, OWNER/NAME, or set EMOTION_BACKUP_DATASET")
                kept = HubBackup(dataset).fetch(options.database)
            else:
                kept = restore(options.backup, options.database)
            print(f"{options.database} is restored" + (f"; what was there is kept as {kept}" if kept else ""))
    except (StoreError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
