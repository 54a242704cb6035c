"""A whole lesson: each child's share of it, each task over all children, the class over time, and what events
changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.episodes import Episode, episodes
from analytics.records import utc_now
from analytics.signals import STRUGGLING, Signal
from analytics.smoothing import (
    FIRST_INTERVAL,
    GAP,
    LEAST_WEIGHT,
    Floats,
    affect_of,
    probabilities_of,
    seconds_of,
    smooth_class,
)
from analytics.store import Event, Lesson, LessonStore
from analytics.timeline import AWAY, animals, require_lesson
from analytics.watch import lesson_signals
from emotion.labels import KEYS, Emotion

AROUND = 60.0  # seconds before and after an event that are compared
BLOCK = 10.0  # seconds: means of blocks longer than an expression lasts are nearly independent of each other
COURSE_STEP = 10.0  # seconds per point of the class over time and per cell of the heat map
CHANGED_BY = ("task_failed", "task_solved", "hint")


@dataclass(frozen=True, slots=True)
class ChildSummary:
    """One child's lesson. ``shares``: mean probability of each of `KEYS` while a face was seen; all means are
    weighted by face quality and time, and None where there was never a face."""

    child: str
    animal: str
    seconds_seen: float
    seconds_away: float
    shares: dict[str, float] | None
    valence: float | None
    arousal: float | None
    expressiveness: float | None
    episodes: list[Episode]
    signals: list[Signal]


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """One task over all children. ``valence``: mean over the children who were seen in it, each counting alike."""

    task: str
    started_at: datetime
    ended_at: datetime
    failures: int
    children_failed: int
    children_solved: int
    children_struggling: int
    valence: float | None
    median_minutes: float | None  # from the start to a child's solution


@dataclass(frozen=True, slots=True)
class Change:
    """What changed with one child around one event: mean valence of the 60 s before and after, and the 95 percent
    interval of the difference (None where there was too little to compare)."""

    event: Event
    child: str
    before: float
    after: float
    interval: tuple[float, float] | None

    @property
    def difference(self) -> float:
        """After less before: negative where the face became less pleasant."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class LessonSummary:
    """``course``: the class over time, a row per `COURSE_STEP`: at, valence (mean over the children in view), low and
    high (its quartiles), present (how many children were in view). ``heat``: smoothed valence, a row per child
    (pseudonym) and a column per step (datetime), NaN where the child was not in view."""

    lesson: Lesson
    children: list[ChildSummary]
    tasks: list[TaskSummary]
    changes: list[Change]
    signals: list[Signal]
    course: pd.DataFrame
    heat: pd.DataFrame


def lesson_summary(store: LessonStore, lesson_id: str) -> LessonSummary:
    """The whole lesson. StoreError where there is none."""
    lesson = require_lesson(store, lesson_id)
    observations = store.observations(lesson.id)
    events = store.events(lesson.id)
    smoothed = smooth_class(observations)
    heat = heat_map(smoothed, lesson)
    names = animals(store, lesson, observations["child"].unique())
    children: list[ChildSummary] = []
    changes: list[Change] = []
    told = lesson_signals(store, lesson, lesson.ended_at or utc_now())
    curves = dict(spans_of_children(smoothed))
    for child, rows in spans_of_children(observations):
        own = [event for event in events if event.child in (None, child)]
        signals = [signal for signal in told if signal.child == child]
        children.append(_child_summary(child, names[child], rows, curves[child], signals))
        changes.extend(changes_around(rows, own, child))
    children.sort(key=lambda summary: summary.animal)
    tasks = list(task_summaries(lesson, events, told, smoothed))
    return LessonSummary(lesson, children, tasks, changes, told, class_course(heat), heat)


