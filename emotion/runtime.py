"""One call, `probabilities(crops) -> (n, 8)`, behind which torch and OpenVINO stand; the machine decides, or a name."""

import ctypes.util
import logging
from pathlib import Path
from typing import Protocol

import numpy as np

from emotion.checkpoint import Checkpoint

logger = logging.getLogger(__name__)

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "openvino"

# Where a name stands for a choice (auto, openvino) the machine decides; the others are taken at their word.
RUNTIMES = ("auto", "openvino", "openvino-int8", "openvino-bf16", "openvino-f32", "torch", "torch-bf16", "torch-cuda")


class Runtime(Protocol):
    """Something that runs the network. Thread-safe."""

    @property
    def name(self) -> str:
        """One of `RUNTIMES` that is not a choice, for the log and the About page."""
        ...

    @property
    def streams(self) -> int:
        """How many calls of `probabilities` it serves at the same time; more wait for each other."""
        ...

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """Crops (n, crop_size, crop_size, channels) uint8 to (n, 8) float32: softmax(logits / temperature), rows sum
        to 1.

        Raises ValueError when shape or type differ from what the checkpoint's configuration says.
        """
        ...

    def shared(self) -> "Runtime":
        """The same network for many callers at once: the most answers in all, each of them later than alone. Itself
        where that makes no difference.
        """
        ...


def choose_runtime(checkpoint: Checkpoint, wanted: str = "auto", cache: Path | None = CACHE) -> Runtime:
    """The runtime called ``wanted``; ``auto`` is CUDA where there is one, otherwise OpenVINO at the precision that
    pays here.

    ``cache``: folder for compiled models, None for none. Raises ValueError for an unknown name, `CheckpointError` for
    weights that do not fit, RuntimeError when what was asked for by name is not there.
    """
    if wanted not in RUNTIMES:
        raise ValueError(f"There is no runtime {wanted!r}. Set EMOTION_RUNTIME to one of {', '.join(RUNTIMES)}.")
    # Imported here, not above: a start on OpenVINO needs no torch, which costs seconds and hundreds of megabytes.
    if wanted.startswith("torch") or (wanted == "auto" and _has_cuda()):
        from emotion.torch_runtime import TorchRuntime

        runtime: Runtime = TorchRuntime(checkpoint, "torch-cuda" if wanted == "auto" else wanted)
    else:
        from emotion.openvino_runtime import OpenVinoRuntime

        runtime = OpenVinoRuntime(checkpoint, "openvino" if wanted == "auto" else wanted, cache)
    logger.info("Runtime %s (asked for: %s), checkpoint %s", runtime.name, wanted, checkpoint.version)
    return runtime


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


def _has_cuda() -> bool:
    """Whether CUDA can be used; looks for the driver first, because importing torch to ask costs seconds."""
    if not any(ctypes.util.find_library(name) for name in ("cuda", "nvcuda")):
        return False
    import torch

    return torch.cuda.is_available()
