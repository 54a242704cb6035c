"""Support signals on constructed lessons: raised where they should be, with reason and suggestion, and nowhere else."""

import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.signals.baseline import (
    PRIOR_SHARES,
    Baseline,
    RestingFace,
    RunningBaseline,
    baseline_of,
    child_series,
)
from analytics.signals.hidden_markov import STATES, TROUBLED, StateFilter, TaskTimes
from analytics.signals.support import KINDS, SUGGESTIONS, Signal, child_signals, class_signals, tracked_signals
from analytics.signals.thresholds import THRESHOLDS
from analytics.signals.tracking import ChildTracker, task_times
from analytics.simulation.child import (
    DISTRESSED,
    PROFILES,
    STRUGGLING,
    TIRED,
    UNPLEASANT,
    StateSpan,
    observation_frame,
    simulate_child,
)
from analytics.simulation.person import draw_person, typical_person
from analytics.store.records import Event
from emotion.labels import KEYS, Emotion

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def lesson(spans: list[StateSpan], seconds: float = 900.0, seed: int = 1, profile: int = 0) -> pd.DataFrame:
    readings = simulate_child(np.random.default_rng(seed), PROFILES[profile], spans, seconds, typical_person())
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
    assert (alone[0].kind, alone[0].suggestion_key) == ("distressed", "teacher")
    assert failed[0].kind == "struggling"


def test_a_failed_task_never_makes_a_signal_less_likely() -> None:
    """With two states for trouble a failed task moved probability from one to the other, and neither was told."""
    for seed in range(12):
        person = draw_person(np.random.default_rng(seed))
        readings = simulate_child(
            np.random.default_rng(seed), PROFILES[0], [StateSpan(DISTRESSED, 400, 460)], 600, person
        )
        rows = observation_frame(readings, START, "child", "test", "test")
        alone, failed = (filtered(rows, failures)[:, STATES.index(TROUBLED)] for failures in ((), (380.0, 395.0)))
        assert (failed >= alone - 1e-9).all()


def test_fear_and_sadness_are_raised_as_distress() -> None:
    signals = raised(lesson([StateSpan(DISTRESSED, 400, 520)]))
    assert [(signal.kind, signal.suggestion_key) for signal in signals] == [("distressed", "teacher")]


def test_anger_and_disgust_without_a_failed_task_are_told_as_unpleasant_expressions() -> None:
    signals = raised(lesson([StateSpan(UNPLEASANT, 400, 520)]))
    assert [(signal.kind, signal.suggestion_key) for signal in signals] == [("unpleasant", "ask_for_help")]


def showing(rows: pd.DataFrame, first: float, last: float, **shares: float) -> pd.DataFrame:
    """``rows`` in which the face is read so from one second to another, a little differently in each frame."""
    read = np.full(len(KEYS), (1 - sum(shares.values())) / (len(KEYS) - len(shares)))
    for key, share in shares.items():
        read[Emotion[key.upper()]] = share
    chosen = (rows["at"] >= START + timedelta(seconds=first)) & (rows["at"] < START + timedelta(seconds=last))
    chosen &= rows["neutral"].notna()
    frames = read * np.exp(np.random.default_rng(0).normal(0, 0.2, (chosen.sum(), len(KEYS))))
    rows.loc[chosen, list(KEYS)] = (frames / frames.sum(axis=1, keepdims=True)).astype(np.float32)
    return rows


def test_a_child_whose_sadness_is_read_as_mostly_neutral_is_told_from_its_own_neutral_face() -> None:
    """Compared with all children it is neutral throughout; with itself it is not."""
    rest = showing(lesson([]), 0, 900, neutral=0.9, happy=0.05)
    assert raised(rest) == []
    assert [signal.kind for signal in raised(showing(rest, 500, 620, neutral=0.62, sad=0.3))] == ["distressed"]


def test_where_a_face_looks_sad_at_rest_the_sentence_names_the_expression_that_is_new() -> None:
    """ "Fear or sadness 80 % of the time, usually 73 %" convinced nobody."""
    *_, signal = raised(showing(showing(lesson([]), 0, 900, sad=0.7, neutral=0.25), 500, 600, fear=0.75, sad=0.1))
    assert (signal.kind, signal.reason_key, signal.evidence["expression"]) == ("distressed", "changed", "fear")
    assert float(signal.evidence["percent"]) > float(signal.evidence["usual_percent"]) + 20


