"""The change of a child's valence around a failed task, a solved one or a hint, with its confidence interval."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

import numpy as np
import pandas as pd

from analytics.signals.episodes import spans_of_children
from analytics.signals.smoothing import (
    FIRST_INTERVAL,
    GAP,
    MINIMUM_WEIGHT,
    Floats,
    affect_of,
    probabilities_of,
    seconds_of,
)
from analytics.store.records import Event

WINDOW = 60.0  # seconds before and after an event that are compared
BLOCK = 10.0  # seconds: means of blocks longer than an expression lasts are nearly independent of each other
COMPARED_EVENTS = ("task_failed", "task_solved", "hint")


@dataclass(frozen=True, slots=True)
class FaceFrames:
    """The m frames of one child that show a face: (m,) ``times`` in seconds since 1970; (m, 8) ``probabilities``; (m,)
    ``durations``, the seconds that each stands for; (m,) ``weights``, the same times face quality."""

    times: Floats
    probabilities: Floats
    durations: Floats
    weights: Floats


@dataclass(frozen=True, slots=True)
class ValenceChange:
    """The mean valence of one child in the `WINDOW` before and after one event, and the 95 percent confidence interval
    of the difference (None with too few frames)."""

    event: Event
    child: str
    before: float
    after: float
    interval: tuple[float, float] | None

    @property
    def difference(self) -> float:
        """After less before: negative where the face became less pleasant."""
        return self.after - self.before


def frames_of_children(observations: pd.DataFrame) -> Iterator[tuple[str, FaceFrames]]:
    """Pseudonym and frames of each child; ``observations`` of several, sorted by child, then time.

    A frame stands for the time since the one before, with or without a face; the first, and one after a gap, for the
    usual interval. A face of unknown quality counts fully.
    """
    times, probabilities = seconds_of(observations["at"]), probabilities_of(observations)
    quality = observations["face_quality"].to_numpy(dtype=np.float64)
    face = ~np.isnan(probabilities[:, 0])
    spans = list(spans_of_children(observations["child"]))
    durations = np.diff(times, prepend=-np.inf)
    durations[[rows.start for _, rows in spans]] = FIRST_INTERVAL
    durations[durations > GAP] = FIRST_INTERVAL
    weights = durations * np.maximum(np.where(np.isnan(quality), 1.0, quality), MINIMUM_WEIGHT)
    for child, rows in spans:
        seen = face[rows]
        yield (
            child,
            FaceFrames(times[rows][seen], probabilities[rows][seen], durations[rows][seen], weights[rows][seen]),
        )


def valence_changes(frames: FaceFrames, events: Sequence[Event], child: str) -> Iterator[ValenceChange]:
    """The change of one child's unsmoothed valence around each of its failed and solved tasks and hints.

    The interval is that of B. L. Welch, "The generalization of Student's problem", Biometrika 34 (1947) 28-35, over the
    means of blocks of `BLOCK` seconds, because neighbouring frames show the same expression and are not independent.
    """
    weights = frames.weights
    weighted = weights * affect_of(frames.probabilities)[:, 0]
    for event in events:
        if event.kind not in COMPARED_EVENTS:
            continue
        at = event.at.timestamp()
        before = _block_means(frames.times, weighted, weights, at - WINDOW, at)
        after = _block_means(frames.times, weighted, weights, at, at + WINDOW)
        if before and after:
            yield ValenceChange(event, child, fmean(before), fmean(after), welch_interval(before, after))


def _block_means(times: Floats, weighted: Floats, weights: Floats, start: float, end: float) -> list[float]:
    inside = slice(*np.searchsorted(times, [start, end]))
    blocks = ((times[inside] - start) / BLOCK).astype(np.int64)
    totals = np.bincount(blocks, weights=weights[inside]).tolist()
    sums = np.bincount(blocks, weights=weighted[inside]).tolist()
    return [part / total for part, total in zip(sums, totals, strict=True) if total > 0]


def welch_interval(before: Sequence[float], after: Sequence[float]) -> tuple[float, float] | None:
    """The 95 percent interval of the difference of two means (after less before); None with fewer than 3 on a side.

    Plain numbers: there are six blocks on a side, for which arrays would cost ten times the arithmetic.
    """
    if min(len(before), len(after)) < 3:
        return None
    means = fmean(before), fmean(after)
    parts = [
        sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values)
        for values, mean in zip((before, after), means, strict=True)
    ]
    difference, variance = means[1] - means[0], sum(parts)
    if variance == 0:
        return difference, difference
    # Shares of the variance, not the variances themselves: the square of a tiny one would be nothing.
    degrees_of_freedom = 1 / sum(
        (part / variance) ** 2 / (len(side) - 1) for part, side in zip(parts, (before, after), strict=True)
    )
    reach = student_quantile(0.975, degrees_of_freedom) * math.sqrt(variance)
    return difference - reach, difference + reach


def student_quantile(probability: float, degrees_of_freedom: float) -> float:
    """Student's t by the expansion in 1/freedom of M. Abramowitz and I. Stegun (1964), 26.7.5: within 1 % from 3 on."""
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees_of_freedom + second / degrees_of_freedom**2 + third / degrees_of_freedom**3
