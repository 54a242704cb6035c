"""Every command reads the settings that the app reads."""

import json
import re
from pathlib import Path

import pytest

from analytics.access import command_settings
from analytics.access.accounts import Accounts, main, save_accounts, with_account
from analytics.access.command_settings import accounts_setting, database_setting
from analytics.store import backup
from analytics.store.lesson_store import LessonStore
from emotion.serving.settings import Settings
from tests.analytics.examples import make_lesson

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("environment", [
    {}, {"EMOTION_DATABASE": ""}, {"EMOTION_DATABASE": "/data/x.duckdb"}, {"EMOTION_DATABASE": "  other.duckdb\r"},
    {"EMOTION_DATABASE": "~/lessons.duckdb"}, {"EMOTION_ACCOUNTS": "/etc/accounts.json"}, {"EMOTION_ACCOUNTS": " "},
    {"EMOTION_ACCOUNTS": '{"accounts": {}}'},
])  # fmt: skip
def test_the_commands_and_the_app_read_the_same_from_the_same_environment(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert database_setting(environment) == settings.database
    assert accounts_setting(environment) == settings.accounts


def test_a_backup_is_made_of_the_database_that_the_app_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    LessonStore(tmp_path / ".data" / "lessons.duckdb").close()
    with LessonStore(tmp_path / "elsewhere.duckdb") as store:
        store.add_lesson(make_lesson())
    monkeypatch.setenv("EMOTION_DATABASE", str(tmp_path / "elsewhere.duckdb"))
    assert backup.main(["create"]) == 0
    with LessonStore(Path(capsys.readouterr().out.strip())) as copy:
        assert len(copy.lessons()) == 1
    assert backup.main(["create", "--database", ".data/lessons.duckdb"]) == 0, "what is typed goes first"
    with LessonStore(Path(capsys.readouterr().out.strip())) as copy:
        assert copy.lessons() == []


def test_a_restore_and_a_fetch_go_where_the_app_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with LessonStore(tmp_path / "elsewhere.duckdb") as store:
        copy = store.backup()
    monkeypatch.setenv("EMOTION_DATABASE", "other.duckdb")
    assert backup.main(["restore", str(copy)]) == 0
    assert (tmp_path / "other.duckdb").exists()
    assert not (tmp_path / ".data").exists()
    monkeypatch.delenv("EMOTION_BACKUP_DATASET", raising=False)
    assert backup.main(["fetch"]) == 1
    assert "EMOTION_BACKUP_DATASET" in capsys.readouterr().err


def test_accounts_are_those_that_the_app_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    accounts = with_account(Accounts({}), "anna", "correct horse")
    save_accounts(accounts, tmp_path / "school.json")
    monkeypatch.setenv("EMOTION_ACCOUNTS", "school.json")
    assert main(["classes", "anna", "2B"]) == 0
    assert main(["list"]) == 0
    assert "anna: 2B" in capsys.readouterr().out
    assert not (tmp_path / ".data").exists()


def test_accounts_that_are_in_the_setting_itself_are_shown_and_not_changed_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_accounts(with_account(Accounts({}), "anna", "correct horse"), tmp_path / "school.json")
    monkeypatch.setenv("EMOTION_ACCOUNTS", json.dumps(json.loads((tmp_path / "school.json").read_text())))
    assert main(["list"]) == 0
    assert "anna" in capsys.readouterr().out
    assert main(["classes", "anna", "2B"]) == 1
    assert "--file" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["school.json"]


def test_no_command_has_a_default_of_its_own_for_what_is_a_setting() -> None:
    """Paths below ``.data`` stand in the app's settings and in one other place, which is held against them above."""
    known = {"emotion/serving/settings.py", Path(command_settings.__file__).relative_to(ROOT).as_posix()}
    named = {
        path.relative_to(ROOT).as_posix()
        for package in ("emotion", "analytics")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"""["']\.data/""", path.read_text(encoding="utf-8"))
    }
    assert named == known
