"""Lessons put together from real faces: a face at rest, then one face of an expression, then rest again.

Ten minutes at rest, a scene of 10, 20 or 60 s in 85 % of whose frames an expression is shown (half of them where it is
subtle), and rest to the end of fifteen minutes; with and without two failures of a task, 30 and 5 s before. In *plain*
lessons rest is one face, a little moved from frame to frame; in *lively* ones it smiles, talks, looks down, sits in
poor light, and is away for a while. Faces that the network reads as sad or angry at rest are among them.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from analytics.signals.baseline import NEGATIVE, child_series
from analytics.signals.support import DELIGHTED, TROUBLES, class_signals
from analytics.simulation.child import Floats, Readings, observation_frame
from analytics.simulation.person import Person, draw_person, frames_of
from analytics.store.records import Event
from emotion.labels import Emotion
from tests.benchmarks.bench import show as show_table

STARTED_AT = datetime(2026, 9, 15, 7, 0, tzinfo=UTC)
SECONDS, SCENE = 900, 600  # of a lesson; where the scene begins
GRACE = 15.0
FACES = 80  # an expression: as many lessons
QUALITY = 0.9
FAILED_BEFORE = (30, 5)  # seconds before the scene
SHOWN = (Emotion.ANGRY, Emotion.SAD, Emotion.FEAR, Emotion.DISGUST, Emotion.HAPPY)


@dataclass(frozen=True, slots=True)
class Scene:
    """What one lesson has in it. ``emotion``: None for rest alone. ``share``: of the scene's frames that show it."""

    emotion: Emotion | None
    seconds: int
    share: float
    lively: bool
    failures: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one lesson. ``delay``: seconds to the first right signal, None without. ``elsewhere``: signals that
    were wrong. ``read``: whether the network reads most of this face's frames as negative (happy)."""

    delay: float | None
    elsewhere: int
    read: bool


def scenes() -> Iterator[Scene]:
    """All that are measured."""
    for lively, failures in product((False, True), (False, True)):
        yield Scene(None, 0, 0.0, lively, failures)
        for emotion in SHOWN:
            for seconds, share in ((60, 0.85), (20, 0.85), (10, 0.85), (60, 0.425)):
                if emotion != Emotion.HAPPY or (seconds == 60 and share == 0.85 and not failures):
                    yield Scene(emotion, seconds, share, lively, failures)


def report(half: int, workers: int) -> list[dict[str, Any]]:
    """A row for each of `scenes`: the share told with its 95 % interval, the median delay, and what was told beside."""
    with ProcessPoolExecutor(workers) as pool:
        every = list(scenes())
        return [_row(scene, told) for scene, told in zip(every, pool.map(partial(play, half), every), strict=True)]


def play(half: int, scene: Scene) -> list[Told]:
    """`FACES` lessons of one scene, all children of one class."""
    rng = np.random.default_rng([half, *scene_numbers(scene)])
    series, read = {}, {}
    events = []
    for number in range(FACES):
        child = f"child-{number}"
        person = draw_person(rng, half)
        probabilities = lesson(rng, person, scene)
        absent = np.isnan(probabilities[:, 0])
        readings = Readings(
            np.arange(SECONDS, dtype=np.float64),
            probabilities,
            np.where(absent, np.nan, QUALITY),
            np.where(absent, -1, Emotion.NEUTRAL),
        )
        series[child] = child_series(observation_frame(readings, STARTED_AT, child, "faces", "faces"))
        read[child] = _is_read(person, scene)
        if scene.failures:
            events += [
                Event(f"{child}-{before}", "lesson", child, _at(SCENE - before), "task_failed", "task 1")
                for before in FAILED_BEFORE
            ]
    signals = class_signals(series, events, "lesson", {})
    told = []
    for child in series:
        kinds = (DELIGHTED,) if scene.emotion == Emotion.HAPPY else TROUBLES
        raised = [
            (signal.raised - STARTED_AT).total_seconds()
            for signal in signals
            if signal.child == child and signal.kind in kinds
        ]
        earliest = SCENE - (FAILED_BEFORE[0] if scene.failures else 0)
        hits = [
            second
            for second in raised
            if scene.emotion is not None and earliest <= second < SCENE + scene.seconds + GRACE
        ]
        delay = max(0.0, min(hits) - SCENE) if hits else None
        told.append(Told(delay, len(raised) - len(hits), read[child]))
    return told


