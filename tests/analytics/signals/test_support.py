"""Support signals on constructed lessons: raised where they should be, with reason and suggestion, and nowhere else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.signals.baseline import (
    PRIOR_SHARES,
    Baseline,
    baseline_of,
    child_series,
    expression_shares,
    running_baseline,
)
from analytics.signals.hidden_markov import STATES, ObservedChild, state_probabilities
from analytics.signals.support import KINDS, SUGGESTIONS, Signal, child_signals
from analytics.signals.thresholds import THRESHOLDS
from analytics.simulation.child import (
    DISTRESSED,
    PROFILES,
    STRUGGLING,
    TIRED,
    StateSpan,
    observation_frame,
    simulate_child,
)
from analytics.store.records import Event
from emotion.labels import Emotion

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def lesson(spans: list[StateSpan], seconds: float = 900.0, seed: int = 1, profile: int = 0) -> pd.DataFrame:
    readings = simulate_child(np.random.default_rng(seed), PROFILES[profile], spans, seconds)
    return observation_frame(readings, START, "child", "test", "test")


def event(second: float, kind: str, detail: str = "task 4", child: str | None = "child") -> Event:
    return Event(f"{kind}-{second}", "lesson", child, START + timedelta(seconds=second), kind, detail)


def raised(rows: pd.DataFrame, events: list[Event] | None = None, earlier: Baseline | None = None) -> list[Signal]:
    return child_signals(rows, events or [], "lesson", "child", earlier)


def seconds(moment: datetime) -> float:
    return (moment - START).total_seconds()


def test_struggling_after_two_failures_is_raised_with_the_task_and_the_hint() -> None:
    rows = lesson([StateSpan(STRUGGLING, 400, 600)])
    signals = raised(rows, [event(390, "task_failed"), event(395, "task_failed")])
    assert [signal.kind for signal in signals] == ["struggling"]
    signal = signals[0]
    assert signal.reason_key == "struggling_after_failure"
    assert (signal.evidence["task"], signal.evidence["failures"]) == ("task 4", 2)
    assert float(signal.evidence["percent"]) > 2 * float(signal.evidence["usual_percent"])
    assert signal.suggestion_key == "hint"
    assert 390 <= seconds(signal.start) <= seconds(signal.raised) <= 460
    assert signal.end is not None
    assert 540 <= seconds(signal.end) <= 640


def test_after_a_hint_was_given_the_assistant_is_suggested_instead() -> None:
    events = [event(390, "task_failed"), event(398, "hint")]
    assert raised(lesson([StateSpan(STRUGGLING, 400, 600)]), events)[0].suggestion_key == "assistant"


def test_a_failed_task_raises_the_same_signal_sooner() -> None:
    rows = lesson([StateSpan(STRUGGLING, 400, 600)])
    alone, failed = raised(rows), raised(rows, [event(395, "task_failed")])
    assert failed[0].raised < alone[0].raised
    assert alone[0].reason_key == "struggling"


def test_fear_and_sadness_are_raised_as_distress() -> None:
    signals = raised(lesson([StateSpan(DISTRESSED, 400, 520)]))
    assert [(signal.kind, signal.suggestion_key) for signal in signals] == [("distressed", "teacher")]


def test_a_tired_child_is_offered_a_break_late_in_the_lesson() -> None:
    signals = raised(lesson([StateSpan(TIRED, 700, 1800)], seconds=1800))
    assert [(signal.kind, signal.suggestion_key) for signal in signals] == [("tired", "break")]
    assert seconds(signals[0].raised) > 700


def test_no_face_for_twenty_seconds_is_away_and_ends_when_it_comes_back() -> None:
    rows = lesson([StateSpan("away", 300, 420)])
    signals = raised(rows)
    assert [signal.kind for signal in signals] == ["away"]
    assert seconds(signals[0].raised) - seconds(signals[0].start) == THRESHOLDS.away_seconds
    assert seconds(signals[0].end or START) == pytest.approx(419, abs=3)


def test_a_lost_connection_is_not_an_absence() -> None:
    rows = lesson([])
    assert (
        raised(rows[(rows["at"] < START + timedelta(seconds=300)) | (rows["at"] > START + timedelta(seconds=420))])
        == []
    )


def test_calm_lessons_raise_less_than_one_false_alarm_per_child_and_hour() -> None:
    alarms = [raised(lesson([], profile=profile, seed=seed)) for profile in range(len(PROFILES)) for seed in range(4)]
    assert sum(map(len, alarms)) < len(alarms) * 900 / 3600


def test_one_second_of_any_face_raises_nothing() -> None:
    rows = lesson([])
    rows.loc[500, ["angry", "neutral"]] = [1.0, 0.0]
    assert raised(rows) == []


def test_what_was_raised_live_is_not_taken_back_when_the_lesson_goes_on() -> None:
    rows = lesson([StateSpan(STRUGGLING, 300, 500), StateSpan(DISTRESSED, 650, 760), StateSpan("away", 800, 850)])
    events = [event(290, "task_failed")]
    final = {signal.id: signal for signal in raised(rows, events)}
    live_signals: dict[str, Signal] = {}
    for end in range(60, 900, 20):
        live = rows[rows["at"] <= START + timedelta(seconds=end)]
        live_signals |= {signal.id: signal for signal in raised(live, events)}
    assert live_signals.keys() == final.keys()
    assert all(live_signals[key].start == final[key].start for key in final)


def test_the_same_signal_is_not_raised_again_in_its_refractory_time() -> None:
    spans = [StateSpan("away", 300, 340), StateSpan("away", 355, 400), StateSpan("away", 500, 540)]
    starts = [seconds(signal.start) for signal in raised(lesson(spans))]
    assert len(starts) == 2


def test_no_observations_and_no_faces_raise_no_error() -> None:
    rows = lesson([])
    assert raised(rows.iloc[:0]) == []
    assert [signal.kind for signal in raised(lesson([StateSpan("away", 0, 900)]))] == ["away"]
    assert baseline_of(child_series(rows.iloc[:0])) is None


def test_every_signal_has_a_known_kind_and_suggestion_and_a_strength_between_0_and_1() -> None:
    spans = [StateSpan(STRUGGLING, 300, 420), StateSpan("delighted", 560, 620), StateSpan(DISTRESSED, 760, 860)]
    signals = raised(lesson(spans))
    assert {signal.kind for signal in signals} <= set(KINDS)
    assert {signal.suggestion_key for signal in signals} <= set(SUGGESTIONS)
    assert all(0 <= signal.strength <= 1 for signal in signals)


def observed(rows: pd.DataFrame, failures: tuple[float, ...] = ()) -> ObservedChild:
    series = child_series(rows)
    return ObservedChild(series, running_baseline(series), START.timestamp() + np.array(failures), np.zeros(0))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([STRUGGLING, DISTRESSED, "delighted", "away"]))
def test_filtered_probabilities_are_probabilities_and_causal(seed: int, kind: str) -> None:
    rows = lesson([StateSpan(kind, 60, 160)], seconds=240, seed=seed)
    (whole,), (part,) = (
        state_probabilities([observed(rows)]),
        state_probabilities([observed(rows[:150])]),
    )
    assert ((whole >= 0) & (whole <= 1)).all()
    assert (whole.sum(axis=1) <= 1 + 1e-9).all()
    np.testing.assert_allclose(whole[: len(part)], part, atol=1e-9)


def test_a_child_has_the_same_probabilities_alone_and_among_others() -> None:
    children = [
        observed(lesson([StateSpan(DISTRESSED, 100, 200)], seconds=300 + 60 * seed, seed=seed)) for seed in range(3)
    ]
    together = state_probabilities(children)
    for child, probabilities in zip(children, together, strict=True):
        np.testing.assert_allclose(probabilities, state_probabilities([child])[0], atol=1e-9)


def test_a_failed_task_alone_makes_nobody_struggle() -> None:
    calm = lesson([], seconds=400)
    struggling = STATES.index(STRUGGLING)
    with_failure = state_probabilities([observed(calm, failures=(200.0,))])[0][:, struggling]
    assert with_failure.max() > state_probabilities([observed(calm)])[0][:, struggling].max()
    assert with_failure.max() < THRESHOLDS.struggling_threshold


def test_five_frames_a_second_raise_a_signal_hardly_sooner_than_one() -> None:
    def delay(interval: float, seed: int) -> float:
        readings = simulate_child(
            np.random.default_rng(seed), PROFILES[0], [StateSpan(DISTRESSED, 400, 520)], 600, interval=interval
        )
        return seconds(raised(observation_frame(readings, START, "child", "test", "test"))[0].raised) - 400

    often, seldom = (np.median([delay(interval, seed) for seed in range(9)]) for interval in (0.2, 1.0))
    assert 0.5 * seldom < often < 1.5 * seldom


def test_expression_shares_are_recovered_from_uncertain_readings() -> None:
    readings = simulate_child(np.random.default_rng(5), replace(PROFILES[1], glances_per_minute=0.0), [], 6000)
    rows = observation_frame(readings, START, "child", "test", "test")
    series = child_series(rows)
    weights = np.ones(len(series.times))
    shares = expression_shares(series.likelihoods, weights, np.zeros(len(weights), dtype=np.int64), 1)[0]
    true_shares = np.bincount(readings.truth[readings.truth >= 0], minlength=8) / (readings.truth >= 0).sum()
    assert abs(shares - true_shares).max() < 0.08
    assert (
        abs(series.probabilities.mean(axis=0) - true_shares).max() > abs(shares - true_shares).max()
    )  # the plain mean is further off


def test_the_running_baseline_is_causal() -> None:
    calm, later = lesson([]), lesson([StateSpan(STRUGGLING, 300, 600)])
    before = child_series(calm).times < START.timestamp() + 295
    first, second = running_baseline(child_series(calm)), running_baseline(child_series(later))
    np.testing.assert_allclose(first[: before.sum()], second[: before.sum()])


def test_a_child_that_is_always_serious_has_a_serious_baseline() -> None:
    serious = baseline_of(child_series(lesson([], profile=2, seed=4)))
    calm = baseline_of(child_series(lesson([], profile=0, seed=4)))
    assert serious is not None
    assert calm is not None
    assert serious.negative > calm.negative
    assert sum(serious.shares) == pytest.approx(1.0)


def test_earlier_lessons_are_the_prior_of_the_baseline() -> None:
    shares = np.full(8, 0.02)
    shares[[Emotion.HAPPY, Emotion.NEUTRAL]] = [0.5, 0.38]
    levels = running_baseline(child_series(lesson([])), Baseline(tuple(shares), 600.0))
    np.testing.assert_allclose(levels[0], shares)
    np.testing.assert_allclose(
        running_baseline(child_series(lesson([])))[0], PRIOR_SHARES / PRIOR_SHARES.sum(), atol=1e-6
    )
