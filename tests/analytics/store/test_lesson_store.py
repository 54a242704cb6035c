"""What the lesson store promises to its callers, on real DuckDB files."""

import math
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, Consent, Correction, Event, Observation, StoreError
from emotion.labels import KEYS
from tests.analytics.examples import HAPPY, START, make_child, make_lesson, make_observation


def test_a_lesson_is_found_by_its_id_and_by_its_code(store: LessonStore) -> None:
    store.add_lesson(make_lesson())
    assert store.find_lesson("lesson-1") == store.find_lesson("abc234") == make_lesson()
    assert store.find_lesson("other") is None


def test_a_text_that_no_file_can_hold_is_found_nowhere_and_stored_nowhere(store: LessonStore) -> None:
    half = "\ud800"  # half a surrogate pair, as a program may send it
    assert store.find_lesson(half) is None
    assert store.find_child(half) is None
    assert store.observations(half, half).empty
    for call in (lambda: store.end_lesson(half, START), lambda: store.erase_child(half, "teacher")):
        with pytest.raises(ValueError, match="there is no"):
            call()
    with pytest.raises(ValueError, match="Unicode"):
        make_lesson(title=half)


def test_lessons_come_newest_first_and_by_class(store: LessonStore) -> None:
    store.add_lesson(make_lesson("one", "code-1"))
    store.add_lesson(make_lesson("two", "code-2", started_at=START + timedelta(days=1)))
    store.add_lesson(make_lesson("three", "code-3", class_name="5A"))
    assert [lesson.id for lesson in store.lessons()] == ["two", "three", "one"]
    assert [lesson.id for lesson in store.lessons("5A")] == ["three"]


@pytest.mark.parametrize("taken", [make_lesson(code="other-code"), make_lesson("other-id")])
def test_an_id_or_code_that_is_taken_is_refused(store: LessonStore, taken: object) -> None:
    store.add_lesson(make_lesson())
    with pytest.raises(ValueError, match="exists"):
        store.add_lesson(taken)  # type: ignore[arg-type]
    assert len(store.lessons()) == 1


def test_a_lesson_keeps_its_first_end(store: LessonStore) -> None:
    store.add_lesson(make_lesson())
    end = START + timedelta(minutes=40)
    assert store.end_lesson("lesson-1", end).ended_at == end
    assert store.end_lesson("lesson-1", end + timedelta(hours=1)).ended_at == end
    with pytest.raises(ValueError, match="no such lesson"):
        store.end_lesson("nowhere", end)


def test_a_child_is_replaced_by_pseudonym_and_its_animal_is_unique_in_the_class(store: LessonStore) -> None:
    store.put_child(make_child())
    withdrawn = Child("c" * 20, "2B", "fox", Consent("2", "parent", START, START + timedelta(days=2), START))
    store.put_child(withdrawn)
    assert store.find_child("c" * 20) == withdrawn
    with pytest.raises(ValueError, match="another animal"):
        store.put_child(make_child("d" * 20, "fox"))
    store.put_child(make_child("d" * 20, "fox", class_name="5A"))
    assert [child.pseudonym for child in store.children("2B")] == ["c" * 20]


def test_observations_come_back_as_stored_sorted_by_child_and_time(lesson_store: LessonStore) -> None:
    lesson_store.put_child(make_child("a" * 20, "bear"))
    rows = [make_observation(2), make_observation(1, child="a" * 20), make_observation(0)]
    assert lesson_store.add_observations(rows) == 3
    frame = lesson_store.observations("lesson-1")
    assert list(frame.columns) == ["child", "at", *KEYS, "face_quality", "faces_seen", "source", "model"]
    assert frame["child"].tolist() == ["a" * 20, "c" * 20, "c" * 20]
    assert [moment.to_pydatetime() for moment in frame["at"]] == [START + timedelta(seconds=s) for s in (1, 0, 2)]
    assert str(frame["at"].dtype) == "datetime64[us, UTC]"
    np.testing.assert_array_equal(frame[list(KEYS)].to_numpy(), np.tile(np.float32(HAPPY), (3, 1)))
    assert frame["source"].unique().tolist() == ["webcam"]