def test_what_gets_worse_is_told_again() -> None:
    rows = showing(lesson([]), 0, 900, neutral=0.9, happy=0.05)
    rows = showing(showing(rows, 400, 550, neutral=0.45, sad=0.45), 550, 700, sad=0.9)
    first, second = raised(rows)
    assert (first.kind, second.kind) == ("distressed", "distressed")
    assert first.end == second.raised
    assert 550 <= seconds(second.raised) <= 590
    assert float(second.evidence["percent"]) > float(first.evidence["percent"]) + 20


def test_a_task_that_failed_three_times_is_told_at_once_whatever_the_face_looks_like() -> None:
    failures = [event(second, "task_failed") for second in (300, 350, 400)]
    (signal,) = raised(lesson([]), failures)
    assert (signal.kind, signal.reason_key, signal.suggestion_key) == ("struggling", "failed_as_usual", "hint")
    assert (signal.evidence["task"], signal.evidence["failures"]) == ("task 4", 3)
    assert seconds(signal.raised) == 400
    assert signal.end == START + timedelta(seconds=400 + THRESHOLDS.failures_last)


def test_a_task_that_failed_three_times_is_told_of_a_child_without_a_camera_too() -> None:
    failures = [event(second, "task_failed") for second in (300, 350, 400)]
    (signal,) = class_signals({}, failures, "lesson", {})
    assert (signal.child, signal.kind, signal.reason_key) == ("child", "struggling", "failed_unseen")


def test_failures_of_other_tasks_or_long_ago_or_before_it_was_solved_do_not_add_up() -> None:
    others = [event(300 + 40 * number, "task_failed", f"task {number}") for number in range(3)]
    long_ago = [event(second, "task_failed") for second in (100, 300, 400)]
    assert class_signals({}, others, "lesson", {}) == []
    assert class_signals({}, long_ago, "lesson", {}) == []


@pytest.mark.parametrize("kind", ["task_failed", "task_started", "task_solved"])
@pytest.mark.parametrize("tasks", [1, 4000])
def test_thousands_of_events_of_one_child_are_looked_at_in_a_moment(kind: str, tasks: int) -> None:
    """A pupil's program may report one a second."""
    others = [event(0.5, "task_started", "task 0", None)]
    others += [event(1, "task_solved", "task 0", f"other-{number}") for number in range(30)]
    events = others + [event(2 + second, kind, f"task {second % tasks}") for second in range(4000)]
    began = time.perf_counter()
    class_signals({}, events, "lesson", {})
    assert time.perf_counter() - began < 1.0


def test_the_failing_ends_when_the_task_is_solved() -> None:
    events = [*(event(second, "task_failed") for second in (300, 350, 400)), event(430, "task_solved")]
    (signal,) = class_signals({}, events, "lesson", {})
    assert signal.end == START + timedelta(seconds=430)


def test_a_task_that_takes_twice_as_long_as_others_took_is_told() -> None:
    others = [event(130 + number, "task_solved", child=f"other-{number}") for number in range(3)]
    events = [event(10, "task_started", child=None), *others]
    assert class_signals({}, [*events, event(100, "note", "", "child")], "lesson", {}) == []
    (signal,) = class_signals({}, [*events, event(260, "note", "", "child")], "lesson", {})
    assert (signal.child, signal.reason_key) == ("child", "slow")
    assert seconds(signal.raised) == 10 + 2 * 121
    assert (signal.evidence["minutes"], signal.evidence["usual_minutes"]) == (4, 2)
    solved = [*events, event(200, "task_solved"), event(300, "note", "", "child")]
    assert class_signals({}, solved, "lesson", {}) == [], "in time"


def test_a_child_that_works_on_another_task_has_left_the_one_that_took_long() -> None:
    others = [event(130 + number, "task_solved", child=f"other-{number}") for number in range(3)]
    events = [event(10, "task_started", child=None), *others, event(200, "task_failed", "task 5")]
    assert class_signals({}, [*events, event(400, "note", "", "child")], "lesson", {}) == []


def test_a_child_that_always_takes_long_is_measured_by_itself_too() -> None:
    events = [
        event(0, "task_started", "task 1", None),
        *(event(100, "task_solved", "task 1", f"other-{number}") for number in range(3)),
        event(170, "task_solved", "task 1"),
        event(171, "task_started", "task 2", None),
        *(event(271, "task_solved", "task 2", f"other-{number}") for number in range(3)),
        event(171 + 335, "note", "", "child"),
    ]
    assert [signal for signal in class_signals({}, events, "lesson", {}) if signal.child == "child"] == []
    later = [*events, event(171 + 345, "note", "", "child")]
    assert [signal.reason_key for signal in class_signals({}, later, "lesson", {})] == ["slow"]


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


