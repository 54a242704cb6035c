"""Tokens by which other servers speak for a teacher: each for some classes, for some time, kept as a hash alone.

They lie beside the accounts in the same file. The app notices at the next request that the file has changed, so a token
that is revoked opens nothing any more. A revoked or expired one stays in the file: the audit trail names it.
"""

import argparse
import hashlib
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)
PREFIX = "piktomir-"  # tells ours from what others put into the header, a Space's proxy say
SECRET_BYTES = 32  # random, so a plain hash is enough: nobody guesses it, and nobody chose it
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
ACCOUNT = "token "  # and the name: with a blank, which no teacher's name has
LONGEST_DAYS, USUAL_DAYS = 3650, 180
EVERY_CLASS = "all"


class TokenError(ValueError):
    """What cannot be done with a token; the message says why and what would do."""


@dataclass(frozen=True, slots=True)
class Token:
    """``digest``: SHA-256 of the secret, hexadecimal. ``revoked``: when, or None."""

    digest: str
    classes: frozenset[str]
    made: datetime
    expires: datetime
    revoked: datetime | None = None

    def holds_at(self, now: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked is None and now < self.expires


def tokens_of(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Token]:
    """Name -> token, of the rows in the accounts' file. Raises ValueError, TypeError or KeyError for anything else."""
    return {
        str(name): Token(
            bytes.fromhex(row["sha256"]).hex(),
            frozenset(str(one) for one in row["classes"]),
            datetime.fromisoformat(row["made"]).astimezone(UTC),
            datetime.fromisoformat(row["expires"]).astimezone(UTC),
            datetime.fromisoformat(row["revoked"]).astimezone(UTC) if row.get("revoked") else None,
        )
        for name, row in rows.items()
    }


def rows_of(tokens: Mapping[str, Token]) -> dict[str, dict[str, Any]]:
    """What `tokens_of` reads."""
    return {
        name: {
            "sha256": token.digest,
            "classes": sorted(token.classes),
            "made": token.made.isoformat(timespec="seconds"),
            "expires": token.expires.isoformat(timespec="seconds"),
            "revoked": token.revoked.isoformat(timespec="seconds") if token.revoked else None,
        }
        for name, token in sorted(tokens.items())
    }


def with_token(
    tokens: Mapping[str, Token], name: str, classes: frozenset[str], days: float, now: datetime
) -> tuple[dict[str, Token], str]:
    """The tokens with a new one, and its secret, which is told this once. Raises `TokenError`."""
    if not NAME_PATTERN.fullmatch(name):
        raise TokenError(f"{name!r} cannot be a name: use up to 40 of a-z, 0-9, dot, hyphen and underscore.")
    if name in tokens and tokens[name].holds_at(now):
        raise TokenError(f"There is a token {name!r}: revoke it first, or take another name.")
    if not 0 < days <= LONGEST_DAYS:
        raise TokenError(f"A token holds for up to {LONGEST_DAYS} days, not for {days:g}.")
    if not classes:
        raise TokenError("A token needs classes: --classes 2B,3A, or all.")
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    made = now.replace(microsecond=0)
    return {**tokens, name: Token(_digest(secret), classes, made, made + timedelta(days=days))}, secret


def without_token(tokens: Mapping[str, Token], name: str, now: datetime) -> dict[str, Token]:
    """The tokens with one revoked. Raises `TokenError`."""
    if name not in tokens:
        raise TokenError(f"There is no token {name!r}; `token list` shows the names.")
    return {**tokens, name: replace(tokens[name], revoked=tokens[name].revoked or now.replace(microsecond=0))}


class LiveTokens:
    """The tokens as they are in the file just now. ``read``: reads them, ``file``: where from, None where they cannot
    change. ``noted``: is told whenever they were read anew, for the audit. Thread-safe: what is read is replaced as a
    whole."""

    def __init__(
        self,
        read: Callable[[], Mapping[str, Token]],
        file: Path | None = None,
        noted: Callable[[Mapping[str, Token]], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._read, self._file, self._noted, self._clock = read, file, noted, clock
        self._state: tuple[int, ...] | None = None
        self._tokens: Mapping[str, Token] = {}
        self._look(always=True)

    def account(self, secret: str) -> str:
        """Whose account a secret opens: `ACCOUNT` and the token's name; "" for none."""
        if not secret.startswith(PREFIX):
            return ""
        self._look()
        digest, now = _digest(secret), self._clock()
        found = (name for name, token in self._tokens.items() if token.digest == digest and token.holds_at(now))
        return next((ACCOUNT + name for name in found), "")

    def classes_of(self, account: str) -> frozenset[str] | None:
        """The classes of an `account`; None means every class. Of one that opens nothing any more, none."""
        self._look()  # a stream that was let in goes on asking
        token = self._tokens.get(account.removeprefix(ACCOUNT))
        classes = token.classes if token is not None and token.holds_at(self._clock()) else frozenset()
        return None if EVERY_CLASS in classes else classes

    def _look(self, always: bool = False) -> None:
        state = self._state_of_file()
        if state == self._state and not always:
            return
        try:
            self._tokens = self._read()
        except ValueError as error:  # half a file opens nothing
            LOG.error("No token is valid until the accounts can be read: %s", error)
            self._tokens = {}
        self._state = state
        self._noted(self._tokens)

    def _state_of_file(self) -> tuple[int, ...] | None:
        try:
            found = self._file.stat() if self._file else None
        except OSError:
            return None
        return (found.st_ino, found.st_size, found.st_mtime_ns) if found else None


def add_token_commands(commands: Any, parse_classes: Callable[[str], frozenset[str]]) -> None:
    """``token add|revoke|list`` among the commands of the accounts."""
    token = commands.add_parser("token", help="tokens by which other servers speak for a teacher")
    actions = token.add_subparsers(dest="action", required=True)
    adding = actions.add_parser("add", help="make a token and show it, this once")
    adding.add_argument("name", help="of the server or program that gets it")
    adding.add_argument("--classes", type=parse_classes, required=True, help="with commas (2B,3A), or all")
    adding.add_argument("--days", type=float, default=USUAL_DAYS, help=f"default: {USUAL_DAYS}")
    actions.add_parser("revoke", help="end a token now").add_argument("name")
    actions.add_parser("list", help="show the names, classes and days")


def run_token_command(options: argparse.Namespace, tokens: Mapping[str, Token]) -> tuple[dict[str, Token], str]:
    """The tokens after the command, and what is to be printed. Raises `TokenError`."""
    now = datetime.now(UTC)
    if options.action == "add":
        return with_token(tokens, options.name, options.classes, options.days, now)
    if options.action == "revoke":
        return without_token(tokens, options.name, now), ""
    return dict(tokens), "\n".join(f"{name}: {described(token)}" for name, token in sorted(tokens.items()))


def described(token: Token) -> str:
    """A token in words, for the list of the command and the audit trail."""
    classes = ", ".join(sorted(token.classes))
    if token.revoked:
        return f"{classes}, made {token.made:%Y-%m-%d %H:%M:%S}, revoked {token.revoked:%Y-%m-%d %H:%M:%S}"
    return f"{classes}, made {token.made:%Y-%m-%d %H:%M:%S}, until {token.expires:%Y-%m-%d %H:%M:%S}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
