"""Simulated lessons with a known ground truth: five kinds of children, their tasks, states and ordinary distractions.

Used to measure `analytics.signals.support`. The ground truth is drawn first and the readings from it; nothing here
depends on a detector.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analytics.simulation.child import (
    AWAY,
    CONCENTRATING,
    DELIGHTED,
    DISTRESSED,
    FLASH,
    PROFILES,
    SMILE,
    STRUGGLING,
    TIRED,
    UNPLEASANT,
    Profile,
    Readings,
    StateSpan,
    simulate_child,
)
from analytics.simulation.person import LOOKING_DOWN, draw_person

BETWEEN_SPANS = 120.0  # seconds at rest between two spans


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """An event of a task: ``kind`` as in the event table, ``second`` since the start of the lesson."""

    second: float
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class SimulatedChild:
    """One child of a simulated lesson. ``spans``: the truth, without the distractions; ``task_events``: its own
    events."""

    profile: Profile
    spans: tuple[StateSpan, ...]
    task_events: tuple[TaskEvent, ...]
    readings: Readings


def simulate_lesson(
    rng: np.random.Generator,
    minutes: float = 30.0,
    calm: bool = False,
    half: int | None = None,
    shown: float = 1.0,
) -> list[SimulatedChild]:
    """One lesson of five children, one of each profile. ``calm``: nothing happens that should raise a signal. ``half``:
    of which half of the faces they are, see `draw_person`. ``shown``: how much of their states the children show; 1: as
    `EXPRESSIONS_BY_STATE` says."""
    return [_child(rng, profile, minutes * 60, calm, half, shown) for profile in PROFILES]


def _child(
    rng: np.random.Generator, profile: Profile, duration: float, calm: bool, half: int | None, shown: float
) -> SimulatedChild:
    task_events, reactions = _tasks(rng, duration, calm)
    spans = () if calm else tuple(_state_spans(rng, duration, reactions))
    everything = (*_distractions(rng, duration), *spans)  # a span overrides a distraction that it meets
    person = draw_person(rng, half)
    readings = simulate_child(rng, profile, everything, duration, person, shown=shown)
    return SimulatedChild(profile, spans, task_events, readings)


def _tasks(rng: np.random.Generator, duration: float, calm: bool) -> tuple[tuple[TaskEvent, ...], list[StateSpan]]:
    """Tasks of three to six minutes; two in five are failed once or twice. Returns the events and the states that they
    may cause."""
    task_events: list[TaskEvent] = []
    reactions: list[StateSpan] = []
    start, number = 20.0, 1
    while start < duration - 120:
        end = start + rng.uniform(180, 360)
        detail = f"task {number}"
        task_events.append(TaskEvent(start, "task_started", detail))
        if rng.random() < (0.1 if calm else 0.4):
            failed = start + (end - start) * rng.uniform(0.3, 0.5)
            task_events.extend(
                TaskEvent(failed + 40 * attempt, "task_failed", detail) for attempt in range(rng.integers(1, 3))
            )
            if rng.random() < 0.7:
                onset = failed + rng.uniform(0, 20)
                reactions.append(StateSpan(STRUGGLING, onset, onset + rng.uniform(60, 240)))
        if end < duration:
            task_events.append(TaskEvent(end, "task_solved", detail))
            if rng.random() < 0.25:
                onset = end + rng.uniform(0, 5)
                reactions.append(StateSpan(DELIGHTED, onset, onset + rng.uniform(25, 70)))
        start, number = end + 10, number + 1
    return tuple(sorted(task_events, key=lambda event: event.second)), reactions


def _state_spans(rng: np.random.Generator, duration: float, reactions: list[StateSpan]) -> Iterator[StateSpan]:
    """Reactions to tasks and spontaneous states, at least `BETWEEN_SPANS` apart."""
    candidates = list(reactions)
    for kind, per_hour, shortest, longest in (
        (UNPLEASANT, 1.5, 60, 240),
        (DISTRESSED, 3.0, 50, 180),
        (AWAY, 2.5, 45, 240),
    ):
        for _ in range(rng.poisson(per_hour * duration / 3600)):
            onset = rng.uniform(60, duration - longest)
            candidates.append(StateSpan(kind, onset, onset + rng.uniform(shortest, longest)))
    quiet_from = duration
    if rng.random() < 0.3:
        quiet_from = rng.uniform(0.4, 0.65) * duration
        yield StateSpan(TIRED, quiet_from, duration)
    taken: list[StateSpan] = []
    for index in rng.permutation(len(candidates)):
        span = candidates[index]
        if span.end > quiet_from - BETWEEN_SPANS / 2:
            continue
        if all(span.start > other.end + BETWEEN_SPANS or span.end < other.start - BETWEEN_SPANS for other in taken):
            taken.append(span)
            yield span


def _distractions(rng: np.random.Generator, duration: float) -> Iterator[StateSpan]:
    for kind, per_hour, shortest, longest in (
        (CONCENTRATING, 4, 30, 90),
        (FLASH, 4, 2, 8),
        (SMILE, 15, 2, 8),
        (LOOKING_DOWN, 20, 3, 12),
    ):
        for onset in rng.uniform(0, duration, rng.poisson(per_hour * duration / 3600)):
            yield StateSpan(kind, onset, onset + rng.uniform(shortest, longest))
