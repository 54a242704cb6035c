"""Support signals: when a child probably needs an adult (or a word of praise), why, and what to suggest."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from analytics.signals.baseline import (
    NEGATIVE,
    Baseline,
    ChildSeries,
    child_series,
    expression_shares,
    running_baseline,
)
from analytics.signals.detection import Span, TirednessEvidence, absence_spans, state_spans, tiredness_spans
from analytics.signals.episodes import utc_datetime
from analytics.signals.hidden_markov import DELIGHTED, DISTRESSED, STRUGGLING, ObservedChild, state_probabilities
from analytics.signals.smoothing import Floats
from analytics.signals.thresholds import THRESHOLDS
from analytics.store.records import Event
from emotion.labels import Emotion

TIRED, AWAY = "tired", "away"
KINDS = (DISTRESSED, STRUGGLING, TIRED, AWAY, DELIGHTED)  # who needs a teacher first
SUGGESTIONS = ("break", "ask_for_help", "hint", "assistant", "teacher")  # the list of the paper
_RECENT = 300.0  # seconds before a signal in which a failed task counts as its reason


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
    | struggling | seconds, percent, usual_percent |
    | tired | minutes, away_percent, usual_away_percent, expression_percent, usual_expression_percent |
    | away | seconds |
    | delighted_after_success | task, seconds, percent, usual_percent |
    | delighted | seconds, percent, usual_percent |
    | distressed | seconds, percent, usual_percent |

    ``seconds``: from start to end, or to the last frame while it lasts. ``percent``: mean share of negative affect
    (of joy for delighted; of fear and sadness for distressed) from start to ``raised``; ``usual_percent``: the same
    at rest. ``minutes``: the span that tiredness was judged over.
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

    *struggling*, *distressed*, *delighted*: from when the filtered probability of that state
    (`analytics.signals.hidden_markov`) reaches a threshold until it has fallen again. A failed (for delighted: a
    solved) task raises the rate of onset. *tired*: late in the lesson and for a minute, the fall of expressiveness,
    arousal and face quality and the rise of short absences over the last three minutes, each in units of its scale,
    add up to a threshold. *away*: no face in any frame for twenty seconds.
    """
    builders = [
        _SignalBuilder(
            series,
            running_baseline(series, earlier.get(child)),
            [event for event in events if event.child in (None, child)],
            lesson,
            child,
        )
        for child, series in series_of.items()
        if len(series.frame_times)
    ]
    probabilities = state_probabilities([builder.observed() for builder in builders])
    found = [signal for builder, own in zip(builders, probabilities, strict=True) for signal in builder.signals(own)]
    return sorted(found, key=lambda signal: (signal.raised, signal.child, signal.kind))


class _SignalBuilder:
    """Makes signals of the spans of one child: reason, evidence, strength and suggestion."""

    def __init__(self, series: ChildSeries, baseline: Floats, events: Sequence[Event], lesson: str, child: str) -> None:
        self.series, self.baseline = series, baseline
        self.events, self.lesson, self.child = events, lesson, child

    def observed(self) -> ObservedChild:
        """The input of `analytics.signals.hidden_markov`."""
        return ObservedChild(self.series, self.baseline, self._moments("task_failed"), self._moments("task_solved"))

    def signals(self, probabilities: Floats) -> list[Signal]:
        """All signals. ``probabilities``: (m, 3), see `state_probabilities`."""
        series, spans = self.series, state_spans(self.series, probabilities)
        found = [self.distressed(span) for span in spans[DISTRESSED]]
        found += [self.struggling(span) for span in spans[STRUGGLING]]
        found += [self.delighted(span) for span in spans[DELIGHTED]]
        found += [self.tired(*span) for span in tiredness_spans(series)]
        found += [self.away(start, end, THRESHOLDS.away_seconds) for start, end in absence_spans(series)]
        return found

    def _moments(self, kind: str) -> Floats:
        """When events of a kind happened, in seconds since 1970, sorted."""
        return np.array(sorted(event.at.timestamp() for event in self.events if event.kind == kind))

    def distressed(self, span: Span) -> Signal:
        return self._from_span(DISTRESSED, span, (Emotion.FEAR, Emotion.SAD), "teacher")[0]

    def struggling(self, span: Span) -> Signal:
        signal, raised = self._from_span(STRUGGLING, span, NEGATIVE, "ask_for_help")
        before = [event for event in self.events if 0 <= raised - event.at.timestamp() <= _RECENT]
        failed = [event for event in before if event.kind == "task_failed"]
        if not failed:
            return signal
        task = failed[-1].detail
        same = sum(event.detail == task for event in failed)
        hinted = any(event.kind == "hint" and event.at >= failed[0].at for event in before)
        return replace(
            signal,
            reason_key="struggling_after_failure",
            evidence={"task": task, "failures": same, **signal.evidence},
            suggestion_key="assistant" if hinted else "hint",
        )

    def delighted(self, span: Span) -> Signal:
        signal, _ = self._from_span(DELIGHTED, span, (Emotion.HAPPY,), "teacher")
        start = signal.start.timestamp()
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
        seconds = round((self.series.frame_times[-1] if end is None else end) - start)
        return self._signal(AWAY, start, raised, end, seconds / 120, {"seconds": seconds}, "teacher")

    def _from_span(self, kind: str, span: Span, classes: Sequence[Emotion], suggestion: str) -> tuple[Signal, float]:
        series = self.series
        start, raised = float(series.times[span.start]), float(series.times[span.raised])
        end = None if span.end is None else float(max(series.times[span.end], raised))
        rows = slice(span.start, span.raised + 1)
        weights = series.quality[rows] * series.durations[rows]
        shares = expression_shares(series.likelihoods[rows], weights, np.zeros(len(weights), dtype=np.int64), 1)[0]
        share, usual = (float(level[list(classes)].sum()) for level in (shares, self.baseline[span.raised]))
        evidence: dict[str, float | str] = {
            "seconds": round((float(series.frame_times[-1]) if end is None else end) - start),
            "percent": round(100 * share),
            "usual_percent": round(100 * usual),
        }
        return self._signal(kind, start, raised, end, share - usual, evidence, suggestion), raised

    def _signal(
        self,
        kind: str,
        start: float,
        raised: float,
        end: float | None,
        strength: float,
        evidence: dict[str, float | str],
        suggestion: str,
    ) -> Signal:
        text = f"{self.lesson}\0{self.child}\0{kind}\0{round(raised)}"
        return Signal(
            id=hashlib.sha256(text.encode()).hexdigest()[:16],
            lesson=self.lesson,
            child=self.child,
            kind=kind,
            start=utc_datetime(start),
            raised=utc_datetime(raised),
            end=None if end is None else utc_datetime(end),
            strength=float(np.clip(strength, 0.0, 1.0)),
            reason_key=kind,
            evidence=evidence,
            suggestion_key=suggestion,
        )
