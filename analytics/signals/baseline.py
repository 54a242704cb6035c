"""The time series of one child in a lesson, and the child's baseline: its mix of expressions at rest."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.signals.episodes import spans_of_children
from analytics.signals.smoothing import FIRST_INTERVAL, GAP, MINIMUM_WEIGHT, Floats, seconds_of
from emotion.labels import KEYS, Emotion

NEGATIVE = (Emotion.SAD, Emotion.ANGRY, Emotion.FEAR, Emotion.DISGUST, Emotion.CONTEMPT)

# The prior probability of each class in the data on which the classifier was calibrated: pluralities of the FER+ votes
# over the 3,553 faces of `valid`.
CLASS_PRIORS = np.array([483, 46, 453, 323, 77, 893, 28, 1250]) / 3553

BASELINE_SECONDS = 600.0  # face time at the start of a lesson from which the baseline is estimated
BLOCK = 20.0  # seconds: the baseline is a trimmed mean over blocks of this length ...
KEPT_SHARE = 0.9  # ... of which this share is kept, those with the least negative affect
PRIOR_WEIGHT = 60.0  # seconds of the child's own face time that the prior counts as much as
# The prior of a child that was never seen: mostly neutral, now and then a smile. It matters in the first minutes only.
PRIOR_SHARES = np.array([0.03, 0.01, 0.04, 0.02, 0.01, 0.10, 0.01, 0.78])
_MINIMUM_SHARE = 0.005  # of any expression in a baseline: none has probability 0
_ITERATIONS = 12  # of expectation maximisation; more change no share by 0.01


@dataclass(frozen=True, slots=True)
class Baseline:
    """How often a child shows each expression at rest. ``shares``: (8,), summing to 1. ``seconds``: the face time from
    which they were estimated."""

    shares: tuple[float, ...]
    seconds: float

    @property
    def negative(self) -> float:
        """The share of negative expressions at rest."""
        return sum(self.shares[emotion] for emotion in NEGATIVE)


@dataclass(frozen=True, slots=True)
class ChildSeries:
    """The observations of one child as arrays, sorted by time: n frames, of which m show a face."""

    frame_times: Floats  # (n,) seconds since 1970 of every frame
    has_face: npt.NDArray[np.bool_]  # (n,)
    times: Floats  # (m,) seconds since 1970 of the frames with a face
    durations: Floats  # (m,) seconds that each stands for: since the one before, `FIRST_INTERVAL` after a `GAP`
    quality: Floats  # (m,) face quality, 0..1
    probabilities: Floats  # (m, 8) posteriors of the classifier
    likelihoods: Floats  # (m, 8) posteriors / `CLASS_PRIORS`: p(frame | expression) up to a factor per row


def child_series(observations: pd.DataFrame) -> ChildSeries:
    """``observations``: of one child, as `LessonStore.observations` returns them, sorted by time."""
    return _series(*_arrays(observations))


def class_series(observations: pd.DataFrame) -> Iterator[tuple[str, ChildSeries]]:
    """Pseudonym and series of each child. ``observations``: of several children, sorted by child, then time."""
    frame_times, probabilities, quality = _arrays(observations)
    for child, rows in spans_of_children(observations["child"]):
        yield child, _series(frame_times[rows], probabilities[rows], quality[rows])


def _arrays(observations: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    probabilities = observations[list(KEYS)].to_numpy(dtype=np.float64)
    return seconds_of(observations["at"]), probabilities, observations["face_quality"].to_numpy(dtype=np.float64)


def _series(frame_times: Floats, probabilities: Floats, quality: Floats) -> ChildSeries:
    has_face = ~np.isnan(probabilities[:, 0])
    times, seen, quality = frame_times[has_face], probabilities[has_face], quality[has_face]
    quality = np.maximum(np.where(np.isnan(quality), 1.0, quality), MINIMUM_WEIGHT)
    durations = np.diff(times, prepend=-np.inf)
    durations[durations > GAP] = FIRST_INTERVAL
    return ChildSeries(frame_times, has_face, times, durations, quality, seen, seen / CLASS_PRIORS)


def expression_shares(likelihoods: Floats, weights: Floats, groups: npt.NDArray[np.int64], count: int) -> Floats:
    """(count, 8): the maximum-likelihood share of each expression in each group of frames.

    ``likelihoods``: (n, 8). ``weights``: (n,), not negative. ``groups``: (n,) in 0..count-1, not falling. A group
    without frames gets `PRIOR_SHARES`.

    The mean of the classifier's posteriors would be biased towards the class priors of its data set, in which faces are
    sad far more often than in a class. Expectation maximisation corrects that: M. Saerens, P. Latinne, C.
    Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", Neural Computation 14 (2002)
    21-41.
    """
    shares = np.tile(PRIOR_SHARES, (count, 1))
    if not len(groups):
        return shares
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    present = groups[starts]
    totals = np.add.reduceat(weights, starts)[:, None]
    for _ in range(_ITERATIONS):
        responsibilities = shares[groups] * likelihoods
        responsibilities *= (weights / responsibilities.sum(axis=1))[:, None]
        shares[present] = np.add.reduceat(responsibilities, starts, axis=0) / totals
    return shares


def running_baseline(series: ChildSeries, earlier: Baseline | None = None) -> Floats:
    """(m, 8): the baseline shares as estimated at each frame with a face, from that frame and earlier ones only.

    A trimmed mean over the blocks of the first `BASELINE_SECONDS` of face time so far: the tenth of them with the most
    negative affect is left out, so that a bad start does no harm. It is shrunk towards ``earlier`` (the baseline of
    the child's earlier lessons), or without one towards `PRIOR_SHARES`; both weigh by their seconds.
    """
    prior = np.array(earlier.shares) if earlier else PRIOR_SHARES
    weight = PRIOR_WEIGHT if earlier is None else min(earlier.seconds, BASELINE_SECONDS)
    count = int(BASELINE_SECONDS / BLOCK)
    blocks = np.minimum(np.cumsum(series.durations) / BLOCK, count).astype(np.int64)
    used = blocks < count
    weights = series.quality[used] * series.durations[used]
    own = expression_shares(series.likelihoods[used], weights, blocks[used], count)
    negative = own[:, list(NEGATIVE)].sum(axis=1)
    shares = np.empty((count + 1, len(Emotion)))
    shares[0] = prior
    for after in range(1, count + 1):  # thirty turns, however long the lesson
        kept = np.argsort(negative[:after], kind="stable")[: max(1, round(KEPT_SHARE * after))]
        shares[after] = (own[kept].mean(axis=0) * after * BLOCK + prior * weight) / (after * BLOCK + weight)
    shares = np.maximum(shares, _MINIMUM_SHARE)
    return (shares / shares.sum(axis=1, keepdims=True))[blocks]


def baseline_of(series: ChildSeries, earlier: Baseline | None = None) -> Baseline | None:
    """The baseline after the whole series; None where there was never a face."""
    if not len(series.times):
        return None
    return Baseline(
        tuple(running_baseline(series, earlier)[-1].tolist()), float(min(series.durations.sum(), BASELINE_SECONDS))
    )
