"""Each child's time in a task: by its own events and those of its class, whatever other children do."""

import itertools
from datetime import timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.insight.lesson_summary import lesson_summary
from analytics.insight.tasks import ChildTask, all_child_tasks, child_tasks, task_summaries
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Event
from tests.analytics.examples import START, make_child, make_lesson

LAST = START + timedelta(minutes=10)


def at(second: float):  # type: ignore[no-untyped-def]
    return START + timedelta(seconds=second)


def event(second: float, kind: str, task: str = "", child: str | None = None) -> Event:
    return Event(f"{second}-{kind}-{task}-{child}", "lesson-1", child, at(second), f"task_{kind}", task)


def only(tasks: list[ChildTask]) -> ChildTask:
    (task,) = tasks
    return task


def test_two_children_who_solve_a_task_in_a_minute_each_took_a_minute() -> None:
    """The other child's next task is no end of this one's, and its later start is no beginning."""
    events = [
        event(0, "started", "T1", "a"),
        event(60, "solved", "T1", "a"),
        event(61, "started", "T2", "a"),
        event(300, "started", "T1", "b"),
        event(360, "solved", "T1", "b"),
    ]
    first, second = task_summaries(all_child_tasks(events, [], LAST), [], pd.DataFrame())
    assert (first.task, first.median_minutes, first.children_solved) == ("T1", 1.0, 2)
    assert (second.task, second.median_minutes, second.ended_at) == ("T2", None, LAST)


def test_a_failure_without_a_start_is_counted_and_begins_the_task() -> None:
    task = only(child_tasks("a", [event(10, "failed", "T1", "a"), event(40, "solved", "T1", "a")], LAST))
    assert (task.started_at, task.seconds, len(task.failed), task.attempts) == (at(10), 30, 1, 2)


def test_what_names_no_task_is_of_the_one_that_the_child_is_at() -> None:
    events = [event(0, "failed"), event(5, "started", "T1"), event(9, "failed", "", "a"), event(20, "solved", "", "a")]
    task = only(child_tasks("a", events, LAST))
    assert (task.task, len(task.failed), task.solved_at) == ("T1", 1, at(20))


def test_a_child_that_comes_back_to_a_task_has_the_time_of_both() -> None:
    events = [
        event(0, "started", "T1"),
        event(10, "started", "T2"),
        event(15, "started", "T1"),
        event(25, "solved", "T1"),
    ]
    first, second = child_tasks("a", events, LAST)
    assert (first.seconds, first.spans) == (20, [(at(0), at(10)), (at(15), at(25))])
    assert second.seconds == 5


def test_practice_after_the_solution_adds_attempts_and_no_time() -> None:
    events = [
        event(0, "started", "T1"),
        event(10, "solved", "T1"),
        event(30, "failed", "T1"),
        event(50, "solved", "T1"),
    ]
    task = only(child_tasks("a", events, LAST))
    assert (task.seconds, task.solved_at, task.attempts) == (10, at(10), 2)


def test_an_event_of_the_whole_class_is_of_everybody_and_counts_once() -> None:
    events = [event(0, "started", "T1"), event(30, "failed", "T1"), event(60, "solved", "T1", "a")]
    (summary,) = task_summaries(all_child_tasks(events, ["a", "b"], LAST), [], pd.DataFrame())
    assert (summary.failures, summary.children_failed, summary.children_solved) == (1, 2, 1)


def test_a_solution_without_a_known_beginning_has_no_time() -> None:
    (summary,) = task_summaries(all_child_tasks([event(60, "solved", "T1", "a")], [], LAST), [], pd.DataFrame())
    assert (summary.children_solved, summary.median_minutes) == (1, None)


def test_the_mood_of_a_task_is_of_the_children_while_they_were_at_it(store: LessonStore) -> None:
    smoothed = pd.DataFrame(
        {
            "child": ["a"] * 3 + ["b"],
            "at": pd.to_datetime([at(5), at(15), at(70), at(15)], utc=True),
            "valence": [0.2, 0.4, -1.0, 0.9],
            "face": [True] * 4,
        }
    )
    events = [event(0, "started", "T1", "a"), event(60, "solved", "T1", "a")]
    (summary,) = task_summaries(all_child_tasks(events, ["a", "b"], LAST), [], smoothed)
    assert summary.valence == pytest.approx(0.3)


def test_the_summary_of_a_lesson_has_each_childs_tasks(store: LessonStore) -> None:
    store.add_lesson(make_lesson())
    for name in ("a" * 20, "b" * 20):
        store.put_child(make_child(name, {"a": "fox", "b": "wolf"}[name[0]]))
        store.add_event(event(5, "failed", "T1", name))
    found = lesson_summary(store, "lesson-1")
    assert [(task.child[0], task.task, task.attempts) for task in found.child_tasks] == [("a", "T1", 1), ("b", "T1", 1)]
    assert found.tasks[0].failures == 2


CHILDREN, TASKS = ("a", "b", "c"), ("", "T1", "T2", "T3")
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 600), st.sampled_from(("started", "failed", "solved")), st.sampled_from(TASKS),
        st.sampled_from((*CHILDREN, None)),
    ),
    max_size=30,
).map(lambda rows: [event(*row) for row in sorted(rows, key=lambda row: row[0])])  # fmt: skip


@given(EVENTS)
def test_no_child_is_at_two_tasks_at_once_and_others_change_nothing(events: list[Event]) -> None:
    everybody = all_child_tasks(events, CHILDREN, LAST)
    for child in CHILDREN:
        own = [task for task in everybody if task.child == child]
        assert own == child_tasks(child, [event for event in events if event.child in (None, child)], LAST)
        spans = sorted(span for task in own for span in task.spans)
        assert all(start <= end for start, end in spans)
        assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(spans))
        assert sum(task.seconds for task in own) <= (LAST - START).total_seconds()
        assert all(task.solved_at is None or task.spans[-1][1] == task.solved_at for task in own)


@given(EVENTS)
def test_no_failure_that_names_its_task_is_lost(events: list[Event]) -> None:
    named = {event.id for event in events if event.kind == "task_failed" and event.detail}
    tasks = all_child_tasks(events, CHILDREN, LAST)
    assert named <= {name for task in tasks for name in task.failed}
    assert sum(summary.failures for summary in task_summaries(tasks, [], pd.DataFrame())) >= len(named)
