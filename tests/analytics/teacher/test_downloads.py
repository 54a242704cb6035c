"""Copies of exports while they are fetched: a name for people, a folder that nobody can guess, and bounded room."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from analytics.teacher import downloads
from analytics.teacher.context import TeacherContext
from analytics.words.user_errors import UserError
from tests.analytics.examples import make_lesson
from tests.analytics.teacher.test_export import full_disk


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "memory"))
    return downloads.downloads_folder()


def make_file(folder: Path, size: int) -> Path:
    file = folder / "export.json"
    file.write_bytes(b"x" * size)
    return file


def test_a_copy_has_a_readable_name_in_a_folder_that_nobody_can_guess(tmp_path: Path, folder: Path) -> None:
    file = make_file(tmp_path, 3)
    copies = [downloads.hand_out(file, "lesson.json", "anna") for _ in range(2)]
    for copy in copies:
        assert copy.read_bytes() == b"xxx"
        assert copy.name == "lesson.json"
        assert copy.parent.parent == folder
        assert re.fullmatch("[0-9a-f]{32}-[0-9a-f]{16}", copy.parent.name)
        assert copy.parent.stat().st_mode & 0o077 == 0
    assert copies[0] != copies[1]


def test_a_copy_is_for_the_teacher_for_whom_it_was_made(tmp_path: Path, folder: Path) -> None:
    copy = str(downloads.hand_out(make_file(tmp_path, 3), "lesson.json", "anna"))
    other = str(downloads.hand_out(make_file(tmp_path, 3), "lesson.json", "boris"))
    assert downloads.may_fetch(copy, "anna")
    assert downloads.may_fetch(other, "boris")
    for teacher in ("boris", "", "ann", "Anna"):
        assert not downloads.may_fetch(copy, teacher)
    assert not downloads.may_fetch(f"{copy}/../../{other}", "anna"), "one's own beside it is no way round"
    assert downloads.may_fetch("/teacher/gradio_api/file=/tmp/picture.png", "")


def test_the_oldest_copies_make_room(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever exports again and again does not fill the memory in which the copies lie."""
    monkeypatch.setattr(downloads, "MOST_BYTES", 100)
    file = make_file(tmp_path, 40)
    copies = []
    for age in (30, 20, 10):
        copies.append(downloads.hand_out(file, "lesson.json", "anna"))
        began = copies[-1].stat().st_mtime - age
        os.utime(copies[-1].parent, (began, began))
    assert [copy.exists() for copy in copies] == [False, True, True]
    copies[1].unlink()  # as Gradio does after two minutes
    downloads.hand_out(file, "lesson.json", "anna")
    assert len(list(folder.iterdir())) == 2, "no empty folder is left"


def test_all_copies_are_taken_away(tmp_path: Path, folder: Path) -> None:
    for name in ("a.json", "b.json"):
        downloads.hand_out(make_file(tmp_path, 3), name, "anna")
    downloads.remove_downloads()
    assert list(folder.iterdir()) == []


def test_a_name_tells_when_what_and_who() -> None:
    lesson = make_lesson(title="Loops: the robot", class_name="2B")
    assert downloads.download_name(lesson, ".json", "en", "UTC") == "lesson-2026-03-02-0900-Loops-the-robot-2B.json"
    name = downloads.download_name(lesson, ".csv.zip", "ru", "Asia/Vladivostok")
    assert name == "урок-2026-03-02-1900-Loops-the-robot-2B.csv.zip"


@given(title=st.text(max_size=130), class_name=st.text(min_size=1, max_size=130))
@example(title="../../etc/passwd", class_name="..")
@example(title="щ" * 120, class_name="🦊" * 120)
@example(title="𝐀" * 40, class_name="𝐀" * 40)
@example(title='CON<>:"|?*', class_name="\u202etxt.exe")
def test_any_title_makes_a_name_that_every_system_takes(title: str, class_name: str) -> None:
    title, class_name = (text.encode("utf-8", "replace").decode().replace("\0", "") for text in (title, class_name))
    name = downloads.download_name(make_lesson(title=title, class_name=class_name or "x"), ".csv.zip", "ru", "UTC")
    assert re.fullmatch(r"[\w-]+\.csv\.zip", name)
    assert len(name.encode()) <= 255


def test_a_copy_without_room_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    file = make_file(tmp_path, 200)
    with full_disk(), pytest.raises(OSError, match="too large"):
        downloads.hand_out(file, "lesson.json", "anna")
    assert list(folder.iterdir()) == []


def test_an_export_without_room_is_told_in_a_sentence(lesson_store: LessonStore) -> None:
    lesson = lesson_store.lessons()[0]
    context = TeacherContext(lesson_store, LessonRecorder(lesson_store, b"s" * 32), lambda _request: "en", "1", None)
    with full_disk(), pytest.raises(UserError, match="could not be written"):
        context.export(lesson, "json", "teacher", "en")
    assert context.export(lesson, "json", "teacher", "en").stat().st_size > 100
