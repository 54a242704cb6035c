"""Erasing step by step: what cannot be done at once stays due, is said, and is done later."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.store import upkeep
from analytics.store.copies import backups_folder, log_of
from analytics.store.database import VERSION_TABLE, schema_parts
from analytics.store.housekeeping import Housekeeper
from analytics.store.hub_backup import HubBackup
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError, utc_now
from analytics.store.recovery import open_store, restore
from tests.analytics.examples import START, make_child, make_lesson, make_observation
from tests.analytics.store.hub_dataset import DATASET, hub_dataset
from tests.analytics.store.killed_process import BEAR, FOX, nowhere


@pytest.fixture
def class_store(store: LessonStore) -> LessonStore:
    fill(store)
    return store


def fill(store: LessonStore) -> None:
    store.add_lesson(make_lesson(ended_at=START + timedelta(hours=1)))
    for child, animal in ((FOX, "fox"), (BEAR, "bear")):
        store.put_child(make_child(child, animal))
        store.add_observations([make_observation(second, child) for second in range(50)])


def plans(store: LessonStore) -> list[Path]:
    return sorted(store.path.parent.glob("*.erasing-*"))


def tick(store: LessonStore) -> None:
    Housekeeper(store, 100_000).tick()


def finished(store: LessonStore) -> bool:
    """Whether nothing is due any more and the fox is in no file."""
    nowhere(store.path.parent, FOX)
    return not store.unfinished_erasures() and not plans(store)


def test_the_plan_holds_of_the_child_what_it_needs_and_only_until_all_is_done(class_store: LessonStore) -> None:
    copy = class_store.backup()
    whole = copy.read_bytes()
    copy.write_bytes(b"nonsense")
    class_store.erase_child(FOX, "teacher")
    (plan,) = plans(class_store)
    assert plan.stat().st_mode & 0o777 == 0o600
    held = json.loads(plan.read_text())
    assert {key: value for key, value in held.items() if value and key not in ("name", "steps")} == {
        "pseudonym": FOX,
        "class_name": "2B",
        "actor": "teacher",
    }
    copy.write_bytes(whole)
    tick(class_store)
    assert finished(class_store)


def test_a_copy_that_cannot_be_opened_stays_due_until_somebody_acts(
    class_store: LessonStore, caplog: pytest.LogCaptureFixture
) -> None:
    copy = class_store.backup()
    copy.write_bytes(b"made unreadable by another program" * 100)
    removed = class_store.erase_child(FOX, "teacher")
    assert (removed.observations, removed.steps_left) == (50, 1)
    assert class_store.find_child(FOX) is None
    for _ in range(3):
        assert class_store.erase_child(FOX, "teacher").steps_left == 1, "a second erasing says how far it is"
        tick(class_store)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1, "once, not with every try"
    assert str(copy) in said[0]
    assert "delete it" in said[0]
    assert FOX not in said[0]
    copy.unlink()
    tick(class_store)
    assert finished(class_store)
    with pytest.raises(ValueError, match="no erasing that is unfinished"):
        class_store.erase_child(FOX, "teacher")


def test_a_failing_step_keeps_no_other_step_from_being_done(class_store: LessonStore) -> None:
    class_store.backup().write_bytes(b"nonsense")
    good = class_store.backup()
    exports = upkeep.exports_folder(class_store.path)
    exports.mkdir()
    (exports / "lesson.csv").write_text(FOX)
    assert class_store.erase_child(FOX, "teacher").steps_left == 1
    assert FOX.encode() not in good.read_bytes()
    assert FOX.encode() not in class_store.path.read_bytes()
    assert not list(exports.iterdir())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB, as a folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a file system needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("room", [0, 4096, 8192, 16_384, 100_000, 300_000, 800_000, 1_000_000, 1_600_000])
def test_on_a_full_disk_nothing_is_begun_or_the_rest_stays_due_until_there_is_room(disk: Path, room: int) -> None:
    """With more and more room the disk is full at a later step each time."""
    with LessonStore(disk / "lessons.duckdb") as store:
        fill(store)
        store.backup()
        exports = upkeep.exports_folder(store.path)
        exports.mkdir()
        (exports / "lesson.csv").write_text(FOX)
        filler = disk / "filler"
        filler.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - room)))
        with suppress(OSError), filler.open("ab", buffering=0) as file:
            while room == 0:
                file.write(bytes(512))
        if room == 0:
            with pytest.raises(StoreError, match="free some space"):
                store.erase_child(FOX, "teacher")
            assert not store.unfinished_erasures()
            assert len(store.observations("lesson-1", FOX)) == 50, "nothing was deleted"
        else:
            left = store.erase_child(FOX, "teacher").steps_left
            assert left == sum(len(plan.steps) for plan in store.unfinished_erasures())
        with suppress(StoreError):  # where not even a plan can be written
            tick(store)
        filler.unlink()
        if room == 0:
            assert store.erase_child(FOX, "teacher").steps_left == 0
        tick(store)
        assert finished(store)
        assert len(store.observations("lesson-1", BEAR)) == 50
    nowhere(disk, FOX)


def test_a_backup_that_is_made_while_the_rows_are_still_due_is_reached_too(
    class_store: LessonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StoreError("no room left for the commit")

    with monkeypatch.context() as patch:
        patch.setattr(upkeep, "delete_child", broken)
        assert class_store.erase_child(FOX, "teacher").steps_left > 0
    assert class_store.find_child(FOX) is not None
    class_store.backup()
    upkeep.exports_folder(class_store.path).mkdir()
    (upkeep.exports_folder(class_store.path) / "late.csv").write_text(FOX)
    tick(class_store)
    assert finished(class_store)


def test_a_backup_of_an_earlier_version_is_erased_from_and_keeps_its_rights(class_store: LessonStore) -> None:
    old = backups_folder(class_store.path) / "lessons-old.backup.duckdb"
    old.parent.mkdir()
    with duckdb.connect(str(old)) as connection:
        connection.execute(VERSION_TABLE)
        connection.execute(schema_parts()[0])  # which knows no corrections yet
        connection.execute("INSERT INTO schema_version VALUES (1, now())")
        connection.execute("INSERT INTO child VALUES (1, ?, '2B', 'fox', NULL, NULL, NULL, NULL, NULL)", [FOX])
    old.chmod(0o600)
    assert class_store.erase_child(FOX, "teacher").steps_left == 0
    assert finished(class_store)
    assert old.stat().st_mode & 0o777 == 0o600


def test_files_that_were_kept_aside_or_left_half_made_are_reached_too(class_store: LessonStore) -> None:
    folder = class_store.path.parent
    copy = class_store.backup()
    kept = folder / "lessons.before-restore-20260302T100000Z.duckdb"
    replaced = folder / "lessons.duckdb.replaced-20260302T100000000000Z"
    for name in (kept, replaced):
        shutil.copyfile(copy, name)
    hub = folder / "hub-copy-abc"
    hub.mkdir()
    earlier = folder / "tmpabc123"
    earlier.mkdir()
    strangers = folder / "tmpmine"
    strangers.mkdir()
    (strangers / "thesis.txt").write_text("not ours")
    for file in (
        copy.with_name(copy.name + ".partial"),
        copy.with_suffix(".rewriting"),
        folder / "lessons.duckdb.rewriting",
        folder / "lessons.duckdb.rewriting.wal",
        hub / copy.name,
        earlier / (copy.name + ".partial"),
    ):
        file.write_text(FOX)
    assert class_store.erase_child(FOX, "teacher").steps_left == 0
    assert finished(class_store)
    assert {kept, replaced} <= set(folder.iterdir()), "the others in them stay"
    assert (strangers / "thesis.txt").read_text() == "not ours"


def test_a_restore_before_the_end_brings_no_child_back(class_store: LessonStore, tmp_path: Path) -> None:
    elsewhere = shutil.copyfile(class_store.backup(), tmp_path / "carried away")
    class_store.backup().write_bytes(b"nonsense")
    assert class_store.erase_child(FOX, "teacher").steps_left == 1
    class_store.close()
    restore(elsewhere, class_store.path)
    elsewhere.unlink()
    with open_store(class_store.path) as store:
        assert store.find_child(FOX) is None
        tick(store)
        (plan,) = store.unfinished_erasures()
        assert len(plan.steps) == 1
    copies = backups_folder(class_store.path).iterdir()
    next(file for file in copies if file.read_bytes() == b"nonsense").unlink()
    with open_store(class_store.path) as store:
        tick(store)
        assert finished(store)


def test_a_child_that_is_enrolled_again_before_the_end_can_be_erased_again(class_store: LessonStore) -> None:
    bad = class_store.backup()
    bad.write_bytes(b"nonsense")
    class_store.erase_child(FOX, "teacher")
    class_store.put_child(make_child(FOX, "fox"))
    class_store.add_observations([make_observation(60, FOX)])
    tick(class_store)
    assert len(class_store.observations("lesson-1", FOX)) == 1, "what came after the erasing stays"
    class_store.backup()
    assert class_store.erase_child(FOX, "teacher").observations == 1
    bad.unlink()
    tick(class_store)
    assert finished(class_store)


def test_the_copy_on_the_hub_is_a_step_that_ends_with_an_upload_begun_after_the_rows_were_gone(
    class_store: LessonStore,
) -> None:
    with hub_dataset() as hub:
        uploads = HubBackup(DATASET, hub.url).upload
        keeper = Housekeeper(class_store, 100_000, uploads)
        keeper.tick()
        assert class_store.erase_child(FOX, "teacher").steps_left == 1
        hub.private = False  # nothing may be uploaded there
        with pytest.raises(StoreError, match="not private"):
            keeper.tick()
        assert [plan.steps for plan in class_store.unfinished_erasures()] == [("hub",)]
        hub.private = True
        keeper.tick()
        assert finished(class_store)
        assert FOX.encode() not in b"".join(b"".join(files.values()) for files in hub.revisions)


def test_a_hub_that_the_app_no_longer_knows_is_said_and_stays_due(
    class_store: LessonStore, caplog: pytest.LogCaptureFixture
) -> None:
    class_store.audit(upkeep.HUB_ACTION, "housekeeping", "copied to a private data set of the Hub from now on")
    assert class_store.erase_child(FOX, "teacher").steps_left == 1
    keeper = Housekeeper(class_store, 100_000)
    keeper.tick()
    keeper.tick()
    assert caplog.text.count("EMOTION_BACKUP_DATASET") == 1
    assert str(plans(class_store)[0]) in caplog.text


def test_a_plan_that_somebody_damaged_is_said_and_keeps_no_other_from_being_done(
    class_store: LessonStore, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = class_store.path.with_name(class_store.path.name + ".erasing-0000.json")
    damaged.write_text("{")
    assert class_store.erase_child(FOX, "teacher").steps_left == 0
    tick(class_store)
    assert str(damaged) in caplog.text
    damaged.unlink()
    assert finished(class_store)


def test_an_erasing_waits_for_a_backup_that_has_begun(class_store: LessonStore) -> None:
    with class_store.copying:
        thread = threading.Thread(target=class_store.erase_child, args=(FOX, "teacher"))
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
        assert class_store.find_child(FOX) is not None
    thread.join(60)
    assert class_store.find_child(FOX) is None


def test_files_dated_in_the_future_are_erased_too(class_store: LessonStore) -> None:
    exports = upkeep.exports_folder(class_store.path)
    exports.mkdir()
    (exports / "lesson.csv").write_text(FOX)
    later = (utc_now() + timedelta(days=400)).timestamp()
    os.utime(exports / "lesson.csv", (later, later))
    class_store.erase_child(FOX, "teacher")
    assert finished(class_store)


def test_retention_whose_copies_cannot_be_deleted_goes_on_later(class_store: LessonStore) -> None:
    copy = class_store.backup()
    upkeep.exports_folder(class_store.path).symlink_to(class_store.path.parent / "a disk that is not mounted")
    old = (START + timedelta(hours=1)).timestamp()
    os.utime(copy, (old, old))
    keeper = Housekeeper(class_store, retention_days=1)
    keeper.tick()
    assert class_store.lessons() == []
    assert not copy.exists()
    assert class_store.erasing.unfinished()[0].steps == ("exports",)
    upkeep.exports_folder(class_store.path).unlink()
    keeper.tick()
    assert not class_store.erasing.unfinished()


def test_retention_reaches_files_that_were_kept_aside(class_store: LessonStore) -> None:
    kept = class_store.path.with_name("lessons.before-restore-20260302T100000Z.duckdb")
    young = class_store.path.with_name("lessons.before-restore-20260302T100001Z.duckdb")
    for file in (kept, young):
        shutil.copyfile(class_store.backup(), file)
    old = (START + timedelta(hours=1)).timestamp()
    os.utime(kept, (old, old))
    Housekeeper(class_store, retention_days=30).tick()
    assert not kept.exists()
    assert young.exists()


def test_a_retention_that_finds_nothing_leaves_the_file_as_it_is(class_store: LessonStore) -> None:
    before = class_store.path.stat().st_ino
    Housekeeper(class_store, retention_days=100_000).delete_expired()
    assert class_store.path.stat().st_ino == before
    assert not plans(class_store)


def test_a_copy_with_a_log_of_its_own_is_erased_from_and_a_log_alone_is_deleted(class_store: LessonStore) -> None:
    folder = class_store.path.parent
    kept = folder / "lessons.before-restore-20260302T100000Z.duckdb"
    class_store.put_child(make_child("ca7" * 6, "cat"))
    shutil.copyfile(class_store.path, kept)  # as a crash leaves them: the children are in the log alone
    shutil.copyfile(log_of(class_store.path), log_of(kept))
    orphan = folder / "lessons.before-restore-20260302T100001Z.duckdb.wal"
    shutil.copyfile(log_of(kept), orphan)
    assert FOX.encode() in log_of(kept).read_bytes()
    assert class_store.erase_child(FOX, "teacher").steps_left == 0
    assert finished(class_store)
    assert not orphan.exists()
    with LessonStore(kept) as store:
        assert {child.animal for child in store.children("2B")} == {"bear", "cat"}


def test_retention_deletes_the_log_of_a_kept_file_with_it(class_store: LessonStore) -> None:
    kept = class_store.path.with_name("lessons.before-restore-20260302T100000Z.duckdb")
    old = (START + timedelta(hours=1)).timestamp()
    for file in (kept, log_of(kept)):
        shutil.copyfile(class_store.path, file)
        os.utime(file, (old, old))
    Housekeeper(class_store, retention_days=30).tick()
    assert not kept.exists()
    assert not log_of(kept).exists()
