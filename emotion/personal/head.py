"""What is known of one child's own head: the last layer fitted to the child, what it brought, and its bytes."""

import math
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from emotion.labels import Emotion

FEATURES = 2048  # numbers of a face before ResNet152's last layer
CLASSES = len(Emotion)
LEAST_TEMPERATURE, MOST_TEMPERATURE = 0.001, 1000.0  # beyond, every answer is certain, or none says anything

_MAGIC = b"one child's head"
_VERSION = 1
# Magic, version, classes, features, shown (a bit per class), adopted, judged, temperature, the four numbers of Gain.
_HEADER = struct.Struct("<16sHHIBBBx5d")
_CHECKSUM = struct.Struct("<I")
_LENGTH = _HEADER.size + 4 * CLASSES * (FEATURES + 1) + _CHECKSUM.size


@dataclass(frozen=True, slots=True)
class Gain:
    """What the child's own head brought on photographs that it had not seen.

    ``before`` and ``after``: mean recall of the shown classes, 0 to 1, of the packaged head and of the child's own.
    ``low`` and ``high``: interval of the gain, -1 to 1, in the probability given to the right class (a recall counted
    on a dozen photographs is too coarse for an interval; see `emotion.personal.fitting.Photographs.gain`).
    """

    before: float
    after: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class PersonalHead:
    """The last layer that answers for one child.

    ``weight`` (8, 2048) and ``bias`` (8,), float32, and ``temperature``, 0.001 to 1000: the child's own where
    ``adopted``, else the packaged ones, so that no caller can harm by overlooking ``adopted``. ``shown``: the classes
    that were fitted, ascending. ``gain`` is None where there was too little to fit and judge anything.

    Raises ValueError for arrays of another shape, numbers that are not finite, and another temperature.
    """

    weight: np.ndarray
    bias: np.ndarray
    temperature: float
    shown: tuple[Emotion, ...]
    gain: Gain | None
    adopted: bool

    def __post_init__(self) -> None:
        check_head(self.weight, self.bias, self.temperature)
        if self.gain is not None and not all(
            math.isfinite(value) for value in (self.gain.before, self.gain.after, self.gain.low, self.gain.high)
        ):
            raise ValueError("every number of a head's gain is finite")

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Features (m, 2048) -> (m, 8) float32 in the order of `Emotion`: softmax(logits / temperature), rows sum to 1.

        Raises ValueError for another shape and for numbers that are not finite.
        """
        if features.ndim != 2 or features.shape[1] != FEATURES:
            raise ValueError(f"hand over features of shape (faces, {FEATURES}), not {features.shape}")
        faces = features.astype(np.float32)
        if not np.isfinite(faces).all():
            raise ValueError("features hold numbers that are not finite: leave those faces out")
        # In double precision no features and weights are large enough for an infinite logit.
        logits = faces.astype(np.float64) @ self.weight.T.astype(np.float64) + self.bias
        return softmax(logits / self.temperature).astype(np.float32)

    def to_bytes(self) -> bytes:
        """A header, the weights and biases as little-endian float32, and a checksum: 66 kB."""
        gain = self.gain or Gain(0.0, 0.0, 0.0, 0.0)
        header = _HEADER.pack(
            _MAGIC,
            _VERSION,
            CLASSES,
            FEATURES,
            sum(1 << emotion for emotion in self.shown),
            self.adopted,
            self.gain is not None,
            self.temperature,
            gain.before,
            gain.after,
            gain.low,
            gain.high,
        )
        content = header + self.weight.astype("<f4").tobytes() + self.bias.astype("<f4").tobytes()
        return content + _CHECKSUM.pack(zlib.crc32(content))

    @classmethod
    def from_bytes(cls, content: bytes) -> "PersonalHead":
        """The head that `to_bytes` wrote. Raises ValueError for anything else; executes nothing of what it reads."""
        if len(content) != _LENGTH or not content.startswith(_MAGIC):
            raise ValueError("these bytes are no child's head: fit it again")
        body, (checksum,) = content[: -_CHECKSUM.size], _CHECKSUM.unpack(content[-_CHECKSUM.size :])
        if zlib.crc32(body) != checksum:
            raise ValueError("the bytes of this child's head are damaged: fit it again")
        _, version, classes, features, shown, adopted, judged, temperature, *gain = _HEADER.unpack_from(body)
        if (version, classes, features) != (_VERSION, CLASSES, FEATURES) or adopted > 1 or judged > 1:
            raise ValueError(f"this child's head is of format {version}, this release reads {_VERSION}: fit it again")
        numbers = np.frombuffer(body, "<f4", offset=_HEADER.size).astype(np.float32)
        return cls(
            weight=numbers[:-CLASSES].reshape(CLASSES, FEATURES),
            bias=numbers[-CLASSES:],
            temperature=temperature,
            shown=tuple(emotion for emotion in Emotion if shown >> emotion & 1),
            gain=Gain(*gain) if judged else None,
            adopted=bool(adopted),
        )


def check_head(weight: np.ndarray, bias: np.ndarray, temperature: float) -> None:
    """Raises ValueError where these are no head: see `PersonalHead`."""
    if weight.shape != (CLASSES, FEATURES) or bias.shape != (CLASSES,):
        raise ValueError(
            f"a head has weights ({CLASSES}, {FEATURES}) and biases ({CLASSES},), not {weight.shape} and {bias.shape}"
        )
    if not (np.isfinite(weight.astype(np.float32)).all() and np.isfinite(bias.astype(np.float32)).all()):
        raise ValueError("every weight and bias of a head is a finite number")
    if not LEAST_TEMPERATURE <= temperature <= MOST_TEMPERATURE:
        raise ValueError(
            f"the temperature of a head lies in {LEAST_TEMPERATURE} to {MOST_TEMPERATURE:g}, not at {temperature}"
        )


def softmax(logits: np.ndarray) -> np.ndarray:
    """(..., 8) -> the same shape, the last axis sums to 1; without the highest logit, so that no power overflows."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
