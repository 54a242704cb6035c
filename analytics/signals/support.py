"""Support signals: when a child probably needs an adult (or a word of praise), why, and what to suggest."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from analytics.signals.baseline import NEGATIVE, Baseline, ChildSeries, child_series
from analytics.signals.detection import Span
from analytics.signals.episodes import utc_datetime
from analytics.signals.hidden_markov import DELIGHTED, TROUBLED
from analytics.signals.presence import TirednessEvidence
from analytics.signals.progress import (
    RepeatedFailure,
    SlowTask,
    SolvedTasks,
    repeated_failures,
    slow_tasks,
    solved_tasks,
)
from analytics.signals.thresholds import THRESHOLDS
from analytics.signals.tracking import ChildTracker, task_times
from analytics.store.records import Event
from emotion.labels import Emotion

DISTRESSED, STRUGGLING, UNPLEASANT, TIRED, AWAY = "distressed", "struggling", "unpleasant", "tired", "away"
KINDS = (DISTRESSED, STRUGGLING, UNPLEASANT, TIRED, AWAY, DELIGHTED)  # who needs a teacher first
TROUBLES = (DISTRESSED, STRUGGLING, UNPLEASANT)  # what one question decides, and a second one names
SUGGESTIONS = ("break", "ask_for_help", "hint", "assistant", "teacher")  # the list of the paper
_CAUSE = 120.0  # seconds before a signal in which a failed task is its reason ...
EVENTS = " by events"  # tells the signals that events alone raised from those that the face raised
_RECENT = 300.0  # ... and in which failures of that task before it are counted
_CLEAR = 0.25  # by so much the share of the expressions that a sentence names is higher than at rest
_SAD_OR_AFRAID = (Emotion.FEAR, Emotion.SAD)


@dataclass(frozen=True, slots=True)
class Signal:
    """One support signal.

    ``id``: the same whenever the same lesson is looked at again. ``start``: when it probably began; ``raised``: when
    there was evidence enough to say so; ``end``: when it was over, None while it lasts. ``strength``: 0..1.
    ``reason_key`` and ``evidence``: what `analytics.words.texts_signals` makes one plain sentence of.
    ``suggestion_key``: one of `SUGGESTIONS`.

    | reason_key | evidence |
    |---|---|
    | struggling_after_failure | task, failures, seconds, percent, usual_percent |
    | failed_as_usual | task, failures, seconds, percent, usual_percent |
    | failed_unseen | task, failures, seconds |
    | slow | task, minutes, usual_minutes |
    | distressed, unpleasant | seconds, percent, usual_percent |
    | changed | expression, seconds, percent, usual_percent |
    | tired | minutes, away_percent, usual_away_percent, expression_percent, usual_expression_percent |
    | away | seconds |
    | delighted_after_success | task, seconds, percent, usual_percent |
    | delighted | seconds, percent, usual_percent |

    ``seconds``: from start to end, or to the last frame while it lasts. ``percent``: the expected share of the time
    with unpleasant expressions (with joy for delighted; with fear and sadness for distressed) from start to ``raised``;
    ``usual_percent``: the same at rest. ``expression``: the key of the one that is seen so much more than at rest where
    unpleasant expressions as a whole hardly are. ``minutes``: the span that tiredness was judged over, or that a task
    has taken; ``usual_minutes``: what it took others.
    """

    id: str
    lesson: str
    child: str
    kind: str
    start: datetime
    raised: datetime
    end: datetime | None
    strength: float
    reason_key: str
    evidence: dict[str, float | str]
    suggestion_key: str

    @property
    def active(self) -> bool:
        """Whether it still lasts."""
        return self.end is None


def child_signals(
    observations: pd.DataFrame, events: Sequence[Event], lesson: str, child: str, earlier: Baseline | None = None
) -> list[Signal]:
    """The signals of one child in one lesson up to the last observation, in the order in which they were raised.

    ``observations``: of this child, as `LessonStore.observations` answers them. ``events``: of this child and of the
    whole class. ``earlier``: the child's baseline in earlier lessons, where there were any.
    """
    return class_signals({child: child_series(observations)}, events, lesson, {child: earlier} if earlier else {})


def class_signals(
    series_of: Mapping[str, ChildSeries], events: Sequence[Event], lesson: str, earlier: Mapping[str, Baseline]
) -> list[Signal]:
    """The signals of all children of a lesson, in the order in which they were raised. ``series_of`` and ``earlier``
    (baselines of earlier lessons): by pseudonym.

    *distressed*, *struggling*, *unpleasant*: from when the filtered probability of trouble
    (`analytics.signals.hidden_markov`) reaches a threshold until it has fallen again; told again where it gets worse. A
    failed task raises the rate of onset, and makes it struggling; without one the expressions name it. *delighted*: the
    same for joy and a solved task. *struggling* from events alone: see `analytics.signals.progress`. *tired*: late in
    the lesson and for a minute, the fall of expressiveness, arousal and face quality and the rise of short absences
    over the last three minutes, each in units of its scale, add up to a threshold. *away*: no face in any frame for
    twenty seconds.
    """
    ordered = sorted(events, key=lambda event: event.at)
    trackers = {}
    for child, series in series_of.items():
        trackers[child] = ChildTracker(earlier.get(child))
        trackers[child].add(series, task_times(ordered, child))
    return tracked_signals(trackers, ordered, lesson)


def tracked_signals(trackers: Mapping[str, ChildTracker], events: Sequence[Event], lesson: str) -> list[Signal]:
    """`class_signals` of children whose frames were taken already. ``events``: of the lesson, in order of time."""
    now = max(
        [*(tracker.presence.last for tracker in trackers.values()), *(event.at.timestamp() for event in events)],
        default=0.0,
    )
    # a tablet without a camera reports events all the same
    unseen = {event.child for event in events if event.child} - trackers.keys()
    everybody = {**trackers, **{child: ChildTracker() for child in unseen}}
    solved = solved_tasks(events)
    found = [
        signal
        for child, tracker in everybody.items()
        for signal in _SignalBuilder(tracker, events, solved, lesson, child).signals(now)
    ]
    return sorted(found, key=lambda signal: (signal.raised, signal.child, signal.kind))


class _SignalBuilder:
    """Makes signals of what was tracked of one child: reason, evidence, strength and suggestion. ``events``: of the
    whole lesson, in order of time; ``solved``: what was solved in it."""

    def __init__(
        self, tracker: ChildTracker, events: Sequence[Event], solved: SolvedTasks, lesson: str, child: str
    ) -> None:
        self.tracker, self.solved = tracker, solved
        self.events = [event for event in events if event.child in (None, child)]
        self.lesson, self.child = lesson, child

    def signals(self, now: float) -> list[Signal]:
        """All signals. ``now``: seconds since 1970."""
        spans, presence = self.tracker.spans, self.tracker.presence
        troubles = [self.trouble(span) for span in spans[TROUBLED].spans]
        found = [*troubles, *self.from_events(now, troubles)]
        found += [self.delighted(span) for span in spans[DELIGHTED].spans]
        found += [self.tired(*span) for span in presence.tiredness()]
        found += [self.away(start, end, THRESHOLDS.away_seconds) for start, end in presence.absences()]
        return found

    def from_events(self, now: float, troubles: Sequence[Signal]) -> list[Signal]:
        """What events alone tell. ``troubles``: what the face told; a slow task adds nothing to them."""
        found = [self.failing(failure) for failure in repeated_failures(self.events, now)]
        told = [
            (signal.start.timestamp(), signal.end.timestamp() if signal.end else np.inf)
            for signal in [*troubles, *found]
        ]
        for slow in slow_tasks(self.child, self.events, self.solved, now):
            if not any(start <= slow.raised <= end for start, end in told):
                found.append(self.slow(slow, now))
        return found

    def trouble(self, span: Span) -> Signal:
        """Struggling after a failed task; else distressed where fear and sadness lead; else unpleasant."""
        start, raised, end = span.start, span.raised, span.end
        before = [event for event in self.events if 0 <= raised - event.at.timestamp() <= _RECENT]
        failed = [event for event in before if event.kind == "task_failed"]
        if failed and raised - failed[-1].at.timestamp() <= _CAUSE:
            task = failed[-1].detail
            evidence = self._evidence(span, NEGATIVE)
            told: dict[str, float | str] = {"task": task, "failures": sum(event.detail == task for event in failed)}
            return self._signal(
                STRUGGLING, start, raised, end, _strength(evidence), told | evidence, self._help(failed[0], raised),
                "struggling_after_failure",
            )  # fmt: skip
        shares = span.shares
        distressed = shares[list(_SAD_OR_AFRAID)].sum() >= shares[list(NEGATIVE)].sum() / 2
        kind, classes = (DISTRESSED, _SAD_OR_AFRAID) if distressed else (UNPLEASANT, NEGATIVE)
        evidence = self._evidence(span, classes)
        suggestion, reason = "teacher" if distressed else "ask_for_help", None
        if _strength(evidence) < _CLEAR:  # a face that looks sad at rest, say, and is afraid now
            rises = [shares[emotion] - span.usual[emotion] for emotion in NEGATIVE]
            emotion = NEGATIVE[int(np.argmax(rises))]
            evidence = {"expression": emotion.key, **self._evidence(span, (emotion,))}
            reason = "changed"
        return self._signal(kind, start, raised, end, _strength(evidence), evidence, suggestion, reason)

    def failing(self, failure: RepeatedFailure) -> Signal:
        """One task failed again and again."""
        evidence: dict[str, float | str] = {
            "task": failure.task,
            "failures": failure.failures,
            "seconds": round(failure.raised - failure.start),
        }
        key, seen = "failed_unseen", self.tracker.presence.negative(failure.start, failure.raised)
        if seen is not None:
            share, usual = seen
            evidence |= {"percent": round(100 * share), "usual_percent": round(100 * usual)}
            worse = share >= usual + THRESHOLDS.worse_share
            key = "struggling_after_failure" if worse else "failed_as_usual"
        began = next(event for event in self.events if event.at.timestamp() >= failure.start)
        suggestion = self._help(began, failure.raised)
        return self._signal(
            STRUGGLING, failure.start, failure.raised, failure.end, 0.5, evidence, suggestion, key, EVENTS
        )

    def slow(self, slow: SlowTask, now: float) -> Signal:
        """A task that takes much longer than it took others."""
        until = now if slow.end is None else slow.end
        evidence: dict[str, float | str] = {
            "task": slow.task,
            "minutes": round((until - slow.start) / 60),
            "usual_minutes": max(1, round(slow.usual / 60)),
        }
        return self._signal(
            STRUGGLING, slow.start, slow.raised, slow.end, 0.3, evidence, "ask_for_help", "slow", EVENTS
        )

    def _help(self, since: Event, raised: float) -> str:
        """A hint; where one was given between an event and the signal, the helper character."""
        hinted = any(
            event.kind == "hint" and since.at.timestamp() <= event.at.timestamp() <= raised for event in self.events
        )
        return "assistant" if hinted else "hint"

    def delighted(self, span: Span) -> Signal:
        start = span.start
        evidence = self._evidence(span, (Emotion.HAPPY,))
        signal = self._signal(DELIGHTED, start, span.raised, span.end, _strength(evidence), evidence, "teacher")
        solved = [e for e in self.events if e.kind == "task_solved" and -5 <= start - e.at.timestamp() <= 60]
        if not solved:
            return signal
        return replace(
            signal,
            reason_key="delighted_after_success",
            evidence={"task": solved[-1].detail, **signal.evidence},
        )

    def tired(self, start: float, raised: float, end: float | None, change: TirednessEvidence) -> Signal:
        evidence: dict[str, float | str] = {
            "minutes": round((raised - start) / 60),
            "away_percent": round(100 * change.away),
            "usual_away_percent": round(100 * change.usual_away),
            "expression_percent": round(100 * change.expression),
            "usual_expression_percent": round(100 * change.usual_expression),
        }
        return self._signal(TIRED, start, raised, end, change.score / 8, evidence, "break")

    def away(self, start: float, end: float | None, needed: float) -> Signal:
        raised = start + needed
        seconds = round((self.tracker.presence.last if end is None else end) - start)
        return self._signal(AWAY, start, raised, end, seconds / 120, {"seconds": seconds}, "teacher")

    def _evidence(self, span: Span, classes: Sequence[Emotion]) -> dict[str, float | str]:
        last = self.tracker.presence.last if span.end is None else span.end
        return {
            "seconds": round(last - span.start),
            "percent": round(100 * float(span.shares[list(classes)].sum())),
            "usual_percent": round(100 * float(span.usual[list(classes)].sum())),
        }

    def _signal(
        self,
        kind: str,
        start: float,
        raised: float,
        end: float | None,
        strength: float,
        evidence: dict[str, float | str],
        suggestion: str,
        reason: str | None = None,
        source: str = "",
    ) -> Signal:
        # Not by its reason: what the face looked like may be known a little later.
        text = f"{self.lesson}\0{self.child}\0{kind}{source}\0{round(raised)}"
        return Signal(
            id=hashlib.sha256(text.encode()).hexdigest()[:16],
            lesson=self.lesson,
            child=self.child,
            kind=kind,
            start=utc_datetime(start),
            raised=utc_datetime(raised),
            end=None if end is None else utc_datetime(end),
            strength=float(np.clip(strength, 0.0, 1.0)),
            reason_key=reason or kind,
            evidence=evidence,
            suggestion_key=suggestion,
        )


def _strength(evidence: Mapping[str, float | str]) -> float:
    """By how much more of the time than at rest, 0..1."""
    return (float(evidence["percent"]) - float(evidence["usual_percent"])) / 100
