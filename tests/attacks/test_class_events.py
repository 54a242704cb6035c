"""Who knows a lesson's code, which stands on the board, writes into everybody's timeline, or floods one child's."""

import time
from pathlib import Path

import httpx
import pytest

from analytics.store.lesson_store import LessonStore
from emotion.station.frame_intake import EVENTS_BURST, EVENTS_PER_SECOND
from tests.attack_target import Target
from tests.class_in_lesson import class_in_lesson, stranger
from tests.running_app import prepare_lesson, running_app

pytestmark = pytest.mark.slow
TEXT = "x" * 500


def log_event(client: httpx.Client, *data: object) -> str:
    joined = client.post("/gradio_api/call/log_event", json={"data": [*data, *[None] * (6 - len(data))]})
    assert joined.status_code == 200, joined.text
    return client.get(f"/gradio_api/call/log_event/{joined.json()['event_id']}").text


def test_with_the_lesson_s_code_alone_nobody_speaks_of_the_whole_class(target: Target) -> None:
    """2,496 free texts in 39 seconds, with the code that stands on the board."""
    lesson = target.lesson.code
    with class_in_lesson(target), stranger(target) as visitor:
        for typed in (lesson, lesson.upper(), f" {lesson}", f"{lesson[:3]}-{lesson[3:]}", f"{lesson}\u200b"):
            for child in (None, "", *([[], {}, 0] if typed == lesson else [])):
                answer = log_event(visitor, typed, "note", TEXT, child)
                assert '"recorded": true' not in answer, (typed, child)
        assert "lesson's id" in log_event(visitor, lesson, "note", TEXT), "it is said what to do"
    with stranger(target) as visitor:
        assert "учителя" in russian(visitor, lesson)


def russian(visitor: httpx.Client, lesson: str) -> str:
    visitor.headers["Accept-Language"] = "ru"
    return log_event(visitor, lesson, "note", TEXT).encode().decode("unicode_escape")


def test_a_teacher_s_program_speaks_of_the_whole_class_with_the_lesson_s_id(target: Target) -> None:
    with stranger(target) as program:
        assert '"recorded": true' in log_event(program, target.lesson.id, "task_started", "4")


def test_one_child_s_events_are_limited_and_its_neighbours_are_not(target: Target) -> None:
    lesson, code = target.lesson.code, target.codes[3]
    with class_in_lesson(target), stranger(target) as visitor:
        began = time.monotonic()
        answers = [log_event(visitor, lesson, "note", TEXT, spelled) for spelled in (code, code.upper()) * 60]
        most = EVENTS_BURST + EVENTS_PER_SECOND * (time.monotonic() - began) + 1
        assert sum('"recorded": true' in answer for answer in answers) <= most
        assert any("events a minute" in answer for answer in answers)
        assert '"recorded": true' in log_event(visitor, lesson, "hint", "", target.codes[4])


def test_where_nobody_has_an_account_this_computer_speaks_for_the_class_and_no_other(tmp_path: Path) -> None:
    lesson = prepare_lesson(tmp_path).lesson
    with running_app(tmp_path) as app, httpx.Client(base_url=app.url, timeout=60) as program:
        assert '"recorded": true' in log_event(program, lesson.code, "break", "Window open")
        program.headers["X-Forwarded-For"] = "192.0.2.7"
        assert "lesson's id" in log_event(program, lesson.code, "break", "Window open")
    with LessonStore(tmp_path / "lessons.duckdb") as store:
        assert len(store.events(lesson.id)) == 1
