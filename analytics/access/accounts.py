"""The teachers' accounts: names, scrypt hashes and classes in a file, or in the same JSON given by the environment.

``python -m analytics.access.accounts add anna --classes 2B,3A`` asks for a password and writes the file; ``classes
anna 2B`` changes what a teacher sees, ``remove anna`` and ``list`` do what they say; the app reads the file when it
starts. ``token add NAME --classes 2B`` makes a token for a server (`analytics.access.tokens`).
Without an account the teacher page answers this computer only.
"""

import argparse
import codecs
import getpass
import hashlib
import hmac
import json
import os
import re
import secrets
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from analytics.access.command_settings import DEFAULT_ACCOUNTS, accounts_setting
from analytics.access.files import LinkError, finish_placing, resolved, write_whole
from analytics.access.spelling import fold, tidy
from analytics.access.tokens import Token, TokenError, add_token_commands, rows_of, run_token_command, tokens_of

# OWASP Password Storage Cheat Sheet: scrypt with N = 2^16, r = 8, p = 2 (64 MB a hash) withstands offline guessing.
COST, BLOCK_SIZE, PARALLELISM = 2**16, 8, 2
SALT_BYTES, HASH_BYTES = 16, 32
MEMORY_LIMIT = 160 * 1024 * 1024  # bytes OpenSSL may use: 128 * COST * BLOCK_SIZE and some
MINIMUM_PASSWORD = 10
MAXIMUM_PASSWORD = 200  # hashing a megabyte would be somebody's attack
MAXIMUM_LINE = 4096  # bytes of a line with a password
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
EVERY_CLASS = "all"  # in place of the classes: for the only teacher of a school, say
MARK = "\ufeff"  # the byte order mark, with which Windows' programs begin a text


