"""The arithmetic of judging, against values worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.training import metrics

# Six faces: three happy (5), two neutral (7), one fear (4).
LABELS = np.array([5, 5, 5, 7, 7, 4])
ANSWERS = np.array([5, 5, 7, 7, 5, 7])


def one_hot(labels: np.ndarray) -> np.ndarray:
    return np.eye(8, dtype=np.float32)[labels]


def random_probabilities(count: int, seed: int) -> np.ndarray:
    powers = np.exp(np.random.default_rng(seed).normal(0, 1.5, (count, 8)))
    return (powers / powers.sum(1, keepdims=True)).astype(np.float32)


def at_temperature(probabilities: np.ndarray, factor: float) -> np.ndarray:
    """The probabilities as they would be at ``factor`` times the temperature."""
    powers = probabilities.astype(np.float64) ** (1 / factor)
    return powers / powers.sum(1, keepdims=True)


def test_rows_of_the_confusion_matrix_are_the_truth() -> None:
    confusion = metrics.confusion_matrix(LABELS, ANSWERS)
    assert confusion[5].tolist() == [0, 0, 0, 0, 0, 2, 0, 1]
    assert confusion[4, 7] == 1
    assert confusion.sum() == 6


def test_precision_recall_and_f1_are_those_of_the_textbook() -> None:
    confusion = metrics.confusion_matrix(LABELS, ANSWERS)
    assert metrics.precision(confusion)[[4, 5, 7]].tolist() == pytest.approx([0, 2 / 3, 1 / 3])
    assert metrics.recall(confusion)[[4, 5, 7]].tolist() == pytest.approx([0, 2 / 3, 1 / 2])
    assert metrics.f1(confusion)[[4, 5, 7]].tolist() == pytest.approx([0, 2 / 3, 2 / 5])


def test_a_class_without_faces_has_no_recall_and_does_not_count_in_the_mean() -> None:
    values = metrics.scores(one_hot(ANSWERS), one_hot(LABELS))
    assert math.isnan(values["recall_contempt"])
    assert values["mean_recall"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert values["mean_precision"] == pytest.approx((2 / 3 + 1 / 3 + 0) / 3)
    assert values["accuracy"] == 0.5


def test_negative_log_likelihood_is_lowest_for_the_votes_themselves() -> None:
    votes = np.array([[0.5, 0.5, 0, 0, 0, 0, 0, 0]])
    assert metrics.negative_log_likelihood(votes, votes) == pytest.approx(math.log(2))
    assert metrics.negative_log_likelihood(one_hot(np.array([0])), votes) > 5


def test_the_calibration_error_weighs_each_bin_by_its_faces() -> None:
    # Four answers of 0.9 of which two are right (0.4 off), one of 0.6 that is right (0.4 off).
    probabilities = np.full((5, 8), 0.1 / 7)
    probabilities[:4, 0] = 0.9
    probabilities[4] = 0.4 / 7
    probabilities[4, 0] = 0.6
    assert metrics.calibration_error(probabilities, np.array([0, 0, 1, 1, 0])) == pytest.approx(0.4)
    bins = metrics.reliability_bins(probabilities, np.array([0, 0, 1, 1, 0]))
    assert [entry["faces"] for entry in bins] == [1, 4]


def test_full_confidence_falls_into_the_last_bin() -> None:
    bins = metrics.reliability_bins(one_hot(np.array([3])), np.array([3]))
    assert bins == [{"from": 14 / 15, "to": 1.0, "faces": 1, "confidence": 1.0, "accuracy": 1.0}]


@given(count=st.integers(1, 200), seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=40)
def test_every_score_lies_in_its_range(count: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 8, count)
    values = metrics.scores(random_probabilities(count, seed), one_hot(labels))
    assert values.pop("negative_log_likelihood") >= 0
    assert all(math.isnan(value) or 0 <= value <= 1 for value in values.values())


def test_the_interval_holds_the_value_and_narrows_with_more_faces() -> None:
    widths = []
    for count in (50, 800):
        labels = np.random.default_rng(1).integers(0, 8, count)
        probabilities = 0.2 * one_hot(labels) + 0.8 * random_probabilities(count, 2)
        low, high = metrics.bootstrap_intervals(probabilities, one_hot(labels), draws=200)["accuracy"]
        assert low <= metrics.scores(probabilities, one_hot(labels))["accuracy"] <= high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_intervals_are_repeatable() -> None:
    probabilities, targets = random_probabilities(60, 0), one_hot(np.arange(60) % 8)
    assert metrics.bootstrap_intervals(probabilities, targets, 50) == metrics.bootstrap_intervals(
        probabilities, targets, 50
    )


@given(factor=st.floats(0.4, 2.5), seed=st.integers(0, 100))
@settings(deadline=None, max_examples=15)
def test_fit_temperature_recovers_a_known_factor(factor: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    honest = random_probabilities(4000, seed)
    labels = (honest.cumsum(1) > generator.random((4000, 1))).argmax(1)
    assert metrics.fit_temperature(at_temperature(honest, factor), labels) == pytest.approx(1 / factor, rel=0.08)


@given(seed=st.integers(0, 100), bad=st.sampled_from([math.nan, math.inf, -math.inf]), whole_row=st.booleans())
@settings(deadline=None, max_examples=25)
def test_a_figure_over_an_answer_that_is_no_number_is_no_number(seed: int, bad: float, whole_row: bool) -> None:
    probabilities, labels = random_probabilities(20, seed), np.arange(20) % 8
    probabilities[seed % 20, slice(None) if whole_row else seed % 8] = bad
    values = metrics.scores(probabilities, one_hot(labels))
    assert set(values) == set(metrics.scores(one_hot(labels), one_hot(labels)))
    assert all(math.isnan(value) for value in values.values())
    spans = metrics.bootstrap_intervals(probabilities, one_hot(labels), draws=5)
    assert set(spans) == set(values)
    assert all(math.isnan(low) and math.isnan(high) for low, high in spans.values())
    assert math.isnan(metrics.calibration_error(probabilities, labels))
    assert math.isnan(metrics.negative_log_likelihood(probabilities, one_hot(labels)))
    assert math.isnan(metrics.fit_temperature(probabilities, labels))
    assert sum(entry["faces"] for entry in metrics.reliability_bins(probabilities, labels)) == 19


def test_no_faces_give_no_figure() -> None:
    nothing = np.zeros((0, 8), np.float32)
    assert math.isnan(metrics.calibration_error(nothing, np.zeros(0, int)))
    assert all(math.isnan(value) for value in metrics.scores(nothing, nothing).values())
    assert metrics.reliability_bins(nothing, np.zeros(0, int)) == []
