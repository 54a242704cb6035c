"""One code, one tablet: the first keeps the seat, the second is asked, and the teacher is told."""

from datetime import UTC, datetime

import pytest

from analytics.classroom.recorder import LessonRecorder
from analytics.classroom.seats import HELD, TOLD, Seats
from analytics.store.lesson_store import LessonStore
from analytics.teacher.context import TeacherContext
from analytics.teacher.tabs.now import now_html
from analytics.words.texts import LANGUAGES, say
from emotion.labels import Prediction
from tests.analytics.examples import HAPPY


class Passed:
    """Seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def passed() -> Passed:
    return Passed()


@pytest.fixture
def seats(passed: Passed) -> Seats:
    return Seats(passed)


def test_the_second_tablet_waits_until_it_takes_over_and_the_first_then_waits(seats: Seats) -> None:
    assert seats.claim("lesson", "fox", "one")
    assert not seats.claim("lesson", "fox", "two")
    assert seats.claim("lesson", "fox", "one")
    assert seats.claim("lesson", "fox", "two", take=True)
    assert not seats.claim("lesson", "fox", "one")
    assert seats.claim("lesson", "fox", "two")
    assert seats.claim("lesson", "bear", "one"), "of another child"
    assert seats.claim("other lesson", "fox", "one")


def test_a_seat_is_free_after_a_while_without_frames(seats: Seats, passed: Passed) -> None:
    seats.claim("lesson", "fox", "one")
    passed.now += HELD
    assert not seats.claim("lesson", "fox", "two")
    passed.now += 0.1
    assert seats.claim("lesson", "fox", "two"), "what was refused did not hold it"
    assert not seats.claim("lesson", "fox", "one")


def test_the_teacher_is_told_for_a_minute(seats: Seats, passed: Passed) -> None:
    seats.claim("lesson", "fox", "one")
    assert seats.contested("lesson") == set()
    seats.claim("lesson", "fox", "two")
    assert seats.contested("lesson") == {"fox"}
    assert seats.contested("other lesson") == set()
    passed.now += TOLD
    assert seats.contested("lesson") == {"fox"}
    passed.now += 0.1
    assert seats.contested("lesson") == set()


def test_a_program_is_never_turned_away_yet_told_of_beside_a_tablet(seats: Seats) -> None:
    assert seats.claim("lesson", "fox", "")
    assert seats.claim("lesson", "fox", "")
    assert seats.contested("lesson") == set()
    assert seats.claim("lesson", "fox", "one"), "a tablet goes before a program"
    assert seats.contested("lesson") == {"fox"}
    assert seats.claim("lesson", "fox", "")
    assert not seats.claim("lesson", "fox", "two")


def test_only_one_of_two_tablets_is_recorded_and_the_page_names_the_child(store: LessonStore) -> None:
    recorder = LessonRecorder(store, b"s" * 32)
    lesson = recorder.start_lesson("Loops", "2B", 45)
    code, child = recorder.enrol("2B", "parent", "1", child_code="fox-4k7p")
    teacher = recorder.with_store(store)
    for tablet, recorded in (("one", True), ("two", False), ("one", True)):
        outcome = recorder.admit(lesson.code, code.upper(), datetime.now(UTC), tablet)
        assert (outcome.recorded, outcome.reason) == (recorded, None if recorded else "other_tablet")
    assert recorder.record(lesson.code, code, None, Prediction(HAPPY, 0.9, "m"), 1, "station", None).recorded
    assert teacher.contested(lesson) == {child.pseudonym}
    for language in LANGUAGES:
        context = TeacherContext(store, teacher, lambda _request: "en", "1", None)
        html = now_html(context, lesson, language, "UTC")
        assert say(language, "two_tablets", names=say(language, "animal_fox")) in html
    ended = recorder.end_lesson(lesson.id)
    assert say("en", "two_tablets", names="Fox") not in now_html(context, ended, "en", "UTC")


def test_a_wrong_code_takes_no_seat(store: LessonStore) -> None:
    recorder = LessonRecorder(store, b"s" * 32)
    lesson = recorder.start_lesson("Loops", "2B", 45)
    assert recorder.admit(lesson.code, "fox-2222", None, "one").reason == "unknown_child"
    assert recorder.contested(lesson) == set()