class AccountsError(ValueError):
    """The accounts cannot be read, or a name or password cannot be used; the message says why and what would do."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """``hashes``: name -> (salt, hash), both hexadecimal. ``classes``: name -> the classes that the teacher sees.
    ``tokens``: of servers, by name."""

    hashes: dict[str, tuple[str, str]]
    classes: dict[str, frozenset[str]] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def verify(self, name: str, password: str) -> bool:
        """Whether ``password`` belongs to ``name``. Takes the same time for a name that does not exist."""
        salt, expected = self.hashes.get(name, ("00" * SALT_BYTES, "00" * HASH_BYTES))
        # As it was typed, too: older hashes were made of what a keyboard gave, composed or not.
        spellings = dict.fromkeys((plain_password(password), without_line_end(password)))
        matches = [hmac.compare_digest(_hash(text[:MAXIMUM_PASSWORD], salt), expected) for text in spellings]
        return any(matches) and name in self.hashes

    def classes_of(self, name: str) -> frozenset[str] | None:
        """The classes of a teacher; None means every class. A name that does not exist has none."""
        classes = self.classes.get(name, frozenset()) if name in self.hashes else frozenset()
        return None if EVERY_CLASS in classes else classes


def load_accounts(source: str | Path) -> Accounts:
    """The accounts in the file ``source``, or in ``source`` itself if it is JSON. No file: no accounts.

    Raises `AccountsError` for anything that is not what `save_accounts` writes.
    """
    text = str(source).strip()
    if not are_accounts(text):
        path = Path(source).expanduser()
        try:
            path = resolved(path)
            finish_placing(path)
            if not path.exists():
                return Accounts({})
            text = path.read_text(encoding="utf-8-sig")  # Windows' editors put a mark at the beginning
        except LinkError as error:
            raise AccountsError(f"The accounts cannot be read: {error}.") from error
        except OSError as error:
            raise AccountsError(
                f"The accounts in {path} cannot be read ({error.strerror}): give the right to, or move it."
            ) from error
        except UnicodeDecodeError as error:
            raise AccountsError(f"The accounts in {path} are not UTF-8: save the file as UTF-8.") from error
    try:
        content = json.loads(text.removeprefix(MARK))
        rows, tokens = content["accounts"], tokens_of(content.get("tokens", {}))
        hashes = {str(name): (str(row["salt"]), str(row["scrypt"])) for name, row in rows.items()}
        for salt, digest in hashes.values():
            bytes.fromhex(salt), bytes.fromhex(digest)
        classes = {
            str(name): frozenset(str(one) for one in _list(row.get("classes", []))) for name, row in rows.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise AccountsError(
            "EMOTION_ACCOUNTS holds no accounts: write the file with `python -m analytics.access.accounts add NAME`."
        ) from error
    return Accounts(hashes, classes, tokens)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):  # a text would be taken for a class per letter
        raise TypeError(value)
    return value


def are_accounts(source: str) -> bool:
    """Whether the value of ``EMOTION_ACCOUNTS`` is the accounts themselves, and not the name of their file."""
    return source.strip().removeprefix(MARK).startswith("{")


def accounts_file(source: str) -> Path | None:
    """The file that a value of ``EMOTION_ACCOUNTS`` names; None where it is the accounts themselves."""
    return None if are_accounts(source) else Path(source).expanduser()


def missing_accounts(source: str) -> str:
    """A warning where somebody named a file of accounts and there is none; "" where all is well, or none was named."""
    file = accounts_file(source)
    if source == DEFAULT_ACCOUNTS or file is None or file.exists():
        return ""
    return (
        f"EMOTION_ACCOUNTS names {file.absolute()}, where there is no file: the teacher page answers this computer "
        f"only. Mend the name, or write the file: python -m analytics.access.accounts --file {file.absolute()} add NAME"
    )


def save_accounts(accounts: Accounts, path: Path) -> None:
    """Writes the file so that only its owner can read it, whole or not at all. Raises OSError."""
    rows = {
        name: {"salt": salt, "scrypt": digest, "classes": sorted(accounts.classes.get(name, ()))}
        for name, (salt, digest) in sorted(accounts.hashes.items())
    }
    content = {"accounts": rows} | ({"tokens": rows_of(accounts.tokens)} if accounts.tokens else {})
    write_whole(path.expanduser(), json.dumps(content, indent=1, ensure_ascii=False))


def with_account(accounts: Accounts, name: str, password: str, classes: frozenset[str] | None = None) -> Accounts:
    """The accounts with ``name`` added, or its password changed. ``classes`` None: those that it has already.

    Raises `AccountsError` for what cannot be used.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise AccountsError(f"{name!r} cannot be a name: use up to 40 of a-z, 0-9, dot, hyphen and underscore.")
    password = plain_password(password)
    if not MINIMUM_PASSWORD <= len(password) <= MAXIMUM_PASSWORD:
        raise AccountsError(f"The password must have {MINIMUM_PASSWORD} to {MAXIMUM_PASSWORD} characters.")
    salt = secrets.token_hex(SALT_BYTES)
    kept = accounts.classes.get(name, frozenset())
    return Accounts(
        {**accounts.hashes, name: (salt, _hash(password, salt))},
        {**accounts.classes, name: kept if classes is None else classes},
        accounts.tokens,
    )


def parse_classes(text: str) -> frozenset[str]:
    """The classes of a list with commas, each once, or `EVERY_CLASS`."""
    classes = {fold(part): tidy(part) for part in reversed(text.split(",")) if tidy(part)}
    return frozenset(EVERY_CLASS if key == fold(EVERY_CLASS) else name for key, name in classes.items())


def plain_password(text: str) -> str:
    """A password in the form in which it is hashed: the same for composed and decomposed letters and for letters of
    full width (NFKC, as RFC 8265 asks for), and without the end of its line."""
    return unicodedata.normalize("NFKC", without_line_end(text))


def without_line_end(password: str) -> str:
    """A password without what a file puts around it: a byte order mark before it, the end of the line after it."""
    return password.removeprefix(MARK).rstrip("\r\n")