def test_a_frame_without_a_face_is_stored_as_absence(lesson_store: LessonStore) -> None:
    lesson_store.add_observations([make_observation(0, probabilities=None), make_observation(1)])
    frame = lesson_store.observations("lesson-1")
    assert frame[list(KEYS)].iloc[0].isna().all()
    assert math.isnan(frame["face_quality"].iloc[0])
    assert frame["faces_seen"].tolist() == [0, 1]
    assert frame[list(KEYS)].iloc[1].notna().all()


def test_observations_are_cut_to_a_span(lesson_store: LessonStore) -> None:
    lesson_store.add_observations([make_observation(second) for second in range(10)])
    frame = lesson_store.observations(
        "lesson-1", "c" * 20, since=START + timedelta(seconds=3), until=START + timedelta(seconds=5)
    )
    assert [(moment - START).total_seconds() for moment in frame["at"]] == [3, 4]


def test_several_lessons_of_a_child_come_as_each_of_them_does(lesson_store: LessonStore) -> None:
    lesson_store.put_child(make_child("d" * 20, "bear"))
    for identity in ("lesson-2", "lesson-3"):
        lesson_store.add_lesson(make_lesson(identity, f"code-{identity}"))
    for lesson, child in (("lesson-2", "c"), ("lesson-1", "d"), ("lesson-1", "c")):
        lesson_store.add_observations([make_observation(second, child * 20, lesson) for second in (3, 1, 2)])
    wanted = ["lesson-1", "lesson-2", "lesson-3", "nowhere"]
    together = lesson_store.observations_of("c" * 20, wanted)
    assert list(together) == wanted
    for lesson in wanted:
        pd.testing.assert_frame_equal(together[lesson], lesson_store.observations(lesson, "c" * 20))
    assert all(frame.empty for frame in lesson_store.observations_of("nobody", wanted).values())
    assert lesson_store.observations_of("c" * 20, []) == {}


def test_an_empty_answer_has_the_columns_and_types_of_a_full_one(lesson_store: LessonStore) -> None:
    empty = lesson_store.observations("nowhere")
    lesson_store.add_observations([make_observation()])
    assert empty.empty
    pd.testing.assert_series_equal(empty.dtypes, lesson_store.observations("lesson-1").dtypes)
    assert lesson_store.observations("lesson-1", "nobody").empty


def test_sending_the_same_rows_again_stores_nothing(lesson_store: LessonStore) -> None:
    rows = [make_observation(second) for second in range(5)]
    assert lesson_store.add_observations(rows) == 5
    assert lesson_store.add_observations(rows) == 0
    assert lesson_store.add_observations([*rows, make_observation(9), rows[0]]) == 1
    assert len(lesson_store.observations("lesson-1")) == 6


def test_the_same_id_of_another_child_or_lesson_is_another_observation(lesson_store: LessonStore) -> None:
    lesson_store.put_child(make_child("d" * 20, "bear"))
    lesson_store.add_lesson(make_lesson("lesson-2", "xyz789"))
    for child, lesson in (("c", "lesson-1"), ("d", "lesson-1"), ("c", "lesson-2")):
        assert lesson_store.add_observations([make_observation(child=child * 20, lesson=lesson, identity="same")]) == 1


def test_an_unknown_lesson_or_child_is_refused_and_nothing_is_stored(lesson_store: LessonStore) -> None:
    with pytest.raises(ValueError, match="no such child"):
        lesson_store.add_observations([make_observation(), make_observation(child="nobody")])
    with pytest.raises(ValueError, match="no such lesson"):
        lesson_store.add_observations([make_observation(lesson="nowhere")])
    assert lesson_store.observations("lesson-1").empty


NAN = math.nan


@pytest.mark.parametrize(
    "probabilities",
    [
        (-0.1, 0.1, 0.1, 0.1, 0.1, 0.5, 0.1, 0.1),
        (NAN, *HAPPY[1:]),
        (math.inf, *HAPPY[1:]),
        HAPPY[:7],
        (*HAPPY, 0.0),
        (0.2,) * 8,
        (0.0,) * 8,
        (),
    ],
)
def test_probabilities_that_are_none_are_refused(probabilities: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"probabilit"):
        make_observation(probabilities=probabilities)


