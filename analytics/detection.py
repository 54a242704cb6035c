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

    ``*_reference``: how far above the resting level (in probability) counts as evidence at all. ``*_evidence``: how
    much evidence, in seconds at full probability above the reference, raises the signal. ``*_rest``: seconds after
    its end in which the same signal is not raised again.
    """

    distressed_evidence: float = 14.0
    struggling_evidence: float = 17.0
    delighted_evidence: float = 18.0
    lead: float = 4.0
    quiet_evidence: float = 8.0
    after_failure_seconds: float = 120.0  # so long after a failed task ...
    after_failure_evidence: float = 8.0  # ... that much less evidence of struggling is asked for
    as_usual: float = 0.3
    most_per_second: float = 1.5
    distressed_rest: float = 90.0
    struggling_rest: float = 120.0
    delighted_rest: float = 60.0
    away_seconds: float = 20.0
    away_rest: float = 30.0
    tired_earliest: float = 480.0  # seconds after the child's first frame: late in the lesson, or it is not tiredness
    tired_window: float = 180.0  # seconds over which tiredness is judged
    tired_score: float = 3.0  # sum of the four falls below, each in units of its scale
    tired_hold: float = 60.0
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


def lasting(
    track: Track, levels: Floats, failures: Floats, thresholds: Thresholds, kinds: Sequence[str] = SUSTAINED
) -> dict[str, list[Span]]:
    """The spans of distressed, struggling and delighted."""
    gains = evidence(track, levels, thresholds)
    sums = np.column_stack([evidence_sum(gains[:, column]) for column in range(len(SUSTAINED))])
    needed = np.tile(
        [thresholds.distressed_evidence, thresholds.struggling_evidence, thresholds.delighted_evidence], (len(sums), 1)
    )
    last = np.searchsorted(failures, track.seconds, side="right") - 1
    since = track.seconds - np.append(failures, -np.inf)[last]
    needed[since <= thresholds.after_failure_seconds, 1] -= thresholds.after_failure_evidence
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


def away(track: Track, thresholds: Thresholds) -> Iterator[tuple[float, float | None]]:
    """Start and end in seconds since 1970 of each span of frames without a face; the end is None at the last frame."""
    absent = np.flatnonzero(~track.face)
    if not len(absent):
        return
    times = track.looked[absent]
    broken = (np.diff(absent) > 1) | (np.diff(times) > GAP)  # a face in between, or nothing known in between
    firsts, lasts = np.append(0, np.flatnonzero(broken) + 1), np.append(np.flatnonzero(broken), len(absent) - 1)
    allowed = -np.inf
    for first, last in zip(firsts, lasts, strict=True):
        if times[last] - times[first] >= thresholds.away_seconds and times[first] >= allowed:
            ongoing = absent[last] == len(track.looked) - 1
            yield float(times[first]), None if ongoing else float(times[last])
            allowed = times[last] + thresholds.away_rest


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
    bins = ((track.looked - first) / step).astype(np.int64)
    count = int(bins[-1]) + 1
    frames = np.bincount(bins, minlength=count).astype(np.float64)
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
    hold, allowed = int(thresholds.tired_hold / step), -np.inf
    for begin, after in runs(enough):
        raised = begin + hold
        if after <= raised or first + begin * step < allowed:
            continue
        fall = Fall(
            float(score[raised]), float(away[raised]), float(usual_away), float(means[raised, 0]), float(usual[0])
        )
        end = None if after == count else first + after * step
        yield first + max(0, begin - window // 2) * step, first + (raised + 1) * step, end, fall
        allowed = first + after * step + thresholds.tired_rest


def _moving_sum(values: Floats, window: int) -> Floats:
    """The sum of the last ``window`` values at each place, along the first axis."""
    total = np.cumsum(values, axis=0)
    total[window:] -= total[:-window].copy()
    return total
