"""The interface of all runtimes, with the check of crops and the softmax that they share."""

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np

from emotion.network.checkpoint import Checkpoint

# `auto` and `openvino` leave the choice to the machine; the other names are used as given.
RuntimeName = Literal[
    "auto", "openvino", "openvino-int8", "openvino-bf16", "openvino-f32", "torch", "torch-bf16", "torch-cuda"
]
RUNTIMES: tuple[str, ...] = get_args(RuntimeName)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the network says of n crops. ``probabilities``: (n, 8) float32, softmax(logits / temperature), rows sum to
    1. ``features``: (n, 2048) float32, what the last layer is given, for a child's own one (`emotion.personal`).
    """

    probabilities: np.ndarray
    features: np.ndarray


class Runtime(Protocol):
    """Something that runs the network. Thread-safe."""

    @property
    def name(self) -> str:
        """One of `RUNTIMES` that is not a choice, for the log and the About page."""
        ...

    @property
    def version(self) -> str:
        """Of the network, for what is stored: `Checkpoint.version`, and the input size where it is not the usual."""
        ...

    @property
    def streams(self) -> int:
        """How many calls of `read` it serves at the same time; more wait for each other."""
        ...

    def read(self, crops: np.ndarray) -> Reading:
        """What the network says of crops, (n, crop_size, crop_size, channels) uint8.

        Raises ValueError when shape or type differ from what the checkpoint's configuration says.
        """
        ...

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """The probabilities of `read` alone: (n, 8) float32."""
        ...

    def evidence(self, crops: np.ndarray) -> np.ndarray:
        """Crops as above to (n, 8, rows, columns) float32: how much each place speaks for each class. The mean over the
        places, and the class's bias, are its logit; see `emotion.runtime.evidence`.

        Raises ValueError when shape or type differ from what the checkpoint's configuration says.
        """
        ...

    def for_throughput(self) -> "Runtime":
        """The same network set up for the most answers a second to many callers at once, each of which waits longer
        than alone, and at the checkpoint's size for lessons where this computer needs that; itself where that makes no
        difference.
        """
        ...


def check_crops(crops: np.ndarray, checkpoint: Checkpoint) -> None:
    """Raises ValueError unless ``crops`` is (n, crop_size, crop_size, channels) uint8."""
    configuration = checkpoint.configuration
    expected = (configuration.crop_size, configuration.crop_size, configuration.channels)
    if crops.ndim != 4 or crops.shape[1:] != expected or crops.dtype != np.uint8:
        raise ValueError(f"Crops must be (n, {', '.join(map(str, expected))}) uint8, not {crops.shape} {crops.dtype}.")


def softmax(logits: np.ndarray, temperature: float) -> np.ndarray:
    """(n, 8) logits to (n, 8) float32 probabilities, rows sum to 1; computed in float64, so that they do to the last
    digits.
    """
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
