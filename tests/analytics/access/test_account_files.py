"""The files of accounts and the secret: through links and mounts, from Windows' editors, and on a full disk."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.access import accounts as accounts_module
from analytics.access.accounts import Accounts, AccountsError, load_accounts, main, read_password, save_accounts
from analytics.access.accounts import with_account as slowly_with_account
from analytics.access.files import finished_of, write_whole
from analytics.classroom.pseudonyms import load_secret
from analytics.store.records import StoreError

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts_module, "COST", 2)


def some(name: str = "anna") -> Accounts:
    return slowly_with_account(Accounts({}), name, PASSWORD)


@pytest.fixture(params=["link", "hard link", "mount"])
def reached(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """(the name that the app knows, the file elsewhere), in two folders."""
    volume, app = tmp_path / "volume", tmp_path / "app"
    volume.mkdir()
    app.mkdir()
    real, name = volume / "accounts.json", app / "accounts.json"
    save_accounts(some(), real)
    if request.param == "link":
        name.symlink_to(real)
    elif request.param == "hard link":
        name.hardlink_to(real)
    else:
        name.touch()
        if subprocess.run(["mount", "--bind", real, name], capture_output=True, check=False).returncode != 0:
            pytest.skip("mounting a file needs root")
    yield name, real
    if request.param == "mount":
        subprocess.run(["umount", "--lazy", name], check=True)


def test_accounts_are_changed_in_the_file_to_which_their_name_leads(reached: tuple[Path, Path]) -> None:
    name, real = reached
    assert main(["--file", str(name), "classes", "anna", "2B"]) == 0
    assert load_accounts(real).classes_of("anna") == {"2B"}
    assert name.samefile(real)
    assert sorted(file.name for folder in (name.parent, real.parent) for file in folder.iterdir()) == [
        "accounts.json",
        "accounts.json",
    ]


def test_a_change_that_was_stopped_while_the_file_was_being_overwritten_is_finished_at_the_next_look(
    reached: tuple[Path, Path],
) -> None:
    name, real = reached
    target = name.resolve()
    save_accounts(some("boris"), finished_of(target))
    target.write_bytes(target.read_bytes()[:40])
    assert set(load_accounts(name).hashes) == {"boris"}
    assert set(load_accounts(real).hashes) == {"boris"}
    assert not finished_of(target).exists()


def test_a_full_disk_is_said_and_leaves_the_accounts_as_they_were(tmp_path: Path, capsys) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False).returncode != 0:
        pytest.skip("mounting a file system needs root")
    try:
        save_accounts(some(), disk / "accounts.json")
        before = (disk / "accounts.json").read_bytes()
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        assert main(["--file", str(disk / "accounts.json"), "classes", "anna", "2B"]) == 1
        assert "were not changed" in capsys.readouterr().err
        assert (disk / "accounts.json").read_bytes() == before
        assert {file.name for file in disk.iterdir()} == {"accounts.json", "filler"}
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.parametrize("content", [
    b"correct horse\r\n", b"correct horse\n", b"correct horse", b"\xef\xbb\xbfcorrect horse\r\n",
    "\ufeffcorrect horse\r\n".encode("utf-16-le"), "\ufeffcorrect horse\n".encode("utf-16-be"),
    "\ufeffcorrect horse".encode("utf-16-le"), b"correct horse\r\nanother line\r\n",
])  # fmt: skip
def test_a_password_from_a_file_of_any_system_logs_in(content: bytes, tmp_path: Path) -> None:
    """The command itself, fed as ``< password.txt`` does it."""
    file = tmp_path / "accounts.json"
    password = read_password(io.TextIOWrapper(io.BytesIO(content), newline="\n"))
    save_accounts(slowly_with_account(Accounts({}), "anna", password), file)
    assert load_accounts(file).verify("anna", PASSWORD)
    assert not load_accounts(file).verify("anna", PASSWORD + " ")


def test_the_command_takes_a_password_file_of_windows(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    command = [sys.executable, "-m", "analytics.access.accounts", "--file", file, "add", "anna"]
    subprocess.run(command, cwd=ROOT, input=b"\xef\xbb\xbfcorrect horse\r\n", check=True, capture_output=True)
    accounts_module.COST = 2**16  # as the command hashes
    assert load_accounts(file).verify("anna", PASSWORD)


def test_a_password_in_another_encoding_is_refused_in_a_sentence(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("верный конь\r\n".encode("cp1251"))))
    assert main(["--file", str(tmp_path / "accounts.json"), "add", "anna"]) == 1
    assert "UTF-8" in capsys.readouterr().err
    assert not (tmp_path / "accounts.json").exists()


@given(st.text(min_size=10, max_size=60), st.sampled_from(["", "\n", "\r\n"]), st.booleans())
def test_a_password_is_trimmed_alike_wherever_it_comes_from(password: str, line_end: str, mark: bool) -> None:
    accounts_module.COST = 2
    if accounts_module.without_line_end(password) != password or len(password) > 200:
        return
    try:
        password.encode()
    except UnicodeEncodeError:
        return
    accounts = slowly_with_account(Accounts({}), "anna", "\ufeff" * mark + password + line_end)
    assert accounts.verify("anna", password)
    assert accounts.verify("anna", password + line_end)


def test_an_accounts_file_with_a_mark_or_with_ends_of_lines_of_windows_is_read(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    save_accounts(some(), file)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert load_accounts(file).verify("anna", PASSWORD)
    assert load_accounts(file.read_text()).verify("anna", PASSWORD), "the environment may hold the same"


def test_the_secret_is_made_where_a_link_leads_and_a_mark_before_it_is_no_part_of_it(tmp_path: Path) -> None:
    volume, app = tmp_path / "volume", tmp_path / "app"
    volume.mkdir()
    app.mkdir()
    (app / "secret").symlink_to(volume / "secret")
    made = load_secret(None, app / "secret")
    assert (app / "secret").is_symlink()
    (volume / "secret").write_bytes(b"\xef\xbb\xbf" + made + b"\r\n")
    assert load_secret(None, app / "secret") == made


def test_a_secret_behind_a_link_to_a_disk_that_is_not_mounted_is_not_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secret").symlink_to(tmp_path / "usb" / "secret")
    with pytest.raises(StoreError, match="mount its disk"):
        load_secret(None, tmp_path / "secret")
    with pytest.raises(AccountsError, match="mount its disk"):
        load_accounts(tmp_path / "secret")


def test_a_file_is_written_whole_or_not_at_all_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "text.json"
    write_whole(file, json.dumps({"a": 1}))
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "half a pair \ud800")
    assert json.loads(file.read_text()) == {"a": 1}
    assert list(file.parent.iterdir()) == [file]
