"""Whole lessons with known truth: five kinds of children, tasks, what the children go through, and ordinary
distractions.

Used to measure `analytics.signals.support`. The truth is drawn here first and the readings from it; nothing here
looks at a detector.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analytics.simulation.child import (
    AWAY,
    CONCENTRATING,
    CONFUSION,
    DELIGHTED,
    DISTRESSED,
    FLASH,
    PROFILES,
    SMILE,
    STRUGGLING,
    TIRED,
    Floats,
    Profile,
    Readings,
    Scene,
    simulate_child,
)

TRUTHS = (STRUGGLING, TIRED, AWAY, DELIGHTED, DISTRESSED)
BETWEEN_SCENES = 120.0  # seconds that a child is itself again between two scenes


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something a program would log: ``kind`` as in the event table, ``second`` since the start of the lesson."""

    second: float
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class SimulatedChild:
    """One child of a simulated lesson. ``scenes``: the truth, without the distractions; ``outcomes``: its own
    events."""

    profile: Profile
    scenes: tuple[Scene, ...]
    outcomes: tuple[Outcome, ...]
    readings: Readings


def simulate_lesson(
    rng: np.random.Generator,
    minutes: float = 30.0,
    calm: bool = False,
    confusion: Floats = CONFUSION,
    shown: float = 1.0,
) -> list[SimulatedChild]:
    """One lesson of five children, one of each profile. ``calm``: nothing happens that anybody should be told of.
    ``shown``: 1 where children show what they go through as clearly as `SCENES` says, less where they hide it."""
    return [_child(rng, profile, minutes * 60, calm, confusion, shown) for profile in PROFILES]


def _child(
    rng: np.random.Generator, profile: Profile, duration: float, calm: bool, confusion: Floats, shown: float
) -> SimulatedChild:
    outcomes, reactions = _tasks(rng, duration, calm)
    scenes = () if calm else tuple(_scenes(rng, duration, reactions))
    everything = (*_distractions(rng, duration), *scenes)  # a scene overrides a distraction that it meets
    return SimulatedChild(
        profile, scenes, outcomes, simulate_child(rng, profile, everything, duration, confusion, shown=shown)
    )


def _tasks(rng: np.random.Generator, duration: float, calm: bool) -> tuple[tuple[Outcome, ...], list[Scene]]:
    """Tasks of three to six minutes; two in five are failed once or twice. Answers the events and what they may stir
    up."""
    outcomes: list[Outcome] = []
    reactions: list[Scene] = []
    start, number = 20.0, 1
    while start < duration - 120:
        end = start + rng.uniform(180, 360)
        detail = f"task {number}"
        outcomes.append(Outcome(start, "task_started", detail))
        if rng.random() < (0.1 if calm else 0.4):
            failed = start + (end - start) * rng.uniform(0.3, 0.5)
            outcomes.extend(
                Outcome(failed + 40 * attempt, "task_failed", detail) for attempt in range(rng.integers(1, 3))
            )
            if rng.random() < 0.7:
                onset = failed + rng.uniform(0, 20)
                reactions.append(Scene(STRUGGLING, onset, onset + rng.uniform(60, 240)))
        if end < duration:
            outcomes.append(Outcome(end, "task_solved", detail))
            if rng.random() < 0.25:
                onset = end + rng.uniform(0, 5)
                reactions.append(Scene(DELIGHTED, onset, onset + rng.uniform(25, 70)))
        start, number = end + 10, number + 1
    return tuple(sorted(outcomes, key=lambda outcome: outcome.second)), reactions


def _scenes(rng: np.random.Generator, duration: float, reactions: list[Scene]) -> Iterator[Scene]:
    """Reactions to tasks, and what comes without any: far enough apart to be told from each other."""
    candidates = list(reactions)
    for kind, per_hour, shortest, longest in (
        (STRUGGLING, 0.7, 60, 240),
        (DISTRESSED, 3.5, 50, 180),
        (AWAY, 2.5, 45, 240),
    ):
        for _ in range(rng.poisson(per_hour * duration / 3600)):
            onset = rng.uniform(60, duration - longest)
            candidates.append(Scene(kind, onset, onset + rng.uniform(shortest, longest)))
    quiet_from = duration
    if rng.random() < 0.3:
        quiet_from = rng.uniform(0.4, 0.65) * duration
        yield Scene(TIRED, quiet_from, duration)
    taken: list[Scene] = []
    for index in rng.permutation(len(candidates)):
        scene = candidates[index]
        if scene.end > quiet_from - BETWEEN_SCENES / 2:
            continue
        if all(scene.start > other.end + BETWEEN_SCENES or scene.end < other.start - BETWEEN_SCENES for other in taken):
            taken.append(scene)
            yield scene


def _distractions(rng: np.random.Generator, duration: float) -> Iterator[Scene]:
    for kind, per_hour, shortest, longest in ((CONCENTRATING, 4, 30, 90), (FLASH, 4, 2, 8), (SMILE, 15, 2, 8)):
        for onset in rng.uniform(0, duration, rng.poisson(per_hour * duration / 3600)):
            yield Scene(kind, onset, onset + rng.uniform(shortest, longest))
