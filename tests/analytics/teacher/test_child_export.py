"""What is held about one child, for its parents: all of it, of no other child, and nothing of it stays behind."""

import base64
import json
from pathlib import Path

import pytest

from analytics.classroom.recorder import LessonRecorder
from analytics.store.calibrations import Calibration, CalibrationFrame
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Correction, Event
from analytics.store.upkeep import exports_folder
from analytics.teacher.child_export import COLUMNS, write_child
from analytics.teacher.context import TeacherContext
from analytics.teacher.downloads import downloads_folder, remove_downloads
from analytics.words.user_errors import UserError
from tests.analytics.examples import START, make_child, make_lesson, make_observation

OURS, OTHER = "c" * 20, "d" * 20
FEATURES = bytes(range(256)) * 16


@pytest.fixture
def filled(store: LessonStore) -> LessonStore:
    for place in (1, 2, 3):
        store.add_lesson(make_lesson(f"lesson-{place}", f"code{place}"))
    store.put_child(make_child())
    store.put_child(make_child(OTHER, "owl"))
    store.add_observations([make_observation(0), make_observation(1.5, probabilities=None)])
    store.add_observations(
        [make_observation(2, lesson="lesson-2"), make_observation(3, child=OTHER, lesson="lesson-3")]
    )
    store.add_event(Event("e-1", "lesson-1", None, START, "note", "for all"))
    store.add_event(Event("e-2", "lesson-1", OURS, START, "hint", "«стрелка»"))
    store.add_event(Event("e-3", "lesson-1", OTHER, START, "hint", "of another"))
    store.add_correction(Correction("k-1", "lesson-2", OURS, START, START, "sad", "", START))
    for child in (OURS, OTHER):
        frame = CalibrationFrame(f"f-{child}", 0, "happy", START, "network", FEATURES)
        store.calibrations.add_frame(child, frame, 5, 10)
    layer = Calibration(START, "network", 1, ("happy", "neutral"), 0.5, 0.75, 0.1, 0.2, True, True, b"layer")
    store.calibrations.put(OURS, layer)
    return store


@pytest.fixture
def document(filled: LessonStore, tmp_path: Path) -> dict[str, list[dict]]:
    child = filled.find_child(OURS)
    assert child is not None
    write_child(filled, child, tmp_path / "child.json", "anna")
    return json.loads((tmp_path / "child.json").read_text(encoding="utf-8"))


def test_it_holds_all_about_the_child(document: dict[str, list[dict]]) -> None:
    assert document["child"][0]["consent_role"] == "parent"
    assert document["child"][0]["calibration_consent_at"] is None
    assert sorted(row["id"] for row in document["lessons"]) == ["lesson-1", "lesson-2"]
    seen = [(row["lesson"], row["happy"]) for row in document["observations"]]
    assert sorted(seen, key=str) == [
        ("lesson-1", pytest.approx(0.7)),
        ("lesson-1", None),
        ("lesson-2", pytest.approx(0.7)),
    ]
    assert {(row["detail"], row["whole_class"]) for row in document["events"]} == {
        ("«стрелка»", False),
        ("for all", True),
    }
    assert [row["label"] for row in document["corrections"]] == ["sad"]
    assert base64.b64decode(document["own_face_frames"][0]["features"]) == FEATURES
    assert base64.b64decode(document["own_face_layer"][0]["head"]) == b"layer"
    assert document["own_face_layer"][0]["after"] == 0.75


def test_nothing_of_another_child_is_in_it(document: dict[str, list[dict]]) -> None:
    text = json.dumps(document)
    for of_another in (OTHER, "owl", "of another", "lesson-3"):
        assert of_another not in text


def test_each_column_is_explained(document: dict[str, list[dict]]) -> None:
    for table, columns in COLUMNS.items():
        assert list(document[table][0]) == list(columns)
        assert set(document["dictionary"][table]) == set(columns)  # type: ignore[call-overload]


def test_a_child_that_was_never_seen_has_one_too(store: LessonStore, tmp_path: Path) -> None:
    store.put_child(make_child())
    child = store.find_child(OURS)
    assert child is not None
    write_child(store, child, tmp_path / "child.json", "anna")
    document = json.loads((tmp_path / "child.json").read_text(encoding="utf-8"))
    assert [len(document[table]) for table in COLUMNS] == [1, 0, 0, 0, 0, 0, 0]


@pytest.fixture
def context(filled: LessonStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TeacherContext:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "memory"))
    return TeacherContext(filled, LessonRecorder(filled, b"s" * 32), lambda _request: "en", "1", None)


def test_it_is_written_down_and_lies_among_the_copies_to_be_fetched_alone(context: TeacherContext) -> None:
    child = context.child("2B", OURS)
    file = context.export_child(child, "api", "ru")
    assert downloads_folder() in file.parents
    assert file.name == "Лиса.json"
    assert not exports_folder(context.store.path).exists()
    assert [(entry.action, entry.detail) for entry in context.store.audit_entries()] == [
        ("export", "2B: fox, all that is held")
    ]
    remove_downloads()
    assert not file.exists()


def test_an_erasing_takes_the_copy_along(context: TeacherContext) -> None:
    child = context.child("2B", OURS)
    file = context.export_child(child, "api", "en")
    context.erase(child, "teacher")
    assert not file.exists()


def test_nothing_is_left_of_a_file_that_could_not_be_written(
    context: TeacherContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    child = context.child("2B", OURS)
    monkeypatch.setattr("analytics.teacher.context.write_child", full)
    with pytest.raises(UserError, match="export again"):
        context.export_child(child, "api", "en")
    assert list(downloads_folder().iterdir()) == []