def spans_of_children(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Pseudonym and rows of each child of a frame that is sorted by child. Slices: `groupby` copies every column."""
    children = rows["child"].to_numpy(dtype=object)
    borders = [0, *(np.flatnonzero(children[1:] != children[:-1]) + 1).tolist(), len(children)]
    for first, last in pairwise(borders):
        if last > first:
            yield str(children[first]), rows.iloc[first:last]


def frame_weights(observations: pd.DataFrame) -> Floats:
    """(n,) for the rows of one child: seconds that each frame with a face stands for, times its quality; 0 without a
    face."""
    face = ~np.isnan(observations["neutral"].to_numpy(dtype=np.float64))
    quality = observations["face_quality"].to_numpy(dtype=np.float64)
    quality = np.maximum(np.where(np.isnan(quality), 1.0, quality), LEAST_WEIGHT)
    return np.where(face, quality * durations_of(seconds_of(observations["at"])), 0.0)


def durations_of(times: Floats) -> Floats:
    """(n,) seconds that each frame stands for: the time since the one before; after a gap, the usual interval."""
    intervals = np.diff(times, prepend=-np.inf)
    return np.where(intervals > GAP, FIRST_INTERVAL, intervals)


def _child_summary(
    child: str, animal: str, rows: pd.DataFrame, smoothed: pd.DataFrame, signals: list[Signal]
) -> ChildSummary:
    spans = episodes(smoothed)
    probabilities = probabilities_of(rows)
    weights, face = frame_weights(rows), ~np.isnan(probabilities[:, 0])
    means = None
    if weights.sum() > 0:
        # A sum rather than a matrix product, for which the linear algebra library would wake its threads.
        means = (weights[face, None] * probabilities[face]).sum(axis=0) / weights.sum()
    valence, arousal = affect_of(means[None])[0] if means is not None else (None, None)
    return ChildSummary(
        child=child,
        animal=animal,
        seconds_seen=float(durations_of(seconds_of(rows["at"]))[face].sum()),
        seconds_away=sum(span.seconds for span in spans if span.state == AWAY),
        shares=None if means is None else dict(zip(KEYS, means.tolist(), strict=True)),
        valence=None if valence is None else float(valence),
        arousal=None if arousal is None else float(arousal),
        expressiveness=None if means is None else float(1.0 - means[Emotion.NEUTRAL]),
        episodes=spans,
        signals=signals,
    )


def heat_map(smoothed: pd.DataFrame, lesson: Lesson, step: float = COURSE_STEP) -> pd.DataFrame:
    """Mean smoothed valence by child (row) and step (column: its start); NaN where the child was not in view in it."""
    if smoothed.empty:
        return pd.DataFrame()
    first = lesson.started_at.timestamp()
    bins = np.maximum((seconds_of(smoothed["at"]) - first) // step, 0).astype(np.int64)
    codes, names = pd.factorize(smoothed["child"])
    shape = (len(names), int(bins.max()) + 1)
    places = codes * shape[1] + bins
    face = smoothed["face"].to_numpy()
    valence = smoothed["valence"].to_numpy(dtype=np.float64)
    counts = np.bincount(places[face], minlength=shape[0] * shape[1])
    sums = np.bincount(places[face], weights=valence[face], minlength=shape[0] * shape[1])
    means = np.full(len(counts), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    columns = [lesson.started_at + timedelta(seconds=step * index) for index in range(shape[1])]
    return pd.DataFrame(means.reshape(shape), index=pd.Index(names, name="child"), columns=columns)


def class_course(heat: pd.DataFrame) -> pd.DataFrame:
    """The class over time from its heat map; NaN where nobody was in view. Each child counts alike, whatever its
    rows."""
    values = heat.to_numpy(dtype=np.float64)
    present = (~np.isnan(values)).sum(axis=0) if values.size else np.zeros(0, dtype=np.int64)
    course = pd.DataFrame({"at": pd.to_datetime(list(heat.columns), utc=True), "present": present})
    for name in ("valence", "low", "high"):
        course[name] = np.nan
    seen = present > 0
    if seen.any():
        course.loc[seen, "valence"] = np.nanmean(values[:, seen], axis=0)
        course.loc[seen, ["low", "high"]] = _quartiles(values[:, seen], present[seen])
    return course[["at", "valence", "low", "high", "present"]]


def _quartiles(values: Floats, present: npt.NDArray[np.int64]) -> Floats:
    """(columns, 2) lower and upper quartile of what is not NaN in each column, interpolated as `numpy.nanquantile`
    does it, which takes a Python call per column.
    """
    ranked = np.sort(values, axis=0)  # NaN last
    places = (present - 1)[:, None] * np.array([0.25, 0.75])
    below = np.floor(places).astype(np.int64)
    above = np.ceil(places).astype(np.int64)
    column = np.arange(values.shape[1])[:, None]
    return ranked[below, column] + (ranked[above, column] - ranked[below, column]) * (places - below)


def task_summaries(
    lesson: Lesson, events: Sequence[Event], signals: Sequence[Signal], smoothed: pd.DataFrame
) -> Iterator[TaskSummary]:
    """Each task, in order of its first start, until the next task of the class starts or the lesson ends.

    A child is counted as struggling in a task when its signal began in that span.
    """
    starts: dict[str, datetime] = {}
    for event in events:
        if event.kind == "task_started" and event.detail:
            starts.setdefault(event.detail, event.at)
    last = lesson.ended_at or max([event.at for event in events], default=lesson.started_at)
    if not smoothed.empty:
        last = max(last, smoothed["at"].iloc[-1].to_pydatetime())
    ends = [*starts.values(), last][1:]
    codes, times = np.zeros(0, dtype=np.int64), np.zeros(0)
    face, valence = np.zeros(0, dtype=bool), np.zeros(0)
    if not smoothed.empty:
        codes, times = pd.factorize(smoothed["child"])[0], seconds_of(smoothed["at"])
        face, valence = smoothed["face"].to_numpy(), smoothed["valence"].to_numpy(dtype=np.float64)
    for (task, start), end in zip(starts.items(), ends, strict=True):
        own = [event for event in events if event.detail == task]
        failed = [event for event in own if event.kind == "task_failed"]
        solved = {event.child: event.at for event in own if event.kind == "task_solved" and event.child}
        struggling = {s.child for s in signals if s.kind == STRUGGLING and start <= s.start < end}
        inside = face & (times >= start.timestamp()) & (times < end.timestamp())
        minutes = [(at - start).total_seconds() / 60 for at in solved.values()]
        yield TaskSummary(
            task=task,
            started_at=start,
            ended_at=end,
            failures=len(failed),
            children_failed=len({event.child for event in failed}),
            children_solved=len(solved),
            children_struggling=len(struggling),
            valence=_mean_of_children(codes[inside], valence[inside]),
            median_minutes=float(np.median(minutes)) if minutes else None,
        )


def _mean_of_children(codes: npt.NDArray[np.int64], values: Floats) -> float | None:
    """The mean over children of each child's mean; None without values."""
    if not len(values):
        return None
    counts = np.bincount(codes)
    return float((np.bincount(codes, weights=values)[counts > 0] / counts[counts > 0]).mean())


def changes_around(rows: pd.DataFrame, events: Sequence[Event], child: str) -> Iterator[Change]:
    """What changed in one child around its failed and solved tasks and hints: raw valence, `AROUND` seconds on each
    side.

    The interval is that of B. L. Welch, "The generalization of Student's problem", Biometrika 34 (1947) 28-35, over the
    means of blocks of `BLOCK` seconds, because neighbouring frames show the same expression and are not independent.
    """
    times, weights = seconds_of(rows["at"]), frame_weights(rows)
    seen = weights > 0
    times, weights = times[seen], weights[seen]
    valence = affect_of(probabilities_of(rows)[seen])[:, 0]
    for event in events:
        if event.kind not in CHANGED_BY:
            continue
        at = event.at.timestamp()
        before = _block_means(times, valence, weights, at - AROUND, at)
        after = _block_means(times, valence, weights, at, at + AROUND)
        if len(before) and len(after):
            yield Change(event, child, float(before.mean()), float(after.mean()), welch_interval(before, after))


def _block_means(times: Floats, values: Floats, weights: Floats, start: float, end: float) -> Floats:
    inside = slice(*np.searchsorted(times, [start, end]))
    blocks = ((times[inside] - start) / BLOCK).astype(np.int64)
    totals = np.bincount(blocks, weights=weights[inside])
    sums = np.bincount(blocks, weights=(weights * values)[inside])
    return sums[totals > 0] / totals[totals > 0]


def welch_interval(before: Floats, after: Floats, level: float = 0.95) -> tuple[float, float] | None:
    """The interval of the difference of two means (after less before); None with fewer than three values on a side."""
    if min(len(before), len(after)) < 3:
        return None
    parts = np.array([before.var(ddof=1) / len(before), after.var(ddof=1) / len(after)])
    difference, error = float(after.mean() - before.mean()), float(np.sqrt(parts.sum()))
    if error == 0:
        return difference, difference
    shares = parts / parts.sum()
    freedom = 1.0 / (shares**2 / np.array([len(before) - 1, len(after) - 1])).sum()
    reach = student_quantile((1 + level) / 2, float(freedom)) * error
    return difference - reach, difference + reach


def student_quantile(probability: float, freedom: float) -> float:
    """Student's t by the expansion in 1/freedom of M. Abramowitz and I. Stegun (1964), 26.7.5: within 1 % from 3 on."""
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
