"""What is followed of a child through a lesson, and its own resting level, so that "more than usual" can be said."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.signals.smoothing import FIRST_INTERVAL, GAP, LEAST_WEIGHT, Floats, seconds_of
from emotion.labels import KEYS, Emotion

NEGATIVE = (Emotion.SAD, Emotion.ANGRY, Emotion.FEAR, Emotion.DISGUST, Emotion.CONTEMPT)

# How often each class occurs among the faces on which the classifier learnt what its probabilities mean: pluralities of
# the FER+ votes, 3,553 faces of `valid` (483, 46, 453, 323, 77, 893, 28, 1250).
CLASS_SHARES = np.array([483, 46, 453, 323, 77, 893, 28, 1250]) / 3553

WARM_UP = 600.0  # seconds of face time at the start of a lesson from which the resting level is taken
BLOCK = 20.0  # seconds: the warm-up is judged in blocks of this length ...
CALM_SHARE = 0.9  # ... of which this share, the calmest, counts
PRIOR_SECONDS = 60.0  # what is believed before a child was seen counts as much as a minute of its own
# Believed of a child that was never seen: mostly neutral, now and then a smile. It matters in its first minutes only.
PRIOR = np.array([0.03, 0.01, 0.04, 0.02, 0.01, 0.10, 0.01, 0.78])
_LEAST_SHARE = 0.005  # of any expression at rest: nothing is impossible
_ROUNDS = 12  # of expectation maximisation; more change no share by 0.01


@dataclass(frozen=True, slots=True)
class Baseline:
    """A resting level. ``shares``: (8,) of each expression at rest, summing to 1. ``seconds``: the face time behind
    it."""

    shares: tuple[float, ...]
    seconds: float

    @property
    def negative(self) -> float:
        """The share of negative expressions at rest."""
        return sum(self.shares[emotion] for emotion in NEGATIVE)


@dataclass(frozen=True, slots=True)
class Track:
    """What a child showed, frame by frame, as arrays: all n frames in ``looked`` and ``face``, else the m with a
    face."""

    looked: Floats  # (n,) seconds since 1970 of every frame
    face: npt.NDArray[np.bool_]  # (n,)
    seconds: Floats  # (m,)
    durations: Floats  # (m,) how long each stands for: the time since the one before, at most `GAP`
    quality: Floats  # (m,) 0..1
    probabilities: Floats  # (m, 8)
    likelihoods: Floats  # (m, 8) how well each expression explains the frame, up to a factor per row


def track_child(observations: pd.DataFrame) -> Track:
    """The track of one child. ``observations``: as `LessonStore.observations` answers them, sorted by time."""
    return _track(*_arrays(observations))


def track_class(observations: pd.DataFrame) -> Iterator[tuple[str, Track]]:
    """Pseudonym and track of each child; ``observations`` of several, sorted by child, then time. Faster than one by
    one."""
    codes, names = pd.factorize(observations["child"])
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    arrays = _arrays(observations)
    ends = np.append(starts, len(codes))[1:]
    for start, end in zip(starts, ends, strict=True):
        looked, probabilities, quality = (array[start:end] for array in arrays)
        yield str(names[codes[start]]), _track(looked, probabilities, quality)


def _arrays(observations: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    probabilities = observations[list(KEYS)].to_numpy(dtype=np.float64)
    return seconds_of(observations["at"]), probabilities, observations["face_quality"].to_numpy(dtype=np.float64)


def _track(looked: Floats, probabilities: Floats, quality: Floats) -> Track:
    face = ~np.isnan(probabilities[:, 0])
    seconds, seen, quality = looked[face], probabilities[face], quality[face]
    quality = np.maximum(np.where(np.isnan(quality), 1.0, quality), LEAST_WEIGHT)
    durations = np.diff(seconds, prepend=-np.inf)
    durations[durations > GAP] = FIRST_INTERVAL
    return Track(looked, face, seconds, durations, quality, seen, seen / CLASS_SHARES)


def expression_shares(likelihoods: Floats, weights: Floats, groups: npt.NDArray[np.int64], count: int) -> Floats:
    """(count, 8): how often each expression was worn in each group of frames, corrected for what the classifier
    expects.

    ``likelihoods``: (n, 8). ``weights``: (n,). ``groups``: (n,) in 0..count-1, not falling. A group without frames
    gets `PRIOR`.

    A mean of the probabilities would be drawn towards the data set, in which faces are sad far more often than in a
    class. This is the maximum of the likelihood instead, by expectation maximisation: M. Saerens, P. Latinne, C.
    Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", Neural Computation 14 (2002)
    21-41.
    """
    shares = np.tile(PRIOR, (count, 1))
    if not len(groups):
        return shares
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    present = groups[starts]
    totals = np.add.reduceat(weights, starts)[:, None]
    for _ in range(_ROUNDS):
        worn = shares[groups] * likelihoods
        worn *= (weights / worn.sum(axis=1))[:, None]
        shares[present] = np.add.reduceat(worn, starts, axis=0) / totals
    return shares


def resting_levels(track: Track, earlier: Baseline | None = None) -> Floats:
    """(m, 8): the shares at rest as they were known at each frame with a face: nothing is used before it happened.

    The mean over the calmest nine tenths of the blocks of the first `WARM_UP` seconds of face time so far (a trimmed
    mean: a bad start does no harm), drawn towards ``earlier`` (the child's earlier lessons), or without them towards
    `PRIOR`, by the seconds behind each.
    """
    known = np.array(earlier.shares) if earlier else PRIOR
    belief = PRIOR_SECONDS if earlier is None else min(earlier.seconds, WARM_UP)
    count = int(WARM_UP / BLOCK)
    blocks = np.minimum(np.cumsum(track.durations) / BLOCK, count).astype(np.int64)
    warm = blocks < count
    weights = track.quality[warm] * track.durations[warm]
    own = expression_shares(track.likelihoods[warm], weights, blocks[warm], count)
    unrest = own[:, list(NEGATIVE)].sum(axis=1)
    levels = np.empty((count + 1, len(Emotion)))
    levels[0] = known
    for after in range(1, count + 1):  # thirty turns, however long the lesson
        calm = np.argsort(unrest[:after], kind="stable")[: max(1, round(CALM_SHARE * after))]
        levels[after] = (own[calm].mean(axis=0) * after * BLOCK + known * belief) / (after * BLOCK + belief)
    levels = np.maximum(levels, _LEAST_SHARE)
    return (levels / levels.sum(axis=1, keepdims=True))[blocks]


def baseline_of(track: Track, earlier: Baseline | None = None) -> Baseline | None:
    """The resting level after the whole track; None where there was never a face."""
    if not len(track.seconds):
        return None
    return Baseline(tuple(resting_levels(track, earlier)[-1].tolist()), float(min(track.durations.sum(), WARM_UP)))
