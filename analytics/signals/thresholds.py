"""Every number that decides when a support signal is raised, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Settled on simulated lessons of one seed and measured on those of another (tests/benchmarks/signals.py).

    Times are in seconds, rates in times per hour, probabilities and shares in 0..1.
    """

    # The hidden Markov filter (`analytics.signals.hidden_markov`).
    distressed_threshold: float = 0.77  # raised at this probability that the child is in that state ...
    struggling_threshold: float = 0.83
    delighted_threshold: float = 0.83
    onset_probability: float = 0.1  # ... dated back to when it was last below this (the end: above 1 less this) ...
    end_probability: float = 0.3  # ... and ended when it falls below this
    distressed_refractory: float = 90.0  # after the end of a signal, none of its kind is raised for so long
    struggling_refractory: float = 120.0
    delighted_refractory: float = 60.0
    distressed_per_hour: float = 3.6  # rate of onset at rest ...
    struggling_per_hour: float = 0.6
    delighted_per_hour: float = 1.2
    distressed_mean_seconds: float = 90.0  # ... and mean duration (exponentially distributed)
    struggling_mean_seconds: float = 100.0
    delighted_mean_seconds: float = 45.0
    after_failure_seconds: float = 30.0  # so long after a failed task ...
    after_failure_per_hour: float = 90.0  # ... struggling begins at this rate: after about every second failure
    after_success_seconds: float = 12.0  # so long after a solved task ...
    after_success_per_hour: float = 60.0  # ... delight begins at this rate: after about one solved task in five
    baseline_share: float = 0.15  # weight of the baseline in the emissions of every state
    uniform_share: float = 0.2  # weight of a uniform likelihood: no frame rules an expression out
    correlation_seconds: float = 5.0  # time constant with which frames lose their correlation
    full_weight_quality: float = 0.5  # from this face quality on a frame counts fully
    reset_seconds: float = 30.0  # an absence after which the filter starts again at rest

    away_seconds: float = 20.0  # without a face
    away_refractory: float = 30.0
    tired_earliest: float = 480.0  # after the child's first frame: late in the lesson, or it is not tiredness
    tired_window: float = 180.0  # over which tiredness is judged
    tired_score: float = 4.0  # sum of the falls below, each in units of its scale
    tired_minimum_seconds: float = 60.0  # for so long
    tired_refractory: float = 600.0
    expressiveness_scale: float = 0.15
    arousal_scale: float = 0.08
    absence_scale: float = 0.10
    quality_scale: float = 0.10


THRESHOLDS = Thresholds()
