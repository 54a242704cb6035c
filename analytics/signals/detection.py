"""From the filtered probability of a state to the spans in which it is raised as a signal.

Causal: what is detected at a frame depends on that frame and earlier ones only.
"""

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from analytics.signals.baseline import NEGATIVE, ChildSeries, RunningBaseline
from analytics.signals.smoothing import Floats
from analytics.signals.thresholds import THRESHOLDS
from emotion.labels import Emotion


@dataclass(frozen=True, slots=True)
class Span:
    """When a state began, was raised as a signal, and ended (None: it still lasts), in seconds since 1970.

    ``shares``: (8,) the expected share of the time in each expression from the start until it was raised; ``usual``:
    (8,) the same at rest.
    """

    start: float
    raised: float
    end: float | None
    shares: Floats
    usual: Floats


@dataclass(slots=True)
class _Mass:
    """Weighted probabilities of the expressions, summed over frames."""

    sums: Floats = field(default_factory=lambda: np.zeros(len(Emotion)))
    weight: float = 0.0

    def add(self, sums: Floats, weight: float) -> None:
        self.sums, self.weight = self.sums + sums, self.weight + weight

    @property
    def shares(self) -> Floats:
        return self.sums / max(self.weight, np.finfo(np.float64).tiny)

    @property
    def negative(self) -> float:
        return float(self.shares[list(NEGATIVE)].sum())


class SpanDetector:
    """The spans of one state of one child.

    A span is raised where the probability reaches ``threshold``, and lasts until it falls below
    `THRESHOLDS.end_probability`. Its start is dated back to when the probability was last below
    `THRESHOLDS.onset_probability`, the end to when it was last above 1 less that, or else to when it was raised. For
    ``refractory`` seconds after a span none is raised.

    ``again``: a span is told again where it gets worse, as a span that begins where the one before ends: at least
    `THRESHOLDS.again_seconds` after it was told last, the share of negative expressions over the last
    `THRESHOLDS.worse_seconds` is higher by `THRESHOLDS.worse_share` than it was from the start until as long after it
    was told.
    """

    def __init__(self, threshold: float, refractory: float, again: bool) -> None:
        self.threshold, self.refractory, self.again = threshold, refractory, again
        self.spans: list[Span] = []
        self._start: float | None = None  # since when the probability is not below the onset's
        self._mass = _Mass()  # since then, until it has settled
        self._allowed = -np.inf
        self._end = 0.0  # of a span that lasts: where it would be dated, were it over now
        self._certain = False  # whether the frame before was
        self._recent: deque[tuple[float, Floats, float]] = deque()

    @property
    def lasts(self) -> bool:
        """Whether a span is raised and not over."""
        return bool(self.spans) and self.spans[-1].end is None

    def add(self, series: ChildSeries, probability: Floats, baseline: RunningBaseline) -> None:
        """Takes further frames with a face. ``probability``: (m,) of the state."""
        weights = series.quality * series.durations
        masses = weights[:, None] * series.probabilities
        begun = np.flatnonzero(probability >= THRESHOLDS.onset_probability)
        row = 0
        while row < len(probability):
            frame = float(series.times[row]), float(probability[row]), masses[row], float(weights[row])
            if self.lasts:
                self._go_on(*frame, baseline.shares[row])
            elif probability[row] >= THRESHOLDS.onset_probability:
                self._begin(*frame, baseline.shares[row])
            else:  # on to where something may begin: of most frames there is nothing to see
                self._start = None
                place = int(np.searchsorted(begun, row))
                row = int(begun[place]) if place < len(begun) else len(probability)
                continue
            row += 1

    def _begin(self, time: float, likely: float, mass: Floats, weight: float, usual: Floats) -> None:
        if self._start is None:
            self._start, self._mass = time, _Mass()
        self._mass.add(mass, weight)
        if likely >= self.threshold and time >= self._allowed:
            self.spans.append(Span(self._start, time, None, self._mass.shares, usual))
            self._end, self._certain = time, likely > 1 - THRESHOLDS.onset_probability
            self._recent.clear()

    def _go_on(self, time: float, likely: float, mass: Floats, weight: float, usual: Floats) -> None:
        told = self.spans[-1]
        if self._certain:
            self._end = time
        self._certain = likely > 1 - THRESHOLDS.onset_probability
        if likely < THRESHOLDS.end_probability:
            self.spans[-1] = replace(told, end=max(self._end, told.raised))
            self._start, self._allowed = None, time + self.refractory
            return
        if not self.again:
            return
        if time < told.raised + THRESHOLDS.worse_seconds:
            self._mass.add(mass, weight)
        self._recent.append((time, mass, weight))
        while self._recent[0][0] < time - THRESHOLDS.worse_seconds:
            self._recent.popleft()
        if time - told.raised >= THRESHOLDS.again_seconds:
            recent = _Mass()
            for _, one, its_weight in self._recent:
                recent.add(one, its_weight)
            if recent.negative >= self._mass.negative + THRESHOLDS.worse_share:
                self.spans[-1] = replace(told, end=time)
                self.spans.append(Span(self._recent[0][0], time, None, recent.shares, usual))
                self._mass, self._end = recent, time
