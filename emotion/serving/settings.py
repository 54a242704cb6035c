"""Reads the environment once; nothing else in the project looks at it."""

import logging
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion.network.checkpoint import PACKAGED
from emotion.runtime.base import RUNTIMES

logger = logging.getLogger(__name__)

PREFIX = "EMOTION_"
# Nobody else in the network sees a demonstration that was started without settings.
LOOPBACK = "127.0.0.1"


class SettingsError(ValueError):
    """A variable has a value that cannot be used; the message names the variable, the value and what would do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set from outside, with the defaults of a private demonstration on one's own computer.

    Each field that `VARIABLES` describes is read from the variable ``EMOTION_`` + its name in capitals. ``host`` and
    ``port`` come from Gradio's variables and ``space`` from the one that Hugging Face sets: the same file runs there.
    """

    checkpoint: str = str(PACKAGED)
    runtime: str = "auto"
    database: Path = Path(".data/lessons.duckdb")
    secret: str | None = None
    retention_days: int = 30
    backup_dataset: str | None = None
    frames_per_second: float = 1.0
    accounts: str = ".data/accounts.json"
    session_minutes: int = 60
    requests_per_minute: int = 6000
    lessons_open: int = 10
    upload_megabytes: int = 32
    small_groups: str = "caution"
    metrics_token: str | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    host: str = LOOPBACK
    port: int = 7860
    space: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read ``environment`` (the process's own if None). Raises SettingsError for a value that cannot be used.

        An empty value counts as not set. A variable with our prefix that no setting has is nearly always a typing
        mistake and gets a warning.
        """
        given = {name: value.strip() for name, value in (os.environ if environment is None else environment).items()}
        given = {name: value for name, value in given.items() if value}
        known = {environment_variable(name): name for name in VARIABLES}
        unknown = sorted(name for name in given if name.startswith(PREFIX) and name not in known)
        for name in unknown:
            logger.warning("%s is not a setting of this app; known are %s", name, ", ".join(sorted(known)))

        values: dict[str, Any] = {}
        for name, setting in known.items():
            if name in given:
                values[setting] = VARIABLES[setting][0](name, given[name])
        values["space"] = given.get("SPACE_ID")
        values["host"] = given.get("GRADIO_SERVER_NAME", "0.0.0.0" if values["space"] else LOOPBACK)
        if "GRADIO_SERVER_PORT" in given:
            values["port"] = _whole(1, 65535)("GRADIO_SERVER_PORT", given["GRADIO_SERVER_PORT"])
        if ("tls_certificate" in values) != ("tls_key" in values):
            raise SettingsError(f"{PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY belong together: set both or neither.")
        return cls(**values)


def environment_variable(setting: str) -> str:
    """The environment variable of a setting: ``retention_days`` -> ``EMOTION_RETENTION_DAYS``."""
    return PREFIX + setting.upper()


def _whole(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        try:
            number = int(value)
        except ValueError as error:
            raise SettingsError(f"{name}={value!r} is not a whole number; use {least} to {most}.") from error
        if not least <= number <= most:
            raise SettingsError(f"{name}={number} is out of range; use {least} to {most}.")
        return number

    return read


def _number(least: float, most: float) -> Callable[[str, str], float]:
    def read(name: str, value: str) -> float:
        try:
            number = float(value)
        except ValueError as error:
            raise SettingsError(f"{name}={value!r} is not a number; use {least} to {most}.") from error
        if not (math.isfinite(number) and least <= number <= most):
            raise SettingsError(f"{name}={value} is out of range; use {least} to {most}.")
        return number

    return read


def _one_of(choices: tuple[str, ...]) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if value not in choices:
            raise SettingsError(f"{name}={value!r} is not known; use one of {', '.join(choices)}.")
        return value

    return read


def _file(name: str, value: str) -> Path:
    path = Path(value).expanduser()
    if path.is_dir():
        raise SettingsError(f"{name}={value!r} is a folder; give the path of a file.")
    return path


def _existing_file(name: str, value: str) -> Path:
    path = _file(name, value)
    if not path.is_file():
        raise SettingsError(f"{name}={value!r} does not exist; give the path of an existing file.")
    return path


def _secret(name: str, value: str) -> str:
    # The value itself is never repeated: messages end up in logs.
    if len(value) < 32:
        raise SettingsError(
            f"{name} is too short; use at least 32 random characters, for example `openssl rand -hex 32`."
        )
    return value


def _token(name: str, value: str) -> str:
    if len(value) < 16:
        raise SettingsError(
            f"{name} is too short; use at least 16 random characters, for example `openssl rand -hex 16`."
        )
    return value


def _text(name: str, value: str) -> str:
    return value


VARIABLES: dict[str, tuple[Callable[[str, str], Any], str]] = {
    "checkpoint": (_text, "Folder of the classifier, or a Hub repository `owner/name@revision`"),
    "runtime": (_one_of(RUNTIMES), "What computes the network: `" + "`, `".join(RUNTIMES) + "`"),
    "database": (_file, "The DuckDB file that keeps the lessons"),
    "secret": (
        _secret,
        "Key of the pseudonyms, 32 characters or more; made at the first local start, needed on a Space",
    ),
    "retention_days": (_whole(1, 3650), "Days after which observations are deleted"),
    "backup_dataset": (_text, "Private data set on the Hub, `owner/name`, that keeps a copy of the database"),
    "frames_per_second": (_number(0.2, 5.0), "Frames a station sends each second unless set on the page, 0.2 to 5"),
    "accounts": (
        _text,
        "Teachers' accounts: a file, or its JSON; without any the teacher page answers this computer only",
    ),
    "session_minutes": (_whole(1, 1440), "Minutes without a request after which a teacher has to log in again"),
    "requests_per_minute": (_whole(60, 1_000_000), "Requests an address may make in a minute before it has to wait"),
    "lessons_open": (_whole(1, 1000), "Lessons a teacher may have open at a time"),
    "upload_megabytes": (_whole(1, 512), "Largest upload in megabytes"),
    "small_groups": (
        _one_of(("caution", "hide")),
        "Figures of a class of which fewer than five children were seen: shown with a `caution`, or `hide`",
    ),
    "metrics_token": (
        _token,
        "Bearer token for `/metrics` from other computers, 16 characters or more; without it this computer only",
    ),
    "tls_certificate": (
        _existing_file,
        "Certificate for https; other devices' browsers open the camera only over https",
    ),
    "tls_key": (_existing_file, "Key file of that certificate"),
}
"""Per field of `Settings`: how its variable is read, and what it means (the row of the README's table)."""
