"""One child's timeline and the board of the class, as a teacher opens them during a lesson and after it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from analytics.signals.episodes import AWAY, Episode, class_episodes, episodes, spans_of_children, utc_datetime
from analytics.signals.lesson_signals import lesson_signals
from analytics.signals.progress import failing_task
from analytics.signals.smoothing import Floats, seconds_of, smooth, smooth_class
from analytics.signals.support import KINDS, Signal
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Correction, Event, Lesson, StoreError

# a state of the board alone: no frame arrived lately, so nothing is known (a closed tablet, a lost connection)
SILENT = "silent"
SILENT_AFTER = 10.0  # seconds
BOARD_WINDOW = 600.0  # seconds of the past that the board reads: a state older than that is shown as ten minutes old
SPARKLINE_POINTS = 60
# In the version of a network: whose last layer it was, the child's own or that of its class.
FITTED_LAYERS = {"+own-": "own", "+class-": "class"}
SPARKLINE_SECONDS = 5.0  # per point, so the sparkline shows the last five minutes


@dataclass(frozen=True, slots=True)
class ChildTimeline:
    """All that is known of one child in one lesson. ``smoothed``: as `smooth` answers it."""

    lesson: Lesson
    child: str  # pseudonym
    animal: str
    smoothed: pd.DataFrame
    episodes: list[Episode]
    events: list[Event]  # those of the whole class included
    corrections: list[Correction]
    # From when on which last layer reads the child: "own", "class", or "" for the packaged one.
    layers: list[tuple[datetime, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One tile of the class board. ``state``: one of `KEYS`, `AWAY` or `SILENT`; ``seconds`` since when, at most
    `BOARD_WINDOW`."""

    child: str
    animal: str
    state: str
    since: datetime
    seconds: float
    signal: str | None = None  # the kind of the present support signal
    sparkline: list[float | None] = field(default_factory=list)  # mean valence per five seconds, oldest first
    joined: bool = True  # whether a frame of the child ever came in this lesson
    failing: tuple[str, int] | None = None  # the task that it is at, and how often that failed


def child_timeline(store: LessonStore, lesson_id: str, child: str) -> ChildTimeline:
    """The timeline of one child (a pseudonym) in one lesson. StoreError where there is no such lesson."""
    lesson = require_lesson(store, lesson_id)
    rows = store.observations(lesson.id, child)
    smoothed = smooth(rows)
    return ChildTimeline(
        lesson=lesson,
        child=child,
        animal=animals_of_class(store, lesson)[child],
        smoothed=smoothed,
        episodes=episodes(smoothed),
        events=store.events(lesson.id, child),
        corrections=store.corrections(lesson.id, child),
        layers=layer_changes(rows),
    )


def layer_changes(rows: pd.DataFrame) -> list[tuple[datetime, str]]:
    """See `ChildTimeline.layers`. ``rows``: observations of one child, sorted by time."""
    seen = rows[rows["model"] != ""]
    layer = seen["model"].map(_layer_of)
    changed = layer != layer.shift()
    return [(at.to_pydatetime(), name) for at, name in zip(seen["at"][changed], layer[changed], strict=True)]


def _layer_of(model: str) -> str:
    return next((name for mark, name in FITTED_LAYERS.items() if mark in model), "")


def class_board(store: LessonStore, lesson_id: str, now: datetime) -> list[BoardRow]:
    """One row per child who was seen in the lesson's last ten minutes, or is enrolled in its class; who needs attention
    first. ``now``: aware UTC.

    Curves are read for the last `BOARD_WINDOW` seconds only; signals are shared by all who ask
    (`analytics.signals.lesson_signals`). After the lesson it shows its end.
    """
    lesson = require_lesson(store, lesson_id)
    now = min(now, lesson.ended_at) if lesson.ended_at else now
    smoothed = smooth_class(store.observations(lesson.id, since=now - timedelta(seconds=BOARD_WINDOW), until=now))
    seen = _recent_frames(smoothed)
    names = animals_of_class(store, lesson, seen)
    signals = lesson_signals(store, lesson, now)
    active = {child: _most_urgent(child, signals) for child in names}
    counts = store.frame_counts(lesson.id, now + timedelta(microseconds=1))
    events = [event for event in store.events(lesson.id) if event.at <= now]
    rows = [
        replace(
            _board_row(child, name, seen.get(child), lesson, now, active[child]),
            joined=child in counts,
            failing=failing_task(child, events),
        )
        for child, name in names.items()
    ]
    return sorted(rows, key=lambda row: (KINDS.index(row.signal) if row.signal else len(KINDS), row.animal))


