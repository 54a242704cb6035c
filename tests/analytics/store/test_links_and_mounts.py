"""A database that is reached through a link, has several names or is mounted by itself stays one file."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.store import backup
from analytics.store.copies import backups_folder
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError
from analytics.store.recovery import open_store, restore
from tests.analytics.examples import make_child, make_lesson, make_observation
from tests.analytics.store.killed_process import BEAR, FOX, nowhere


def fill(database: Path) -> None:
    with LessonStore(database) as store:
        store.add_lesson(make_lesson())
        for child, animal in ((FOX, "fox"), (BEAR, "bear")):
            store.put_child(make_child(child, animal))
            store.add_observations([make_observation(second, child) for second in range(50)])


@pytest.fixture(params=["link", "link to a link", "hard link", "mount"])
def reached(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """(the name by which the database is opened, the file on the volume), the volume in a folder of its own."""
    volume, app = tmp_path / "volume", tmp_path / "app"
    volume.mkdir()
    app.mkdir()
    real, name = volume / "real.duckdb", app / "lessons.duckdb"
    fill(real)
    if request.param == "link":
        name.symlink_to("../volume/real.duckdb")
    elif request.param == "link to a link":
        (app / "second").symlink_to(volume)
        name.symlink_to("second/real.duckdb")
    elif request.param == "hard link":
        name.hardlink_to(real)
    else:
        name.touch()
        if subprocess.run(["mount", "--bind", real, name], capture_output=True, check=False).returncode != 0:
            pytest.skip("mounting a file needs root")
    yield name, real
    if request.param == "mount":
        subprocess.run(["umount", "--lazy", name], check=True)


def children_in(database: Path) -> list[str]:
    with LessonStore(database) as store:
        assert len(store.observations("lesson-1", BEAR)) == 50
        return [child.pseudonym for child in store.children("2B")]


def test_erasing_reaches_the_file_and_the_name_leads_to_it_afterwards(
    reached: tuple[Path, Path], tmp_path: Path
) -> None:
    name, real = reached
    was_link = name.is_symlink()
    with LessonStore(name) as store:
        store.backup()
        assert store.erase_child(FOX, "teacher").steps_left == 0
        nowhere(tmp_path, FOX)
        store.add_observations([make_observation(50 + second, BEAR, identity=str(second)) for second in range(3)])
        assert not store.database.file_is_lost
    assert name.is_symlink() == was_link
    assert name.samefile(real)
    with LessonStore(real) as store:
        assert len(store.observations("lesson-1", BEAR)) == 53, "later rows are in the same file"
    nowhere(tmp_path, FOX)


def test_a_backup_beside_a_link_from_earlier_days_is_erased_from_too(reached: tuple[Path, Path]) -> None:
    name, _ = reached
    earlier = backups_folder(name)
    with LessonStore(name) as store:
        copy = store.backup()
        earlier.mkdir(exist_ok=True)
        old = copy.rename(earlier / copy.name)
        assert store.erase_child(FOX, "teacher").steps_left == 0
    assert FOX.encode() not in old.read_bytes()


def test_a_restore_fills_the_same_file_and_keeps_what_was_there(reached: tuple[Path, Path]) -> None:
    name, real = reached
    with LessonStore(name) as store:
        copy = store.backup()
        store.put_child(make_child("later", "zebra"))
    fill(copy.with_name("again.duckdb"))
    was_link = name.is_symlink()
    kept = restore(copy.with_name("again.duckdb"), name)
    assert name.is_symlink() == was_link
    assert name.samefile(real)
    assert children_in(name) == [BEAR, FOX]
    assert kept is not None
    assert children_in(kept) == [BEAR, FOX, "later"]


def test_a_damaged_file_is_kept_aside_and_the_name_is_used_again(reached: tuple[Path, Path]) -> None:
    name, real = reached
    real.write_bytes(b"nonsense" * 1000)
    was_link = name.is_symlink()
    with open_store(name) as store:
        assert store.lessons() == []
    assert name.is_symlink() == was_link
    assert name.samefile(real)
    (kept,) = [*name.parent.glob("*.damaged-*"), *real.parent.glob("*.damaged-*")]
    assert kept.read_bytes() == b"nonsense" * 1000


def test_a_backup_command_finds_the_app_that_opened_the_file_by_another_name(reached: tuple[Path, Path]) -> None:
    name, _ = reached
    assert backup.create_backup(name).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="another owner needs root")
def test_erasing_and_restoring_leave_owner_and_rights_as_they_were(tmp_path: Path) -> None:
    database = tmp_path / "lessons.duckdb"
    fill(database)
    os.chown(database, 1234, 1234)
    database.chmod(0o600)
    with LessonStore(database) as store:
        copy = store.backup()
        store.erase_child(FOX, "teacher")
    found = database.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (1234, 1234, 0o600)
    restore(copy, database)
    found = database.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (1234, 1234, 0o600)


def test_a_link_to_a_disk_that_is_not_mounted_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    name = tmp_path / "lessons.duckdb"
    name.symlink_to(tmp_path / "usb" / "lessons.duckdb")
    with pytest.raises(StoreError, match="mount its disk"):
        open_store(name)
    assert list(tmp_path.iterdir()) == [name]


def test_links_in_a_circle_are_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(StoreError, match="circle"):
        open_store(tmp_path / "a")


def test_the_folder_of_backups_may_be_a_link_and_what_is_behind_it_is_reached_when_it_can_be(tmp_path: Path) -> None:
    fill(tmp_path / "lessons.duckdb")
    disk = tmp_path / "usb"
    disk.mkdir()
    (tmp_path / "backups").symlink_to(disk)
    with LessonStore(tmp_path / "lessons.duckdb") as store:
        store.backup()
        away = disk.rename(tmp_path / "drawer")
        assert store.erase_child(FOX, "teacher").steps_left == 1
        away.rename(disk)
        assert store.erase_child(FOX, "teacher").steps_left == 0
        nowhere(tmp_path, FOX)
