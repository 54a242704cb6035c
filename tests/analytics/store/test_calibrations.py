"""What the network was taught of a child's face: kept, changed, erased to the last byte."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from analytics.store.calibrations import Calibration, CalibrationFrame
from analytics.store.housekeeping import Housekeeper
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError, utc_now
from analytics.store.recovery import restore
from tests.analytics.examples import START, make_child, make_lesson

CHILD, OTHER = "c" * 20, "d" * 20
# Bytes that stand nowhere else in a file: what is looked for after erasing.
FEATURES = np.linspace(0.1, 7.7, 2048).astype("<f2").tobytes()
HEAD = np.random.default_rng(0).bytes(66_000)


def frame(id: str = "a", burst: int = 0, label: str = "happy", **changes: object) -> CalibrationFrame:
    return replace(CalibrationFrame(id, burst, label, utc_now(), "network-1 int8", FEATURES), **changes)


def calibration(**changes: object) -> Calibration:
    made = Calibration(utc_now(), "network-1 int8", 15, ("happy", "neutral"), 0.8, 0.95, 0.02, 0.3, True, True, HEAD)
    return replace(made, **changes)


def add(store: LessonStore, made: CalibrationFrame, child: str = CHILD) -> int | None:
    return store.calibrations.add_frame(child, made, 5, 240)


@pytest.fixture
def taught(lesson_store: LessonStore) -> LessonStore:
    for place in range(3):
        add(lesson_store, frame(f"frame-{place}", burst=place))
    lesson_store.calibrations.put(CHILD, calibration())
    return lesson_store


def in_files(folder: Path, content: bytes) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and content in file.read_bytes()]


def test_frames_come_back_as_they_were_put_in_and_a_repeated_one_counts_once(lesson_store: LessonStore) -> None:
    made = frame()
    assert [add(lesson_store, made), add(lesson_store, frame("b")), add(lesson_store, made)] == [1, 2, 2]
    assert add(lesson_store, frame("a", burst=1)) == 1, "of another moment it is another one"
    assert lesson_store.calibrations.frames(CHILD)[0] == made


def test_a_burst_is_of_one_expression_and_no_longer_than_it_may_be(lesson_store: LessonStore) -> None:
    for place in range(5):
        assert add(lesson_store, frame(f"{place}")) == place + 1
    assert add(lesson_store, frame("one too many")) is None
    with pytest.raises(ValueError, match="another expression"):
        add(lesson_store, frame("sad", label="sad"))


def test_a_child_has_no_more_frames_than_it_may_have(lesson_store: LessonStore) -> None:
    for place in range(3):
        assert lesson_store.calibrations.add_frame(CHILD, frame(f"{place}", burst=place), 5, 3)
    assert lesson_store.calibrations.add_frame(CHILD, frame("3", burst=3), 5, 3) is None


@pytest.mark.parametrize("changes", [{"label": "joy"}, {"features": b"short"}])
def test_an_impossible_frame_cannot_be_made(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"unknown|2,048"):
        frame(**changes)


def test_a_layer_replaces_the_one_before_and_is_found_at_once(taught: LessonStore) -> None:
    newer = calibration(after=0.5, adopted=False)
    assert taught.calibrations.find(CHILD) != newer
    taught.calibrations.put(CHILD, newer)
    assert taught.calibrations.find(CHILD) == newer
    assert taught.calibrations.find("nobody") is None


def test_a_burst_can_be_left_out_and_thrown_away(taught: LessonStore) -> None:
    assert taught.calibrations.leave_out(CHILD, 1, True) == 1
    assert [one.left_out for one in taught.calibrations.frames(CHILD)] == [False, True, False]
    assert taught.calibrations.remove_burst(CHILD, 1) == 1
    assert [one.burst for one in taught.calibrations.frames(CHILD)] == [0, 2]


def test_whoever_may_not_see_a_child_gets_and_changes_nothing(taught: LessonStore) -> None:
    blind = taught.calibrations.seen_by(lambda _: None)
    assert blind.frames(CHILD) == []
    assert blind.find(CHILD) is None
    for change in (
        lambda: blind.put(CHILD, calibration()),
        lambda: blind.forget(CHILD),
        lambda: blind.remove_burst(CHILD, 0),
        lambda: blind.leave_out(CHILD, 0, True),
        lambda: blind.add_frame(CHILD, frame("x"), 5, 240),
    ):
        with pytest.raises(ValueError, match="no such child"):
            change()
    assert len(taught.calibrations.frames(CHILD)) == 3


def test_forgetting_leaves_no_byte_in_the_file_and_the_child_stays(taught: LessonStore) -> None:
    taught.backup()
    shutil.rmtree(taught.path.with_name("backups"))
    assert taught.calibrations.forget(CHILD) == 3
    assert taught.find_child(CHILD) is not None
    assert taught.calibrations.frames(CHILD) == []
    assert taught.calibrations.find(CHILD) is None
    taught.close()
    assert in_files(taught.path.parent, FEATURES) == []
    assert in_files(taught.path.parent, HEAD[:500]) == []


def test_erasing_the_child_erases_what_it_taught_in_backups_too(taught: LessonStore) -> None:
    taught.backup()
    assert taught.erase_child(CHILD, "teacher").steps_left == 0
    taught.close()
    assert in_files(taught.path.parent, FEATURES) == []
    assert in_files(taught.path.parent, HEAD[:500]) == []


def test_the_search_for_bytes_finds_them_while_they_are_there(taught: LessonStore) -> None:
    taught.close()
    assert in_files(taught.path.parent, FEATURES)
    assert in_files(taught.path.parent, HEAD[:500])


def test_a_restored_backup_does_not_bring_back_what_was_forgotten(taught: LessonStore, tmp_path: Path) -> None:
    taught.put_child(replace(make_child(), calibration_consent=START))
    copy = Path(shutil.copy(taught.backup(), tmp_path / "usb-stick.duckdb"))
    taught.calibrations.forget(CHILD)
    taught.close()
    shutil.rmtree(taught.path.with_name("backups"))
    restore(copy, taught.path)
    copy.unlink()
    with LessonStore(taught.path) as store:
        assert store.calibrations.frames(CHILD) == []
        assert store.calibrations.find(CHILD) is None
        assert store.find_child(CHILD).calibration_consent is None  # type: ignore[union-attr]
    assert FEATURES not in taught.path.read_bytes()


def test_what_was_taught_after_that_stays(taught: LessonStore, tmp_path: Path) -> None:
    taught.calibrations.forget(CHILD)
    add(taught, frame("later"))
    copy = Path(shutil.copy(taught.backup(), tmp_path / "usb-stick.duckdb"))
    taught.close()
    restore(copy, taught.path)
    with LessonStore(taught.path) as store:
        assert [one.id for one in store.calibrations.frames(CHILD)] == ["later"]


def test_a_forgetting_that_could_not_be_finished_is_finished_by_housekeeping(
    taught: LessonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("no room")

    with monkeypatch.context() as patched:
        patched.setattr("analytics.store.upkeep.rewrite", full)
        with pytest.raises(StoreError):
            taught.calibrations.forget(CHILD)
    assert taught.rewrite_pending
    Housekeeper(taught, 100_000).tick()
    taught.close()
    assert in_files(taught.path.parent, FEATURES) == []


def test_retention_deletes_old_frames_and_keeps_the_layer_as_long_as_the_consent(store: LessonStore) -> None:
    now = utc_now()
    for child, animal, expires in ((CHILD, "fox", now + timedelta(days=9)), (OTHER, "owl", now - timedelta(days=60))):
        made = make_child(child, animal)
        store.put_child(replace(made, consent=replace(made.consent, expires_at=expires)))
        add(store, frame(f"old-{child}", at=now - timedelta(days=40)), child)
        add(store, frame(f"new-{child}", burst=1), child)
        store.calibrations.put(child, calibration(at=now - timedelta(days=40)))
    store.add_lesson(make_lesson())
    store.delete_before(now - timedelta(days=30), "retention")
    assert [one.id for one in store.calibrations.frames(CHILD)] == [f"new-{CHILD}"]
    assert store.calibrations.find(CHILD) is not None
    assert store.find_child(OTHER) is None
    assert store.calibrations.find(OTHER) is None
