"""The detectors behind the support signals: of affective states, of absence and of tiredness.

Causal: what is detected at a frame depends on that frame and earlier ones only.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.signals.baseline import NEGATIVE, ChildSeries
from analytics.signals.episodes import true_runs
from analytics.signals.hidden_markov import STATES
from analytics.signals.smoothing import GAP, Floats, affect_of
from analytics.signals.thresholds import THRESHOLDS
from emotion.labels import Emotion


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of a series at which a state began, was raised as a signal, and ended (None: it still lasts)."""

    start: int
    raised: int
    end: int | None


def state_spans(series: ChildSeries, probabilities: Floats) -> dict[str, list[Span]]:
    """The spans of each of `STATES`. ``probabilities``: (m, 2), see `hidden_markov.state_probabilities`."""
    levels = (THRESHOLDS.trouble_threshold, THRESHOLDS.delighted_threshold)
    refractory = (THRESHOLDS.trouble_refractory, THRESHOLDS.delighted_refractory)
    return {
        kind: list(_spans_above(series, probabilities[:, column], levels[column], refractory[column]))
        for column, kind in enumerate(STATES)
    }


def _spans_above(series: ChildSeries, probability: Floats, threshold: float, refractory: float) -> Iterator[Span]:
    """From where the (m,) ``probability`` reaches ``threshold`` until it falls below `THRESHOLDS.end_probability`.

    The start is dated back to when the probability was last below `THRESHOLDS.onset_probability`, the end to when it
    was last above 1 less that, or else to when it was raised. For ``refractory`` seconds after a span none is raised.
    """
    high, low = np.flatnonzero(probability >= threshold), np.flatnonzero(probability < THRESHOLDS.end_probability)
    here = 0
    while (place := int(np.searchsorted(high, here))) < len(high):  # once per signal, not per frame
        raised = int(high[place])
        place = int(np.searchsorted(low, raised))
        fallen = int(low[place]) if place < len(low) else None
        start = _last(probability[:raised] < THRESHOLDS.onset_probability) + 1
        certain = probability[raised:fallen] > 1 - THRESHOLDS.onset_probability
        end = None if fallen is None else raised + 1 + _last(certain)
        yield Span(start, raised, end)
        if fallen is None:
            return
        here = int(np.searchsorted(series.times, series.times[fallen] + refractory))


def tellings(series: ChildSeries, span: Span) -> list[Span]:
    """A span of trouble, cut where it is told again because it got worse: at least `THRESHOLDS.again_seconds` after it
    was told last, the share of negative expressions over the last `THRESHOLDS.worse_seconds` is higher by
    `THRESHOLDS.worse_share` than it was from the start until as long after it was told. Each part ends where the next
    begins."""
    negative = series.probabilities[:, list(NEGATIVE)].sum(axis=1)
    weights = series.quality * series.durations
    mass, total = (np.append(0.0, np.cumsum(values)) for values in (negative * weights, weights))
    last = len(series.times) if span.end is None else span.end
    parts, start, raised = [], span.start, span.raised
    for row in range(raised + 1, last):
        if series.times[row] - series.times[raised] < THRESHOLDS.again_seconds:
            continue
        settled = int(np.searchsorted(series.times, series.times[raised] + THRESHOLDS.worse_seconds))
        recent = int(np.searchsorted(series.times, series.times[row] - THRESHOLDS.worse_seconds))
        told = _share(mass, total, start, settled)
        if _share(mass, total, recent, row + 1) >= told + THRESHOLDS.worse_share:
            parts.append(Span(start, raised, row))
            start, raised = recent, row
    return [*parts, Span(start, raised, span.end)]


def _share(mass: Floats, total: Floats, first: int, end: int) -> float:
    return float((mass[end] - mass[first]) / max(total[end] - total[first], np.finfo(np.float64).tiny))


def _last(true: npt.NDArray[np.bool_]) -> int:
    """The last index that is true; -1 without any."""
    places = np.flatnonzero(true)
    return int(places[-1]) if len(places) else -1


