"""Texts of events come from programs: whatever they say, no view of the teacher page fails."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from analytics.classroom.recorder import LessonRecorder
from analytics.insight.feedback import FEEDBACK, Feedback, parse_feedback, store_feedback
from analytics.signals.support import KINDS
from analytics.store.lesson_store import LessonStore
from analytics.store.records import EVENT_KINDS, Event
from analytics.teacher.page import build_teacher
from analytics.words.sentences import event_text
from tests.analytics.examples import START, make_child, make_lesson, make_observation
from tests.analytics.teacher.page_handlers import handlers
from tests.analytics.teacher.test_escaping import VIEWS

CHILD = "c" * 20
ENDPOINTS = [
    ("endpoints", "class_board", "lesson-1"),
    ("endpoints", "lesson_summary", "lesson-1", ""),
    ("endpoints", "signals", "lesson-1", ""),
]
# Words that stand for something inside the program, in all orders: a detail must never become a key.
WORDS = st.sampled_from(
    (*KINDS, *FEEDBACK, *EVENT_KINDS, "signal", "foo", "", "task", "task 4", "{detail}", "{0}", "%s", "x", "\n", "²")
)
DETAILS = st.lists(WORDS, max_size=5).map("/".join) | st.text(
    st.characters(min_codepoint=1, exclude_categories=("Cs",)), max_size=30
)


def test_a_note_with_an_unknown_kind_of_signal_is_an_ordinary_note() -> None:
    assert parse_feedback("signal/foo/seen/x") is None
    assert event_text("en", "note", "signal/foo/seen/x") == "note: signal/foo/seen/x"


def test_a_feedback_to_an_unknown_kind_of_signal_is_refused(store: LessonStore) -> None:
    with pytest.raises(ValueError, match="foo"):
        store_feedback(store, "lesson-1", CHILD, Feedback("foo", "seen", "x"), START)


@given(
    kind=st.sampled_from((*EVENT_KINDS, "robot_crashed", "saw_a_cat")),
    detail=DETAILS,
    language=st.sampled_from(("en", "ru")),
)
def test_every_event_has_words(kind: str, detail: str, language: str) -> None:
    assert isinstance(event_text(language, kind, detail), str)


@given(kind=st.sampled_from(KINDS), answer=st.sampled_from(FEEDBACK), signal=st.text(max_size=30))
def test_a_feedback_is_read_as_it_was_stored(kind: str, answer: str, signal: str) -> None:
    assert parse_feedback(f"signal/{kind}/{answer}/{signal}") == Feedback(kind, answer, signal)


Page = tuple[LessonStore, Callable[..., Any]]


@pytest.fixture(scope="module", params=["en", "ru"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A lesson of a child that looks away and comes back, and the handlers of its teacher's page."""
    with LessonStore(tmp_path_factory.mktemp("events") / "lessons.duckdb") as opened:
        opened.add_lesson(make_lesson())
        opened.put_child(make_child())
        opened.add_observations([make_observation(float(second)) for second in range(90)])
        yield opened, handlers(build_teacher(opened, LessonRecorder(opened, b"s" * 32), lambda _request: request.param))


# A few lessons with many events each: drawing every view takes seconds, and shrinking would take minutes.
@settings(max_examples=3, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    events=st.lists(
        st.tuples(
            st.sampled_from((*EVENT_KINDS, "robot_crashed", "saw_a_cat")), DETAILS, st.booleans(), st.integers(0, 90)
        ),
        min_size=40,
        max_size=60,
    )
)
@example(events=[("note", "signal/foo/seen/x", False, 1), ("note", "signal/foo/seen/x", True, 1)])
def test_no_view_fails_whatever_programs_report(page: Page, events: list[tuple[str, str, bool, int]]) -> None:
    store, run = page
    for kind, detail, of_class, second in events:
        at = START + timedelta(seconds=second)
        store.add_event(Event(uuid4().hex, "lesson-1", None if of_class else CHILD, at, kind, detail))
    for view in (*VIEWS, *ENDPOINTS):
        run(*view)


def test_a_break_that_reads_like_a_feedback_stays_among_the_moments(lesson_store: LessonStore) -> None:
    event = Event("e-1", "lesson-1", CHILD, START, "break", "signal/tired/seen/x")
    lesson_store.add_event(event)
    lesson_store.add_event(replace(event, id="e-2", kind="note"))
    run = handlers(build_teacher(lesson_store, LessonRecorder(lesson_store, b"s" * 32), lambda _request: "en"))
    moments = run("endpoints", "lesson_summary", "lesson-1", "")["moments"]
    assert [moment["words"] for moment in moments if moment["kind"] == "note"] == ["Fox: break signal/tired/seen/x"]