def scene_numbers(scene: Scene) -> tuple[int, ...]:
    """What makes a scene's lessons the same each time; with and without failures they are the same, too."""
    return (
        (-1 if scene.emotion is None else int(scene.emotion)) + 1,
        scene.seconds,
        round(1000 * scene.share),
        scene.lively,
    )


def lesson(rng: np.random.Generator, person: Person, scene: Scene) -> Floats:
    """(SECONDS, 8) probabilities, a frame a second, NaN where there is no face."""
    places = frames_of(rng, person.shown.shape[1], SECONDS)
    probabilities = person.shown[Emotion.NEUTRAL, places].copy()
    if scene.lively:
        disturbed = places % len(person.poor_light)
        for source, an_hour, shortest, longest, share in (
            (person.poor_light[disturbed], 4, 60, 180, 1.0),
            (person.looking_down[disturbed], 30, 4, 20, 1.0),
            (person.shown[Emotion.HAPPY, places], 20, 2, 8, 1.0),
            (person.shown[Emotion.SURPRISE, places], 20, 2, 6, 0.5),  # talking
        ):
            for rows in _moments(rng, an_hour, shortest, longest):
                shown = rows[rng.random(len(rows)) < share]
                probabilities[shown] = source[shown]
    if scene.emotion is not None:
        rows = np.arange(SCENE, SCENE + scene.seconds)
        rows = rows[rng.random(len(rows)) < scene.share]
        probabilities[rows] = person.shown[scene.emotion, places[rows]]
    if scene.lively:
        for an_hour, shortest, longest in ((60, 2, 6), (2, 20, 60)):
            for rows in _moments(rng, an_hour, shortest, longest):
                probabilities[rows] = np.nan
    return probabilities


def _moments(rng: np.random.Generator, an_hour: float, shortest: float, longest: float) -> Iterator[np.ndarray]:
    for start in np.flatnonzero(rng.random(SECONDS) < an_hour / 3600):
        yield np.arange(start, min(SECONDS, start + int(rng.uniform(shortest, longest))))


def _is_read(person: Person, scene: Scene) -> bool:
    if scene.emotion is None:
        return False
    wanted = [Emotion.HAPPY] if scene.emotion == Emotion.HAPPY else list(NEGATIVE)
    return bool(np.isin(person.shown[scene.emotion].argmax(axis=1), wanted).mean() > 0.5)


def _at(second: float) -> datetime:
    return STARTED_AT + timedelta(seconds=second)


def _row(scene: Scene, told: list[Told]) -> dict[str, Any]:
    found = np.array([one.delay is not None for one in told])
    read = np.array([one.read for one in told])
    draws = np.random.default_rng(0).integers(0, len(found), (2000, len(found)))
    low, high = np.percentile(found[draws].mean(axis=1), [2.5, 97.5])
    delays = [one.delay for one in told if one.delay is not None]
    return {
        "rest": "lively" if scene.lively else "plain",
        "failures": 2 if scene.failures else 0,
        "emotion": scene.emotion.key if scene.emotion is not None else "none",
        "seconds": scene.seconds,
        "share": scene.share,
        "told": float(found.mean()),
        "low": float(low),
        "high": float(high),
        "told_of_those_read": float(found[read].mean()) if read.any() else None,
        "delay": float(np.median(delays)) if delays else None,
        "elsewhere_per_hour": sum(one.elsewhere for one in told) / (len(told) * SECONDS / 3600),
    }


def show(rows: list[dict[str, Any]]) -> None:
    """Means over the negative expressions, and each scene."""
    summary = []
    for rest, failures, seconds, share in product(("plain", "lively"), (0, 2), (60, 20, 10), (0.85, 0.425)):
        chosen = [
            row
            for row in rows
            if (row["rest"], row["failures"], row["seconds"], row["share"]) == (rest, failures, seconds, share)
            and row["emotion"] not in ("none", "happy")
        ]
        if chosen:
            means = {
                name: float(np.mean([row[name] for row in chosen if row[name] is not None]))
                for name in ("told", "low", "high", "told_of_those_read", "delay", "elsewhere_per_hour")
            }
            summary.append({"rest": rest, "failures": failures, "seconds": seconds, "share": share, **means})
    show_table("Negative expressions of faces, mean over angry, sad, fear and disgust", summary)
    show_table("Each", rows)
