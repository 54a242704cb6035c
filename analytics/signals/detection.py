"""When something lasts long enough to be said: the tests behind the support signals.

Causal: what is found at a frame rests on what was seen up to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.signals.baseline import Track
from analytics.signals.episodes import true_runs
from analytics.signals.hidden_markov import SUSTAINED
from analytics.signals.smoothing import GAP, Floats, affect_of
from analytics.signals.thresholds import Thresholds
from emotion.labels import Emotion


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of a track: where something began, was raised, and (None: still lasting) ended."""

    start: int
    raised: int
    end: int | None


def sustained_spans(track: Track, believed: Floats, thresholds: Thresholds) -> dict[str, list[Span]]:
    """The spans of each of `SUSTAINED`, from the (m, 3) probabilities of `analytics.signals.hidden_markov`."""
    raised = (thresholds.distressed_raised, thresholds.struggling_raised, thresholds.delighted_raised)
    rests = (thresholds.distressed_rest, thresholds.struggling_rest, thresholds.delighted_rest)
    return {
        kind: list(_spans(track, believed[:, column], raised[column], rests[column], thresholds))
        for column, kind in enumerate(SUSTAINED)
    }


def _spans(track: Track, probability: Floats, needed: float, rest: float, thresholds: Thresholds) -> Iterator[Span]:
    """Where one (m,) ``probability`` reaches ``needed``, until it falls below `over`.

    Start and end are dated back to when the probability left the certainty that it came from: the start to when it was
    last below `begun`, the end to when it was last as close to 1, or else to when it was raised.
    """
    high, low = np.flatnonzero(probability >= needed), np.flatnonzero(probability < thresholds.over)
    here, allowed = 0, -np.inf
    while (place := int(np.searchsorted(high, here))) < len(high):  # once per signal, not per frame
        raised = int(high[place])
        place = int(np.searchsorted(low, raised))
        fallen = int(low[place]) if place < len(low) else None
        if track.seconds[raised] >= allowed:
            start = _last(probability[:raised] < thresholds.begun) + 1
            end = None if fallen is None else raised + 1 + _last(probability[raised:fallen] > 1 - thresholds.begun)
            yield Span(start, raised, end)
        if fallen is None:
            return
        here, allowed = fallen, track.seconds[fallen] + rest


def _last(true: npt.NDArray[np.bool_]) -> int:
    """The last place that is true; -1 without any."""
    places = np.flatnonzero(true)
    return int(places[-1]) if len(places) else -1


def _absences(track: Track) -> list[tuple[int, int]]:
    """First and last row of each span of frames without a face: no face in between, and never long without a frame."""
    absent = np.flatnonzero(~track.face)
    if not len(absent):
        return []
    broken = np.flatnonzero((np.diff(absent) > 1) | (np.diff(track.looked[absent]) > GAP))
    firsts, lasts = absent[np.append(0, broken + 1)], absent[np.append(broken, len(absent) - 1)]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def absence_spans(track: Track, thresholds: Thresholds) -> Iterator[tuple[float, float | None]]:
    """Start and end in seconds since 1970 of each span of frames without a face; the end is None at the last frame."""
    allowed = -np.inf
    for first, last in _absences(track):
        start, end = float(track.looked[first]), float(track.looked[last])
        if end - start >= thresholds.away_seconds and start >= allowed:
            yield start, None if last == len(track.looked) - 1 else end
            allowed = end + thresholds.away_rest


@dataclass(frozen=True, slots=True)
class TirednessEvidence:
    """How a child changed from its resting level over the window of tiredness. Shares in 0..1."""

    score: float
    away: float
    usual_away: float
    expression: float
    usual_expression: float


def tiredness_spans(
    track: Track, thresholds: Thresholds
) -> Iterator[tuple[float, float, float | None, TirednessEvidence]]:
    """Start, raised and end (None: still lasting) in seconds since 1970, and what was seen when it was raised."""
    step = 10.0
    first = track.looked[0]
    glancing = np.ones(len(track.looked))  # who has left the place has not grown tired: long absences are left out
    for start, last in _absences(track):
        if track.looked[last] - track.looked[start] >= thresholds.away_seconds:
            glancing[start : last + 1] = 0.0
    bins = ((track.looked - first) / step).astype(np.int64)
    count = int(bins[-1]) + 1
    frames = np.bincount(bins, weights=glancing, minlength=count).astype(np.float64)
    faces = np.bincount(bins[track.face], minlength=count).astype(np.float64)
    probabilities = track.probabilities
    curves = (1.0 - probabilities[:, Emotion.NEUTRAL], affect_of(probabilities)[:, 1], track.quality)
    sums = np.column_stack([np.bincount(bins[track.face], weights=curve, minlength=count) for curve in curves]).astype(
        np.float64
    )
    window = int(thresholds.tired_window / step)
    early = slice(
        0, int(thresholds.tired_earliest / step / 2)
    )  # the first half of the time that is too early to be tired
    if count <= thresholds.tired_earliest / step or not faces[early].any():
        return
    seen, looked = _moving_sum(faces, window), _moving_sum(frames, window)
    means = _moving_sum(sums, window) / np.maximum(seen, 1.0)[:, None]
    usual = sums[early].sum(axis=0) / faces[early].sum()
    away = 1.0 - seen / np.maximum(looked, 1.0)
    usual_away = 1.0 - faces[early].sum() / max(frames[early].sum(), 1.0)
    score = (
        (usual[0] - means[:, 0]) / thresholds.expressiveness_scale
        + (usual[1] - means[:, 1]) / thresholds.arousal_scale
        + (usual[2] - means[:, 2]) / thresholds.quality_scale
        + (away - usual_away) / thresholds.absence_scale
    )
    enough = (score >= thresholds.tired_score) & (seen >= window) & (away < 0.6)
    enough[: int(thresholds.tired_earliest / step)] = False
    hold, allowed = int(thresholds.tired_hold / step), 0
    for begin, after in true_runs(enough):
        raised = begin + hold
        if after <= raised or begin < allowed:
            continue
        rested = np.flatnonzero(score[raised:] < thresholds.tired_score / 2)
        end = raised + int(rested[0]) if len(rested) else None
        fall = TirednessEvidence(
            float(score[raised]), float(away[raised]), float(usual_away), float(means[raised, 0]), float(usual[0])
        )
        start = first + max(0, begin - window // 2) * step
        yield start, first + (raised + 1) * step, None if end is None else first + end * step, fall
        allowed = count if end is None else end + int(thresholds.tired_rest / step)


def _moving_sum(values: Floats, window: int) -> Floats:
    """The sum of the last ``window`` values at each place, along the first axis."""
    total = np.cumsum(values, axis=0)
    total[window:] -= total[:-window].copy()
    return total
