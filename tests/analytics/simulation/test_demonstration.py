"""The sample's lesson, played: how far it is follows from the time of day; it tells what the stored sample tells."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from analytics.simulation.demonstration import BEGINNINGS, SPEEDS, Demonstration, DemonstrationClock, speed_of
from analytics.simulation.sample import MINUTES, SAMPLE_CLASS, SAMPLE_ID, STARTED_AT, ensure_sample_lesson
from analytics.store.clock import LessonClock
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson

# Both first copies begin then: 1800 seconds of the lesson are played over and over.
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
FAST, REAL = "demonstration-10-0", "demonstration-1-0"


class Viewer:
    """A demonstration that is looked at ``seconds`` after noon."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.played = Demonstration(lambda: NOON + timedelta(seconds=self.seconds))


@pytest.fixture
def viewer() -> Viewer:
    return Viewer()


def minutes(moment: datetime) -> float:
    """Minutes since the beginning of the lesson."""
    return (moment - STARTED_AT).total_seconds() / 60


def test_it_plays_in_real_time_or_ten_times_faster(viewer: Viewer) -> None:
    viewer.seconds = 60
    assert minutes(viewer.played.time(REAL)) == 1
    assert minutes(viewer.played.time(FAST)) == 10


def test_it_says_that_it_is_synthetic_and_of_the_sample_class(viewer: Viewer) -> None:
    lesson = viewer.played.find(FAST)
    assert lesson is not None
    assert (lesson.synthetic, lesson.class_name, lesson.ended_at) == (True, SAMPLE_CLASS, None)


def test_it_ends_rests_a_while_and_begins_anew(viewer: Viewer) -> None:
    viewer.seconds = MINUTES * 60 / 10
    over = viewer.played.find(FAST)
    assert over is not None
    assert over.ended_at == over.planned_end == viewer.played.time(FAST)
    viewer.seconds = 180 + 2
    again = viewer.played.find(FAST)
    assert again is not None
    assert again.ended_at is None
    assert minutes(viewer.played.time(FAST)) == pytest.approx(1 / 3)


@pytest.mark.parametrize("speed", SPEEDS)
def test_who_asks_at_any_time_gets_one_that_has_just_begun(viewer: Viewer, speed: int) -> None:
    for viewer.seconds in range(0, 4000, 7):
        newest = viewer.played.newest(speed)
        assert speed_of(newest) == speed
        assert minutes(viewer.played.time(newest)) < 2.5


def test_those_who_ask_at_about_the_same_time_look_at_the_same_one(viewer: Viewer) -> None:
    seen = set()
    for viewer.seconds in range(0, 15):
        seen.add(viewer.played.newest(10))
    assert len(seen) == 1
    for viewer.seconds in range(0, 100_000, 11):
        seen |= {viewer.played.newest(speed) for speed in SPEEDS}
    assert len(seen) == 2 * BEGINNINGS, "there are so many, however many look"


@pytest.mark.parametrize(
    "name", ["", "sample", "demonstration", "demonstration-10-12", "demonstration-2-0", f"{FAST} "]
)
def test_no_other_lesson_is_played(viewer: Viewer, name: str) -> None:
    assert speed_of(name) is None
    assert viewer.played.find(name) is None


@pytest.mark.parametrize("seconds", [0, 2, 45, 93, 160])
def test_it_tells_what_the_stored_sample_tells_up_to_its_present_moment(
    viewer: Viewer, tmp_path: Path, seconds: float
) -> None:
    viewer.seconds = seconds
    present = viewer.played.time(FAST)
    with LessonStore(tmp_path / "lessons.duckdb") as store:
        ensure_sample_lesson(store)
        until = present + timedelta(microseconds=1)
        everything = store.observations(SAMPLE_ID)
        stored = everything[everything["at"] < until].reset_index(drop=True)
        played = viewer.played.observations(FAST)
        pd.testing.assert_frame_equal(played, stored, check_exact=False, rtol=1e-6, check_dtype=False)
        assert list(played.columns) == list(stored.columns)
        counted = stored.groupby("child").size().to_dict()
        assert viewer.played.frame_counts(FAST, until + timedelta(hours=1)) == counted
        events = [event for event in store.events(SAMPLE_ID) if event.at <= present]
        assert [(event.id, event.child, event.at) for event in viewer.played.events(FAST)] == [
            (event.id, event.child, event.at) for event in events
        ]


def test_a_child_and_a_span_are_answered_as_by_the_store(viewer: Viewer) -> None:
    viewer.seconds = 100
    start = STARTED_AT + timedelta(minutes=5)
    rows = viewer.played.observations(REAL, "sample-fox", start)
    assert rows.empty, "that is still to come"
    rows = viewer.played.observations(FAST, "sample-fox", start, start + timedelta(minutes=1))
    assert set(rows["child"]) == {"sample-fox"}
    assert 50 < len(rows) <= 60
    assert {event.child for event in viewer.played.events(FAST, "sample-fox")} == {"sample-fox", None}


def test_a_stored_lesson_goes_by_the_stores_own_clock(viewer: Viewer) -> None:
    real = LessonClock(lambda: NOON, lambda: 0.0)
    clock = DemonstrationClock(real, viewer.played)
    lesson = Lesson("a", "a", "Robots", "2B", NOON, 45)
    assert clock() == clock.begin("a") == clock.now(lesson) == NOON
    assert clock.set_since(lesson) == timedelta(0)
    assert clock.in_lesson(lesson, NOON) == NOON
    viewer.seconds = 30
    played = viewer.played.find(FAST)
    assert played is not None
    assert minutes(clock.now(played)) == 5
    assert clock.set_since(played) == timedelta(0)