@pytest.mark.parametrize("quality", [-0.1, 1.1, NAN])
def test_a_face_quality_outside_of_its_range_is_refused(quality: float) -> None:
    with pytest.raises(ValueError, match="face_quality"):
        Observation("i", "l", "c", START, HAPPY, quality, 1, "webcam", "m")


def test_a_time_without_a_zone_is_refused_and_any_zone_is_understood(lesson_store: LessonStore) -> None:
    with pytest.raises(ValueError, match="time zone"):
        Event("e", "lesson-1", None, datetime(2026, 3, 2, 9, 0), "note")
    moscow = START.astimezone(timezone(timedelta(hours=3)))
    lesson_store.add_event(Event("e", "lesson-1", None, moscow, "note"))
    assert lesson_store.events("lesson-1")[0].at == START
    assert lesson_store.events("lesson-1")[0].at.utcoffset() == timedelta(0)


def test_a_child_sees_its_own_events_and_those_of_the_class(lesson_store: LessonStore) -> None:
    lesson_store.put_child(make_child("d" * 20, "bear"))
    for number, (identity, child) in enumerate((("one", None), ("two", "c" * 20), ("three", "d" * 20))):
        lesson_store.add_event(Event(identity, "lesson-1", child, START + timedelta(seconds=number), "hint", "arrow"))
    assert lesson_store.add_event(Event("one", "lesson-1", None, START + timedelta(hours=1), "hint", "arrow"))
    for child, kind, detail in ((None, "hint", "other"), (None, "break", "arrow"), ("c" * 20, "hint", "arrow")):
        assert not lesson_store.add_event(Event("one", "lesson-1", child, START, kind, detail)), "another event"
    assert [event.id for event in lesson_store.events("lesson-1")] == ["one", "two", "three"]
    assert [event.id for event in lesson_store.events("lesson-1", "c" * 20)] == ["one", "two"]


def test_an_unknown_kind_of_event_is_refused() -> None:
    for kind in ("task_exploded", "Explosion", "", "7", "a" * 41, "hint ", "робот", "hint\n"):
        with pytest.raises(ValueError, match="task_started"):
            Event("e", "lesson-1", None, START, kind)


def test_a_program_may_use_a_word_of_its_own(lesson_store: LessonStore) -> None:
    lesson_store.add_event(Event("e", "lesson-1", None, START, "robot_crashed", "at the wall"))
    assert [(event.kind, event.detail) for event in lesson_store.events("lesson-1")] == [
        ("robot_crashed", "at the wall")
    ]


def test_a_correction_is_stored_and_replaced_by_id(lesson_store: LessonStore) -> None:
    end = START + timedelta(seconds=30)
    lesson_store.add_correction(Correction("k", "lesson-1", "c" * 20, START, end, "sad", "", end))
    later = Correction("k", "lesson-1", "c" * 20, START, end, "neutral", "was reading", end)
    lesson_store.add_correction(later)
    assert lesson_store.corrections("lesson-1") == lesson_store.corrections("lesson-1", "c" * 20) == [later]
    with pytest.raises(ValueError, match="label"):
        Correction("k", "lesson-1", "c" * 20, START, end, "bored", "", end)
    with pytest.raises(ValueError, match="before it starts"):
        Correction("k", "lesson-1", "c" * 20, end, START, "sad", "", end)


def test_what_was_done_is_written_down(store: LessonStore) -> None:
    store.audit("export", "teacher", "lesson Loops as csv")
    (entry,) = store.audit_entries()
    assert (entry.action, entry.actor, entry.detail) == ("export", "teacher", "lesson Loops as csv")


def test_everything_is_there_after_closing_and_opening(database: Path) -> None:
    with LessonStore(database) as store:
        store.add_lesson(make_lesson())
        store.put_child(make_child())
        store.add_observations([make_observation(second) for second in range(100)])
    with LessonStore(database) as store:
        assert len(store.observations("lesson-1")) == 100
        assert store.add_observations([make_observation(100)]) == 1