def running_baseline(rows: pd.DataFrame, earlier: Baseline | None = None) -> RunningBaseline:
    return RestingFace(earlier).add(child_series(rows))


def filtered(rows: pd.DataFrame, failures: tuple[float, ...] = ()) -> np.ndarray:
    tasks = TaskTimes(START.timestamp() + np.array(failures), np.zeros(0))
    return StateFilter().add(child_series(rows), running_baseline(rows), tasks)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([STRUGGLING, DISTRESSED, "delighted", "away"]))
def test_filtered_probabilities_are_probabilities_and_causal(seed: int, kind: str) -> None:
    rows = lesson([StateSpan(kind, 60, 160)], seconds=240, seed=seed)
    whole, part = filtered(rows), filtered(rows[:150])
    assert ((whole >= 0) & (whole <= 1)).all()
    assert (whole.sum(axis=1) <= 1 + 1e-9).all()
    np.testing.assert_allclose(whole[: len(part)], part, atol=1e-9)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 400), min_size=1, max_size=30))
def test_frames_taken_bit_by_bit_give_the_same_signals_as_all_at_once(seed: int, steps: list[int]) -> None:
    spans = [StateSpan(STRUGGLING, 200, 420), StateSpan("away", 500, 560), StateSpan("delighted", 640, 700)]
    rows = lesson([*spans, StateSpan(TIRED, 750, 1200)], seconds=1200, seed=seed)
    events = [event(second, "task_failed") for second in (190, 210, 230, 800)] + [event(635, "task_solved")]
    tracker, place = ChildTracker(), 0
    tasks = task_times(events, "child")
    for step in [*steps, len(rows)]:
        tracker.add(child_series(rows.iloc[place : place + step]), tasks)
        place += step
    assert tracked_signals({"child": tracker}, events, "lesson") == raised(rows, events)


def test_a_failed_task_alone_makes_nobody_struggle() -> None:
    calm = lesson([], seconds=400)
    struggling = STATES.index(TROUBLED)
    with_failure = filtered(calm, failures=(200.0,))[:, struggling]
    assert with_failure.max() > filtered(calm)[:, struggling].max()
    assert with_failure.max() < THRESHOLDS.trouble_threshold


def test_five_frames_a_second_raise_a_signal_hardly_sooner_than_one() -> None:
    def delay(interval: float, seed: int) -> float:
        readings = simulate_child(
            np.random.default_rng(seed),
            PROFILES[0],
            [StateSpan(DISTRESSED, 400, 520)],
            600,
            typical_person(),
            interval=interval,
        )
        return seconds(raised(observation_frame(readings, START, "child", "test", "test"))[0].raised) - 400

    often, seldom = (np.median([delay(interval, seed) for seed in range(9)]) for interval in (0.2, 1.0))
    assert 0.5 * seldom < often < 1.5 * seldom


def test_the_running_baseline_is_causal() -> None:
    calm, later = lesson([]), lesson([StateSpan(STRUGGLING, 300, 600)])
    before = child_series(calm).times < START.timestamp() + 295
    first, second = running_baseline(calm), running_baseline(later)
    np.testing.assert_allclose(first.shares[: before.sum()], second.shares[: before.sum()])
    np.testing.assert_allclose(first.levels[: before.sum()], second.levels[: before.sum()])


def test_a_bad_start_does_not_become_what_is_usual() -> None:
    usual, bad = (lesson(spans, seed=3) for spans in ([], [StateSpan(DISTRESSED, 0, 60)]))
    levels = [running_baseline(rows).levels[400, 0] for rows in (usual, bad)]
    assert abs(levels[0] - levels[1]) < 0.3
    assert [signal.kind for signal in raised(lesson([StateSpan(DISTRESSED, 0, 60), StateSpan(DISTRESSED, 500, 600)]))][
        -1:
    ] == ["distressed"]


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
    levels = running_baseline(lesson([]), Baseline(tuple(shares), 600.0))
    np.testing.assert_allclose(levels.shares[0], shares)
    np.testing.assert_allclose(running_baseline(lesson([])).shares[0], PRIOR_SHARES / PRIOR_SHARES.sum(), atol=1e-6)
