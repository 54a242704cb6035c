"""What a fit to one child's photographs promises, on made-up children."""

import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emotion.labels import Emotion
from emotion.personal.fitting import MOST_FOLDS, OFFSET_PENALTY, Photographs, fit_personal_head, photographs_of
from emotion.personal.head import FEATURES, PersonalHead

TEMPERATURE = 0.8
HAPPY, NEUTRAL, SAD, FEAR = Emotion.HAPPY, Emotion.NEUTRAL, Emotion.SAD, Emotion.FEAR
_generator = np.random.default_rng(0)
WEIGHT = _generator.normal(0, 0.016, (8, FEATURES)).astype(np.float32)  # rows as long as the packaged ones
BIAS = np.zeros(8, np.float32)
FACE = np.abs(_generator.normal(0.3, 0.3, FEATURES))  # what all faces of the child share
FACE -= np.linalg.pinv(WEIGHT) @ (WEIGHT @ FACE)  # and the packaged head does not see


@dataclass(frozen=True)
class Child:
    """Photographs of a made-up child."""

    features: np.ndarray
    labels: np.ndarray
    bursts: np.ndarray


def child(shown_as: dict[Emotion, Emotion], bursts: int = 4, frames: int = 3, seed: int = 1) -> Child:
    """A child whose faces look to the packaged head like others: class -> what it is read as."""
    generator = np.random.default_rng(seed)
    features, labels, numbers = [], [], []
    for emotion, read_as in shown_as.items():
        own = np.random.default_rng(emotion).normal(0, 0.12, FEATURES)  # what tells the class apart in this child
        for burst in range(bursts):
            moment = generator.normal(0, 0.05, FEATURES)
            for _ in range(frames):
                face = FACE + own + 6 * WEIGHT[read_as] + moment + generator.normal(0, 0.05, FEATURES)
                features.append(face)
                labels.append(emotion)
                numbers.append(100 * emotion + burst)
    return Child(np.array(features, np.float32), np.array(labels), np.array(numbers))


def fit(photographs: Child) -> PersonalHead:
    return fit_personal_head(photographs.features, photographs.labels, photographs.bursts, WEIGHT, BIAS, TEMPERATURE)


def prepared(photographs: Child) -> Photographs:
    found = photographs_of(photographs.features, photographs.labels, photographs.bursts, WEIGHT, BIAS, TEMPERATURE)
    assert found is not None
    return found


def recall(head: PersonalHead, photographs: Child) -> float:
    return float((head.probabilities(photographs.features).argmax(1) == photographs.labels).mean())


PACKAGED = PersonalHead(WEIGHT, BIAS, TEMPERATURE, (), None, False)
AS_IT_LOOKS = {HAPPY: HAPPY, NEUTRAL: NEUTRAL, SAD: SAD}
SAD_AT_REST = {HAPPY: HAPPY, NEUTRAL: SAD}
FEARFUL_WHEN_SAD = {HAPPY: HAPPY, NEUTRAL: NEUTRAL, SAD: FEAR}


def test_a_child_that_looks_sad_at_rest_is_read_rightly_at_another_moment() -> None:
    later = child(SAD_AT_REST, seed=2)
    head = fit(child(SAD_AT_REST))
    assert head.adopted
    assert recall(PACKAGED, later) == 0.5
    assert recall(head, later) == 1


def test_shown_classes_that_the_packaged_head_mistakes_are_learnt() -> None:
    later = child(FEARFUL_WHEN_SAD, seed=2)
    head = fit(child(FEARFUL_WHEN_SAD))
    assert head.shown == (SAD, HAPPY, NEUTRAL)
    assert recall(head, later) > recall(PACKAGED, later)


def test_the_gain_tells_the_recall_before_and_after() -> None:
    gain = fit(child(SAD_AT_REST)).gain
    assert gain is not None
    assert (gain.before, gain.after) == (0.5, 1)
    assert 0 < gain.low < gain.high <= 1


def test_a_child_that_is_read_rightly_is_read_rightly_afterwards() -> None:
    later = child(AS_IT_LOOKS, seed=2)
    assert recall(PACKAGED, later) == recall(fit(child(AS_IT_LOOKS)), later) == 1


@pytest.mark.parametrize("seed", range(5))
def test_faces_that_do_not_show_what_they_should_leave_the_packaged_head(seed: int) -> None:
    photographs = child(AS_IT_LOOKS, seed=seed)
    order = np.random.default_rng(seed).permutation(len(AS_IT_LOOKS) * 4)  # each burst has the label of another
    bursts = np.arange(len(order)).repeat(3)
    shuffled = replace(photographs, labels=photographs.labels[::3][order].repeat(3), bursts=bursts)
    head = fit(shuffled)
    assert not head.adopted
    assert head.gain is not None
    np.testing.assert_array_equal(head.weight, WEIGHT)
    np.testing.assert_array_equal(head.bias, BIAS)
    assert head.temperature == TEMPERATURE


