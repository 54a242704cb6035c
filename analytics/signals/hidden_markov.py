"""The probability of each affective state of a child, frame by frame: the forward filter of a hidden Markov model.

Causal: the probabilities at a frame depend on that frame and earlier ones only. For a change at a random time, raising
an alarm as soon as the posterior probability reaches a threshold has the least expected delay of all rules with as few
false alarms: A. N. Shiryaev, "On optimum methods in quickest detection problems", Theory of Probability and its
Applications 8 (1963) 22-46. The filter is the forward recursion of L. R. Rabiner, "A tutorial on hidden Markov models
and selected applications in speech recognition", Proceedings of the IEEE 77 (1989) 257-286.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class ObservedChild:
    """One child: its ``series`` of m frames with a face; its ``baseline`` as known at each of them; the sorted times
    (seconds since 1970) at which it failed and solved tasks."""

    series: ChildSeries
    baseline: RunningBaseline
    failures: Floats
    successes: Floats


def state_probabilities(children: Sequence[ObservedChild]) -> list[Floats]:
    """For each child (m, 2): the filtered probability of each of `STATES` at each frame with a face, 0..1.

    The recursion loops over frames and handles all children at once: thirty children cost little more than one.
    """
    longest = max((len(child.series.times) for child in children), default=0)
    updates = np.tile(np.eye(1 + len(STATES)), (longest, len(children), 1, 1))
    for index, child in enumerate(children):
        updates[: len(child.series.times), index] = _update_matrices(child)
    probabilities = _forward(updates)[:, :, 1:]
    return [probabilities[: len(child.series.times), index] for index, child in enumerate(children)]


def log_likelihood_ratios(series: ChildSeries, baseline: RunningBaseline) -> Floats:
    """(m, 2): the log-likelihood ratio, in nats, that each frame adds for each of `STATES` against rest.

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
    if not len(series.times):
        return np.zeros((0, len(STATES)))
    uniform, usual = THRESHOLDS.uniform_share, THRESHOLDS.baseline_share
    likelihoods = series.likelihoods / series.likelihoods.sum(axis=1, keepdims=True)
    likelihoods = (1 - uniform) * likelihoods + uniform / len(Emotion)
    at_rest = (baseline.shares * likelihoods).sum(axis=1, keepdims=True)
    in_state = (1 - usual) * (likelihoods @ EMISSIONS.T) + usual * at_rest
    ratios = np.log(in_state / at_rest)
    shift = (leanings(series) - baseline.levels) / baseline.spreads - THRESHOLDS.shift_start
    weights = np.array([THRESHOLDS.trouble_shift_weight, THRESHOLDS.delighted_shift_weight])
    ratios += weights * np.clip(shift, THRESHOLDS.shift_least, THRESHOLDS.shift_most)
    correlation = np.zeros(len(series.times))
    apart = np.diff(series.times)
    similarity = np.sqrt(series.probabilities[1:] * series.probabilities[:-1]).sum(axis=1)
    correlation[1:] = similarity ** (2 * np.minimum(apart, 1.0)) * np.exp(-apart / THRESHOLDS.correlation_seconds)
    news = np.minimum(series.quality / THRESHOLDS.full_weight_quality, 1.0) * (1.0 - correlation)
    most = np.array([THRESHOLDS.trouble_most, THRESHOLDS.delighted_most])
    return np.clip(ratios * news[:, None], -most, most)


def _onset_rates(child: ObservedChild) -> Floats:
    """(m, 2): the transition rate from rest into each of `STATES`, per second."""
    usual = [THRESHOLDS.trouble_per_hour, THRESHOLDS.delighted_per_hour]
    hourly = np.tile(usual, (len(child.series.times), 1))
    failed = _seconds_since(child.series, child.failures) <= THRESHOLDS.after_failure_seconds
    hourly[failed, STATES.index(TROUBLED)] = THRESHOLDS.after_failure_per_hour
    solved = _seconds_since(child.series, child.successes) <= THRESHOLDS.after_success_seconds
    hourly[solved, STATES.index(DELIGHTED)] = THRESHOLDS.after_success_per_hour
    return hourly / 3600


def _seconds_since(series: ChildSeries, moments: Floats) -> Floats:
    """(m,) seconds since the last of the sorted ``moments`` (seconds since 1970); infinite before the first."""
    last = np.searchsorted(moments, series.times, side="right") - 1
    return series.times - np.append(moments, -np.inf)[last]


def _update_matrices(child: ObservedChild) -> Floats:
    """(m, 3, 3): for each frame the matrix that turns the probabilities of the frame before (rest, then `STATES`) into
    those of this one, up to a factor: transition probabilities, each row times the likelihood ratio of its state."""
    series = child.series
    durations = series.durations[:, None]
    mean_seconds = np.array([THRESHOLDS.trouble_mean_seconds, THRESHOLDS.delighted_mean_seconds])
    onset, offset = -np.expm1(-_onset_rates(child) * durations), -np.expm1(-durations / mean_seconds)
    states = np.arange(1, 1 + len(STATES))
    updates = np.zeros((len(series.times), 1 + len(STATES), 1 + len(STATES)))
    updates[:, 0, 0] = 1.0 - onset.sum(axis=1)
    updates[:, 0, 1:] = offset
    updates[:, 1:, 0] = onset
    updates[:, states, states] = 1.0 - offset
    updates[:, 1:] *= np.exp(log_likelihood_ratios(series, child.baseline))[:, :, None]
    reset = np.diff(series.times, prepend=np.inf) > THRESHOLDS.reset_seconds
    updates[reset, 0], updates[reset, 1:] = 1.0, 0.0  # after a long absence every child starts at rest
    return updates


def _forward(updates: Floats) -> Floats:
    """(n, children, 3) filtered probabilities after each of the (n, children, 3, 3) updates, starting at rest."""
    filtered = np.empty((*updates.shape[:3], 1))
    latest = np.zeros((*updates.shape[1:3], 1))
    latest[:, 0] = 1.0
    for row in range(len(updates)):
        latest = np.matmul(updates[row], latest, out=filtered[row])
        if row % _ROWS_BETWEEN_SCALINGS == 0:
            latest /= latest.sum(axis=1, keepdims=True)
    return filtered[:, :, :, 0] / filtered.sum(axis=2)


_ROWS_BETWEEN_SCALINGS = 32  # a frame adds four nats at most, and e**128 is far inside a float64