def read_password(stream: TextIO) -> str:
    """The first line of a file or pipe, in UTF-8, or in UTF-16 where it says so (PowerShell writes that).

    Raises `AccountsError` for another encoding: guessed wrongly, nobody could log in.
    """
    binary = getattr(stream, "buffer", None)  # below what the terminal's settings make of it
    if binary is None:
        return without_line_end(stream.readline(MAXIMUM_LINE))
    line = binary.readline(MAXIMUM_LINE)
    encoding = "utf-8-sig"
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
        if len(line) % 2:  # the second byte of a line's end that is two bytes long
            line += binary.read(1)
    try:
        return without_line_end(line.decode(encoding))
    except UnicodeDecodeError as error:
        raise AccountsError("The password is not in UTF-8: save its file as UTF-8.") from error


def _hash(password: str, salt: str) -> str:
    return hashlib.scrypt(
        password.encode(),
        salt=bytes.fromhex(salt),
        n=COST,
        r=BLOCK_SIZE,
        p=PARALLELISM,
        maxmem=MEMORY_LIMIT,
        dklen=HASH_BYTES,
    ).hex()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit code 1 with a sentence for what cannot be done."""
    os.umask(0o077)  # whatever is written here is for its owner alone
    parser = argparse.ArgumentParser(prog="python -m analytics.access.accounts", description="Teachers' accounts")
    parser.add_argument("--file", help=f"default: EMOTION_ACCOUNTS, or else {DEFAULT_ACCOUNTS}")
    commands = parser.add_subparsers(dest="command", required=True)
    classes_help = f"the classes that the teacher sees, with commas (2B,3A), or {EVERY_CLASS}"
    adding = commands.add_parser("add", help="add an account or change its password")
    adding.add_argument("name")
    adding.add_argument("--classes", type=parse_classes, help=classes_help)
    changing = commands.add_parser("classes", help="change the classes that a teacher sees")
    changing.add_argument("name")
    changing.add_argument("classes", type=parse_classes, help=classes_help)
    commands.add_parser("remove", help="remove an account").add_argument("name")
    commands.add_parser("list", help="show the names and their classes")
    add_token_commands(commands, parse_classes)
    options = parser.parse_args(arguments)
    is_reading = "list" in (options.command, getattr(options, "action", ""))
    try:
        source = options.file or accounts_setting()
        accounts = load_accounts(source)
        if not is_reading and are_accounts(source):
            raise AccountsError(
                "EMOTION_ACCOUNTS holds the accounts themselves, which a command cannot change: name a file with "
                "--file, and set EMOTION_ACCOUNTS to what is in it then."
            )
        file = Path(source)
        if options.command == "list":
            for name in sorted(accounts.hashes):
                print(f"{name}: {', '.join(sorted(accounts.classes.get(name, ()))) or '–'}")
        elif options.command == "token":
            tokens, words = run_token_command(options, accounts.tokens)
            if not is_reading:
                save_accounts(replace(accounts, tokens=tokens), file)
            if words:
                print(words)
        elif options.command == "add":
            # From a pipe in scripts; a terminal does not show what is typed.
            password = getpass.getpass("Password: ") if sys.stdin.isatty() else read_password(sys.stdin)
            changed = with_account(accounts, options.name, password, options.classes)
            save_accounts(changed, file)
            if not changed.classes[options.name]:
                print(
                    f"{options.name} sees no class yet, only the sample lesson: "
                    f"python -m analytics.access.accounts classes {options.name} 2B,3A",
                    file=sys.stderr,
                )
        elif options.name not in accounts.hashes:
            raise AccountsError(f"There is no account {options.name!r}; `list` shows the names.")
        elif options.command == "classes":
            classes = {**accounts.classes, options.name: options.classes}
            save_accounts(replace(accounts, classes=classes), file)
        else:
            kept = {name: row for name, row in accounts.hashes.items() if name != options.name}
            save_accounts(replace(accounts, hashes=kept), file)
        if not is_reading:
            print(f"Written: {file.expanduser().absolute()}", file=sys.stderr)
    except (AccountsError, TokenError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        reason = error if isinstance(error, LinkError) else f"{error.filename}: {error.strerror}"
        print(f"The accounts were not changed ({reason}): see to room and rights there.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
