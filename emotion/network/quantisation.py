"""The int8 model beside the weights: a range for each activation, a scale for each filter, and corrected biases.

The int8 weights themselves follow from the float16 weights and the scales, so the file holds half a megabyte instead of
58, and cannot be used with other weights than those it was made from.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from emotion.network.checkpoint import Checkpoint, QuantisedFile

LEVELS = 256  # of an 8-bit activation
QUANTISATION_FILE = "int8.safetensors"


class QuantisationError(RuntimeError):
    """The quantised model can't be used; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Quantisation:
    """``ranges``: (lowest, highest) by the name of an output. ``scales``: (outputs,) float32 by layer: what one step of
    an int8 weight is worth. ``biases``: (outputs,) float32 by layer."""

    ranges: dict[str, tuple[float, float]]
    scales: dict[str, np.ndarray]
    biases: dict[str, np.ndarray]


NO_QUANTISATION = Quantisation({}, {}, {})  # all stays float


def write_quantisation(quantisation: Quantisation, checkpoint: Checkpoint) -> QuantisedFile:
    """Writes the file beside the weights; returns what config.json must say of it."""
    tensors = {f"range/{name}": np.array(limits, np.float32) for name, limits in quantisation.ranges.items()}
    tensors |= {f"scale/{name}": values.astype(np.float32) for name, values in quantisation.scales.items()}
    tensors |= {f"bias/{name}": values.astype(np.float32) for name, values in quantisation.biases.items()}
    content = save(tensors)
    (checkpoint.folder / QUANTISATION_FILE).write_bytes(content)
    configuration = checkpoint.configuration
    digest = hashlib.sha256(content).hexdigest()
    return QuantisedFile(QUANTISATION_FILE, digest, configuration.weights_sha256, configuration.input_size)


def read_quantisation(checkpoint: Checkpoint) -> Quantisation:
    """Reads the file that config.json names. Raises `QuantisationError` where there is none, where it is damaged, and
    where it was made from other weights or for another input size."""
    described = checkpoint.configuration.int8
    if described is None:
        raise QuantisationError(f"{checkpoint.folder} holds no int8 model. {_REMEDY}")
    path = checkpoint.folder / described.file
    if (described.source_sha256, described.input_size) != (
        checkpoint.configuration.weights_sha256,
        checkpoint.configuration.input_size,
    ):
        raise QuantisationError(f"{path} was made from other weights or for another input size. {_REMEDY}")
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != described.sha256:
            raise QuantisationError(f"{path} is truncated or altered: its SHA-256 is not config.json's. {_REMEDY}")
        tensors = load(content)
    except (OSError, SafetensorError) as error:
        raise QuantisationError(f"{path} can't be read: {error}. {_REMEDY}") from error
    parts: dict[str, dict[str, np.ndarray]] = {"range": {}, "scale": {}, "bias": {}}
    for name, values in tensors.items():
        kind, _, layer = name.partition("/")
        parts[kind][layer] = values
    ranges = {name: (float(low), float(high)) for name, (low, high) in parts["range"].items()}
    return Quantisation(ranges, parts["scale"], parts["bias"])


_REMEDY = "Make it with python -m emotion.training.quantise, or set EMOTION_RUNTIME to a float runtime."
