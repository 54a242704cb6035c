"""The support signals of a whole lesson, computed once and cached for all pages that ask every two seconds."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from analytics.signals.baseline import BASELINE_SECONDS, Baseline, ChildSeries, baseline_of, child_series, class_series
from analytics.signals.hidden_markov import TaskTimes
from analytics.signals.support import Signal, tracked_signals
from analytics.signals.tracking import ChildTracker, task_times
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson

MAXIMUM_AGE = timedelta(seconds=4)  # of cached signals: less than half of what any of them takes to be raised
SETTLING = timedelta(seconds=5)  # after which hardly a frame or event of that time is still on its way
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIER_LESSONS = 3  # how many of a class's lessons before this one a child's baseline is taken from
MINIMUM_FACE_SECONDS = 60.0  # a child that was seen for less in them has no earlier baseline


@dataclass(slots=True)
class _FollowedChild:
    """A child up to ``settled``. ``tasks``: what it had failed and solved by then."""

    tracker: ChildTracker
    tasks: TaskTimes


@dataclass(slots=True)
class _FollowedLesson:
    """A lesson of which further frames are taken as they come. Frames and events later than ``settled`` may still be
    joined by others of that time, so they are looked at without being taken for good."""

    baselines: dict[tuple[str, str], Baseline]
    now: datetime
    settled: datetime
    children: dict[str, _FollowedChild] = field(default_factory=dict)
    signals: list[Signal] = field(default_factory=list)

    def go_on(self, store: LessonStore, lesson: Lesson, now: datetime) -> None:
        """Takes what came until ``now``. Of a child of which something came late, or went, everything is read anew."""
        events = [event for event in store.events(lesson.id) if event.at <= now]
        until, settled = now + timedelta(microseconds=1), max(self.settled, now - SETTLING)
        rows = store.observations(lesson.id, since=self.settled, until=until)
        counts = store.frame_counts(lesson.id, settled)
        is_settled = rows["at"] < settled
        taken, open_rows = (dict(class_series(part)) for part in (rows[is_settled], rows[~is_settled]))
        live: dict[str, ChildTracker] = {}
        followed: dict[str, _FollowedChild] = {}
        for child in counts.keys() | open_rows.keys():
            tasks = task_times(events, child)
            known = self.children.get(child)
            if known is None or not _agrees(known, taken.get(child), counts.get(child, 0), tasks, self.settled):
                before = store.observations(lesson.id, child, until=settled) if child in counts else rows[:0]
                model = _model_of(before) or _model_of(rows[rows["child"] == child])
                known = _FollowedChild(ChildTracker(self.baselines.get((child, model))), tasks)
                known.tracker.add(child_series(before), tasks)
            elif child in taken:
                known.tracker.add(taken[child], tasks)
            known.tasks = tasks
            followed[child], live[child] = known, known.tracker
            if child in open_rows:
                live[child] = deepcopy(known.tracker)
                live[child].add(open_rows[child], tasks)
        self.children, self.now, self.settled = followed, now, settled
        self.signals = tracked_signals(live, events, lesson.id)


def _model_of(rows: pd.DataFrame) -> str:
    """The network that read the first face in these rows; "" without a face."""
    return next((str(model) for model in rows["model"] if model), "")


def _agrees(known: _FollowedChild, taken: ChildSeries | None, frames: int, tasks: TaskTimes, settled: datetime) -> bool:
    """Whether what was taken of a child is all that there is until ``settled``: frames, what it failed and solved."""
    if known.tracker.frames + (len(taken.frame_times) if taken else 0) != frames:
        return False
    until = settled.timestamp()
    return all(
        np.array_equal(before[before < until], present[present < until])
        for before, present in zip(known.tasks, tasks, strict=True)
    )


@dataclass(slots=True)
class _SignalCache:
    lock: Lock = field(default_factory=Lock)
    lessons: dict[str, _FollowedLesson] = field(default_factory=dict)


_caches: "WeakKeyDictionary[LessonStore, _SignalCache]" = WeakKeyDictionary()
_caches_lock = Lock()


def lesson_signals(store: LessonStore, lesson: Lesson, now: datetime, anew: bool = False) -> list[Signal]:
    """The signals of all children of a lesson up to ``now`` (aware), in the order in which they were raised.

    Cached for `MAXIMUM_AGE` unless ``anew``, so that many pages cost as much as one; afterwards only what came since is
    worked out.
    Safe to call from several threads. Baselines of earlier lessons are read once per lesson.
    """
    now = min(now, lesson.ended_at) if lesson.ended_at else now
    with _caches_lock:
        cache = _caches.setdefault(store, _SignalCache())
    with cache.lock:
        followed = cache.lessons.get(lesson.id)
        fresh = timedelta(0) if lesson.ended_at else MAXIMUM_AGE
        if followed is not None and not anew and timedelta(0) <= now - followed.now <= fresh:
            return followed.signals
        if followed is None or now < followed.now:
            baselines = earlier_baselines(store, lesson) if followed is None else followed.baselines
            followed = _FollowedLesson(baselines, now, EPOCH)
        followed.go_on(store, lesson, now)
        cache.lessons[lesson.id] = followed
        return followed.signals


def earlier_baselines(store: LessonStore, lesson: Lesson) -> dict[tuple[str, str], Baseline]:
    """(Pseudonym, network) -> baseline in the last lessons of the class before this one, each lesson weighing by its
    face time. A face at rest reads otherwise by another network, or by a child's own last layer.

    Only the first twice `BASELINE_SECONDS` of each lesson are read, which hold so much face time although a child looks
    away now and then.
    """
    earlier = [other for other in store.lessons(lesson.class_name) if other.started_at < lesson.started_at]
    found: dict[tuple[str, str], list[Baseline]] = {}
    for other in earlier[:EARLIER_LESSONS]:
        rows = store.observations(other.id, until=other.started_at + timedelta(seconds=2 * BASELINE_SECONDS))
        models = rows[rows["model"] != ""].groupby("child")["model"].first()
        for child, series in class_series(rows):
            baseline = baseline_of(series)
            if baseline is not None:
                found.setdefault((child, str(models[child])), []).append(baseline)
    return {whose: merged for whose, several in found.items() if (merged := _merged(several)) is not None}


def _merged(baselines: list[Baseline]) -> Baseline | None:
    seconds = sum(baseline.seconds for baseline in baselines)
    if seconds < MINIMUM_FACE_SECONDS:
        return None
    shares = sum(np.array(baseline.shares) * baseline.seconds for baseline in baselines) / seconds
    return Baseline(tuple(np.asarray(shares).tolist()), float(seconds))
