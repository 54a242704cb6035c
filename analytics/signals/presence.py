"""How a child is there: absences, and the signs of tiredness, over bins of ten seconds.

Causal: what is detected at a frame depends on that frame and earlier ones only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analytics.signals.baseline import NEGATIVE, ChildSeries, RunningBaseline
from analytics.signals.episodes import true_runs
from analytics.signals.smoothing import GAP, Floats, affect_of
from analytics.signals.thresholds import THRESHOLDS
from emotion.labels import Emotion

BIN = 10.0  # seconds
# The columns of the bins: frames and faces in them, sums of three curves over the faces, seconds of face time by
# quality, how many of them look negative, and how many would at rest.
_FRAMES, _FACES, _CURVES, _WEIGHT, _NEGATIVE, _USUAL = 0, 1, slice(2, 5), 5, 6, 7
_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class TirednessEvidence:
    """How a child changed from the start of the lesson to the window that was judged.

    ``score``: the sum of the changes, each in units of its scale. ``away``: the share of frames without a face;
    ``expression``: the mean expressiveness; both 0..1, with those of the start as ``usual_…``.
    """

    score: float
    away: float
    usual_away: float
    expression: float
    usual_expression: float


@dataclass(slots=True)
class _Absence:
    """Frames without a face: no face in between, and never long without a frame. ``counted``: the bins of its frames,
    as long as it may be a short one."""

    start: float
    last: float
    counted: list[int] = field(default_factory=list)

    @property
    def long(self) -> bool:
        return self.last - self.start >= THRESHOLDS.away_seconds


class Presence:
    """When one child was there and how lively it was, frame by frame."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.last = -np.inf  # seconds since 1970 of the last frame
        self._bins = np.zeros((0, _COLUMNS))
        self._absence: _Absence | None = None  # that goes on
        self._absences: list[tuple[float, float]] = []  # long ones that are over

    def add(self, series: ChildSeries, baseline: RunningBaseline) -> None:
        """Takes further frames. ``baseline``: at each of those with a face."""
        if not len(series.frame_times):
            return
        if self.first is None:
            self.first = float(series.frame_times[0])
        self.last = float(series.frame_times[-1])
        places = ((series.frame_times - self.first) / BIN).astype(np.int64)
        if (missing := int(places[-1]) + 1 - len(self._bins)) > 0:
            self._bins = np.concatenate([self._bins, np.zeros((missing, _COLUMNS))])
        probabilities, weights = series.probabilities, series.quality * series.durations
        rows = np.column_stack(
            [
                np.ones((len(weights), 2)),
                1.0 - probabilities[:, Emotion.NEUTRAL],
                affect_of(probabilities)[:, 1],
                series.quality,
                weights,
                weights * probabilities[:, list(NEGATIVE)].sum(axis=1),
                weights * baseline.shares[:, list(NEGATIVE)].sum(axis=1),
            ]
        )
        np.add.at(self._bins, places[series.has_face], rows)
        before = -1
        for row in np.flatnonzero(~series.has_face).tolist():
            if row - before > 1:
                self._is_back()
            self._is_absent(float(series.frame_times[row]), int(places[row]))
            before = row
        if series.has_face[-1]:
            self._is_back()

    def _is_back(self) -> None:
        if self._absence and self._absence.long:
            self._absences.append((self._absence.start, self._absence.last))
        self._absence = None

    def _is_absent(self, time: float, place: int) -> None:
        if self._absence and time - self._absence.last > GAP:
            self._is_back()
        absence = self._absence = self._absence or _Absence(time, time)
        absence.last = time
        if not absence.long:
            absence.counted.append(place)
            self._bins[place, _FRAMES] += 1
        elif absence.counted:  # who has left the place is not tired: long absences do not count
            np.subtract.at(self._bins[:, _FRAMES], absence.counted, 1)
            absence.counted = []

    def absences(self) -> Iterator[tuple[float, float | None]]:
        """Start and end in seconds since 1970 of each span of frames without a face; the end is None at the last
        frame."""
        found: list[tuple[float, float | None]] = list(self._absences)
        if self._absence and self._absence.long:
            found.append((self._absence.start, None))
        allowed = -np.inf
        for start, end in found:
            if start >= allowed:
                yield start, end
                allowed = np.inf if end is None else end + THRESHOLDS.away_refractory

    def negative(self, since: float, until: float) -> tuple[float, float] | None:
        """The shares of the time with negative expressions in the bins from one time to another, and at rest; None
        where there was no face in the last of them, or the one before."""
        if self.first is None or until < self.first:
            return None
        last = min(int((until - self.first) / BIN), len(self._bins) - 1)
        rows = self._bins[max(0, int((since - self.first) / BIN)) : last + 1]
        if until - self.last > GAP or not rows[-2:, _FACES].any():
            return None
        weight, seen, usual = rows[:, _WEIGHT:].sum(axis=0).tolist()
        return seen / weight, usual / weight

    def tiredness(self) -> Iterator[tuple[float, float, float | None, TirednessEvidence]]:
        """Start, raised and end (None: still lasting) in seconds since 1970, and the evidence when it was raised."""
        first, count = self.first, len(self._bins)
        frames, faces, sums = self._bins[:, _FRAMES], self._bins[:, _FACES], self._bins[:, _CURVES]
        window = int(THRESHOLDS.tired_window / BIN)
        early = slice(0, int(THRESHOLDS.tired_earliest / BIN / 2))  # half of the time that is too early to be tired
        if first is None or count <= THRESHOLDS.tired_earliest / BIN or not faces[early].any():
            return
        recent_faces, recent_frames = _moving_sum(faces, window), _moving_sum(frames, window)
        means = _moving_sum(sums, window) / np.maximum(recent_faces, 1.0)[:, None]
        usual = sums[early].sum(axis=0) / faces[early].sum()
        away = 1.0 - recent_faces / np.maximum(recent_frames, 1.0)
        usual_away = 1.0 - faces[early].sum() / max(frames[early].sum(), 1.0)
        score = (
            (usual[0] - means[:, 0]) / THRESHOLDS.expressiveness_scale
            + (usual[1] - means[:, 1]) / THRESHOLDS.arousal_scale
            + (usual[2] - means[:, 2]) / THRESHOLDS.quality_scale
            + (away - usual_away) / THRESHOLDS.absence_scale
        )
        enough: npt.NDArray[np.bool_] = (score >= THRESHOLDS.tired_score) & (recent_faces >= window) & (away < 0.6)
        enough[: int(THRESHOLDS.tired_earliest / BIN)] = False
        minimum, allowed = int(THRESHOLDS.tired_minimum_seconds / BIN), 0
        for begin, after in true_runs(enough):
            raised = begin + minimum
            if after <= raised or begin < allowed:
                continue
            recovered = np.flatnonzero(score[raised:] < THRESHOLDS.tired_score / 2)
            end = raised + int(recovered[0]) if len(recovered) else None
            evidence = TirednessEvidence(
                float(score[raised]), float(away[raised]), float(usual_away), float(means[raised, 0]), float(usual[0])
            )
            start = first + max(0, begin - window // 2) * BIN
            yield start, first + (raised + 1) * BIN, None if end is None else first + end * BIN, evidence
            allowed = count if end is None else end + int(THRESHOLDS.tired_refractory / BIN)


def _moving_sum(values: Floats, window: int) -> Floats:
    """The sum of the last ``window`` values at each place, along the first axis."""
    total = np.cumsum(values, axis=0)
    total[window:] -= total[:-window].copy()
    return total
