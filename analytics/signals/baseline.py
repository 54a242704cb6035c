"""The time series of one child in a lesson, and the child's baseline: its mix of expressions at rest."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

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
BLOCKS = int(BASELINE_SECONDS / BLOCK)
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
_SOME_WEIGHT = 1e-6  # so that there always is a median
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


def continued(series: ChildSeries, last: float) -> ChildSeries:
    """A series that goes on with what came before: ``last`` is the time of the last frame with a face."""
    if not len(series.times) or series.times[0] - last > GAP:
        return series
    return replace(series, durations=np.append(series.times[0] - last, series.durations[1:]))


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


class RunningBaseline(NamedTuple):
    """The baseline as known at each of m frames. ``shares``: (m, 8). ``levels``, ``spreads``: (m, 2)."""

    shares: Floats
    levels: Floats
    spreads: Floats


class RestingFace:
    """What one child looks like at rest, learnt frame by frame.

    Of the first `BASELINE_SECONDS` of face time so far the shares are a trimmed mean over blocks: the tenth of them
    with the most negative affect is left out, so that a bad start does no harm; levels and spreads are medians and
    median deviations, for the same reason. All are shrunk towards ``earlier`` (the baseline of the child's earlier
    lessons), or without one towards `PRIOR_SHARES` and `PRIOR_LEVELS`. What was learnt changes with each block only,
    and is fixed after the last.
    """

    def __init__(self, earlier: Baseline | None = None) -> None:
        prior = earlier or Baseline(tuple(PRIOR_SHARES.tolist()), PRIOR_WEIGHT)
        self._shares_prior, self._shares_weight = np.array(prior.shares), min(prior.seconds, BASELINE_SECONDS)
        self._levels_prior = np.outer(_PRIOR_SAMPLES, prior.spreads) + prior.levels
        self._levels_weight = min(earlier.seconds, BASELINE_SECONDS) if earlier else _LEVEL_PRIOR_SECONDS
        self._sums = np.zeros((BLOCKS, 1 + len(Emotion)))  # of each block: weights, weighted probabilities
        self._leanings, self._durations, self._blocks = np.zeros((0, 2)), np.zeros(0), np.zeros(0, dtype=np.int64)
        self.seconds = 0.0  # face time so far
        self.known = RunningBaseline(np.zeros((0, len(Emotion))), np.zeros((0, 2)), np.zeros((0, 2)))
        self._learn(0)

    def add(self, series: ChildSeries) -> RunningBaseline:
        """Takes further frames; answers the baseline at each frame with a face, from frames before it only."""
        elapsed = np.cumsum(np.append(self.seconds, series.durations))[1:]
        blocks = np.minimum(elapsed / BLOCK, BLOCKS).astype(np.int64)
        used = blocks < BLOCKS
        if used.any():
            weights = (series.quality * series.durations)[used]
            masses = np.column_stack([weights, weights[:, None] * series.probabilities[used]])
            np.add.at(self._sums, blocks[used], masses)
            self._leanings = np.concatenate([self._leanings, leanings(series)[used]])
            self._durations = np.append(self._durations, series.durations[used])
            self._blocks = np.append(self._blocks, blocks[used])
        if len(blocks):
            self.seconds = float(elapsed[-1])
            for after in range(len(self.known.shares), int(blocks[-1]) + 1):
                self._learn(after)
        return RunningBaseline(self.known.shares[blocks], self.known.levels[blocks], self.known.spreads[blocks])

    def latest(self) -> Baseline:
        """The baseline as known at the last frame."""
        shares, levels, spreads = (values[-1].tolist() for values in self.known)
        return Baseline(tuple(shares), min(self.seconds, BASELINE_SECONDS), tuple(levels), tuple(spreads))

    def _learn(self, after: int) -> None:
        """Works out what is known after so many blocks."""
        levels, spreads = self._levels(after)
        self.known = RunningBaseline(
            np.vstack([self.known.shares, self._shares(after)]),
            np.vstack([self.known.levels, levels]),
            np.vstack([self.known.spreads, spreads]),
        )

    def _shares(self, after: int) -> Floats:
        totals = self._sums[:after, :1]
        own = np.where(totals > 0, self._sums[:after, 1:] / np.where(totals > 0, totals, 1.0), PRIOR_SHARES)
        negative = own[:, list(NEGATIVE)].sum(axis=1)
        kept = np.argsort(negative, kind="stable")[: max(1, round(KEPT_SHARE * after))]
        mine = own[kept].mean(axis=0) * after * BLOCK if after else 0.0
        shares = (mine + self._shares_prior * self._shares_weight) / (after * BLOCK + self._shares_weight)
        shares = np.maximum(shares, _MINIMUM_SHARE)
        return np.asarray(shares / shares.sum())

    def _levels(self, after: int) -> tuple[list[float], list[float]]:
        rows = int(np.searchsorted(self._blocks, after))  # before which the block begins
        seconds, levels, spreads = self._durations[:rows], [], []
        prior = max(0.0, self._levels_weight - _PRIOR_FADES * float(seconds.sum())) / len(_PRIOR_SAMPLES) + _SOME_WEIGHT
        weights = np.append(seconds, np.full(len(_PRIOR_SAMPLES), prior))
        for column in range(len(LEANINGS)):
            values = np.append(self._leanings[:rows, column], self._levels_prior[:, column])
            levels.append(_weighted_median(values, weights))
            deviation = _NORMAL_SPREAD * _weighted_median(np.abs(values - levels[-1]), weights)
            spreads.append(max(deviation, _SMALLEST_SPREAD))
        return levels, spreads


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    passed = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(passed, passed[-1] / 2)]])


def baseline_of(series: ChildSeries, earlier: Baseline | None = None) -> Baseline | None:
    """The baseline after the whole series; None where there was never a face."""
    if not len(series.times):
        return None
    rest = RestingFace(earlier)
    rest.add(series)
    return rest.latest()
