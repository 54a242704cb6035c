"""The teachers' accounts: names and scrypt hashes in a file, or in the same JSON given by the environment.

``python -m analytics.accounts add anna`` asks for a password and writes the file; ``remove anna`` and ``list`` do what
they say. Without an account the teacher page answers this computer only.
"""

import argparse
import getpass
import hashlib
import hmac
import json
import os
import re
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# OWASP Password Storage Cheat Sheet: scrypt with N = 2^16, r = 8, p = 2 (64 MB a hash) withstands offline guessing.
COST, BLOCK, LANES = 2**16, 8, 2
SALT_BYTES, HASH_BYTES = 16, 32
MEMORY = 160 * 1024 * 1024  # bytes OpenSSL may use: 128 * COST * BLOCK and some
LEAST_PASSWORD = 10
MOST_PASSWORD = 200  # hashing a megabyte would be somebody's attack
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
DEFAULT_FILE = Path(".data/accounts.json")


class AccountsError(ValueError):
    """The accounts cannot be read, or a name or password cannot be used; the message says why and what would do."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Name -> (salt, hash), both hexadecimal."""

    hashes: dict[str, tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def verify(self, name: str, password: str) -> bool:
        """Whether ``password`` belongs to ``name``. Takes the same time for a name that does not exist."""
        salt, expected = self.hashes.get(name, ("00" * SALT_BYTES, "00" * HASH_BYTES))
        given = _hash(password[:MOST_PASSWORD], salt)
        return hmac.compare_digest(given, expected) and name in self.hashes


def load_accounts(source: str | Path) -> Accounts:
    """The accounts in the file ``source``, or in ``source`` itself if it is JSON. No file: no accounts.

    Raises `AccountsError` for anything that is not what `save_accounts` writes.
    """
    text = str(source).strip()
    if not text.startswith("{"):
        path = Path(source)
        if not path.exists():
            return Accounts({})
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise AccountsError(
                f"The accounts in {path} cannot be read ({error}): give the right to, or move it."
            ) from error
    try:
        rows = json.loads(text)["accounts"]
        hashes = {str(name): (str(row["salt"]), str(row["scrypt"])) for name, row in rows.items()}
        for salt, digest in hashes.values():
            bytes.fromhex(salt), bytes.fromhex(digest)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AccountsError(
            "EMOTION_ACCOUNTS holds no accounts: write the file with `python -m analytics.accounts add NAME`."
        ) from error
    return Accounts(hashes)


def save_accounts(accounts: Accounts, path: Path) -> None:
    """Write the file so that only its owner can read it, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {name: {"salt": salt, "scrypt": digest} for name, (salt, digest) in sorted(accounts.hashes.items())}
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
        json.dump({"accounts": rows}, stream, indent=1)
    draft.replace(path)


def with_account(accounts: Accounts, name: str, password: str) -> Accounts:
    """The accounts with ``name`` added or its password changed. Raises `AccountsError` for what cannot be used."""
    if not NAME.fullmatch(name):
        raise AccountsError(f"{name!r} cannot be a name: use up to 40 of a-z, 0-9, dot, hyphen and underscore.")
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise AccountsError(f"The password must have {LEAST_PASSWORD} to {MOST_PASSWORD} characters.")
    salt = secrets.token_hex(SALT_BYTES)
    return Accounts({**accounts.hashes, name: (salt, _hash(password, salt))})


def _hash(password: str, salt: str) -> str:
    return hashlib.scrypt(
        password.encode(), salt=bytes.fromhex(salt), n=COST, r=BLOCK, p=LANES, maxmem=MEMORY, dklen=HASH_BYTES
    ).hex()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit code 1 with a sentence for what cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m analytics.accounts", description="Teachers' accounts")
    parser.add_argument("--file", type=Path, default=DEFAULT_FILE, help=f"default: {DEFAULT_FILE}")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, meaning in (("add", "add an account or change its password"), ("remove", "remove an account")):
        commands.add_parser(command, help=meaning).add_argument("name")
    commands.add_parser("list", help="show the names")
    options = parser.parse_args(arguments)
    try:
        accounts = load_accounts(options.file)
        if options.command == "list":
            print("\n".join(sorted(accounts.hashes)))
        elif options.command == "add":
            # From a pipe in scripts; a terminal does not show what is typed.
            password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
            save_accounts(with_account(accounts, options.name, password), options.file)
        elif options.name not in accounts.hashes:
            raise AccountsError(f"There is no account {options.name!r}; `list` shows the names.")
        else:
            kept = {name: row for name, row in accounts.hashes.items() if name != options.name}
            save_accounts(Accounts(kept), options.file)
    except (AccountsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
