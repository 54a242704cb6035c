"""What each child of a class probably goes through, frame by frame: a hidden Markov model, filtered forward.

Causal: what is believed at a frame rests on what was seen up to it. Of all rules with as few false alarms, telling of a
change as soon as its probability reaches a threshold tells soonest, where the change comes at random: A. N. Shiryaev,
"On optimum methods in quickest detection problems", Theory of Probability and its Applications 8 (1963) 22-46. The
filter is the forward recursion of L. R. Rabiner, "A tutorial on hidden Markov models", Proceedings of the IEEE 77
(1989) 257-286.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.signals.baseline import Track
from analytics.signals.smoothing import Floats
from analytics.signals.thresholds import Thresholds
from emotion.labels import Emotion

STRUGGLING, DELIGHTED, DISTRESSED = "struggling", "delighted", "distressed"
SUSTAINED = (DISTRESSED, STRUGGLING, DELIGHTED)  # what a child may go through, beside being at rest

# Which expressions are worn, in the time in which a child does not look as usual.
EXPECTED: dict[str, dict[Emotion, float]] = {
    DISTRESSED: {Emotion.FEAR: 0.5, Emotion.SAD: 0.5},
    STRUGGLING: {
        Emotion.SAD: 0.42,
        Emotion.ANGRY: 0.42,
        Emotion.DISGUST: 0.06,
        Emotion.FEAR: 0.06,
        Emotion.CONTEMPT: 0.04,
    },
    DELIGHTED: {Emotion.HAPPY: 0.9, Emotion.SURPRISE: 0.1},
}
WORN = np.array([[EXPECTED[kind].get(emotion, 0.0) for emotion in Emotion] for kind in SUSTAINED])  # (3, 8)


@dataclass(frozen=True, slots=True)
class ObservedChild:
    """One child: its ``track``; (m, 8) ``levels``, the shares of expressions at rest as known at each frame with a
    face; when it failed and solved tasks, in seconds since 1970, sorted."""

    track: Track
    levels: Floats
    failures: Floats
    successes: Floats


def state_probabilities(children: Sequence[ObservedChild], thresholds: Thresholds) -> list[Floats]:
    """For each child (m, 3): the probability of each of `SUSTAINED` at each frame with a face, 0..1.

    All children go through the recursion together: it takes one frame after the other, and thirty children cost little
    more than one.
    """
    longest = max((len(child.levels) for child in children), default=0)
    steps = np.tile(np.eye(1 + len(SUSTAINED)), (longest, len(children), 1, 1))
    for index, child in enumerate(children):
        steps[: len(child.levels), index] = _steps(child, thresholds)
    probabilities = _filtered(steps)[:, :, 1:]
    return [probabilities[: len(child.levels), index] for index, child in enumerate(children)]


def frame_evidence(track: Track, levels: Floats, thresholds: Thresholds) -> Floats:
    """(m, 3): the log-likelihood ratio, in nats, that each frame adds for each of `SUSTAINED` against this child at
    rest.

    The classifier's probabilities over the shares of its classes are likelihoods of the expressions; those of a state
    are their mean over the expressions that are worn in it, mixed with the child's resting ``levels``. Neighbouring
    frames are no independent witnesses: one that looks like the one before (the affinity of A. Bhattacharyya, 1943,
    squared; its noise counts per second, however many frames a second has) is worn, or misread, like it, and adds the
    less, the sooner it comes. A poor face adds less too.
    """
    if not len(levels):
        return np.zeros((0, len(SUSTAINED)))
    nothing, usual = thresholds.least_likelihood, thresholds.as_usual
    likelihoods = track.likelihoods / track.likelihoods.sum(axis=1, keepdims=True)
    likelihoods = (1 - nothing) * likelihoods + nothing / len(Emotion)
    resting = (levels * likelihoods).sum(axis=1, keepdims=True)
    worn = (1 - usual) * (likelihoods @ WORN.T) + usual * resting
    repeated = np.zeros(len(levels))
    apart = np.diff(track.seconds)
    alike = np.sqrt(track.probabilities[1:] * track.probabilities[:-1]).sum(axis=1)
    repeated[1:] = alike ** (2 * np.minimum(apart, 1.0)) * np.exp(-apart / thresholds.repeats_for)
    trust = np.minimum(track.quality / thresholds.full_trust, 1.0) * (1.0 - repeated)
    return np.log(worn / resting) * trust[:, None]


def _rates(child: ObservedChild, thresholds: Thresholds) -> Floats:
    """(m, 3): how often a second a child at rest comes into each of `SUSTAINED`."""
    usual = [thresholds.distressed_per_hour, thresholds.struggling_per_hour, thresholds.delighted_per_hour]
    hourly = np.tile(usual, (len(child.levels), 1))
    failed = _since(child.track, child.failures) <= thresholds.after_failure_seconds
    hourly[failed, SUSTAINED.index(STRUGGLING)] = thresholds.after_failure_per_hour
    solved = _since(child.track, child.successes) <= thresholds.after_success_seconds
    hourly[solved, SUSTAINED.index(DELIGHTED)] = thresholds.after_success_per_hour
    return hourly / 3600


def _since(track: Track, moments: Floats) -> Floats:
    """(m,) seconds since the last of the sorted ``moments`` (seconds since 1970); infinite before the first."""
    last = np.searchsorted(moments, track.seconds, side="right") - 1
    return track.seconds - np.append(moments, -np.inf)[last]


def _steps(child: ObservedChild, thresholds: Thresholds) -> Floats:
    """(m, 4, 4): what each frame makes of the probabilities (rest, then `SUSTAINED`) of the frame before, up to a
    factor: first the state changes or does not, then the frame is seen."""
    track = child.track
    durations = track.durations[:, None]
    lasts = np.array([thresholds.distressed_lasts, thresholds.struggling_lasts, thresholds.delighted_lasts])
    coming, going = -np.expm1(-_rates(child, thresholds) * durations), -np.expm1(-durations / lasts)
    kinds = np.arange(1, 1 + len(SUSTAINED))
    steps = np.zeros((len(track.seconds), 1 + len(SUSTAINED), 1 + len(SUSTAINED)))
    steps[:, 0, 0] = 1.0 - coming.sum(axis=1)
    steps[:, 0, 1:] = going
    steps[:, 1:, 0] = coming
    steps[:, kinds, kinds] = 1.0 - going
    steps[:, 1:] *= np.exp(frame_evidence(track, child.levels, thresholds))[:, :, None]
    forgotten = np.diff(track.seconds, prepend=np.inf) > thresholds.forget_after
    steps[forgotten, 0], steps[forgotten, 1:] = 1.0, 0.0  # whatever was believed, it is at rest
    return steps


def _filtered(steps: Floats) -> Floats:
    """(n, children, 4) probabilities after each of the (n, children, 4, 4) steps from rest."""
    believed = np.empty((*steps.shape[:3], 1))
    latest = np.zeros((*steps.shape[1:3], 1))
    latest[:, 0] = 1.0
    for row in range(len(steps)):
        latest = np.matmul(steps[row], latest, out=believed[row])
        if row % _ROWS_BETWEEN_SCALINGS == 0:
            latest /= latest.sum(axis=1, keepdims=True)
    return believed[:, :, :, 0] / believed.sum(axis=2)


_ROWS_BETWEEN_SCALINGS = 32  # a frame adds four nats at most, and e**128 is far inside a float64
