"""When something lasts long enough to be said: the tests behind the support signals, and every threshold of them.

Causal: what is found at a frame rests on what was seen up to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.baseline import Track
from analytics.episodes import runs
from analytics.smoothing import GAP, Floats, affect_of
from emotion.labels import Emotion

STRUGGLING, TIRED, AWAY, DELIGHTED, DISTRESSED = "struggling", "tired", "away", "delighted", "distressed"
SUSTAINED = (DISTRESSED, STRUGGLING, DELIGHTED)  # the three that are read in the face over time


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Every threshold of every signal, tuned on simulated lessons of one seed and measured on those of another.

    Evidence is in nats: how much likelier what was seen is if the child is in that state than if it is at rest. It is
    large because neighbouring frames show one expression and are no independent witnesses. Times are in seconds.
    """

    distressed_evidence: float = 15.0
    struggling_evidence: float = 35.0
    delighted_evidence: float = 38.0
    lead: float = 6.5  # so much more evidence than for any other of the three
    quiet_evidence: float = 16.0  # evidence of the contrary that ends one of the three
    after_failure_seconds: float = 120.0  # so long after a failed task ...
    after_failure_evidence: float = 21.0  # ... that much less evidence of struggling is asked for
    after_success_seconds: float = 60.0  # so long after a solved task ...
    after_success_evidence: float = 19.0  # ... that much less evidence of delight
    as_usual: float = 0.1  # even then a child looks as usual for this share of the time
    most_per_second: float = 2.4  # evidence of one second, at most: nobody is judged by a single frame
    distressed_rest: float = 90.0  # after the end of a signal, the same is not raised again for so long
    struggling_rest: float = 120.0
    delighted_rest: float = 60.0
    away_seconds: float = 20.0  # without a face
    away_rest: float = 30.0
    tired_earliest: float = 480.0  # after the child's first frame: late in the lesson, or it is not tiredness
    tired_window: float = 180.0  # over which tiredness is judged
    tired_score: float = 4.0  # sum of the falls below, each in units of its scale
    tired_hold: float = 60.0  # for so long
    tired_rest: float = 600.0
    expressiveness_scale: float = 0.15
    arousal_scale: float = 0.08
    absence_scale: float = 0.10
    quality_scale: float = 0.10


THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of a track: where something began, was raised, and (None: still lasting) ended."""

    start: int
    raised: int
    end: int | None


def evidence_sum(gains: Floats) -> Floats:
    """Page's recursion ``s[i] = max(0, s[i-1] + gains[i])`` for (n,) gains, without a loop: the distance of the running
    total from its lowest point so far."""
    total = np.cumsum(gains)
    return total - np.minimum(np.minimum.accumulate(total), 0.0)


def evidence(track: Track, levels: Floats, thresholds: Thresholds) -> Floats:
    """(m, 3): the log-likelihood ratio, in nats, that each frame adds for each of `SUSTAINED` against this child at
    rest.

    The classifier's probabilities over the shares of its classes are likelihoods of the expressions; those of a state
    are their mean over the expressions that are worn in it: `EXPECTED`, mixed with the child's resting ones. A frame
    counts for the time that it stands for, a poor face less, and after an absence what was gathered says nothing of
    now.
    """
    trust = np.minimum(track.quality / _FULL_TRUST, 1.0) * track.durations
    resting = (levels * track.likelihoods).sum(axis=1)
    most = thresholds.most_per_second
    gains = np.empty((len(levels), len(SUSTAINED)))
    for column, kind in enumerate(SUSTAINED):
        expected = np.zeros(len(Emotion))
        for emotion, share in EXPECTED[kind].items():
            expected[emotion] = share
        worn = (1 - thresholds.as_usual) * (track.likelihoods @ expected) + thresholds.as_usual * resting
        gains[:, column] = np.clip(np.log(worn / resting), -most, most) * trust
    gains[1:][np.diff(track.seconds) > _FORGET_SECONDS] = -_FORGET
    return gains


def sustained(
    track: Track, gains: Floats, needed: Floats, allowed_at: npt.NDArray[np.bool_], quiet: float, rest: float
) -> Iterator[Span]:
    """Where the sum of (m,) ``gains`` reaches ``needed`` (m,) at an allowed frame; over when ``quiet`` speaks against
    it."""
    here, allowed = 0, -np.inf
    while here < len(gains):  # once per signal, not per frame
        sums = evidence_sum(gains[here:])
        enough = (sums >= needed[here:]) & allowed_at[here:]
        first = int(enough.argmax())
        if not enough[first]:
            return
        raised = here + first
        start = here + _last_zero(sums[: first + 1]) + 1
        against = evidence_sum(-gains[raised + 1 :])
        calm = against >= quiet
        last = int(calm.argmax()) if len(calm) else 0
        end = raised + 1 + max(_last_zero(against[: last + 1]), 0) if calm.any() else None
        if track.seconds[raised] >= allowed:
            yield Span(min(start, raised), raised, end)
        if end is None:
            return
        here, allowed = raised + last + 2, track.seconds[end] + rest


def _last_zero(sums: Floats) -> int:
    """The last place where an evidence sum was nothing; -1 where it never was."""
    zeros = np.flatnonzero(sums <= 0)
    return int(zeros[-1]) if len(zeros) else -1


def _since(track: Track, moments: Floats) -> Floats:
    """(m,) seconds since the last of the sorted ``moments`` (seconds since 1970); infinite before the first."""
    last = np.searchsorted(moments, track.seconds, side="right") - 1
    return track.seconds - np.append(moments, -np.inf)[last]


def lasting(
    track: Track,
    levels: Floats,
    failures: Floats,
    successes: Floats,
    thresholds: Thresholds,
    kinds: Sequence[str] = SUSTAINED,
) -> dict[str, list[Span]]:
    """The spans of distressed, struggling and delighted."""
    gains = evidence(track, levels, thresholds)
    sums = np.column_stack([evidence_sum(gains[:, column]) for column in range(len(SUSTAINED))])
    needed = np.tile(
        [thresholds.distressed_evidence, thresholds.struggling_evidence, thresholds.delighted_evidence], (len(sums), 1)
    )
    recently = _since(track, failures) <= thresholds.after_failure_seconds
    needed[recently, SUSTAINED.index(STRUGGLING)] -= thresholds.after_failure_evidence
    recently = _since(track, successes) <= thresholds.after_success_seconds
    needed[recently, SUSTAINED.index(DELIGHTED)] -= thresholds.after_success_evidence
    rests = (thresholds.distressed_rest, thresholds.struggling_rest, thresholds.delighted_rest)
    found: dict[str, list[Span]] = {}
    for column, kind in enumerate(SUSTAINED):
        if kind not in kinds:
            continue
        others = np.delete(sums, column, axis=1).max(axis=1)
        allowed = sums[:, column] - others >= thresholds.lead
        found[kind] = list(
            sustained(track, gains[:, column], needed[:, column], allowed, thresholds.quiet_evidence, rests[column])
        )
    return found


# Which expressions are worn, in the time in which a child does not look as usual.
EXPECTED: dict[str, dict[Emotion, float]] = {
    DISTRESSED: {Emotion.FEAR: 0.5, Emotion.SAD: 0.5},
    STRUGGLING: {Emotion.SAD: 0.4, Emotion.ANGRY: 0.4, Emotion.DISGUST: 0.1, Emotion.CONTEMPT: 0.1},
    DELIGHTED: {Emotion.HAPPY: 0.9, Emotion.SURPRISE: 0.1},
}
_FULL_TRUST = 0.5  # a face of at least this quality counts fully
_FORGET_SECONDS = 30.0  # an absence after which evidence gathered before says nothing of now
_FORGET = 1e6


def _absences(track: Track) -> list[tuple[int, int]]:
    """First and last row of each span of frames without a face: no face in between, and never long without a frame."""
    absent = np.flatnonzero(~track.face)
    if not len(absent):
        return []
    broken = np.flatnonzero((np.diff(absent) > 1) | (np.diff(track.looked[absent]) > GAP))
    firsts, lasts = absent[np.append(0, broken + 1)], absent[np.append(broken, len(absent) - 1)]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def away(track: Track, thresholds: Thresholds) -> Iterator[tuple[float, float | None]]:
    """Start and end in seconds since 1970 of each span of frames without a face; the end is None at the last frame."""
    allowed = -np.inf
    for first, last in _absences(track):
        start, end = float(track.looked[first]), float(track.looked[last])
        if end - start >= thresholds.away_seconds and start >= allowed:
            yield start, None if last == len(track.looked) - 1 else end
            allowed = end + thresholds.away_rest


@dataclass(frozen=True, slots=True)
class Fall:
    """How a child changed from its resting level over the window of tiredness. Shares in 0..1."""

    score: float
    away: float
    usual_away: float
    expression: float
    usual_expression: float


def tired(track: Track, levels: Floats, thresholds: Thresholds) -> Iterator[tuple[float, float, float | None, Fall]]:
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
    for begin, after in runs(enough):
        raised = begin + hold
        if after <= raised or begin < allowed:
            continue
        rested = np.flatnonzero(score[raised:] < thresholds.tired_score / 2)
        end = raised + int(rested[0]) if len(rested) else None
        fall = Fall(
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
