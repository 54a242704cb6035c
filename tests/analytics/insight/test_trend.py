"""The slope of a measure over lessons: known answers, what it withstands, and how sure it claims to be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.insight.trend import MINIMUM_LESSONS, theil_sen_slope


def test_lessons_on_a_line_have_its_slope_and_no_doubt():
    slope = theil_sen_slope([0.1 * lesson for lesson in range(8)])
    assert slope is not None
    assert (slope.middle, slope.low, slope.high) == pytest.approx((0.1, 0.1, 0.1))
    assert slope.is_clear


def test_one_odd_lesson_does_not_turn_the_slope():
    values = [0.1 * lesson for lesson in range(9)]
    values[4] = -5.0
    slope = theil_sen_slope(values)
    assert slope is not None
    assert slope.middle == pytest.approx(0.1)


def test_four_lessons_are_too_few_for_an_interval():
    assert theil_sen_slope([0.1, 0.2, 0.3, 0.4]) is None


def test_five_lessons_that_disagree_are_not_called_a_trend():
    slope = theil_sen_slope([0.1, 0.3, 0.2, 0.4, 0.1])
    assert slope is not None
    assert not slope.is_clear


@pytest.mark.parametrize("lessons", [5, 8, 20])
def test_the_interval_holds_the_true_slope_at_least_as_often_as_it_promises(lessons):
    random = np.random.default_rng(5)
    found = [theil_sen_slope(0.02 * np.arange(lessons) + random.normal(0, 0.1, lessons)) for _ in range(1500)]
    assert all(slope is not None for slope in found)
    # 0.95 less three standard errors of 1,500 draws
    assert np.mean([slope.low <= 0.02 <= slope.high for slope in found if slope]) >= 0.933


@given(st.lists(st.floats(-1, 1), min_size=MINIMUM_LESSONS, max_size=20))
def test_the_middle_lies_within_the_interval(values):
    slope = theil_sen_slope(values)
    assert slope is not None
    assert slope.low <= slope.middle <= slope.high
