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
    failed_at, solved_at = _moments_by_task(events, "task_failed"), _moments_by_task(events, "task_solved")
    for task, failed in failed_at.items():
        over = -np.inf
        for place in range(THRESHOLDS.failures - 1, len(failed)):
            raised, start = failed[place], failed[place - THRESHOLDS.failures + 1]
            if raised - start > THRESHOLDS.failures_within or start <= over:
                continue
            last = raised
            for other in failed[place + 1 :]:  # as long as it fails again before this is over
                if other - last > THRESHOLDS.failures_last:
                    break
                last = other
            ends = [moment for moment in solved_at.get(task, ()) if moment > raised]
            over = min([*ends, last + THRESHOLDS.failures_last])
            yield RepeatedFailure(task, THRESHOLDS.failures, start, raised, over if over <= now else None)


def _moments_by_task(events: Sequence[Event], kind: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for event in events:
        if event.kind == kind:
            found.setdefault(event.detail, []).append(event.at.timestamp())
    return found


@dataclass(frozen=True, slots=True)
class SolvedTask:
    """When a child solved a task for the first time, in seconds since 1970, and how long after it was begun."""

    at: float
    seconds: float


SolvedTasks = dict[str, dict[str, SolvedTask]]  # task -> child -> ...


def solved_tasks(events: Sequence[Event]) -> SolvedTasks:
    """Who solved what. ``events``: of the whole lesson, in order of time."""
    found: SolvedTasks = {}
    started: dict[tuple[str, str | None], float] = {}
    for event in events:
        at = event.at.timestamp()
        if event.kind == "task_started":
            started[event.detail, event.child] = at
        elif event.kind == "task_solved" and event.child is not None:
            starts = [started[key] for key in ((event.detail, event.child), (event.detail, None)) if key in started]
            if starts:
                found.setdefault(event.detail, {}).setdefault(event.child, SolvedTask(at, at - max(starts)))
    return found


def slow_tasks(child: str, events: Sequence[Event], solved: SolvedTasks, now: float) -> Iterator[SlowTask]:
    """``events``: of the child and its class, in order of time. ``solved``: of the whole lesson. ``now``: seconds since
    1970.

    A task lasts from its start until this child solves it or something is reported of another task. It is slow from
    when it has lasted `THRESHOLDS.slow_factor` times the median of those who have solved it by then, and of the child's
    own tasks before.
    """
    own: list[float] = []
    looked_at: set[str] = set()
    for task, start, left in _begun_tasks(events):
        if task in looked_at:  # begun again
            continue
        looked_at.add(task)
        by_child = solved.get(task, {})
        end = min(left, by_child[child].at if child in by_child else np.inf)
        raised = _slow_from(start, end, own, [done for who, done in by_child.items() if who != child])
        if raised is not None and raised[0] <= now:
            yield SlowTask(task, raised[1], start, raised[0], end if end <= now else None)
        if child in by_child:
            own.append(by_child[child].seconds)


def failing_task(child: str, events: Sequence[Event]) -> tuple[str, int] | None:
    """The task that a child is at, and how often it has failed it; None where it has not, or has solved it.
    ``events``: in order of time; those of the whole class are each child's."""
    task, failures = "", 0
    for event in events:
        if event.child not in (None, child) or not event.kind.startswith("task_"):
            continue
        if event.kind == "task_solved" or event.detail != task:
            task, failures = event.detail, 0
        failures += event.kind == "task_failed"
    return (task, failures) if failures else None


def _slow_from(start: float, end: float, own: list[float], others: list[SolvedTask]) -> tuple[float, float] | None:
    """When a task became slow, and what was usual for it then; None where it never did."""
    done = sorted((other.at, other.seconds) for other in others)
    for place in range(THRESHOLDS.slow_others - 1, len(done)):
        usual = float(np.median([seconds for _, seconds in done[: place + 1]]))
        longest = max(usual, float(np.median(own))) if own else usual
        raised = max(done[place][0], start + max(THRESHOLDS.slow_factor * longest, THRESHOLDS.slow_least))
        known_until = done[place + 1][0] if place + 1 < len(done) else np.inf
        if raised < min(known_until, end):
            return raised, usual
    return None


def _begun_tasks(events: Sequence[Event]) -> Iterator[tuple[str, float, float]]:
    """Each start of a task: the task, when, and when something was reported of another task next (infinite: never)."""
    of_tasks = [event for event in events if event.kind.startswith("task_")]
    left, lefts = np.inf, []
    for event, following in zip(reversed(of_tasks), [None, *reversed(of_tasks)], strict=False):
        if following is not None and following.detail != event.detail:
            left = following.at.timestamp()
        lefts.append(left)
    for event, until in zip(of_tasks, reversed(lefts), strict=True):
        if event.kind == "task_started":
            yield event.detail, event.at.timestamp(), until
