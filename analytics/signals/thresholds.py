"""Every number that decides when a support signal is raised, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Settled on simulated lessons of one seed and measured on those of another (tests/benchmarks/signals.py).

    Times are in seconds, rates in times per hour, probabilities and shares in 0..1.
    """

    # What is read in the face over time (`analytics.signals.hidden_markov`).
    distressed_raised: float = 0.77  # told at this probability that the child is in that state ...
    struggling_raised: float = 0.83
    delighted_raised: float = 0.83
    begun: float = 0.1  # ... dated back to when the probability was last below this (the end: above 1 less this) ...
    over: float = 0.3  # ... and over when it falls below this
    distressed_rest: float = 90.0  # after the end of a signal, the same is not raised again for so long
    struggling_rest: float = 120.0
    delighted_rest: float = 60.0
    distressed_per_hour: float = 3.6  # how often a child at rest comes into the state ...
    struggling_per_hour: float = 0.6
    delighted_per_hour: float = 1.2
    distressed_lasts: float = 90.0  # ... and how long it stays there on average
    struggling_lasts: float = 100.0
    delighted_lasts: float = 45.0
    after_failure_seconds: float = 30.0  # so long after a failed task ...
    after_failure_per_hour: float = 90.0  # ... struggling begins at this rate: after about every second failure
    after_success_seconds: float = 12.0  # so long after a solved task ...
    after_success_per_hour: float = 60.0  # ... delight begins at this rate: after about one solved task in five
    as_usual: float = 0.15  # in any state a child looks as at rest for this share of the time
    least_likelihood: float = 0.2  # share of a reading that says nothing: no frame rules an expression out
    repeats_for: float = 5.0  # the same reading so much later is a new witness by 63 %, sooner by less
    full_trust: float = 0.5  # a face of at least this quality counts fully
    forget_after: float = 30.0  # an absence after which what was seen before says nothing of now

    away_seconds: float = 20.0  # without a face
    away_rest: float = 30.0
    tired_earliest: float = 480.0  # after the child's first frame: late in the lesson, or it is not tiredness
    tired_window: float = 180.0  # over which tiredness is judged
    tired_score: float = 4.0  # sum of the falls below, each in units of its scale
    tired_hold: float = 60.0  # for so long
    tired_rest: float = 600.0
    expressiveness_scale: float = 0.15
    arousal_scale: float = 0.08
    absence_scale: float = 0.10
    quality_scale: float = 0.10


THRESHOLDS = Thresholds()
