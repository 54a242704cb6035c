"""The settings of the app as the commands read them: ``EMOTION_DATABASE`` names the same file to all of them.

The app reads its settings in `emotion.serving.settings`, which this package does not know; a test holds that both read
the same from the same environment.
"""

import os
from collections.abc import Mapping
from pathlib import Path

DEFAULT_DATABASE = ".data/lessons.duckdb"
DEFAULT_ACCOUNTS = ".data/accounts.json"


def setting(name: str, otherwise: str = "", environment: Mapping[str, str] | None = None) -> str:
    """The value of ``EMOTION_`` + ``name`` without blanks around it; ``otherwise`` where it is not set or empty."""
    return (os.environ if environment is None else environment).get(f"EMOTION_{name}", "").strip() or otherwise


def database_setting(environment: Mapping[str, str] | None = None) -> Path:
    """The database that the app opens."""
    return Path(setting("DATABASE", DEFAULT_DATABASE, environment)).expanduser()


def accounts_setting(environment: Mapping[str, str] | None = None) -> str:
    """The file of the accounts that the app reads, or the accounts themselves as JSON."""
    return setting("ACCOUNTS", DEFAULT_ACCOUNTS, environment)