@given(st.lists(st.tuples(st.sampled_from([3, 5, 7]), st.integers(0, 70)), min_size=1, max_size=120))
def test_frames_of_one_burst_are_never_on_both_sides(taken: list[tuple[int, int]]) -> None:
    labels, bursts = np.array(taken).T
    photographs = Photographs(np.eye(len(labels)), np.zeros((len(labels), 8)), labels, bursts, (FEAR,))
    fold = photographs.folds()
    for number in range(fold.max() + 1):
        assert not set(bursts[fold == number]) & set(bursts[fold != number])
    assert fold.max() < MOST_FOLDS
    if len(set(bursts)) <= MOST_FOLDS:  # one burst at a time
        assert len(set(zip(fold.tolist(), bursts.tolist(), strict=True))) == len(set(fold))


def test_copies_within_a_burst_prove_nothing() -> None:
    generator = np.random.default_rng(3)
    faces = FACE + generator.normal(0, 0.3, (8, FEATURES))  # eight moments that have nothing to do with their label
    copies = Child(faces.repeat(5, axis=0).astype(np.float32), np.tile([3, 5], 4).repeat(5), np.arange(8).repeat(5))
    gain = fit(copies).gain
    of_split = fit(replace(copies, bursts=np.arange(40))).gain  # as if each copy were a witness of its own
    assert gain is not None
    assert of_split is not None
    assert gain.after < 0.7  # two classes by guessing
    assert of_split.after == 1  # known by heart


def test_below_three_photographs_a_class_is_not_fitted() -> None:
    whole = child(FEARFUL_WHEN_SAD)
    few = (whole.labels != SAD) | (np.cumsum(whole.labels == SAD) <= 2)
    head = fit(Child(whole.features[few], whole.labels[few], whole.bursts[few]))
    assert head.shown == (HAPPY, NEUTRAL)
    np.testing.assert_array_equal(head.weight[SAD], WEIGHT[SAD])


def test_a_class_of_a_single_burst_is_not_fitted() -> None:
    whole = child(FEARFUL_WHEN_SAD)
    assert fit(replace(whole, bursts=np.where(whole.labels == SAD, 0, whole.bursts))).shown == (HAPPY, NEUTRAL)


@pytest.mark.parametrize("shown", [{HAPPY: SAD}, {}])
def test_with_fewer_than_two_classes_the_packaged_head_stays(shown: dict[Emotion, Emotion]) -> None:
    two_sad_faces = child({SAD: SAD}, bursts=2, frames=1)
    some = child(shown) if shown else two_sad_faces
    head = fit(some)
    assert not head.adopted
    assert head.gain is None
    assert head.shown == ()
    np.testing.assert_array_equal(head.probabilities(some.features), PACKAGED.probabilities(some.features))


def test_classes_that_were_not_shown_keep_their_weights_and_are_at_most_lowered() -> None:
    head = fit(child(SAD_AT_REST))
    others = [emotion for emotion in Emotion if emotion not in head.shown]
    np.testing.assert_array_equal(head.weight[others], WEIGHT[others])
    assert (head.bias[others] <= BIAS[others]).all()
    assert head.bias[SAD] == head.bias.min()  # the one that the face at rest is taken for
    np.testing.assert_array_equal(head.bias[list(head.shown)], BIAS[list(head.shown)])


def test_a_class_is_lowered_no_further_by_the_same_photographs_twice() -> None:
    once = child(SAD_AT_REST)
    twice = Child(*(np.concatenate([values, values]) for values in (once.features, once.labels, once.bursts)))
    _, offset = prepared(once).solve(np.ones((1, len(once.labels))), 1e9)
    _, offset_of_twice = prepared(twice).solve(np.ones((1, len(twice.labels))), 1e9)
    np.testing.assert_allclose(offset, offset_of_twice, atol=0.01)


@given(st.lists(st.sampled_from([3, 5, 7]), min_size=1, max_size=60))
def test_every_class_weighs_the_same(labels: list[int]) -> None:
    count = len(labels)
    shown = tuple(Emotion(label) for label in sorted(set(labels)))
    photographs = Photographs(np.eye(count), np.zeros((count, 8)), np.array(labels), np.arange(count), shown)
    weights = photographs.balanced(np.ones((1, count)))[0]
    for emotion in shown:
        assert weights[np.array(labels) == emotion].sum() == pytest.approx(count / len(shown))


