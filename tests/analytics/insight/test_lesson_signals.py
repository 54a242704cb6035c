"""A lesson's signals, followed while it runs: the same as those of the whole lesson, whatever comes late or goes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from analytics.signals.baseline import class_series
from analytics.signals.lesson_signals import lesson_signals
from analytics.signals.support import Signal, class_signals
from analytics.signals.tracking import ChildTracker
from analytics.simulation.child import DISTRESSED, PROFILES, STRUGGLING, StateSpan, simulate_child
from analytics.simulation.person import typical_person
from analytics.simulation.sample import observations_of
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, Event, Lesson, Observation

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECONDS = 600
SPANS = {
    "fox": [StateSpan(STRUGGLING, 200, 300), StateSpan("away", 400, 450)],
    "owl": [StateSpan(DISTRESSED, 350, 450)],
}
LESSON = Lesson("lesson", "code", "Loops", "2B", START, 45.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LessonStore]:
    """A lesson of two children that sends nothing yet."""
    with LessonStore(tmp_path / "lessons.duckdb") as opened:
        opened.add_lesson(LESSON)
        for child in SPANS:
            opened.put_child(Child(child, "2B", child))
        yield opened


def frames() -> list[Observation]:
    rng = np.random.default_rng(1)
    return [
        row
        for child, spans in SPANS.items()
        for row in observations_of(
            simulate_child(rng, PROFILES[0], spans, SECONDS, typical_person()), "lesson", child, START
        )
    ]


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def of_the_whole(store: LessonStore) -> list[Signal]:
    return class_signals(dict(class_series(store.observations("lesson"))), store.events("lesson"), "lesson", {})


def test_signals_followed_live_are_those_of_the_whole_lesson_though_frames_and_events_come_late(
    store: LessonStore,
) -> None:
    rng = np.random.default_rng(2)
    delays = rng.exponential(1.0, 2 * SECONDS) + np.where(rng.random(2 * SECONDS) < 0.02, 30.0, 0.0)
    arriving = sorted(zip(frames(), delays, strict=False), key=lambda one: one[0].at.timestamp() + one[1])
    for second in range(5, SECONDS + 60, 5):
        here = [row for row, delay in arriving if at(second - 5) <= row.at + timedelta(seconds=delay) < at(second)]
        store.add_observations(here)
        if second == 260:
            store.add_event(Event("late", "lesson", "fox", at(195), "task_failed", "task 4"))
        lesson_signals(store, LESSON, at(second))
    followed = lesson_signals(store, LESSON, at(SECONDS + 60))
    assert followed == of_the_whole(store)
    assert {signal.kind for signal in followed} >= {"struggling", "distressed", "away"}


def test_of_a_child_that_was_erased_no_signal_is_left(store: LessonStore) -> None:
    store.add_observations(frames())
    assert {signal.child for signal in lesson_signals(store, LESSON, at(500))} == {"fox", "owl"}
    store.erase_child("owl", "test")
    assert {signal.child for signal in lesson_signals(store, LESSON, at(510))} == {"fox"}


def test_a_further_frame_is_taken_without_those_before_it(store: LessonStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """All frames of the lesson were read and worked out again every four seconds: 70 ms after half an hour."""
    store.add_observations(frames())
    lesson_signals(store, LESSON, at(500))
    taken: list[int] = []
    add = ChildTracker.add

    def counted(self: ChildTracker, series, tasks) -> None:
        taken.append(len(series.frame_times))
        add(self, series, tasks)

    monkeypatch.setattr(ChildTracker, "add", counted)
    lesson_signals(store, LESSON, at(505))
    assert 0 < sum(taken) <= 2 * 2 * 12