def test_a_closed_store_says_so(database: Path) -> None:
    store = LessonStore(database)
    store.close()
    store.close()
    for call in (store.lessons, lambda: store.add_lesson(make_lesson())):
        with pytest.raises(StoreError, match="closed"):
            call()


def test_many_threads_write_and_read_at_once_and_nothing_is_lost_or_doubled(lesson_store: LessonStore) -> None:
    failures: list[BaseException] = []

    def station(number: int) -> None:
        try:
            for second in range(20):
                row = make_observation(second, identity=f"{number}-{second}")
                assert lesson_store.add_observations([row]) == 1
                assert lesson_store.add_observations([row]) == 0
                assert len(lesson_store.observations("lesson-1")) > second  # one's own writes can be read
        except BaseException as error:  # noqa: BLE001  # handed to the test's thread
            failures.append(error)

    threads = [threading.Thread(target=station, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(lesson_store.observations("lesson-1")) == 160


def test_one_bad_write_does_not_take_the_others_of_its_group_along(lesson_store: LessonStore) -> None:
    held, gathered = threading.Event(), threading.Event()

    def hold(_: duckdb.DuckDBPyConnection) -> None:
        held.set()
        gathered.wait(10)

    holder = threading.Thread(target=lesson_store._writer.run, args=(hold,))
    holder.start()  # keeps the writer busy, so that what follows gathers into one group
    assert held.wait(10)
    outcomes: dict[int, object] = {}

    def write(number: int) -> None:
        child = "nobody" if number == 3 else "c" * 20
        try:
            outcomes[number] = lesson_store.add_observations([make_observation(number, child=child)])
        except ValueError as error:
            outcomes[number] = error

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    while lesson_store.waiting_writes < 6:
        time.sleep(0.001)
    gathered.set()
    for thread in [holder, *threads]:
        thread.join()
    assert isinstance(outcomes.pop(3), ValueError)
    assert set(outcomes.values()) == {1}
    assert len(lesson_store.observations("lesson-1")) == 5


DISTRIBUTIONS = (
    st.lists(st.floats(0, 1, width=32), min_size=8, max_size=8)
    .filter(lambda values: sum(values) > 1e-3)
    .map(lambda values: tuple(value / sum(values) for value in values))
)
ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 30), st.none() | DISTRIBUTIONS, st.text(min_size=1, max_size=5)),
    max_size=20,
)


@settings(max_examples=15, deadline=None)
@given(batches=st.lists(ROWS, max_size=4))
def test_any_sequence_of_batches_stores_each_id_of_a_child_once(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, int, tuple[float, ...] | None, str]]]
) -> None:
    with LessonStore(tmp_path_factory.mktemp("any") / "l.duckdb") as store:
        store.add_lesson(make_lesson())
        for number in range(4):
            store.put_child(make_child(str(number) * 20, f"animal-{number}"))
        expected: dict[tuple[str, str], Observation] = {}
        for batch in batches:
            rows: list[Observation] = []
            refused = False
            for child, second, probabilities, identity in batch:
                try:
                    rows.append(make_observation(second, str(child) * 20, "lesson-1", probabilities, identity))
                except ValueError:  # a text that cannot be stored, such as a zero character
                    refused = True
            assert refused or len(rows) == len(batch)
            new = {(row.child, row.id): row for row in reversed(rows)}
            known = len(expected)
            expected = new | expected
            assert store.add_observations(rows) == len(expected) - known
        frame = store.observations("lesson-1")
        assert len(frame) == len(expected)
        stored = sorted((row.child, row.at, (row.probabilities or (NAN,) * 8)[0]) for row in expected.values())
        found = sorted(zip(frame["child"], frame["at"], frame["surprise"], strict=True))
        assert [item[:2] for item in stored] == [item[:2] for item in found]


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.floats(width=32), max_size=10))
def test_whatever_is_offered_as_probabilities_is_stored_as_a_distribution_or_refused(values: list[float]) -> None:
    try:
        row = make_observation(probabilities=tuple(values))
    except ValueError:
        return
    assert row.probabilities is not None
    assert len(row.probabilities) == 8
    assert all(value >= 0 for value in row.probabilities)
    assert math.isclose(sum(row.probabilities), 1, abs_tol=1e-3)
