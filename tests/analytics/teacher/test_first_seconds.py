"""A lesson's first seconds, and what nobody foresaw: every view answers, or says one sentence of ours."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
import pytest

from analytics.classroom.animals import ANIMALS
from analytics.store.lesson_store import LessonStore
from analytics.teacher import class_view
from analytics.words.texts import LANGUAGES, say
from emotion.labels import Prediction
from tests.analytics.teacher.page import Page

HAPPY = Prediction((0.01, 0.01, 0.01, 0.01, 0.01, 0.93, 0.01, 0.01), 0.9, "test")
LIBRARY_TEXT = "Must have equal len keys and value when setting with an ndarray"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with LessonStore(tmp_path_factory.mktemp("page") / "lessons.duckdb") as store:
        yield Page(store)


VIEWS: dict[str, Callable[[Page, str, str], Any]] = {
    "now": lambda page, lesson, _: page.run("tabs.now", "refresh", "now", lesson, "UTC", ""),
    "mood": lambda page, lesson, _: page.run("tabs.now", "refresh_mood", "now", lesson, "UTC"),
    "child": lambda page, lesson, child: page.run("tabs.child", "refresh", "child", lesson, child, "UTC", ""),
    "compared": lambda page, lesson, child: page.run("tabs.child", "compare", "child", lesson, child),
    "child's table": lambda page, lesson, child: page.run("tabs.child", "show_table", lesson, child, "UTC"),
    "lesson": lambda page, lesson, _: page.run("tabs.lesson", "refresh", "lesson", lesson, "UTC"),
    "trends": lambda page, lesson, child: page.run("tabs.trends", "refresh", "trends", lesson, child, "valence", "UTC"),
    "report": lambda page, lesson, child: page.run("tabs.report", "refresh", "report", lesson, child, "UTC"),
    "class": lambda page, lesson, _: page.run("tabs.classes", "refresh", "class", lesson, "", "UTC"),
    "timeline": lambda page, lesson, child: page.call("timeline", lesson, child, "ru"),
    "class_board": lambda page, lesson, _: page.call("class_board", lesson),
    "lesson_summary": lambda page, lesson, _: page.call("lesson_summary", lesson, "ru"),
    "signals": lambda page, lesson, _: page.call("signals", lesson, ""),
    "export_lesson": lambda page, lesson, _: page.call("export_lesson", lesson, "csv"),
}


@pytest.mark.parametrize("frames", ["none", "without a face", "with a face", "an event alone"])
def test_every_view_of_a_lesson_that_has_just_begun_answers(page: Page, frames: str) -> None:
    lesson = page.recorder.start_lesson("Loops", frames, 45)
    codes = [page.recorder.enrol(frames, "parent", "1") for _ in range(2)]
    if frames == "an event alone":
        page.recorder.log_event(lesson.id, "task_started", "Maze")
    elif frames != "none":
        seen = HAPPY if frames == "with a face" else None
        assert page.recorder.record(lesson.id, codes[0][0], None, seen, 1, "test", None).recorded
    for name, view in VIEWS.items():
        assert view(page, lesson.id, codes[0][1].pseudonym) is not None, name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", ["now", "class_board", "export_lesson"])
def test_what_nobody_foresaw_is_one_sentence_for_the_teacher_and_a_trace_in_the_log(
    page: Page, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, language: str, view: str
) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise KeyError(LIBRARY_TEXT) if view == "now" else ValueError(LIBRARY_TEXT)

    monkeypatch.setattr(page, "language", language)
    for reading in ("observations", "observations_by_child"):
        monkeypatch.setattr(class_view.ClassView, reading, breaks)
    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as caught:
        VIEWS[view](page, "sample", "")
    assert caught.value.message == say(language, "error_unexpected")
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.exc_info is not None
    assert LIBRARY_TEXT in str(record.exc_info[1])


def test_more_children_than_animals_are_refused_before_one_is_enrolled(page: Page) -> None:
    page.recorder.enrol("3A", "parent", "1")
    with pytest.raises(gr.Error) as caught:
        page.run("tabs.classes", "enrol_class", "3A", len(ANIMALS), "parent", 365, True, "UTC", "")
    assert f"{len(ANIMALS) - 1}" in caught.value.message
    assert len(page.store.children("3A")) == 1, "codes that nobody was shown would be lost"
    for _ in range(len(ANIMALS) - 1):
        page.recorder.enrol("3A", "parent", "1")
    with pytest.raises(gr.Error, match="animals"):
        page.call("set_consent", "", "3A", True, "parent", 30.0)


@pytest.mark.parametrize("typed", ["Lo\0ops", "Lo\ud800ops"])
def test_text_that_no_database_can_hold_is_named(page: Page, typed: str) -> None:
    with pytest.raises(gr.Error, match="can't be stored"):
        page.call("start_lesson", typed, "2B", 45.0)
    with pytest.raises(gr.Error, match="can't be stored"):
        page.call("set_consent", "", typed, True, "parent", 30.0)
    lesson = page.recorder.start_lesson("Loops", "2B", 45)
    child = page.recorder.enrol("2B", "parent", "1")[1].pseudonym
    at = lesson.started_at.isoformat()
    with pytest.raises(gr.Error, match="can't be stored"):
        page.call("annotate", lesson.id, child, at, at, "happy", typed)
