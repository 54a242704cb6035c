"""Smoothing respects time, gaps and face quality."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.signals.smoothing import (
    AFFECT,
    affect_of,
    decaying_sums,
    expected_seconds,
    seconds_of,
    smooth,
    smooth_class,
)
from emotion.labels import CIRCUMPLEX, KEYS, Emotion

CALM = (0.02, 0.01, 0.05, 0.02, 0.01, 0.05, 0.01, 0.83)
HAPPY = (0.02, 0.01, 0.02, 0.01, 0.01, 0.83, 0.02, 0.08)


def frame(
    seconds: list[float], rows: list[tuple[float, ...] | None], quality: list[float] | None = None
) -> pd.DataFrame:
    """Observations as the store answers them, ``rows`` None where there was no face."""
    missing = (np.nan,) * len(KEYS)
    result = pd.DataFrame([row or missing for row in rows], columns=list(KEYS), dtype=np.float32)
    times = pd.to_datetime(np.round(np.array(seconds) * 1e6).astype(np.int64), unit="us", utc=True)
    result.insert(0, "at", times.astype("datetime64[us, UTC]"))
    result["face_quality"] = [
        np.nan if row is None else q for row, q in zip(rows, quality or [0.8] * len(rows), strict=True)
    ]
    return result


def distributions(count: int) -> st.SearchStrategy[list[tuple[float, ...]]]:
    weights = st.lists(st.floats(0.01, 1.0), min_size=8, max_size=8)
    return st.lists(weights.map(lambda w: tuple(np.array(w) / sum(w))), min_size=count, max_size=count)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0.0, 6.0), min_size=1, max_size=40), distributions(1))
def test_a_face_that_does_not_change_gives_a_flat_curve(
    intervals: list[float], constant: list[tuple[float, ...]]
) -> None:
    seconds = np.cumsum(intervals).tolist()
    smoothed = smooth(frame(seconds, constant * len(seconds)))
    np.testing.assert_allclose(smoothed[list(KEYS)].to_numpy(), np.tile(constant, (len(seconds), 1)), atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.data(), st.lists(st.floats(0.1, 12.0), min_size=2, max_size=40))
def test_smoothed_probabilities_still_sum_to_one_and_stay_within_what_was_seen(
    data: st.DataObject, intervals: list[float]
) -> None:
    rows = data.draw(distributions(len(intervals)))
    smoothed = smooth(frame(np.cumsum(intervals).tolist(), list(rows)))[list(KEYS)].to_numpy()
    np.testing.assert_allclose(smoothed.sum(axis=1), 1.0, atol=1e-6)
    assert (smoothed <= np.max(rows, axis=0) + 1e-6).all()
    assert (smoothed >= np.min(rows, axis=0) - 1e-6).all()


@settings(deadline=None, max_examples=40)
@given(st.floats(0.2, 0.8), st.integers(1, 6), distributions(8))
def test_sampling_the_same_face_twice_as_often_changes_nothing(
    share: float, place: int, rows: list[tuple[float, ...]]
) -> None:
    seconds = [float(second) for second in range(8)]
    whole = smooth(frame(seconds, list(rows)))
    at = seconds[place] - share
    split = smooth(frame(sorted([*seconds, at]), [*rows[:place], rows[place], *rows[place:]]))
    split = split[~np.isclose(seconds_of(split["at"]), at)]
    np.testing.assert_allclose(split[list(KEYS)].to_numpy(), whole[list(KEYS)].to_numpy(), atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(distributions(12), st.floats(0.1, 1.0))
def test_only_relative_face_quality_matters(rows: list[tuple[float, ...]], factor: float) -> None:
    seconds = [float(second) for second in range(12)]
    quality = np.linspace(0.6, 1.0, 12)
    first = smooth(frame(seconds, list(rows), quality.tolist()))
    second = smooth(frame(seconds, list(rows), (quality * max(factor, 0.1)).tolist()))
    np.testing.assert_allclose(first[list(KEYS)].to_numpy(), second[list(KEYS)].to_numpy(), atol=1e-5)


def test_after_one_half_life_the_old_face_counts_half() -> None:
    rows = [CALM] * 400 + [HAPPY] * 80
    smoothed = smooth(frame([index / 10 for index in range(480)], list(rows)))
    halfway = (np.array(CALM) + np.array(HAPPY)) / 2
    # 40 s of calm: 1/32 is missing
    np.testing.assert_allclose(smoothed[list(KEYS)].to_numpy()[-1], halfway, atol=0.015)


def test_a_poor_face_weighs_less_than_a_good_one() -> None:
    poor = smooth(frame([0.0, 1.0], [CALM, HAPPY], [1.0, 0.1]))
    good = smooth(frame([0.0, 1.0], [CALM, HAPPY], [1.0, 1.0]))
    assert poor["happy"].iloc[1] < good["happy"].iloc[1]


def test_a_gap_of_more_than_five_seconds_breaks_the_curve_and_forgets_what_was_before() -> None:
    smoothed = smooth(frame([0.0, 1.0, 2.0, 7.5, 8.5], [CALM, CALM, CALM, HAPPY, HAPPY]))
    assert smoothed["segment"].tolist() == [1, 1, 1, 2, 2]
    np.testing.assert_allclose(smoothed[list(KEYS)].iloc[3].to_numpy(dtype=float), HAPPY, atol=1e-6)


def test_a_short_absence_does_not_break_the_curve_and_is_not_filled_in() -> None:
    smoothed = smooth(frame([0.0, 1.0, 2.0, 3.0], [CALM, None, None, HAPPY]))
    assert smoothed["segment"].tolist() == [1, 1, 1, 1]
    assert smoothed["valence"].isna().tolist() == [False, True, True, False]
    assert smoothed["face"].tolist() == [True, False, False, True]


def test_one_child_in_a_class_is_smoothed_as_if_alone() -> None:
    one, other = frame([0.0, 1.0, 2.0], [CALM, HAPPY, CALM]), frame([1.5, 2.5, 3.5], [HAPPY, HAPPY, None])
    together = pd.concat([one.assign(child="a"), other.assign(child="b")], ignore_index=True)
    smoothed = smooth_class(together)
    for child, alone in (("a", one), ("b", other)):
        rows = smoothed[smoothed["child"] == child]
        np.testing.assert_allclose(rows[list(KEYS)].to_numpy(), smooth(alone)[list(KEYS)].to_numpy(), atol=1e-9)
    assert smoothed["segment"].tolist()[:5] == [1, 1, 1, 2, 2]


def test_no_observations_give_an_empty_curve() -> None:
    assert smooth(frame([], [])).empty


def test_several_children_and_unsorted_times_are_refused() -> None:
    rows = frame([0.0, 1.0], [CALM, CALM])
    with pytest.raises(ValueError, match="one child"):
        smooth(rows.assign(child=["a", "b"]))
    with pytest.raises(ValueError, match="sorted"):
        smooth(rows.iloc[::-1])


def test_a_long_lesson_neither_overflows_nor_loses_precision() -> None:
    ages = np.cumsum(np.full(40_000, 0.125))
    sums = decaying_sums(ages, np.ones((40_000, 1)))
    np.testing.assert_allclose(sums[-1, 0], 1 / (1 - 2**-0.125), rtol=1e-9)


def test_valence_and_arousal_are_the_expectation_over_the_circumplex() -> None:
    np.testing.assert_allclose(affect_of(np.eye(8)), AFFECT)
    half = np.zeros((1, 8))
    half[0, [Emotion.HAPPY, Emotion.SAD]] = 0.5
    expected = (np.array(CIRCUMPLEX[Emotion.HAPPY]) + np.array(CIRCUMPLEX[Emotion.SAD])) / 2
    np.testing.assert_allclose(affect_of(half)[0], expected)


def test_circumplex_coordinates_lie_in_the_unit_square_with_neutral_at_the_origin() -> None:
    assert set(CIRCUMPLEX) == set(Emotion)
    assert CIRCUMPLEX[Emotion.NEUTRAL] == (0.0, 0.0)
    assert all(-1 <= value <= 1 for pair in CIRCUMPLEX.values() for value in pair)


def test_expected_time_counts_what_never_leads_at_any_moment() -> None:
    """Counting the winner of each moment called a child calm for the whole of a lesson in which it was 40 % sad."""
    row = [0.0] * len(KEYS)
    row[Emotion.NEUTRAL], row[Emotion.SAD] = 0.6, 0.4
    spent = expected_seconds(smooth(frame(list(np.arange(101.0)), [tuple(row)] * 101)))
    assert spent["sad"] == pytest.approx(40, abs=1)
    assert spent["neutral"] == pytest.approx(60, abs=1)
