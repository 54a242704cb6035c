"""The README's lesson for programs, run as it stands there: in Python, Node and curl, with a server's token."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.access.accounts import load_accounts, save_accounts
from analytics.access.tokens import with_token
from analytics.store.records import utc_now
from tests.composed import ComposedApp, account_variable, composed_app

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:7860"
PROGRAMS = {
    "python": [sys.executable, "-"],
    "js": ["node", "--input-type=module", "-"],
    "sh": ["bash", "-e"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    folder = tmp_path_factory.mktemp("readme")
    (folder / "accounts.json").write_text(account_variable({"anna": "2A"}))
    with composed_app(folder, accounts=str(folder / "accounts.json")) as composed:
        yield composed


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_lesson_of_the_readme_runs(server: ComposedApp, language: str) -> None:
    command = PROGRAMS[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    if language == "sh" and shutil.which("curl") is None:
        pytest.skip("needs curl")
    (code,) = [
        block for block in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if f"{ADDRESS}/api/v1" in block
    ]
    file = server.store.path.with_name("accounts.json")
    accounts = load_accounts(file)
    tokens, secret = with_token(accounts.tokens, f"readme-{language}", frozenset({"2B"}), 1, utc_now())
    accounts.tokens.update(tokens)
    save_accounts(accounts, file)
    ran = subprocess.run(
        command,
        input=code.replace(ADDRESS, server.url),
        env={**os.environ, "TOKEN": secret},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "happy" in ran.stdout
    assert "struggling" in ran.stdout, "its signal"
    newest = server.store.lessons("2B")[0]
    assert (newest.teacher, newest.ended_at is not None) == (f"token readme-{language}", True)
