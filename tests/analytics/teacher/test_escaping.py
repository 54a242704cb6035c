"""Script in every text that a person can type: no block, tab, report or endpoint of the teacher page runs it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from analytics.classroom.recorder import LessonRecorder
from analytics.insight.feedback import Feedback, store_feedback
from analytics.signals.support import KINDS, Signal
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, Correction, Event
from analytics.teacher.context import TeacherContext
from analytics.teacher.page import build_teacher
from analytics.teacher.tabs.about import about_html
from analytics.teacher.tabs.classes import codes_html
from tests.analytics.examples import START, make_child, make_lesson, make_observation
from tests.analytics.teacher.page_handlers import handlers

EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">\'"&{{ 7 * 7 }}'
CLASS = f"2B {EVIL}"
CHILD = "c" * 20
END = START + timedelta(seconds=90)
EVENTS = ("task_started", "task_failed", "task_solved", "hint", "note", "break")
VIEWS = [
    ("page", "choose", "lesson-1", None),
    ("tabs.now", "refresh", "now", "lesson-1", "UTC", ""),
    ("tabs.now", "refresh_mood", "now", "lesson-1", "UTC"),
    ("tabs.child", "refresh", "child", "lesson-1", CHILD, "UTC", ""),
    ("tabs.child", "compare", "child", "lesson-1", CHILD),
    ("tabs.child", "show_table", "lesson-1", CHILD, "UTC"),
    ("tabs.lesson", "refresh", "lesson", "lesson-1", "UTC"),
    ("tabs.trends", "refresh", "trends", "lesson-1", CHILD, "valence", "UTC"),
    ("tabs.report", "refresh", "report", "lesson-1", "", "UTC"),
    ("tabs.report", "refresh", "report", "lesson-1", CHILD, "UTC"),
    ("tabs.classes", "refresh", "class", "lesson-1", "", "UTC"),
    ("tabs.about", "refresh", "about", "lesson-1"),
    ("endpoints", "timeline", "lesson-1", CHILD, ""),
]


class Tags(HTMLParser):
    """Names of tags and attributes, and the text, of a piece of HTML and of documents inside it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.text = ""
        self.feed(str(html))  # as Markup it would escape what is added to it
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names |= {tag, *(name for name, _ in attributes)}
        for name, value in attributes:
            if name == "srcdoc":
                assert str(value).rstrip().endswith("</html>"), "the whole document lies in the attribute"
                inner = Tags(str(value))
                self.names |= inner.names
                self.text += inner.text

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_harmless(html: str) -> None:
    assert "<script" not in html
    tags = Tags(html)
    assert not tags.names & {"script", "img"}
    assert [name for name in tags.names if name.startswith("on")] == []
    assert "&lt;" not in tags.text, "nothing is escaped twice"


def texts_in(answer: Any) -> Iterator[str]:
    """What a handler hands to the page as HTML: texts, and the words of charts, in which Plotly reads HTML."""
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, go.Figure):
        yield from texts_in(json.loads(answer.to_json()))
    elif isinstance(answer, dict | list | tuple):
        for part in answer.values() if isinstance(answer, dict) else answer:
            yield from texts_in(part)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LessonStore]:
    """A lesson in which everything that can be typed, by a teacher or by a program, is `EVIL`."""
    with LessonStore(tmp_path_factory.mktemp("escaping") / "lessons.duckdb") as opened:
        opened.add_lesson(make_lesson(title=EVIL, class_name=CLASS, teacher=EVIL))
        opened.put_child(make_child(CHILD, class_name=CLASS))
        opened.put_child(Child("d" * 20, CLASS, EVIL))
        frames = [make_observation(second, child) for second in range(90) for child in (CHILD, "d" * 20)]
        opened.add_observations([replace(frame, model=EVIL, source=EVIL) for frame in frames])
        for kind in EVENTS:
            for child in (None, CHILD):
                opened.add_event(Event(f"{kind}{child}", "lesson-1", child, START, kind, EVIL))
        store_feedback(opened, "lesson-1", CHILD, Feedback("tired", "seen", EVIL), START)
        for label in ("sad", ""):
            end = START + timedelta(seconds=9)
            opened.add_correction(Correction(f"c{label}", "lesson-1", CHILD, START, end, label, EVIL, END))
        yield opened


def signals_of_every_kind() -> list[Signal]:
    """Their reasons name the task as a program called it."""
    evidence = {"task": EVIL, "failures": 2, "seconds": 20, "percent": 60, "usual_percent": 20}
    reasons = ("struggling_after_failure", "delighted_after_success")
    return [
        Signal(f"{kind}{EVIL}", "lesson-1", child, kind, START, START, end, 0.8, reason, evidence, "hint")
        for kind in KINDS
        for reason in reasons
        for child in (CHILD, "d" * 20)
        for end in (None, END)
    ]


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("ended", [False, True])
def test_what_people_typed_stays_text(store: LessonStore, monkeypatch, language: str, ended: bool) -> None:
    if ended:
        store.end_lesson("lesson-1", END)
    monkeypatch.setattr(TeacherContext, "signals", lambda _self, _lesson: signals_of_every_kind())
    run = handlers(build_teacher(store, LessonRecorder(store, b"s" * 32), lambda _request: language))
    texts = [text for view in VIEWS for text in texts_in(run(*view))]
    for text in texts:
        assert_harmless(text)
    assert sum("&lt;script&gt;" in text for text in texts) >= len(VIEWS), "the texts are shown"


def test_codes_and_the_files_of_a_model_stay_text(store: LessonStore, tmp_path: Path) -> None:
    assert_harmless(codes_html([(EVIL, EVIL)], EVIL, "en", "https://school.example/teacher/"))
    (tmp_path / "config.json").write_text(json.dumps({"architecture": EVIL, "version": EVIL, "input_size": EVIL}))
    context = TeacherContext(store, LessonRecorder(store, b"s" * 32), lambda _request: "en", "1", tmp_path)
    html = about_html(context, "en")
    assert_harmless(html)
    assert html.count("&lt;script&gt;") >= 3


def test_endpoints_answer_what_was_typed_as_it_is(store: LessonStore) -> None:
    run = handlers(build_teacher(store, LessonRecorder(store, b"s" * 32), lambda _request: "en"))
    assert run("endpoints", "list_lessons", CLASS)[0]["title"] == EVIL, "JSON is no HTML: programs get the text itself"
