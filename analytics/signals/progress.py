"""What events alone say of a child's progress, whatever its face looks like: one task failed again and again, and a
task that takes much longer than others took for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.signals.thresholds import THRESHOLDS
from analytics.store.records import Event


@dataclass(frozen=True, slots=True)
class RepeatedFailure:
    """One task failed `THRESHOLDS.failures` times. Times in seconds since 1970: of the first of them, of the one with
    which it is told, and when it was over (None: it may still go on). ``failures``: how often when it was told."""

    task: str
    failures: int
    start: float
    raised: float
    end: float | None


@dataclass(frozen=True, slots=True)
class SlowTask:
    """A task that takes a child long. Times in seconds since 1970: when it began it, when that was too long, and when
    it was solved or left (None: it goes on). ``usual``: seconds that it took others, the median."""

    task: str
    usual: float
    start: float
    raised: float
    end: float | None


def repeated_failures(events: Sequence[Event], now: float) -> Iterator[RepeatedFailure]:
    """``events``: of one child and its class, in order of time. ``now``: seconds since 1970."""
    for task in dict.fromkeys(event.detail for event in events if event.kind == "task_failed"):
        failed = [event.at.timestamp() for event in events if event.kind == "task_failed" and event.detail == task]
        solved = [event.at.timestamp() for event in events if event.kind == "task_solved" and event.detail == task]
        over = -np.inf
        for place in range(THRESHOLDS.failures - 1, len(failed)):
            raised, start = failed[place], failed[place - THRESHOLDS.failures + 1]
            if raised - start > THRESHOLDS.failures_within or start <= over:
                continue
            last = raised
            for other in failed[place + 1 :]:  # as long as it fails again before this is over
                last = other if other - last <= THRESHOLDS.failures_last else last
            over = min([moment for moment in solved if moment > raised] + [last + THRESHOLDS.failures_last])
            yield RepeatedFailure(task, THRESHOLDS.failures, start, raised, over if over <= now else None)


def slow_tasks(child: str, events: Sequence[Event], now: float) -> Iterator[SlowTask]:
    """``events``: of the whole lesson, in order of time. ``now``: seconds since 1970.

    A task lasts from its start until this child solves it or something is reported of another task. It is slow from
    when it has lasted `THRESHOLDS.slow_factor` times the median of those who have solved it by then, and of the child's
    own tasks before.
    """
    solved = _solved_tasks(events)
    own: list[float] = []
    of_tasks = [event for event in events if event.kind.startswith("task_") and event.child in (None, child)]
    for place_begun, event in enumerate(of_tasks):
        if event.kind != "task_started":
            continue
        task, start = event.detail, event.at.timestamp()
        others_begun = (other for other in of_tasks[place_begun + 1 :] if other.detail != task)
        left = next((other.at.timestamp() for other in others_begun), np.inf)
        by_child = solved.get(task, {})
        end = min(left, by_child[child].at if child in by_child else np.inf)
        others = sorted((done.at, done.seconds) for who, done in by_child.items() if who != child)
        for place in range(THRESHOLDS.slow_others - 1, len(others)):
            usual = float(np.median([seconds for _, seconds in others[: place + 1]]))
            longest = max([usual, *([float(np.median(own))] if own else [])])
            limit = max(THRESHOLDS.slow_factor * longest, THRESHOLDS.slow_least)
            raised = max(others[place][0], start + limit)
            known_until = others[place + 1][0] if place + 1 < len(others) else np.inf
            if raised < min(known_until, end) and raised <= now:
                yield SlowTask(task, usual, start, raised, end if end <= now else None)
                break
        if child in by_child:
            own.append(by_child[child].seconds)


@dataclass(frozen=True, slots=True)
class _Solved:
    at: float
    seconds: float


def _solved_tasks(events: Sequence[Event]) -> dict[str, dict[str, _Solved]]:
    """Task -> child -> when it was first solved, in seconds since 1970, and how long after its start."""
    found: dict[str, dict[str, _Solved]] = {}
    started: dict[tuple[str, str | None], float] = {}
    for event in events:
        at = event.at.timestamp()
        if event.kind == "task_started":
            started[event.detail, event.child] = at
        elif event.kind == "task_solved" and event.child is not None:
            starts = [started[key] for key in ((event.detail, event.child), (event.detail, None)) if key in started]
            if starts:
                found.setdefault(event.detail, {}).setdefault(event.child, _Solved(at, at - max(starts)))
    return found
