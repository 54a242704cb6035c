"""Heads in service: fitted to the features of the network that reads lessons, and loaded for the frames of a child."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from emotion.classifier import EmotionClassifier
from emotion.labels import KEYS, Emotion
from emotion.personal.agreement import burst_agreement
from emotion.personal.fitting import fit_personal_head
from emotion.personal.head import PersonalHead

NAME_DIGITS = 8
LOADED_HEADS = 256  # 64 kB each: those of eight classes


@dataclass(frozen=True, slots=True)
class FittedHead:
    """A head as it is kept: see `emotion.personal.head.PersonalHead`. ``shown``: expressions; ``before``, ``after``:
    mean recalls, 0 to 1; ``low``, ``high``: the interval of the gain; ``head``: its bytes.
    """

    shown: tuple[str, ...]
    before: float
    after: float
    low: float
    high: float
    adopted: bool
    head: bytes


@dataclass(frozen=True, slots=True)
class LoadedHead:
    """A head that reads frames. ``name``: says in what is stored which head it was."""

    name: str
    head: PersonalHead

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """See `PersonalHead.probabilities`."""
        return self.head.probabilities(features)


class HeadFitting:
    """Fits heads to what ``classifier`` says of a child's frames."""

    def __init__(self, classifier: EmotionClassifier) -> None:
        self.network = classifier.lesson_network
        tensors = classifier.checkpoint.state_dict()
        self._weight = tensors["fc.weight"].astype(np.float32)
        self._bias = tensors["fc.bias"].astype(np.float32)
        self._temperature = classifier.checkpoint.configuration.temperature

    def fit(self, features: Sequence[bytes], labels: Sequence[str], bursts: Sequence[int]) -> FittedHead | None:
        """The head for these frames, None where they are too few: ``features`` as `to_bytes` writes them, ``labels`` as
        in `emotion.labels.KEYS`.
        """
        head = fit_personal_head(*_arrays(features, labels, bursts), self._weight, self._bias, self._temperature)
        shown = tuple(Emotion(place).key for place in head.shown)
        gain = head.gain
        if gain is None:
            return None
        return FittedHead(shown, gain.before, gain.after, gain.low, gain.high, head.adopted, head.to_bytes())

    def agreement(self, features: Sequence[bytes], labels: Sequence[str], bursts: Sequence[int]) -> dict[int, float]:
        """Burst -> how probable its expression is, 0 to 1, for a head that was fitted to all other bursts."""
        return burst_agreement(*_arrays(features, labels, bursts), self._weight, self._bias, self._temperature)


@lru_cache(LOADED_HEADS)
def load_head(whose: str, content: bytes) -> LoadedHead:
    """The head that these bytes are, ``whose``: own or class. Raises ValueError where they are none."""
    return LoadedHead(f"{whose}-{hashlib.sha256(content).hexdigest()[:NAME_DIGITS]}", PersonalHead.from_bytes(content))


def to_bytes(features: np.ndarray) -> bytes:
    """(2048,) float32 features as they are kept: half precision, little endian."""
    return features.astype("<f2").tobytes()


def _arrays(
    features: Sequence[bytes], labels: Sequence[str], bursts: Sequence[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.stack([np.frombuffer(row, "<f2") for row in features]).astype(np.float32)
    return rows, np.array([KEYS.index(label) for label in labels]), np.array(bursts)
