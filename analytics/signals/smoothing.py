"""From raw observations to curves that respect time: exponential smoothing with gaps, valence, arousal,
expressiveness."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from emotion.labels import CIRCUMPLEX, KEYS, Emotion

HALF_LIFE = 8.0  # seconds: an expression eight seconds old counts half as much as the present one
GAP = 5.0  # seconds without a face after which nothing is known any more and the curve breaks
FIRST_INTERVAL = 1.0  # seconds that the first sample after a gap stands for: the station's usual interval
MINIMUM_WEIGHT = 0.05  # a face of quality 0 is still a face: it counts one twentieth of a perfect one

AFFECT = np.array([CIRCUMPLEX[emotion] for emotion in Emotion])  # (8, 2): valence, arousal

_BREAK = 128.0  # half-lives that a gap counts for: 2**-128 is nothing beside any weight above
_BLOCK = 512.0  # half-lives per block: 2**512 stays far inside a float64

Floats = npt.NDArray[np.float64]


def seconds_of(times: pd.Series) -> Floats:
    """Aware or naive UTC datetimes -> seconds since 1970 as float64 (exact to a microsecond)."""
    return times.to_numpy(dtype="datetime64[us]").astype(np.int64) / 1e6


def decaying_sums(ages: Floats, values: Floats) -> Floats:
    """Sums of all earlier values, each halved once per unit of age: ``s[i] = sum(values[j] * 2**(ages[j] - ages[i]),
    j <= i)``.

    ``ages``: (n,), in half-lives, not falling. ``values``: (n, k), not negative. Answers (n, k). It is the recurrence
    ``s[i] = 2**-(ages[i] - ages[i-1]) * s[i-1] + values[i]`` written as a cumulative sum, in blocks so that no power
    overflows: the loop runs once per `_BLOCK` half-lives, never per row.
    """
    sums = np.empty_like(values)
    carried = np.zeros(values.shape[1])
    carried_age = 0.0
    start = 0
    while start < len(ages):
        end = int(np.searchsorted(ages, ages[start] + _BLOCK, side="right"))
        growth = np.exp2(ages[start:end] - ages[start])[:, None]
        block = np.cumsum(values[start:end] * growth, axis=0)
        block += carried * np.exp2(carried_age - ages[start])
        sums[start:end] = block / growth
        carried, carried_age, start = sums[end - 1], ages[end - 1], end
    return sums


def codes_of(children: pd.Series) -> npt.NDArray[np.int64]:
    """(n,) 0 for the rows of the first child of a sorted column, 1 for those of the second, and so on. In a third of
    the time of `pandas.factorize`, which does not know that they are sorted."""
    names = children.to_numpy(dtype=object)
    return np.cumsum(np.append(False, names[1:] != names[:-1])[: len(names)])


def probabilities_of(rows: pd.DataFrame) -> Floats:
    """(n, 8) of `KEYS`. Column by column: pandas takes most of a millisecond to select several at once."""
    return np.column_stack([rows[key].to_numpy(dtype=np.float64) for key in KEYS])


def affect_of(probabilities: Floats) -> Floats:
    """(n, 8) probabilities -> (n, 2) valence and arousal in [-1, 1]: the expectation over the classes' circumplex
    coordinates.

    Source: J. A. Russell, "A circumplex model of affect", Journal of Personality and Social Psychology 39 (1980)
    1161-1178, for the plane; the coordinates and their sources are in `emotion.labels.CIRCUMPLEX`. Being linear, it
    commutes with smoothing.
    """
    return probabilities @ AFFECT


def smooth(observations: pd.DataFrame) -> pd.DataFrame:
    """The smoothed curves of one child.

    ``observations``: as `LessonStore.observations` returns them, of one child, sorted by ``at``.

    Returns one row per observation: ``at``; the eight `KEYS` (they sum to 1), ``valence`` and ``arousal`` in [-1, 1]
    and ``expressiveness`` in [0, 1], all NaN where there was no face; ``face`` (bool); ``segment`` (int, one more
    after each gap: nothing is ever drawn or averaged across two segments).

    Formula: the exponential moving average of an irregularly sampled series in its "next point" form (A. Eckner,
    "Algorithms for unevenly spaced time series: moving averages and other rolling operators", 2012; after D. J.
    Wright, Management Science 32 (1986) 499-510), a weighted mean in which the sample j, ``d`` seconds after the one
    before, counts for sample i

        quality[j] * (1 - 2**(-d / HALF_LIFE)) * 2**(-(t[i] - t[j]) / HALF_LIFE)

    so that a sample weighs by the time it stands for and by its face quality, and sampling twice as often changes
    nothing. Quality counts from `MINIMUM_WEIGHT` up; where it is not known, fully. Expressiveness is the probability of
    any class but neutral.

    ValueError: more than one child, or unsorted times.
    """
    if "child" in observations and observations["child"].nunique() > 1:
        raise ValueError("smooth takes the observations of one child; smooth_class takes those of several")
    return _smooth(observations, np.zeros(len(observations), dtype=np.int64))


def smooth_class(observations: pd.DataFrame) -> pd.DataFrame:
    """`smooth` for every child of a lesson at once: the same columns after ``child``; sorted by child, then ``at``.

    Segments are numbered through the children, so a segment belongs to one child.
    """
    codes = codes_of(observations["child"])
    smoothed = _smooth(observations, codes)
    smoothed.insert(0, "child", observations["child"].set_axis(smoothed.index))  # stays a column of shared objects
    return smoothed


def expected_seconds(smoothed: pd.DataFrame) -> dict[str, float]:
    """How long one child is expected to have shown each expression, by key: each frame's smoothed probabilities times
    the seconds until the next frame with a face. ``smoothed``: as `smooth` answers it."""
    seen = smoothed["face"].to_numpy()
    durations = np.diff(seconds_of(smoothed["at"])[seen], append=np.inf)
    durations[durations > GAP] = FIRST_INTERVAL
    return dict(zip(KEYS, (probabilities_of(smoothed)[seen] * durations[:, None]).sum(axis=0).tolist(), strict=True))


def _smooth(observations: pd.DataFrame, codes: npt.NDArray[np.int64]) -> pd.DataFrame:
    times = seconds_of(observations["at"])
    same_child = np.diff(codes) == 0
    if np.any((np.diff(times) < 0) & same_child):
        raise ValueError("observations must be sorted by time: LessonStore.observations answers them so")
    probabilities = observations[list(KEYS)].to_numpy(dtype=np.float64)
    face = ~np.isnan(probabilities[:, 0])
    seen = np.flatnonzero(face)

    intervals = np.diff(times[seen], prepend=np.nan)
    breaks = np.ones(len(seen), dtype=bool)
    breaks[1:] = (intervals[1:] > GAP) | (np.diff(codes[seen]) != 0)
    intervals[breaks] = FIRST_INTERVAL
    half_lives = intervals / HALF_LIFE
    quality = observations["face_quality"].to_numpy(dtype=np.float64)[seen]
    weights = np.maximum(np.where(np.isnan(quality), 1.0, quality), MINIMUM_WEIGHT) * -np.expm1(
        -half_lives * np.log(2.0)
    )
    ages = np.cumsum(np.where(breaks, _BREAK, half_lives))
    sums = decaying_sums(ages, np.column_stack([probabilities[seen] * weights[:, None], weights]))
    # Two samples of the same instant: the later stands for no time at all; only a sum of nothing must not be divided.
    curves = sums[:, :-1] / np.maximum(sums[:, -1:], np.finfo(np.float64).tiny)

    columns = np.full((len(observations), len(KEYS) + 3), np.nan)
    columns[seen, : len(KEYS)] = curves
    columns[seen, len(KEYS) : -1] = affect_of(curves)
    columns[seen, -1] = 1.0 - curves[:, Emotion.NEUTRAL]
    starts = np.zeros(len(observations), dtype=np.int64)
    starts[seen[breaks]] = 1
    smoothed = pd.DataFrame(columns, columns=[*KEYS, "valence", "arousal", "expressiveness"])
    smoothed.insert(0, "at", observations["at"].to_numpy() if observations.empty else observations["at"].array)
    smoothed["face"] = face
    smoothed["segment"] = np.cumsum(starts)
    return smoothed