@settings(max_examples=10, deadline=None)
@given(st.floats(10, 1e5), st.integers(0, 100))
def test_a_fit_is_the_minimum_of_the_penalised_loss(strength: float, seed: int) -> None:
    photographs = prepared(child(FEARFUL_WHEN_SAD, bursts=2, frames=2, seed=seed))
    count = len(photographs.labels)
    (deviation,), (offset,) = photographs.solve(np.ones((1, count)), strength)
    shown = np.isin(np.arange(8), photographs.shown)

    def loss(deviation: np.ndarray, offset: np.ndarray) -> float:
        logits = photographs.prior + photographs.gram @ deviation + offset
        penalty = strength * (deviation * (photographs.gram @ deviation)).sum() / 2
        return float(photographs.losses(logits).sum() * 2 + penalty + count * OFFSET_PENALTY * (offset**2).sum() / 2)

    generator = np.random.default_rng(seed)
    for _ in range(10):
        towards = generator.normal(0, 1e-3, deviation.shape) * shown
        offset_towards = generator.normal(0, 0.1, 8) * ~shown
        assert loss(deviation, offset) < loss(deviation + towards, offset + offset_towards) + 1e-4


def test_a_photograph_left_out_is_not_answered_by_what_it_taught() -> None:
    photographs = prepared(child(SAD_AT_REST))
    everyone = np.ones(len(photographs.labels))
    without = np.where(photographs.folds() == 0, 0, everyone)
    other_label = replace(photographs, labels=np.where(photographs.folds() == 0, NEUTRAL, photographs.labels))
    deviation, offset = photographs.solve(without[None], 1000.0)
    again, offset_again = other_label.solve(without[None], 1000.0)
    np.testing.assert_allclose(photographs.gram @ deviation[0], photographs.gram @ again[0], atol=0.02)
    np.testing.assert_allclose(offset, offset_again, atol=0.02)


def test_neither_the_order_nor_the_names_of_bursts_matter() -> None:
    some = child(FEARFUL_WHEN_SAD)
    order = np.random.default_rng(0).permutation(len(some.labels))
    other = Child(some.features[order], some.labels[order], 9000 - 7 * some.bursts[order])
    np.testing.assert_allclose(
        fit(some).probabilities(some.features), fit(other).probabilities(some.features), atol=0.01
    )


def test_the_same_photographs_give_the_same_head() -> None:
    assert fit(child(SAD_AT_REST)).to_bytes() == fit(child(SAD_AT_REST)).to_bytes()


def test_certain_answers_of_few_photographs_do_not_take_all_doubt_away() -> None:
    photographs = prepared(child(SAD_AT_REST))
    sure = 30 * np.eye(8)[photographs.labels]
    wrong = 30 * np.eye(8)[(photographs.labels + 1) % 8]
    assert 0.8 < photographs.temperature_factor(sure) <= 1
    assert photographs.temperature_factor(wrong) > 1.9


@settings(max_examples=15, deadline=None)
@given(arrays.arrays(np.float32, (8, 4), elements=st.floats(-(2.0**120), 2.0**120, width=32)))
def test_any_finite_features_give_a_head_that_answers(some: np.ndarray) -> None:
    features = np.tile(some, FEATURES // 4)
    head = fit(Child(features, np.tile([3, 5], 4), np.arange(8)))
    np.testing.assert_allclose(head.probabilities(features).sum(1), 1, rtol=1e-5)


def test_240_photographs_take_less_than_5_seconds_of_one_core() -> None:
    everything = {emotion: Emotion((emotion + 1) % 8) for emotion in Emotion}
    photographs = child(everything, bursts=6, frames=5)
    assert len(photographs.labels) == 240
    began = time.thread_time()
    assert fit(photographs).adopted
    assert time.thread_time() - began < 5


GOOD = child(SAD_AT_REST)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features": GOOD.features[:, :512]}, "2048 features"),
        ({"features": GOOD.features[0]}, "2048 features"),
        ({"features": GOOD.features[:0], "labels": GOOD.labels[:0], "bursts": GOOD.bursts[:0]}, "photograph"),
        ({"features": np.where(GOOD.labels[:, None] == HAPPY, np.nan, GOOD.features)}, "not finite"),
        ({"features": GOOD.features.astype(np.float64) * 1e300}, "not finite"),
        ({"labels": GOOD.labels[1:]}, "one label and one burst"),
        ({"bursts": GOOD.bursts[:, None]}, "one label and one burst"),
        ({"labels": GOOD.labels + 1}, "0 to 7"),
        ({"labels": GOOD.labels - 6}, "0 to 7"),
        ({"labels": GOOD.labels / 2}, "whole numbers"),
        ({"bursts": GOOD.bursts.astype(str)}, "whole numbers"),
        ({"weight": WEIGHT[:, 1:]}, "weights"),
        ({"weight": WEIGHT * np.nan}, "finite"),
        ({"bias": BIAS[1:]}, "biases"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": np.nan}, "temperature"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_what_are_no_photographs_is_refused_with_what_to_do(change: dict[str, object], words: str) -> None:
    arguments: dict[str, object] = {
        "features": GOOD.features,
        "labels": GOOD.labels,
        "bursts": GOOD.bursts,
        "weight": WEIGHT,
        "bias": BIAS,
        "temperature": TEMPERATURE,
    }
    with pytest.raises(ValueError, match=words):
        fit_personal_head(**(arguments | change))  # type: ignore[arg-type]
