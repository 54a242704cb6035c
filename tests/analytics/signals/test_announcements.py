"""What a program that polls learns of signals: every one once, in the order in which it became known, however late."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.signals import announcements
from analytics.signals.announcements import STRENGTH_STEP, Announcement, Journal, SignalJournals
from analytics.signals.lesson_signals import lesson_signals
from analytics.signals.support import Signal
from analytics.simulation.child import PROFILES, STRUGGLING, StateSpan, simulate_child
from analytics.simulation.person import typical_person
from analytics.simulation.sample import observations_of
from analytics.store.clock import LessonClock
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, Event, Lesson, Observation

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LESSON = Lesson("lesson", "code", "Loops", "2B", START, 45.0)


def signal(name: str, raised: float = 0, end: float | None = None, strength: float = 0.5) -> Signal:
    finish = None if end is None else START + timedelta(seconds=end)
    at = START + timedelta(seconds=raised)
    return Signal(name, "lesson", "fox", "away", at, at, finish, strength, "away", {}, "teacher")


signals = st.builds(
    signal,
    st.sampled_from("abcdef"),
    st.integers(0, 3),
    st.one_of(st.none(), st.integers(1, 3)),
    st.sampled_from([0.1, 0.2, 0.5, 0.9]),
)
states = st.lists(signals, max_size=5, unique_by=lambda one: one.id)


class Poller:
    """A program that keeps what it was told, and checks that every piece of news is news."""

    def __init__(self) -> None:
        self.cursor, self.known = "", dict[str, Signal]()

    def poll(self, journal: Journal) -> None:
        told, self.cursor = journal.since(self.cursor)
        for one in told:
            self.hear(one)

    def hear(self, one: Announcement) -> None:
        assert (one.signal.id in self.known) == (one.change != "raised"), "raised comes once, and first"
        if one.change == "withdrawn":
            del self.known[one.signal.id]
        else:
            assert one.change != "ended" or one.signal.end
            self.known[one.signal.id] = one.signal


@given(st.lists(st.tuples(states, st.sets(st.integers(0, 2))), max_size=12))
def test_whoever_polls_whenever_knows_every_signal_and_hears_of_none_twice(
    course: list[tuple[list[Signal], set[int]]],
) -> None:
    """Whatever the signals become from look to look: late frames may raise, end, change and take back any of them."""
    journal, pollers = Journal(), [Poller(), Poller(), Poller()]
    now: list[Signal] = []
    for now, polled in course:
        journal.update(now, START)
        for number in polled:
            pollers[number].poll(journal)
    for poller in [*pollers, Poller()]:
        poller.poll(journal)
        assert poller.known.keys() == {one.id for one in now}
        for one in now:
            heard = poller.known[one.id]
            assert replace(heard, strength=one.strength) == one
            assert abs(heard.strength - one.strength) < STRENGTH_STEP
        told, cursor = journal.since(poller.cursor)
        assert (told, cursor) == ([], poller.cursor), "nothing comes twice"


def test_a_cursor_of_another_journal_stands_before_everything() -> None:
    """That of an earlier start of the app, say: rather told twice under the same id than never."""
    before, after = Journal(), Journal()
    before.update([signal("a"), signal("b")], START)
    after.update([signal("a")], START)
    told, cursor = after.since(before.since("")[1])
    assert [(one.change, one.signal.id) for one in told] == [("raised", "a")]
    assert after.since(cursor)[0] == []
    assert [one.signal.id for one in after.since("01700000000000000-0123456789abcdef")[0]] == ["a"]


class At(LessonClock):
    """A clock that stands where the test puts it."""

    second = 0.0

    def now(self, lesson: Lesson) -> datetime:
        return START + timedelta(seconds=self.second)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> At:
    monkeypatch.setattr(announcements, "LEAST_SECONDS", 0.0)
    return At()


@pytest.fixture
def store(tmp_path: Path, clock: At) -> Iterator[LessonStore]:
    with LessonStore(tmp_path / "lessons.duckdb", clock) as opened:
        opened.add_lesson(LESSON)
        for child in ("fox", "owl"):
            opened.put_child(Child(child, "2B", child))
        yield opened


def frames(child: str, span: StateSpan, seconds: int = 300) -> list[Observation]:
    rng = np.random.default_rng(1)
    simulated = simulate_child(rng, PROFILES[0], [span], seconds, typical_person())
    return list(observations_of(simulated, "lesson", child, START))


def second_of(row: Observation) -> float:
    return (row.at - START).total_seconds()


def test_frames_that_come_late_reach_the_poller_though_their_signal_lies_behind_its_cursor(
    store: LessonStore, clock: At
) -> None:
    """The owl leaves at 100 s; the fox struggled from 60 s on, but its frames come at 250 s."""
    journals = SignalJournals(store)
    away, late = frames("owl", StateSpan("away", 100, 180)), frames("fox", StateSpan(STRUGGLING, 60, 150))
    store.add_observations([row for row in away if second_of(row) < 240])
    clock.second = 240
    first, cursor = journals.since(LESSON, "")
    assert {one.signal.child for one in first} == {"owl"}
    store.add_observations([row for row in late if second_of(row) < 240])
    store.add_event(Event("e", "lesson", "fox", START + timedelta(seconds=60), "task_failed", "task 4"))
    clock.second = 250
    second, after = journals.since(LESSON, cursor)
    raised = [one.signal for one in second if one.signal.child == "fox"]
    assert raised
    assert min(one.raised for one in raised) < max(one.signal.raised for one in first), "behind the cursor of before"
    assert journals.since(LESSON, after)[0] == []


def test_an_end_is_announced_and_a_child_alone_hears_of_itself(store: LessonStore, clock: At) -> None:
    journals, rows = SignalJournals(store), frames("owl", StateSpan("away", 100, 180))
    heard = []
    cursor = own = ""
    for second in range(10, 300, 10):
        store.add_observations([row for row in rows if second - 10 <= second_of(row) < second])
        clock.second = second
        told, cursor = journals.since(LESSON, cursor)
        alone, own = journals.since(LESSON, own, "owl")
        heard += [(one.change, one.signal.kind) for one in told if one.signal.kind == "away"]
        assert [one.signal.id for one in alone] == [one.signal.id for one in told]
        assert journals.since(LESSON, "", "fox") == ([], "")
    assert heard[0] == ("raised", "away")
    assert heard[-1] == ("ended", "away")
    assert set(heard[1:-1]) <= {("changed", "away")}, "its strength grew meanwhile"


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_whatever_comes_late_the_poller_ends_up_with_the_signals_of_the_lesson(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, random
) -> None:
    monkeypatch.setattr(announcements, "LEAST_SECONDS", 0.0)
    clock = At()
    with LessonStore(tmp_path_factory.mktemp("late") / "lessons.duckdb", clock) as store:
        store.add_lesson(LESSON)
        for child in ("fox", "owl"):
            store.put_child(Child(child, "2B", child))
        rows = frames("owl", StateSpan("away", 100, 180)) + frames("fox", StateSpan(STRUGGLING, 60, 150))
        coming = [(second_of(row) + random.choice((0.0, 1.0, 40.0, 90.0)), row) for row in rows]
        journals, poller = SignalJournals(store), Poller()
        for second in range(20, 420, 20):
            store.add_observations([row for at, row in coming if second - 20 <= at < second])
            clock.second = second
            told, poller.cursor = journals.since(LESSON, poller.cursor)
            for one in told:
                poller.hear(one)
        assert {one.id for one in lesson_signals(store, LESSON, clock.now(LESSON))} == poller.known.keys()


def test_of_a_child_that_was_erased_nothing_is_told_any_more(store: LessonStore, clock: At) -> None:
    journals = SignalJournals(store)
    store.add_observations(frames("owl", StateSpan("away", 100, 180)))
    clock.second = 300
    assert journals.since(LESSON, "")[0]
    store.erase_child("owl", "test")
    assert journals.since(LESSON, "")[0] == []
    clock.second = 310
    assert journals.since(LESSON, "")[0] == []
