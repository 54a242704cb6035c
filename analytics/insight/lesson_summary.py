"""A whole lesson: each child's share of it, each task over all children, the class over time, and what events
changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.insight.task_effects import FaceFrames, ValenceChange, frames_of_children, valence_changes
from analytics.insight.tasks import ChildTask, TaskSummary, all_child_tasks, task_summaries
from analytics.insight.timeline import animals_of_class, require_lesson
from analytics.signals.episodes import AWAY, Episode, class_episodes
from analytics.signals.lesson_signals import lesson_signals
from analytics.signals.smoothing import Floats, affect_of, codes_of, seconds_of, smooth_class
from analytics.signals.support import Signal
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Event, Lesson
from emotion.labels import KEYS, Emotion

COURSE_STEP = 10.0  # seconds per point of the class over time and per cell of the heat map


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
class LessonSummary:
    """``course``: the class over time, a row per `COURSE_STEP`: at, valence (mean over the children in view), low and
    high (its quartiles), present (how many children were in view). ``heat``: smoothed valence, a row per child
    (pseudonym) and a column per step (datetime), NaN where the child was not in view. ``child_tasks``: each child in
    each of its tasks."""

    lesson: Lesson
    children: list[ChildSummary]
    tasks: list[TaskSummary]
    child_tasks: list[ChildTask]
    changes: list[ValenceChange]
    signals: list[Signal]
    course: pd.DataFrame
    heat: pd.DataFrame


def lesson_summary(store: LessonStore, lesson_id: str) -> LessonSummary:
    """The whole lesson. StoreError where there is none."""
    lesson = require_lesson(store, lesson_id)
    observations = store.observations(lesson.id)
    events = store.events(lesson.id)
    smoothed = smooth_class(observations)
    heat = valence_grid(smoothed, lesson)
    names = animals_of_class(store, lesson, heat.index)
    children: list[ChildSummary] = []
    changes: list[ValenceChange] = []
    all_signals = lesson_signals(store, lesson, lesson.ended_at or store.clock.now(lesson))
    spans = class_episodes(smoothed)
    for child, frames in frames_of_children(observations):
        own = [event for event in events if event.child in (None, child)]
        signals = [signal for signal in all_signals if signal.child == child]
        children.append(_child_summary(child, names[child], frames, spans[child], signals))
        changes.extend(valence_changes(frames, own, child))
    children.sort(key=lambda summary: summary.animal)
    of_children = all_child_tasks(events, heat.index, _known_until(lesson, events, smoothed))
    tasks = task_summaries(of_children, all_signals, smoothed)
    return LessonSummary(lesson, children, tasks, of_children, changes, all_signals, class_course(heat), heat)


def _known_until(lesson: Lesson, events: Sequence[Event], smoothed: pd.DataFrame) -> datetime:
    """The end of a lesson; of one that runs, the last that is known of it."""
    if lesson.ended_at is not None:
        return lesson.ended_at
    last = max([event.at for event in events], default=lesson.started_at)
    return last if smoothed.empty else max(last, smoothed["at"].max().to_pydatetime())


def _child_summary(
    child: str, animal: str, frames: FaceFrames, spans: list[Episode], signals: list[Signal]
) -> ChildSummary:
    means = None
    if frames.weights.sum() > 0:
        # A sum rather than a matrix product, for which the linear algebra library would wake its threads.
        means = (frames.weights[:, None] * frames.probabilities).sum(axis=0) / frames.weights.sum()
    valence, arousal = affect_of(means[None])[0] if means is not None else (None, None)
    return ChildSummary(
        child=child,
        animal=animal,
        seconds_seen=float(frames.durations.sum()),
        seconds_away=sum(span.seconds for span in spans if span.state == AWAY),
        shares=None if means is None else dict(zip(KEYS, means.tolist(), strict=True)),
        valence=None if valence is None else float(valence),
        arousal=None if arousal is None else float(arousal),
        expressiveness=None if means is None else float(1.0 - means[Emotion.NEUTRAL]),
        episodes=spans,
        signals=signals,
    )


def valence_grid(smoothed: pd.DataFrame, lesson: Lesson) -> pd.DataFrame:
    """Mean smoothed valence by child (row) and `COURSE_STEP` (column: its start); NaN where there was no face."""
    if smoothed.empty:
        return pd.DataFrame()
    first = lesson.started_at.timestamp()
    bins = np.maximum((seconds_of(smoothed["at"]) - first) // COURSE_STEP, 0).astype(np.int64)
    codes = codes_of(smoothed["child"])
    names = smoothed["child"].to_numpy(dtype=object)[np.flatnonzero(np.diff(codes, prepend=-1))]
    shape = (len(names), int(bins.max()) + 1)
    places = codes * shape[1] + bins
    face = smoothed["face"].to_numpy()
    valence = smoothed["valence"].to_numpy(dtype=np.float64)
    counts = np.bincount(places[face], minlength=shape[0] * shape[1])
    sums = np.bincount(places[face], weights=valence[face], minlength=shape[0] * shape[1])
    means = np.full(len(counts), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    columns = [lesson.started_at + timedelta(seconds=COURSE_STEP * index) for index in range(shape[1])]
    return pd.DataFrame(means.reshape(shape), index=pd.Index(names, name="child"), columns=columns)


def class_course(heat: pd.DataFrame) -> pd.DataFrame:
    """The class over time from its heat map; NaN where nobody was in view. Each child counts alike, whatever its
    rows."""
    values = heat.to_numpy(dtype=np.float64)
    present = (~np.isnan(values)).sum(axis=0) if values.size else np.zeros(0, dtype=np.int64)
    seen = present > 0
    means, quartiles = np.full(len(present), np.nan), np.full((len(present), 2), np.nan)
    if seen.any():
        means[seen] = np.nansum(values[:, seen], axis=0) / present[seen]
        quartiles[seen] = _quartiles(values[:, seen], present[seen])
    return pd.DataFrame(
        {
            "at": pd.to_datetime(list(heat.columns), utc=True),
            "valence": means,
            "low": quartiles[:, 0],
            "high": quartiles[:, 1],
            "present": present,
        }
    )


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
