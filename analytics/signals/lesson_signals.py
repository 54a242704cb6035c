"""The support signals of a whole lesson, computed once and cached for all pages that ask every two seconds."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from analytics.signals.baseline import BASELINE_SECONDS, Baseline, baseline_of, class_series
from analytics.signals.support import Signal, class_signals
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson

MAXIMUM_AGE = timedelta(seconds=4)  # of cached signals: less than half of what any of them takes to be raised
EARLIER_LESSONS = 3  # how many of a class's lessons before this one a child's baseline is taken from
MINIMUM_FACE_SECONDS = 60.0  # a child that was seen for less in them has no earlier baseline


@dataclass(slots=True)
class _CachedSignals:
    now: datetime
    signals: list[Signal]
    baselines: dict[str, Baseline]


@dataclass(slots=True)
class _SignalCache:
    lock: Lock = field(default_factory=Lock)
    lessons: dict[str, _CachedSignals] = field(default_factory=dict)


_caches: "WeakKeyDictionary[LessonStore, _SignalCache]" = WeakKeyDictionary()
_caches_lock = Lock()


def lesson_signals(store: LessonStore, lesson: Lesson, now: datetime) -> list[Signal]:
    """The signals of all children of a lesson up to ``now`` (aware), in the order in which they were raised.

    Cached for `MAXIMUM_AGE`, so that many pages cost as much as one. Safe to call from several threads. Baselines of
    earlier lessons are read once per lesson.
    """
    now = min(now, lesson.ended_at) if lesson.ended_at else now
    with _caches_lock:
        cache = _caches.setdefault(store, _SignalCache())
    with cache.lock:
        known = cache.lessons.get(lesson.id)
        fresh = timedelta(0) if lesson.ended_at else MAXIMUM_AGE
        if known is not None and timedelta(0) <= now - known.now <= fresh:
            return known.signals
        baselines = earlier_baselines(store, lesson) if known is None else known.baselines
        events = store.events(lesson.id)
        before = [event for event in events if event.at <= now]
        series_of = dict(class_series(store.observations(lesson.id, until=now + timedelta(microseconds=1))))
        signals = class_signals(series_of, before, lesson.id, baselines)
        cache.lessons[lesson.id] = _CachedSignals(now, signals, baselines)
        return signals


def earlier_baselines(store: LessonStore, lesson: Lesson) -> dict[str, Baseline]:
    """Pseudonym -> baseline in the last lessons of the class before this one, each lesson weighing by its face
    time.

    Only the first twice `BASELINE_SECONDS` of each lesson are read, which hold so much face time although a child looks
    away now and then.
    """
    earlier = [other for other in store.lessons(lesson.class_name) if other.started_at < lesson.started_at]
    found: dict[str, list[Baseline]] = {}
    for other in earlier[:EARLIER_LESSONS]:
        rows = store.observations(other.id, until=other.started_at + timedelta(seconds=2 * BASELINE_SECONDS))
        for child, series in class_series(rows):
            baseline = baseline_of(series)
            if baseline is not None:
                found.setdefault(child, []).append(baseline)
    return {child: merged for child, several in found.items() if (merged := _merged(several)) is not None}


def _merged(baselines: list[Baseline]) -> Baseline | None:
    seconds = sum(baseline.seconds for baseline in baselines)
    if seconds < MINIMUM_FACE_SECONDS:
        return None
    shares = sum(np.array(baseline.shares) * baseline.seconds for baseline in baselines) / seconds
    return Baseline(tuple(np.asarray(shares).tolist()), float(seconds))
