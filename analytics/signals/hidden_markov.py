"""The probability of each affective state of a child, frame by frame: the forward filter of a hidden Markov model.

Causal: the probabilities at a frame depend on that frame and earlier ones only. For a change at a random time, raising
an alarm as soon as the posterior probability reaches a threshold has the least expected delay of all rules with as few
false alarms: A. N. Shiryaev, "On optimum methods in quickest detection problems", Theory of Probability and its
Applications 8 (1963) 22-46. The filter is the forward recursion of L. R. Rabiner, "A tutorial on hidden Markov models
and selected applications in speech recognition", Proceedings of the IEEE 77 (1989) 257-286.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analytics.signals.baseline import ChildSeries, RunningBaseline, leanings
from analytics.signals.smoothing import Floats
from analytics.signals.thresholds import THRESHOLDS
from emotion.labels import Emotion

TROUBLED, DELIGHTED = "troubled", "delighted"
STATES = (TROUBLED, DELIGHTED)  # the hidden states besides rest

# The emission distribution of each state: how often it shows each expression, apart from the baseline share.
EMISSIONS_BY_STATE: dict[str, dict[Emotion, float]] = {
    TROUBLED: {
        Emotion.SAD: 0.30,
        Emotion.ANGRY: 0.30,
        Emotion.FEAR: 0.20,
        Emotion.DISGUST: 0.15,
        Emotion.CONTEMPT: 0.05,
    },
    DELIGHTED: {Emotion.HAPPY: 0.9, Emotion.SURPRISE: 0.1},
}
EMISSIONS = np.array([[EMISSIONS_BY_STATE[kind].get(emotion, 0.0) for emotion in Emotion] for kind in STATES])  # (2, 8)


class TaskTimes(NamedTuple):
    """The sorted times (seconds since 1970) at which a child failed and solved tasks."""

    failures: Floats
    successes: Floats


@dataclass(frozen=True, slots=True)
class _LastFrame:
    time: float
    probabilities: Floats


class StateFilter:
    """The filtered probabilities of one child, frame by frame."""

    def __init__(self) -> None:
        self._last: _LastFrame | None = None
        self._filtered = (1.0, 0.0, 0.0)  # of rest, then `STATES`

    def add(self, series: ChildSeries, baseline: RunningBaseline, tasks: TaskTimes) -> Floats:
        """(m, 2): the probability of each of `STATES` at each further frame with a face, 0..1."""
        if not len(series.times):
            return np.zeros((0, len(STATES)))
        ratios = log_likelihood_ratios(series, baseline, self._last)
        likelihood = np.exp(ratios).tolist()
        begins = -np.expm1(-_onset_rates(series, tasks) * series.durations[:, None])
        mean_seconds = np.array([THRESHOLDS.trouble_mean_seconds, THRESHOLDS.delighted_mean_seconds])
        ends = -np.expm1(-series.durations[:, None] / mean_seconds)
        before = self._last.time if self._last else -np.inf
        returned = np.diff(series.times, prepend=before) > THRESHOLDS.reset_seconds
        rest, trouble, delight = self._filtered
        found = []
        for (trouble_factor, delight_factor), (into_trouble, into_delight), (from_trouble, from_delight), reset in zip(
            likelihood, begins.tolist(), ends.tolist(), returned.tolist(), strict=True
        ):
            if reset:  # after a long absence every child starts at rest
                rest, trouble, delight = 1.0, 0.0, 0.0
            else:
                left = rest * (1.0 - into_trouble - into_delight) + trouble * from_trouble + delight * from_delight
                trouble = (trouble * (1.0 - from_trouble) + rest * into_trouble) * trouble_factor
                delight = (delight * (1.0 - from_delight) + rest * into_delight) * delight_factor
                total = left + trouble + delight
                rest, trouble, delight = left / total, trouble / total, delight / total
            found.append((trouble, delight))
        self._filtered = rest, trouble, delight
        self._last = _LastFrame(float(series.times[-1]), series.probabilities[-1])
        return np.array(found)


def log_likelihood_ratios(series: ChildSeries, baseline: RunningBaseline, before: _LastFrame | None = None) -> Floats:
    """(m, 2): the log-likelihood ratio, in nats, that each frame adds for each of `STATES` against rest. ``before``:
    the frame with a face before them.

    The likelihood of a state is the mean of the expressions' likelihoods under the state's emission distribution, mixed
    with this child's ``baseline``; that of rest is their mean under the baseline. A second piece of evidence is added:
    by how many of its own spreads the face leans further towards unpleasant expressions (joy) than at rest, less
    `shift_start`, within bounds. So a child whose sadness is read as "mostly neutral" is told from its own neutral
    face. What one frame adds is bounded, so that no flash of an expression decides.

    Consecutive frames are not independent: the ratio of a frame is scaled by 1 less its correlation with the one
    before. That is their similarity (the squared coefficient of A. Bhattacharyya, 1943; of frames less than a second
    apart, its power by the seconds between them, so that the frame rate does not matter), decaying with the time
    between them. It is scaled by face quality, too.
    """
    uniform, usual = THRESHOLDS.uniform_share, THRESHOLDS.baseline_share
    likelihoods = series.likelihoods / series.likelihoods.sum(axis=1, keepdims=True)
    likelihoods = (1 - uniform) * likelihoods + uniform / len(Emotion)
    at_rest = (baseline.shares * likelihoods).sum(axis=1, keepdims=True)
    in_state = (1 - usual) * (likelihoods @ EMISSIONS.T) + usual * at_rest
    ratios = np.log(in_state / at_rest)
    shift = (leanings(series) - baseline.levels) / baseline.spreads - THRESHOLDS.shift_start
    weights = np.array([THRESHOLDS.trouble_shift_weight, THRESHOLDS.delighted_shift_weight])
    ratios += weights * np.clip(shift, THRESHOLDS.shift_least, THRESHOLDS.shift_most)
    first = before or _LastFrame(-np.inf, series.probabilities[0])
    apart = np.diff(series.times, prepend=first.time)
    similarity = np.sqrt(series.probabilities * np.vstack([first.probabilities, series.probabilities[:-1]])).sum(axis=1)
    correlation = similarity ** (2 * np.minimum(apart, 1.0)) * np.exp(-apart / THRESHOLDS.correlation_seconds)
    news = np.minimum(series.quality / THRESHOLDS.full_weight_quality, 1.0) * (1.0 - correlation)
    most = np.array([THRESHOLDS.trouble_most, THRESHOLDS.delighted_most])
    return np.clip(ratios * news[:, None], -most, most)


def _onset_rates(series: ChildSeries, tasks: TaskTimes) -> Floats:
    """(m, 2): the transition rate from rest into each of `STATES`, per second."""
    hourly = np.tile([THRESHOLDS.trouble_per_hour, THRESHOLDS.delighted_per_hour], (len(series.times), 1))
    failed = _seconds_since(series, tasks.failures) <= THRESHOLDS.after_failure_seconds
    hourly[failed, STATES.index(TROUBLED)] = THRESHOLDS.after_failure_per_hour
    solved = _seconds_since(series, tasks.successes) <= THRESHOLDS.after_success_seconds
    hourly[solved, STATES.index(DELIGHTED)] = THRESHOLDS.after_success_per_hour
    return hourly / 3600


def _seconds_since(series: ChildSeries, moments: Floats) -> Floats:
    """(m,) seconds since the last of the sorted ``moments`` (seconds since 1970); infinite before the first."""
    last = np.searchsorted(moments, series.times, side="right") - 1
    return series.times - np.append(moments, -np.inf)[last]
