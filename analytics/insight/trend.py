"""The Theil-Sen slope of a child's measure from lesson to lesson, with an exact confidence interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np

CONFIDENCE = 0.95
MINIMUM_LESSONS = 5  # with four, even a perfect order has a two-sided chance of 2/24: no 95 percent interval exists


@dataclass(frozen=True, slots=True)
class Slope:
    """Change per lesson in the measure's own unit. ``low``, ``high``: 95 percent interval."""

    middle: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def theil_sen_slope(values: Sequence[float]) -> Slope | None:
    """The slope of ``values``, one per lesson in order; None for fewer than `MINIMUM_LESSONS`.

    The median of the slopes of all pairs, and the interval that goes with Kendall's test: P. K. Sen, Journal of the
    American Statistical Association 63 (1968) 1379-1389. The distribution of the number of discordant pairs is taken
    exactly (M. Kendall, Biometrika 30 (1938) 81-93), because the normal approximation is poor for few lessons. It
    supposes that lessons vary independently of each other about the line.
    """
    count = len(values)
    if count < MINIMUM_LESSONS:
        return None
    first, second = np.triu_indices(count, 1)
    array = np.asarray(values, dtype=np.float64)
    slopes = np.sort((array[second] - array[first]) / (second - first))
    rank = _kendall_rank(count)
    return Slope(float(np.median(slopes)), float(slopes[rank]), float(slopes[-1 - rank]))


def _kendall_rank(count: int) -> int:
    """How many of the sorted slopes the interval leaves out at each end."""
    ways = [1]  # how many orders of the lessons have 0, 1, 2 … discordant pairs
    for length in range(2, count + 1):
        ways = [sum(ways[max(0, pairs - length + 1) : pairs + 1]) for pairs in range(len(ways) + length - 1)]
    allowed = (1 - CONFIDENCE) / 2 * factorial(count)
    return int((np.cumsum(np.array(ways, dtype=np.float64)) <= allowed).sum()) - 1