def _most_urgent(child: str, signals: Sequence[Signal]) -> str | None:
    kinds = {signal.kind for signal in signals if signal.child == child and signal.active}
    return next((kind for kind in KINDS if kind in kinds), None)


@dataclass(frozen=True, slots=True)
class _RecentFrames:
    """The frames of one child in the board's window. ``times: seconds since 1970; ``valence``: NaN without a face."""

    times: Floats
    valence: Floats
    episodes: list[Episode]


def _recent_frames(smoothed: pd.DataFrame) -> dict[str, _RecentFrames]:
    """By pseudonym. The columns are taken out once: to select them child by child takes longer than all the rest."""
    times, valence, spans = seconds_of(smoothed["at"]), smoothed["valence"].to_numpy(), class_episodes(smoothed)
    return {
        child: _RecentFrames(times[rows], valence[rows], spans[child])
        for child, rows in spans_of_children(smoothed["child"])
    }


def _board_row(
    child: str, animal: str, seen: _RecentFrames | None, lesson: Lesson, now: datetime, signal: str | None
) -> BoardRow:
    state, since = SILENT, max(lesson.started_at, now - timedelta(seconds=BOARD_WINDOW))
    sparkline: list[float | None] = [None] * SPARKLINE_POINTS
    if seen is not None:
        sparkline = binned_means(seen.times, seen.valence, now.timestamp())
        if now.timestamp() - seen.times[-1] > SILENT_AFTER:
            since = utc_datetime(seen.times[-1])
        elif seen.episodes:
            state, since = seen.episodes[-1].state, seen.episodes[-1].start
        else:  # no face yet, for less than a gap
            state, since = AWAY, utc_datetime(seen.times[0])
    return BoardRow(child, animal, state, since, max(0.0, (now - since).total_seconds()), signal, sparkline)


def binned_means(times: Floats, values: Floats, end: float) -> list[float | None]:
    """The means of ``values`` in the `SPARKLINE_POINTS` bins before ``end`` (seconds since 1970); None where a bin
    has none."""
    bins = SPARKLINE_POINTS - 1 - np.floor((end - times) / SPARKLINE_SECONDS).astype(np.int64)
    usable = ~np.isnan(values) & (bins >= 0) & (bins < SPARKLINE_POINTS)
    counts = np.bincount(bins[usable], minlength=SPARKLINE_POINTS)
    sums = np.bincount(bins[usable], weights=values[usable], minlength=SPARKLINE_POINTS)
    return [float(total / count) if count else None for total, count in zip(sums, counts, strict=True)]


def require_lesson(store: LessonStore, lesson_id: str) -> Lesson:
    """The lesson, or a StoreError that says which one is missing."""
    lesson = store.find_lesson(lesson_id)
    if lesson is None:
        raise StoreError(f"There is no lesson {lesson_id!r}. The list of lessons shows those that exist.")
    return lesson


def animals_of_class(store: LessonStore, lesson: Lesson, seen: Iterable[str] = ()) -> dict[str, str]:
    """Pseudonym -> animal of the children of the lesson's class; a child erased from the class keeps the start of its
    pseudonym."""
    names = {child.pseudonym: child.animal for child in store.children(lesson.class_name)}
    return names | {child: child[:6] for child in seen if child not in names}
