"""One child's own head: its answers, and the bytes that it is kept as."""

import math
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emotion.labels import Emotion
from emotion.personal.head import FEATURES, Gain, PersonalHead

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEMPERATURE_AT, WEIGHT_AT = 28, 68  # bytes of the format


def random_head(seed: int = 0, temperature: float = 0.8, adopted: bool = True) -> PersonalHead:
    generator = np.random.default_rng(seed)
    return PersonalHead(
        weight=generator.normal(0, 0.02, (8, FEATURES)).astype(np.float32),
        bias=generator.normal(0, 0.1, 8).astype(np.float32),
        temperature=temperature,
        shown=(Emotion.HAPPY, Emotion.NEUTRAL),
        gain=Gain(0.8, 0.9, 0.05, 0.12),
        adopted=adopted,
    )


def with_checksum(body: bytes) -> bytes:
    return body + struct.pack("<I", zlib.crc32(body))


HEAD = random_head()
CONTENT = HEAD.to_bytes()


def test_the_answer_is_the_softmax_of_the_logits_divided_by_the_temperature() -> None:
    features = np.zeros((1, FEATURES), np.float32)
    features[0, 3] = 2
    weight = np.zeros((8, FEATURES), np.float32)
    weight[Emotion.SAD, 3] = 0.5
    bias = np.zeros(8, np.float32)
    bias[Emotion.SAD] = 1
    head = PersonalHead(weight, bias, 2.0, (), None, False)
    power = math.exp((0.5 * 2 + 1) / 2)
    expected = np.full(8, 1 / (power + 7))
    expected[Emotion.SAD] = power / (power + 7)
    np.testing.assert_allclose(head.probabilities(features)[0], expected, rtol=1e-6)


@settings(max_examples=30)
@given(
    arrays.arrays(np.float32, (2, 8), elements=st.floats(-(2.0**126), 2.0**126, width=32)),
    st.floats(0.001, 1000),
)
def test_the_rows_of_any_finite_features_sum_to_1(some: np.ndarray, temperature: float) -> None:
    features = np.tile(some, FEATURES // 8)
    answers = random_head(temperature=temperature).probabilities(features)
    assert answers.dtype == np.float32
    assert answers.shape == (2, 8)
    assert (answers >= 0).all()
    np.testing.assert_allclose(answers.sum(1), 1, rtol=1e-5)


def test_no_faces_get_no_answers() -> None:
    assert HEAD.probabilities(np.zeros((0, FEATURES), np.float32)).shape == (0, 8)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (np.zeros(FEATURES), "shape"),
        (np.zeros((2, 512)), "shape"),
        (np.full((1, FEATURES), np.nan), "not finite"),
        (np.full((1, FEATURES), np.inf), "not finite"),
    ],
)
def test_features_of_another_kind_are_refused(features: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        HEAD.probabilities(features)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_no_head_has_a_temperature_that_is_not_above_0(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        random_head(temperature=temperature)


def test_no_head_has_weights_of_another_network() -> None:
    with pytest.raises(ValueError, match="weights"):
        PersonalHead(np.zeros((8, 512), np.float32), np.zeros(8, np.float32), 1.0, (), None, False)


def test_no_gain_is_unknown_in_part() -> None:
    with pytest.raises(ValueError, match="gain"):
        PersonalHead(HEAD.weight, HEAD.bias, 1.0, (), Gain(0.5, math.nan, 0, 0), False)


@settings(max_examples=30)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(0.001, 1000),
    st.sets(st.sampled_from(list(Emotion))),
    st.none() | st.builds(Gain, FINITE, FINITE, FINITE, FINITE),
    st.booleans(),
)
def test_a_head_survives_its_bytes(
    seed: int, temperature: float, shown: set[Emotion], gain: Gain | None, adopted: bool
) -> None:
    some = random_head(seed)
    head = PersonalHead(some.weight, some.bias, temperature, tuple(sorted(shown)), gain, adopted)
    again = PersonalHead.from_bytes(head.to_bytes())
    np.testing.assert_array_equal(again.weight, head.weight)
    np.testing.assert_array_equal(again.bias, head.bias)
    assert (again.temperature, again.shown, again.gain, again.adopted) == (
        head.temperature,
        head.shown,
        head.gain,
        head.adopted,
    )


def test_the_bytes_are_little_more_than_the_weights() -> None:
    assert len(CONTENT) < 4 * 8 * (FEATURES + 1) + 100


@settings(max_examples=50)
@given(st.integers(0, len(CONTENT) - 1))
def test_bytes_that_were_cut_off_are_no_head(length: int) -> None:
    with pytest.raises(ValueError, match="no child's head"):
        PersonalHead.from_bytes(CONTENT[:length])


def test_bytes_with_more_behind_are_no_head() -> None:
    with pytest.raises(ValueError, match="no child's head"):
        PersonalHead.from_bytes(CONTENT + b"\0")


@settings(max_examples=100)
@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_no_byte_may_change(place: int, change: int) -> None:
    damaged = bytearray(CONTENT)
    damaged[place] ^= change
    with pytest.raises(ValueError, match="fit it again"):
        PersonalHead.from_bytes(bytes(damaged))


@given(st.binary(max_size=200))
def test_other_bytes_are_no_head(content: bytes) -> None:
    with pytest.raises(ValueError, match="no child's head"):
        PersonalHead.from_bytes(content)


def test_the_head_of_a_later_release_is_refused_by_name() -> None:
    body = bytearray(CONTENT[:-4])
    body[16:18] = struct.pack("<H", 2)
    with pytest.raises(ValueError, match="format 2"):
        PersonalHead.from_bytes(with_checksum(bytes(body)))


@pytest.mark.parametrize(
    ("place", "number", "words"),
    [
        (TEMPERATURE_AT, struct.pack("<d", 0.0), "temperature"),
        (TEMPERATURE_AT, struct.pack("<d", -1.0), "temperature"),
        (TEMPERATURE_AT, struct.pack("<d", math.nan), "temperature"),
        (TEMPERATURE_AT + 8, struct.pack("<d", math.nan), "gain"),
        (WEIGHT_AT, struct.pack("<f", math.inf), "finite"),
        (WEIGHT_AT, struct.pack("<f", math.nan), "finite"),
    ],
)
def test_a_right_checksum_does_not_make_numbers_right(place: int, number: bytes, words: str) -> None:
    body = bytearray(CONTENT[:-4])
    body[place : place + len(number)] = number
    with pytest.raises(ValueError, match=words):
        PersonalHead.from_bytes(with_checksum(bytes(body)))
