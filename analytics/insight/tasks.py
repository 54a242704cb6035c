"""Each child's time in each task, its failures and its solution; and the same of all children together."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

import numpy as np
import pandas as pd

from analytics.signals.smoothing import seconds_of
from analytics.signals.support import STRUGGLING, Signal
from analytics.store.records import Event

TASK_EVENTS = ("task_started", "task_failed", "task_solved")
Span = tuple[datetime, datetime]


@dataclass(slots=True)
class ChildTask:
    """One child in one task. ``spans``: when it was at it, until it solved it for the first time. A failure belongs to
    its task, and so to its time, whether or not a start was reported. ``failed``: the ids of those events."""

    child: str
    task: str
    spans: list[Span] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    solved_at: datetime | None = None

    @property
    def started_at(self) -> datetime:
        """When the first thing was reported of it."""
        return self.spans[0][0]

    @property
    def seconds(self) -> float:
        """How long the child was at it."""
        return sum((end - start).total_seconds() for start, end in self.spans)

    @property
    def attempts(self) -> int:
        """Failures, and the solution."""
        return len(self.failed) + (self.solved_at is not None)


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """One task over all children. ``failures``: as they were reported, one of the whole class is one. ``valence``: mean
    over the children who were seen in it, each counting alike. ``median_minutes``: for which those who solved it were
    at it, where it is known when they began."""

    task: str
    started_at: datetime
    ended_at: datetime
    failures: int
    children_failed: int
    children_solved: int
    children_struggling: int
    valence: float | None
    median_minutes: float | None


def child_tasks(child: str, events: Iterable[Event], last: datetime) -> list[ChildTask]:
    """The tasks of a child in the order in which it began them. ``events``: of the child and of its whole class, in
    order of time; ``last``: when the lesson ended, or what is known of it ends.

    A child is at a task from when it starts, or from the first thing that is reported of it, until the child solves it
    or something is reported of another task. What names no task is of the one that the child is at.
    """
    tasks: dict[str, ChildTask] = {}
    current, since = "", last
    for event in events:
        name = event.detail or current
        if event.kind not in TASK_EVENTS or not name:
            continue
        if name != current:
            _leave(tasks.get(current), since, event.at)
            current, since = name, event.at
        task = tasks.setdefault(name, ChildTask(child, name))
        if event.kind == "task_failed":
            task.failed.append(event.id)
        elif event.kind == "task_solved" and task.solved_at is None:
            _leave(task, since, event.at)
            task.solved_at = event.at
    _leave(tasks.get(current), since, last)
    return list(tasks.values())


def _leave(task: ChildTask | None, since: datetime, at: datetime) -> None:
    if task is not None and task.solved_at is None:
        task.spans.append((since, max(since, at)))


def all_child_tasks(events: Sequence[Event], seen: Collection[str], last: datetime) -> list[ChildTask]:
    """The tasks of all children of a lesson, child by child. ``seen``: who was in front of a camera; ``events``: of the
    whole lesson, in order of time. One without a child is of each of them."""
    children = sorted({*seen, *(event.child for event in events if event.child is not None)})
    return [
        task
        for child in children
        for task in child_tasks(child, [event for event in events if event.child in (None, child)], last)
    ]


def task_summaries(tasks: Sequence[ChildTask], signals: Sequence[Signal], smoothed: pd.DataFrame) -> list[TaskSummary]:
    """Each task in order of its first start. A child struggled in a task when its signal began while it was at it."""
    by_name: dict[str, list[ChildTask]] = {}
    for task in sorted(tasks, key=lambda task: task.started_at):
        by_name.setdefault(task.task, []).append(task)
    faces = _faces_of_children(smoothed)
    return [
        TaskSummary(
            task=name,
            started_at=own[0].started_at,
            ended_at=max(task.spans[-1][1] for task in own),
            failures=len({event for task in own for event in task.failed}),
            children_failed=sum(bool(task.failed) for task in own),
            children_solved=sum(task.solved_at is not None for task in own),
            children_struggling=sum(_struggled(task, signals) for task in own),
            valence=_mean([value for task in own if (value := _valence(task, faces)) is not None]),
            median_minutes=_median([task.seconds / 60 for task in own if task.solved_at and task.seconds]),
        )
        for name, own in by_name.items()
    ]


def _struggled(task: ChildTask, signals: Sequence[Signal]) -> bool:
    return any(
        signal.kind == STRUGGLING and signal.child == task.child and start <= signal.start < end
        for signal in signals
        for start, end in task.spans
    )


def _faces_of_children(smoothed: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each child, the times (seconds since 1970) and valences of the moments in which its face was seen."""
    if smoothed.empty:
        return {}
    seen = smoothed[smoothed["face"]]
    return {
        str(child): (seconds_of(own["at"]), own["valence"].to_numpy(dtype=np.float64))
        for child, own in seen.groupby("child", observed=True)
    }


def _valence(task: ChildTask, faces: dict[str, tuple[np.ndarray, np.ndarray]]) -> float | None:
    """The child's mean valence while it was at the task; None if it was not seen then."""
    if task.child not in faces:
        return None
    times, valence = faces[task.child]
    inside = np.zeros(len(times), dtype=bool)
    for start, end in task.spans:
        inside |= (times >= start.timestamp()) & (times < end.timestamp())
    return float(valence[inside].mean()) if inside.any() else None


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _median(values: list[float]) -> float | None:
    return median(values) if values else None
