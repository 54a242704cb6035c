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

# The prior probability of each class with which the classifier answers: pluralities of the FER+ votes over the 3,579
# faces of `valid`, to the power .85, because its rare classes were raised by .15 times the logarithm of one over their
# share (logit adjustment, see the checkpoint's card).
_PLURALITIES = np.array([483, 46, 453, 323, 77, 893, 28, 1250])
CLASS_PRIORS = _PLURALITIES**0.85 / (_PLURALITIES**0.85).sum()

BASELINE_SECONDS = 600.0  # face time at the start of a lesson from which the baseline is estimated
BLOCK = 20.0  # seconds: the baseline is a trimmed mean over blocks of this length ...
KEPT_SHARE = 0.9  # ... of which this share is kept, those with the least negative affect
PRIOR_WEIGHT = 60.0  # seconds of the child's own face time that the prior counts as much as
# The prior of a child that was never seen: mostly neutral, now and then a smile. It matters in the first minutes only.
PRIOR_SHARES = np.array([0.03, 0.01, 0.04, 0.02, 0.01, 0.10, 0.01, 0.78])
_MINIMUM_SHARE = 0.005  # of any expression in a baseline: none has probability 0
# The two groups of expressions that signals ask for: how much a face leans towards each is compared with its own rest.
LEANINGS = (NEGATIVE, (Emotion.HAPPY,))
# How faces lean at rest, in log-odds: a guess for the first two minutes, half the faces within it.
PRIOR_LEVELS, PRIOR_SPREADS = (-1.0, -3.0), (0.6, 0.8)
_PRIOR_SAMPLES = np.array([-1.2, -0.7, -0.35, 0.0, 0.35, 0.7, 1.2])
_LEVEL_PRIOR_SECONDS, _PRIOR_FADES = 30.0, 0.25  # the guess weighs 30 s, less a quarter of the child's own
_SMALLEST_SPREAD = 0.5
_NORMAL_SPREAD = 1.4826  # a normal distribution's deviation, in units of its median absolute deviation
_FLOOR = 0.01  # of a share before its logarithm is taken


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a child looks like at rest. ``shares``: (8,) the expected share of its time in each expression, summing to
    1. ``levels`` and ``spreads``: (2,) median and spread of `leanings`, in log-odds. ``seconds``: the face time from
    which they were estimated."""

    shares: tuple[float, ...]
    seconds: float
    levels: tuple[float, ...] = PRIOR_LEVELS
    spreads: tuple[float, ...] = PRIOR_SPREADS

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


_NOTHING = np.zeros(0)
NO_FRAMES = ChildSeries(
    _NOTHING, np.zeros(0, dtype=bool), _NOTHING, _NOTHING, _NOTHING, np.zeros((0, 8)), np.zeros((0, 8))
)


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


def leanings(series: ChildSeries) -> Floats:
    """(m, 2) how much each frame leans towards each of `LEANINGS`: the logarithm of the odds that it shows one of
    them."""
    likelihoods = series.likelihoods / series.likelihoods.sum(axis=1, keepdims=True)
    shares = np.column_stack([likelihoods[:, list(classes)].sum(axis=1) for classes in LEANINGS])
    return np.asarray(np.log((shares + _FLOOR) / (1 - shares + _FLOOR)))


@dataclass(frozen=True, slots=True)
class RunningBaseline:
    """The baseline as known at each of m frames. ``shares``: (m, 8). ``levels``, ``spreads``: (m, 2)."""

    shares: Floats
    levels: Floats
    spreads: Floats

    def negative(self, row: int) -> float:
        """The share of negative expressions at rest, as known at a row."""
        return float(self.shares[row, list(NEGATIVE)].sum())


def running_baseline(series: ChildSeries, earlier: Baseline | None = None) -> RunningBaseline:
    """The baseline at each frame with a face, from frames before it only.

    Of the first `BASELINE_SECONDS` of face time so far the shares are a trimmed mean over blocks: the tenth of them
    with the most negative affect is left out, so that a bad start does no harm; levels and spreads are medians and
    median deviations, for the same reason. All are shrunk towards ``earlier`` (the baseline of the child's earlier
    lessons), or without one towards `PRIOR_SHARES` and `PRIOR_LEVELS`.
    """
    count = int(BASELINE_SECONDS / BLOCK)
    blocks = np.minimum(np.cumsum(series.durations) / BLOCK, count).astype(np.int64)
    used = blocks < count
    shares = _running_shares(series, blocks, used, earlier, count)
    levels, spreads = _running_levels(series, blocks, used, earlier, count)
    return RunningBaseline(shares[blocks], levels[blocks], spreads[blocks])


def _running_shares(
    series: ChildSeries,
    blocks: npt.NDArray[np.int64],
    used: npt.NDArray[np.bool_],
    earlier: Baseline | None,
    count: int,
) -> Floats:
    """(count + 1, 8): the shares after so many blocks."""
    prior = np.array(earlier.shares) if earlier else PRIOR_SHARES
    weight = PRIOR_WEIGHT if earlier is None else min(earlier.seconds, BASELINE_SECONDS)
    weights = (series.quality * series.durations)[used]
    totals = np.bincount(blocks[used], weights=weights, minlength=count)
    own = np.tile(PRIOR_SHARES, (count, 1))
    seen = totals > 0
    for emotion in Emotion:
        column = np.bincount(blocks[used], weights=weights * series.probabilities[used, emotion], minlength=count)
        own[seen, emotion] = column[seen] / totals[seen]
    negative = own[:, list(NEGATIVE)].sum(axis=1)
    shares = np.empty((count + 1, len(Emotion)))
    shares[0] = prior
    for after in range(1, count + 1):  # thirty turns, however long the lesson
        kept = np.argsort(negative[:after], kind="stable")[: max(1, round(KEPT_SHARE * after))]
        shares[after] = (own[kept].mean(axis=0) * after * BLOCK + prior * weight) / (after * BLOCK + weight)
    shares = np.maximum(shares, _MINIMUM_SHARE)
    return shares / shares.sum(axis=1, keepdims=True)


def _running_levels(
    series: ChildSeries,
    blocks: npt.NDArray[np.int64],
    used: npt.NDArray[np.bool_],
    earlier: Baseline | None,
    count: int,
) -> tuple[Floats, Floats]:
    """(count + 1, 2) each: medians and spreads of the leanings after so many blocks."""
    middle, width = (earlier.levels, earlier.spreads) if earlier else (PRIOR_LEVELS, PRIOR_SPREADS)
    guess = _LEVEL_PRIOR_SECONDS if earlier is None else min(earlier.seconds, BASELINE_SECONDS)
    prior, own = np.add.outer(_PRIOR_SAMPLES, np.zeros(2)) * width + middle, leanings(series)[used]
    rows = np.searchsorted(blocks[used], np.arange(count + 1))  # before which each block begins
    levels, spreads = np.empty((2, count + 1, 2))
    for after, row in enumerate(rows.tolist()):
        seconds = series.durations[:row]
        weight = max(0.0, guess - _PRIOR_FADES * float(seconds.sum()))
        weights = np.append(seconds, np.full(len(prior), weight / len(prior) + 1e-6))
        for column in range(2):
            values = np.append(own[:row, column], prior[:, column])
            level = _weighted_median(values, weights)
            levels[after, column] = level
            spreads[after, column] = _NORMAL_SPREAD * _weighted_median(np.abs(values - level), weights)
    return levels, np.maximum(spreads, _SMALLEST_SPREAD)


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    passed = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(passed, passed[-1] / 2)]])


def baseline_of(series: ChildSeries, earlier: Baseline | None = None) -> Baseline | None:
    """The baseline after the whole series; None where there was never a face."""
    if not len(series.times):
        return None
    last = running_baseline(series, earlier)
    seconds = float(min(series.durations.sum(), BASELINE_SECONDS))
    levels, spreads = tuple(last.levels[-1].tolist()), tuple(last.spreads[-1].tolist())
    return Baseline(tuple(last.shares[-1].tolist()), seconds, levels, spreads)
