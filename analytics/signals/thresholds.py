"""Every number that decides when a support signal is raised, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Settled on simulated lessons of one seed and measured on those of another (tests/benchmarks/signals.py).

    Times are in seconds, rates in times per hour, probabilities and shares in 0..1.
    """

    # The hidden Markov filter (`analytics.signals.hidden_markov`).
    trouble_threshold: float = 0.73  # raised at this probability that the child is in that state ...
    delighted_threshold: float = 0.85
    onset_probability: float = 0.1  # ... dated back to when it was last below this (the end: above 1 less this) ...
    end_probability: float = 0.1  # ... and ended when it falls below this
    trouble_refractory: float = 90.0  # after the end of a signal, none of its kind is raised for so long
    delighted_refractory: float = 60.0
    trouble_per_hour: float = 7.0  # rate of onset at rest ...
    delighted_per_hour: float = 1.2
    trouble_mean_seconds: float = 60.0  # ... and mean duration (exponentially distributed)
    delighted_mean_seconds: float = 45.0
    after_failure_seconds: float = 60.0  # so long after a failed task ...
    after_failure_per_hour: float = 120.0  # ... trouble begins at this rate
    after_success_seconds: float = 12.0  # so long after a solved task ...
    after_success_per_hour: float = 60.0  # ... delight begins at this rate: after about one solved task in five
    baseline_share: float = 0.15  # weight of the baseline in the emissions of every state
    uniform_share: float = 0.2  # weight of a uniform likelihood: no frame rules an expression out
    shift_start: float = 1.0  # from so many of its own spreads above its own rest on a face leans to an expression ...
    trouble_shift_weight: float = 0.6  # ... and each spread more is so many nats of evidence for trouble ...
    delighted_shift_weight: float = 0.3  # ... or delight ...
    shift_least: float = -0.7  # ... within these bounds
    shift_most: float = 2.0
    trouble_most: float = 0.7  # nats that one frame can add or take
    delighted_most: float = 1.0
    correlation_seconds: float = 5.0  # time constant with which frames lose their correlation
    full_weight_quality: float = 0.5  # from this face quality on a frame counts fully
    reset_seconds: float = 30.0  # an absence after which the filter starts again at rest

    again_seconds: float = 90.0  # so long after it was told, trouble that gets worse is told again: ...
    worse_seconds: float = 30.0  # ... where over the last so many seconds ...
    worse_share: float = 0.25  # ... the share of unpleasant expressions is higher by this much than when it was told

    failures: int = 3  # of one task ...
    failures_within: float = 180.0  # ... in so many seconds are told whatever the face looks like ...
    failures_last: float = 120.0  # ... until so long after the last one, or until the task is solved
    slow_factor: float = 2.0  # a task that takes so many times what others, and the child's own tasks, took is told ...
    slow_least: float = 180.0  # ... not before so many seconds, ...
    slow_others: int = 3  # ... and where so many others have solved it

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
