"""What events a lesson takes, and from whom: of the whole class from a teacher, and of each child so many."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from emotion.serving.health import Metrics
from emotion.serving.rate_limits import TokenBuckets
from emotion.station.frame_intake import EVENTS_BURST, FrameIntake
from emotion.station.observing import DETAIL_CHARACTERS, Observer, RefusedError


class Lesson:
    """A lesson with three children, in a store of its own; no frame is looked at."""

    def __init__(self, store: LessonStore) -> None:
        self.store = store
        recorder = LessonRecorder(store, b"s" * 32)
        self.lesson = recorder.start_lesson("Robots", "2B", 45)
        self.codes = [recorder.enrol("2B", "parent", "1")[0] for _ in range(3)]
        self.intake = FrameIntake(Observer(None, recorder), Metrics())  # type: ignore[arg-type]

    def say(self, lesson: str, child: str | None = None, language: str = "en", **more: Any) -> dict[str, object]:
        """An event that a station or a program tells."""
        told = {"kind": "note", "detail": "x", "at": None, "id": None, "client": "192.0.2.1"} | more
        return asyncio.run(self.intake.log_event(lesson=lesson, child=child, language=language, **told))


@pytest.fixture
def lesson(tmp_path: Path) -> Any:
    with LessonStore(tmp_path / "lessons.duckdb") as store:
        yield Lesson(store)


@pytest.mark.parametrize(("language", "words"), [("en", "lesson's id"), ("ru", "id урока")])
def test_the_code_on_the_board_speaks_of_no_class(lesson: Lesson, language: str, words: str) -> None:
    for typed in (lesson.lesson.code, lesson.lesson.code.upper(), f" {lesson.lesson.code}\u200b"):
        with pytest.raises(RefusedError, match=words) as refused:
            lesson.say(typed, None, language)
        assert (refused.value.reason, refused.value.status) == ("class_event", 403)
    assert lesson.store.events(lesson.lesson.id) == []


def test_the_lesson_s_id_and_a_teacher_do(lesson: Lesson) -> None:
    assert lesson.say(lesson.lesson.id)["recorded"]
    assert lesson.say(lesson.lesson.code, of_teacher=True)["recorded"]
    assert [event.child for event in lesson.store.events(lesson.lesson.id)] == [None, None]


def test_the_events_of_one_child_are_limited_in_every_spelling_and_its_neighbours_are_not(lesson: Lesson) -> None:
    code, neighbour, _ = lesson.codes
    for number in range(int(EVENTS_BURST)):
        assert lesson.say(lesson.lesson.code, (code, code.upper(), code.replace("-", " "))[number % 3])["recorded"]
    with pytest.raises(RefusedError, match="of one child") as refused:
        lesson.say(lesson.lesson.id, f" {code}.")
    assert (refused.value.reason, refused.value.status, refused.value.retry_after > 0) == ("busy", 429, True)
    assert lesson.say(lesson.lesson.code, neighbour)["recorded"]


@pytest.mark.parametrize(("language", "words"), [("en", "of all children"), ("ru", "от всех детей")])
def test_the_events_of_a_lesson_are_limited_too(lesson: Lesson, language: str, words: str) -> None:
    lesson.intake.events_of_lessons = TokenBuckets(0.001, 2)
    assert lesson.say(lesson.lesson.code, lesson.codes[0])["recorded"]
    assert lesson.say(lesson.lesson.id)["recorded"]
    with pytest.raises(RefusedError, match=words):
        lesson.say(lesson.lesson.code, lesson.codes[1], language)


def test_a_text_that_is_too_long_costs_nothing_and_is_not_kept(lesson: Lesson) -> None:
    for _ in range(2 * int(EVENTS_BURST)):
        with pytest.raises(RefusedError, match=str(DETAIL_CHARACTERS)):
            lesson.say(lesson.lesson.code, lesson.codes[0], detail="x" * (DETAIL_CHARACTERS + 1))
    assert lesson.say(lesson.lesson.code, lesson.codes[0])["recorded"]
