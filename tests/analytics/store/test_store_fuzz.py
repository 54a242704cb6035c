"""Ten thousand calls of the store with whatever a hostile or broken client could send: each is stored whole or
refused.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, Consent, Correction, Event, Lesson, Observation
from tests.analytics.examples import START, make_child, make_lesson

TEXTS = st.sampled_from(
    ["", "lesson-1", "c" * 20, "' OR 1=1 --", "x" * 3000, "\0", "\ud800", "лиса", "note"]
) | st.text(st.characters(), max_size=30)
TIMES = st.sampled_from([START, START + timedelta(seconds=5)]) | st.datetimes(
    min_value=datetime.min,
    max_value=datetime.max,
    timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=14))]),
)
NUMBERS = st.floats() | st.integers(-10, 10) | st.sampled_from([1e308, -0.0, 2.0**63])
PROBABILITIES = (
    st.none()
    | st.lists(NUMBERS, max_size=9).map(tuple)
    | st.lists(st.floats(0.01, 1), min_size=8, max_size=8).map(lambda raw: tuple(value / sum(raw) for value in raw))
)
CALLS: dict[str, st.SearchStrategy[Callable[[], Any]]] = {
    "add_observations": st.builds(
        lambda *values: lambda: [Observation(*values)], TEXTS, TEXTS, TEXTS, TIMES, PROBABILITIES, NUMBERS | st.none(),
        st.integers(-5, 300), TEXTS, TEXTS,
    ),
    "add_event": st.builds(
        lambda *values: lambda: Event(*values), TEXTS, TEXTS, TEXTS | st.none(), TIMES, TEXTS, TEXTS
    ),
    "add_correction": st.builds(
        lambda *values: lambda: Correction(*values), TEXTS, TEXTS, TEXTS, TIMES, TIMES, TEXTS, TEXTS, TIMES
    ),
    "add_lesson": st.builds(
        lambda *values: lambda: Lesson(*values),
        TEXTS, TEXTS, TEXTS, TEXTS, TIMES, NUMBERS, TIMES | st.none(), st.booleans(),
    ),
    "put_child": st.builds(
        lambda pseudonym, name, animal, *consent: lambda: Child(pseudonym, name, animal, Consent(*consent)),
        TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TIMES, TIMES, TIMES | st.none(),
    ),
    "find_lesson": TEXTS.map(lambda text: lambda: text),
    "find_child": TEXTS.map(lambda text: lambda: text),
    "observations": TEXTS.map(lambda text: lambda: text),
    "children": TEXTS.map(lambda text: lambda: text),
}  # fmt: skip


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> LessonStore:
    store = LessonStore(tmp_path_factory.mktemp("fuzz") / "lessons.duckdb")
    store.add_lesson(make_lesson())
    store.put_child(make_child())
    return store


def count(store: LessonStore) -> int:
    tables = ("lesson", "child", "observation", "event", "correction")
    return int(store.query("SELECT " + " + ".join(f"(SELECT count(*) FROM {table})" for table in tables)).iloc[0, 0])


def call_and_judge(store: LessonStore, name: str, make: Callable[[], Any]) -> None:
    before = count(store)
    try:
        getattr(store, name)(make())
    except ValueError:
        assert count(store) == before
        return
    assert count(store) - before in (0, 1)


CALL = st.sampled_from(sorted(CALLS)).flatmap(lambda name: st.tuples(st.just(name), CALLS[name]))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(call=CALL)
def test_any_call_is_stored_whole_or_refused_with_a_reason(
    fuzzed: LessonStore, call: tuple[str, Callable[[], Any]]
) -> None:
    call_and_judge(fuzzed, *call)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(call=CALL)
def test_ten_thousand_calls_are_stored_whole_or_refused(
    fuzzed: LessonStore, call: tuple[str, Callable[[], Any]]
) -> None:
    call_and_judge(fuzzed, *call)


@pytest.mark.slow
def test_after_the_fuzzing_the_file_opens_and_reads_to_its_end(fuzzed: LessonStore) -> None:
    path = Path(fuzzed.path)
    rows = count(fuzzed)
    fuzzed.close()
    with LessonStore(path) as store:
        store.database.verify()
        assert count(store) == rows
        for lesson in store.lessons():
            assert math.isfinite(lesson.planned_minutes)
            store.observations(lesson.id)
            store.events(lesson.id)
            store.corrections(lesson.id)
