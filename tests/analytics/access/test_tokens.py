"""Tokens of servers: shown once, kept as a hash, for some classes and some time; read anew while the app runs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analytics.access import accounts as accounts_module
from analytics.access.accounts import (
    Accounts,
    AccountsError,
    load_accounts,
    main,
    missing_accounts,
    save_accounts,
    with_account,
)
from analytics.access.command_settings import DEFAULT_ACCOUNTS
from analytics.access.tokens import LiveTokens, TokenError, with_token, without_token

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts.json"


def run(capsys: pytest.CaptureFixture[str], file: Path, *arguments: str) -> str:
    assert main(["--file", str(file), "token", *arguments]) == 0
    return capsys.readouterr().out.strip()


def live(file: Path, now: datetime | None = None) -> LiveTokens:
    return LiveTokens(lambda: load_accounts(file).tokens, file, clock=lambda: now or datetime.now(UTC))


def test_the_secret_is_shown_once_and_nowhere_written_down(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = run(capsys, file, "add", "piktomir", "--classes", "2B,3A")
    assert secret not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0, "for its owner alone"
    assert secret not in run(capsys, file, "list")
    opened = live(file)
    assert opened.classes_of(opened.account(secret)) == {"2B", "3A"}


def test_it_opens_nothing_after_its_days(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = run(capsys, file, "add", "piktomir", "--classes", "all", "--days", "1")
    assert live(file).classes_of(live(file).account(secret)) is None
    later = live(file, datetime.now(UTC) + timedelta(days=1, minutes=1))
    assert later.account(secret) == ""
    assert later.classes_of("token piktomir") == frozenset()


def test_a_revoked_one_opens_nothing_at_once_and_stays_in_the_list(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = run(capsys, file, "add", "piktomir", "--classes", "2B")
    opened = live(file)
    account = opened.account(secret)
    run(capsys, file, "revoke", "piktomir")
    assert opened.account(secret) == ""
    assert opened.classes_of(account) == frozenset()
    assert "revoked" in run(capsys, file, "list")
    again = run(capsys, file, "add", "piktomir", "--classes", "2B")
    assert (opened.account(secret), opened.account(again)) == ("", account)


@pytest.mark.parametrize("secret", ["", "piktomir-", "piktomir-x", "Bearer", "piktomir-\ud800", "x" * 10_000])
def test_anything_else_opens_nothing(file: Path, capsys: pytest.CaptureFixture[str], secret: str) -> None:
    run(capsys, file, "add", "piktomir", "--classes", "2B")
    assert live(file).account(secret) == ""


def test_a_damaged_file_opens_nothing_until_it_is_mended(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = run(capsys, file, "add", "piktomir", "--classes", "2B")
    opened, whole = live(file), file.read_text()
    file.write_text(whole[:-20])
    assert opened.account(secret) == ""
    file.write_text(whole)
    assert opened.account(secret)


def test_tokens_outlive_a_change_of_the_accounts_and_accounts_one_of_the_tokens(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts_module, "COST", 2)
    save_accounts(with_account(Accounts({}), "anna", "correct horse", frozenset({"2B"})), file)
    secret = run(capsys, file, "add", "piktomir", "--classes", "2B")
    assert main(["--file", str(file), "classes", "anna", "3A"]) == 0
    assert live(file).account(secret)
    assert load_accounts(file).classes_of("anna") == {"3A"}
    assert main(["--file", str(file), "remove", "anna"]) == 0
    assert live(file).account(secret), "and there is no account any more"


@pytest.mark.parametrize(
    ("name", "classes", "days"), [("Ä", {"2B"}, 1), ("x y", {"2B"}, 1), ("x", set(), 1), ("x", {"2B"}, 0)]
)
def test_what_cannot_be_a_token_is_refused(name: str, classes: set[str], days: float) -> None:
    with pytest.raises(TokenError):
        with_token({}, name, frozenset(classes), days, NOW)


def test_a_name_has_one_token_at_a_time() -> None:
    tokens, _ = with_token({}, "x", frozenset({"2B"}), 1, NOW)
    with pytest.raises(TokenError, match="revoke"):
        with_token(tokens, "x", frozenset({"2B"}), 1, NOW)
    with_token(without_token(tokens, "x", NOW), "x", frozenset({"2B"}), 1, NOW)
    with pytest.raises(TokenError, match="no token"):
        without_token(tokens, "y", NOW)


def test_rows_that_are_no_tokens_are_no_accounts_file(file: Path) -> None:
    file.write_text(json.dumps({"accounts": {}, "tokens": {"x": {"sha256": "no"}}}))
    with pytest.raises(AccountsError):
        load_accounts(file)


def test_a_command_says_which_file_it_wrote(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--file", str(file), "token", "add", "x", "--classes", "2B"])
    assert str(file) in capsys.readouterr().err


def test_a_named_file_that_is_missing_gets_a_warning(file: Path) -> None:
    assert str(file) in missing_accounts(str(file))
    file.write_text("{}")
    assert missing_accounts(str(file)) == ""
    assert missing_accounts(DEFAULT_ACCOUNTS) == ""
    assert missing_accounts('{"accounts": {}}') == ""