def _absences(series: ChildSeries) -> list[tuple[int, int]]:
    """First and last row of each span of frames without a face: no face in between, and never long without a frame."""
    absent = np.flatnonzero(~series.has_face)
    if not len(absent):
        return []
    broken = np.flatnonzero((np.diff(absent) > 1) | (np.diff(series.frame_times[absent]) > GAP))
    firsts, lasts = absent[np.append(0, broken + 1)], absent[np.append(broken, len(absent) - 1)]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def absence_spans(series: ChildSeries) -> Iterator[tuple[float, float | None]]:
    """Start and end in seconds since 1970 of each span of frames without a face; the end is None at the last frame."""
    allowed = -np.inf
    for first, last in _absences(series):
        start, end = float(series.frame_times[first]), float(series.frame_times[last])
        if end - start >= THRESHOLDS.away_seconds and start >= allowed:
            yield start, None if last == len(series.frame_times) - 1 else end
            allowed = end + THRESHOLDS.away_refractory


@dataclass(frozen=True, slots=True)
class TirednessEvidence:
    """How a child changed from the start of the lesson to the window that was judged.

    ``score``: the sum of the changes, each in units of its scale. ``away``: the share of frames without a face;
    ``expression``: the mean expressiveness; both 0..1, with those of the start as ``usual_…``.
    """

    score: float
    away: float
    usual_away: float
    expression: float
    usual_expression: float


def tiredness_spans(series: ChildSeries) -> Iterator[tuple[float, float, float | None, TirednessEvidence]]:
    """Start, raised and end (None: still lasting) in seconds since 1970, and the evidence when it was raised."""
    step = 10.0
    first = series.frame_times[0]
    counted = np.ones(len(series.frame_times))  # long absences do not count: who has left the place is not tired
    for start, last in _absences(series):
        if series.frame_times[last] - series.frame_times[start] >= THRESHOLDS.away_seconds:
            counted[start : last + 1] = 0.0
    bins = ((series.frame_times - first) / step).astype(np.int64)
    count = int(bins[-1]) + 1
    frames = np.bincount(bins, weights=counted, minlength=count).astype(np.float64)
    seen = bins[series.has_face]
    faces = np.bincount(seen, minlength=count).astype(np.float64)
    probabilities = series.probabilities
    curves = (1.0 - probabilities[:, Emotion.NEUTRAL], affect_of(probabilities)[:, 1], series.quality)
    sums = np.column_stack([np.bincount(seen, weights=curve, minlength=count) for curve in curves]).astype(np.float64)
    window = int(THRESHOLDS.tired_window / step)
    early = slice(0, int(THRESHOLDS.tired_earliest / step / 2))  # half of the time that is too early to be tired
    if count <= THRESHOLDS.tired_earliest / step or not faces[early].any():
        return
    recent_faces, recent_frames = _moving_sum(faces, window), _moving_sum(frames, window)
    means = _moving_sum(sums, window) / np.maximum(recent_faces, 1.0)[:, None]
    usual = sums[early].sum(axis=0) / faces[early].sum()
    away = 1.0 - recent_faces / np.maximum(recent_frames, 1.0)
    usual_away = 1.0 - faces[early].sum() / max(frames[early].sum(), 1.0)
    score = (
        (usual[0] - means[:, 0]) / THRESHOLDS.expressiveness_scale
        + (usual[1] - means[:, 1]) / THRESHOLDS.arousal_scale
        + (usual[2] - means[:, 2]) / THRESHOLDS.quality_scale
        + (away - usual_away) / THRESHOLDS.absence_scale
    )
    enough = (score >= THRESHOLDS.tired_score) & (recent_faces >= window) & (away < 0.6)
    enough[: int(THRESHOLDS.tired_earliest / step)] = False
    minimum, allowed = int(THRESHOLDS.tired_minimum_seconds / step), 0
    for begin, after in true_runs(enough):
        raised = begin + minimum
        if after <= raised or begin < allowed:
            continue
        recovered = np.flatnonzero(score[raised:] < THRESHOLDS.tired_score / 2)
        end = raised + int(recovered[0]) if len(recovered) else None
        evidence = TirednessEvidence(
            float(score[raised]), float(away[raised]), float(usual_away), float(means[raised, 0]), float(usual[0])
        )
        start = first + max(0, begin - window // 2) * step
        yield start, first + (raised + 1) * step, None if end is None else first + end * step, evidence
        allowed = count if end is None else end + int(THRESHOLDS.tired_refractory / step)


def _moving_sum(values: Floats, window: int) -> Floats:
    """The sum of the last ``window`` values at each place, along the first axis."""
    total = np.cumsum(values, axis=0)
    total[window:] -= total[:-window].copy()
    return total
