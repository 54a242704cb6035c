"""The support signals of a whole lesson, for everyone who asks every two seconds: worked out once, then shared."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from analytics.signals.baseline import WARM_UP, Baseline, baseline_of, track_class
from analytics.signals.support import Signal, detect_class
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson

FRESH = timedelta(seconds=4)  # signals so old are still told: less than half of what any of them takes to be raised
EARLIER_LESSONS = 3  # how many of a class's lessons before this one a child's resting level is taken from
LEAST_FACE_SECONDS = 60.0  # a child that was seen for less in them has no earlier resting level


@dataclass(slots=True)
class _CachedSignals:
    now: datetime
    signals: list[Signal]
    baselines: dict[str, Baseline]


@dataclass(slots=True)
class _SignalCache:
    lock: Lock = field(default_factory=Lock)
    lessons: dict[str, _CachedSignals] = field(default_factory=dict)


_watches: "WeakKeyDictionary[LessonStore, _SignalCache]" = WeakKeyDictionary()
_watches_lock = Lock()


def lesson_signals(store: LessonStore, lesson: Lesson, now: datetime) -> list[Signal]:
    """The signals of all children of a lesson up to ``now`` (aware), in the order in which they were raised.

    At most `FRESH` old: whoever asks in between gets the same answer, so many pages cost as much as one. Safe to call
    from several threads. The resting levels of earlier lessons are read once per lesson.
    """
    now = min(now, lesson.ended_at) if lesson.ended_at else now
    with _watches_lock:
        watch = _watches.setdefault(store, _SignalCache())
    with watch.lock:
        known = watch.lessons.get(lesson.id)
        fresh = timedelta(0) if lesson.ended_at else FRESH
        if known is not None and timedelta(0) <= now - known.now <= fresh:
            return known.signals
        baselines = earlier_baselines(store, lesson) if known is None else known.baselines
        events = store.events(lesson.id)
        before = [event for event in events if event.at <= now]
        tracks = dict(track_class(store.observations(lesson.id, until=now + timedelta(microseconds=1))))
        signals = detect_class(tracks, before, lesson.id, baselines)
        watch.lessons[lesson.id] = _CachedSignals(now, signals, baselines)
        return signals


def earlier_baselines(store: LessonStore, lesson: Lesson) -> dict[str, Baseline]:
    """Pseudonym -> resting level in the last lessons of the class before this one, each lesson weighing by its face
    time.

    Only the start of each lesson is read: twice the warm-up, so that five minutes of face time are found although a
    child looks away now and then.
    """
    earlier = [other for other in store.lessons(lesson.class_name) if other.started_at < lesson.started_at]
    found: dict[str, list[Baseline]] = {}
    for other in earlier[:EARLIER_LESSONS]:
        rows = store.observations(other.id, until=other.started_at + timedelta(seconds=2 * WARM_UP))
        for child, track in track_class(rows):
            baseline = baseline_of(track)
            if baseline is not None:
                found.setdefault(child, []).append(baseline)
    return {child: merged for child, several in found.items() if (merged := _merged(several)) is not None}


def _merged(baselines: list[Baseline]) -> Baseline | None:
    seconds = sum(baseline.seconds for baseline in baselines)
    if seconds < LEAST_FACE_SECONDS:
        return None
    shares = sum(np.array(baseline.shares) * baseline.seconds for baseline in baselines) / seconds
    return Baseline(tuple(np.asarray(shares).tolist()), float(seconds))
