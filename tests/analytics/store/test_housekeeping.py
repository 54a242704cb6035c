"""What housekeeping does by itself: lessons that nobody ended, and a duty that fails keeps no other waiting."""

import logging
import math
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.store import housekeeping
from analytics.store.housekeeping import Housekeeper
from analytics.store.lesson_store import LessonStore
from analytics.store.records import OVERTIME, StoreError, utc_now
from tests.analytics.examples import START, make_child, make_lesson, make_observation


def test_a_lesson_that_nobody_ended_is_closed_at_its_closing_time(store: LessonStore) -> None:
    long_ago, now = utc_now() - timedelta(hours=3), utc_now()
    store.add_lesson(make_lesson("forgotten", "aaa222", started_at=long_ago))
    store.add_lesson(make_lesson("overtime", "bbb222", started_at=now - timedelta(minutes=50)))
    store.add_lesson(make_lesson("running", "ccc222", started_at=now))
    Housekeeper(store, 30).tick()
    ended = {lesson.id: lesson.ended_at for lesson in store.lessons()}
    assert ended["forgotten"] == long_ago + timedelta(minutes=45) + OVERTIME
    assert ended["overtime"] is None
    assert ended["running"] is None


def test_a_synthetic_lesson_is_ended_by_whoever_makes_it(store: LessonStore) -> None:
    """The sample is of a day long ago: closed while it was made, its board showed nobody."""
    store.add_lesson(replace(make_lesson(started_at=utc_now() - timedelta(days=60)), synthetic=True))
    Housekeeper(store, 365).tick()
    (lesson,) = store.lessons()
    assert lesson.ended_at is None


def test_the_first_round_comes_at_the_start_and_not_after_the_first_wait(
    store: LessonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "TICK", 3600.0)
    store.add_lesson(make_lesson(started_at=utc_now() - timedelta(hours=3)))
    with Housekeeper(store, 30):
        end = time.monotonic() + 30
        while store.lessons()[0].ended_at is None and time.monotonic() < end:
            time.sleep(0.02)
    assert store.lessons()[0].ended_at is not None


@pytest.mark.parametrize("with_rows", [False, True])
def test_retention_covers_the_title_and_the_rows_of_a_lesson_that_was_never_ended(
    store: LessonStore, with_rows: bool
) -> None:
    begun = utc_now() - timedelta(days=90)
    store.put_child(make_child())
    store.add_lesson(make_lesson(title="free text of a teacher", started_at=begun))
    if with_rows:
        store.add_observations([make_observation((begun - START).total_seconds())])
    Housekeeper(store, 30).delete_expired()
    assert store.lessons() == []
    assert b"free text of a teacher" not in store.path.read_bytes()


@pytest.mark.parametrize(("age", "kept"), [(29.9, True), (30.1, False)])
def test_a_lesson_that_was_never_ended_is_kept_as_long_as_any_other(store: LessonStore, age: float, kept: bool) -> None:
    over = utc_now() - timedelta(days=age)
    store.add_lesson(make_lesson(started_at=over - OVERTIME - timedelta(minutes=45)))
    Housekeeper(store, 30).delete_expired()
    assert bool(store.lessons()) == kept


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_lesson_that_there_can_be_has_a_planned_end(minutes: float) -> None:
    try:
        lesson = make_lesson(planned_minutes=minutes)
    except ValueError:
        assert not 0 < minutes <= 366 * 24 * 60 or math.isnan(minutes)
    else:
        assert lesson.planned_end >= lesson.started_at


def test_a_duty_that_fails_keeps_no_other_from_its_turn(
    store: LessonStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise StoreError("the first reason")

    monkeypatch.setattr(store, "rescue_if_lost", broken)
    monkeypatch.setattr(store, "delete_before", broken)
    housekeeping.request_path(store.path).touch()
    store.add_lesson(make_lesson(started_at=utc_now() - timedelta(hours=3)))
    with pytest.raises(StoreError, match="the first reason"), caplog.at_level(logging.ERROR):
        Housekeeper(store, 30).tick()
    assert store.lessons()[0].ended_at is not None
    assert housekeeping.answer_path(store.path).exists()
    assert "the first reason" in caplog.text, "the second failure is told too"


def test_a_fault_of_the_program_does_not_end_housekeeping(
    store: LessonStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rounds: list[int] = []

    def faulty() -> None:
        rounds.append(1)
        raise KeyError("nobody foresaw this")

    monkeypatch.setattr(housekeeping, "AFTER_FAILURE", 0.01)
    monkeypatch.setattr(store, "rescue_if_lost", faulty)
    with Housekeeper(store, 30):
        end = time.monotonic() + 30
        while len(rounds) < 3 and time.monotonic() < end:
            time.sleep(0.02)
    assert len(rounds) >= 3
    assert "nobody foresaw this" in caplog.text
