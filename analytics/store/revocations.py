"""What must hold although a backup knows nothing of it: consents that were withdrawn, children that were erased, and
faces that the network was to forget.

A list beside the database, written before the change itself is committed; a restore plays it into the backup before
that takes the database's place. It names nobody: a line holds a hash of the pseudonym, which only a file that still
knows the child can be compared with.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import duckdb

from analytics.access.files import write_whole
from analytics.store import kept_copies, upkeep
from analytics.store.connection import connect, names_of, transaction
from analytics.store.records import StoreError

SUFFIX = ".revoked.jsonl"
ACTOR = "restore"  # in the audit trail

What = Literal["erased", "withdrawn", "uncalibrated"]


@dataclass(frozen=True, slots=True)
class Revocation:
    """``child``: SHA-256 of the pseudonym, hexadecimal. ``at``: ISO 8601, with its zone."""

    child: str
    what: What
    at: str


def fingerprint(pseudonym: str) -> str:
    """What stands for a child in the list."""
    return hashlib.sha256(pseudonym.encode()).hexdigest()


class Revocations:
    """The list of the database at ``path``. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = names_of(path)[0].with_name(names_of(path)[0].name + SUFFIX)
        self._lock = threading.Lock()

    def add(self, pseudonym: str, what: What, at: datetime) -> None:
        """Puts a line on the disk. Raises `StoreError`: what it was about must not be done then."""
        line = json.dumps(asdict(Revocation(fingerprint(pseudonym), what, at.isoformat())))
        try:
            with self._lock:
                there = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
                if line not in there:
                    write_whole(self.path, f"{there}{line}\n")
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(
                f"{self.path}, the list of what a backup must not bring back, cannot be written: free some space, or "
                "give the right to write in its folder"
            ) from error

    def replay(self, copy: Path) -> int:
        """Plays the list into a copy of the database; returns how many children it changed there. A child that agreed
        anew after a line was written keeps what it agreed to. Raises `StoreError`, and then it may be tried again.
        """
        lines = list(self._lines())
        if not lines:
            return 0
        with connect(copy) as connection:
            rows = connection.execute("SELECT pseudonym, epoch_us(consent_given_at) FROM child").fetchall()
        given = {fingerprint(pseudonym): (pseudonym, agreed) for pseudonym, agreed in rows}
        erased: set[str] = set()
        withdrawn: dict[str, datetime] = {}
        uncalibrated: dict[str, datetime] = {}
        for line in lines:
            pseudonym, agreed = given.get(line.child, ("", None))
            moment = datetime.fromisoformat(line.at)
            if pseudonym and line.what == "uncalibrated":
                uncalibrated[pseudonym] = moment
                continue
            if not pseudonym or (agreed is not None and agreed > moment.timestamp() * 1e6):
                continue
            if line.what == "erased":
                erased.add(pseudonym)
            else:
                withdrawn[pseudonym] = moment
        for pseudonym in erased:
            kept_copies.rewrite_without(copy, pseudonym)
        if uncalibrated:
            kept_copies.rewrite_after(copy, partial(_delete_calibrations, uncalibrated=uncalibrated))
        with connect(copy) as connection, transaction(connection):
            changed = [
                pseudonym for pseudonym in withdrawn.keys() - erased if _withdraw(connection, pseudonym, withdrawn)
            ]
            if erased or changed:
                counts = f"{len(erased)} erasures, {len(changed)} withdrawals of consent"
                upkeep.write_audit(connection, "replayed", ACTOR, counts)
        return len(erased) + len(changed)

    def _lines(self) -> Iterator[Revocation]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            raise self._unreadable() from error
        for line in text.splitlines():
            try:
                found = Revocation(**json.loads(line))
                if datetime.fromisoformat(found.at).tzinfo is None or found.what not in get_args(What):
                    raise ValueError(line)
            except (ValueError, TypeError, RecursionError) as error:
                raise self._unreadable() from error
            yield found

    def _unreadable(self) -> StoreError:
        return StoreError(
            f"{self.path} says which consents were withdrawn and which children were erased, and cannot be read: "
            "put it back as it was, or delete it if you accept that the backup may bring some of them back"
        )


def _delete_calibrations(connection: duckdb.DuckDBPyConnection, uncalibrated: dict[str, datetime]) -> None:
    for pseudonym, moment in uncalibrated.items():
        upkeep.delete_calibration(connection, pseudonym, moment)
        connection.execute(  # it may have been withdrawn too: whoever gave it can give it again
            "UPDATE child SET calibration_consent_at = NULL WHERE pseudonym = ? AND calibration_consent_at <= ?",
            [pseudonym, moment],
        )


def _withdraw(connection: duckdb.DuckDBPyConnection, pseudonym: str, withdrawn: dict[str, datetime]) -> bool:
    """Whether the consent held until now in this copy."""
    rows = connection.execute(
        "UPDATE child SET consent_withdrawn_at = ? WHERE pseudonym = ? AND consent_given_at IS NOT NULL AND "
        "consent_withdrawn_at IS NULL RETURNING 1",
        [withdrawn[pseudonym], pseudonym],
    ).fetchall()
    return bool(rows)
