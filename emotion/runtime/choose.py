"""Chooses the runtime that computes the network: torch or OpenVINO, by name or as the machine allows."""

import ctypes.util
import logging
from pathlib import Path

from emotion.network.checkpoint import Checkpoint
from emotion.runtime.base import RUNTIMES, Runtime

logger = logging.getLogger(__name__)

CACHE_FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "openvino"


def choose_runtime(checkpoint: Checkpoint, wanted: str = "auto", cache: Path | None = CACHE_FOLDER) -> Runtime:
    """The runtime called ``wanted``; ``auto`` is CUDA where there is one, otherwise OpenVINO at the precision that
    pays here.

    ``cache``: folder for compiled models, None for none. Raises ValueError for an unknown name, `CheckpointError` for
    weights that do not fit, RuntimeError when what was asked for by name is not there.
    """
    if wanted not in RUNTIMES:
        raise ValueError(f"There is no runtime {wanted!r}. Set EMOTION_RUNTIME to one of {', '.join(RUNTIMES)}.")
    # Imported here, not above: a start on OpenVINO needs no torch, which costs seconds and hundreds of megabytes.
    if wanted.startswith("torch") or (wanted == "auto" and _has_cuda()):
        from emotion.runtime.torch_runtime import TorchRuntime

        runtime: Runtime = TorchRuntime(checkpoint, "torch-cuda" if wanted == "auto" else wanted)
    else:
        from emotion.runtime.openvino_runtime import OpenVinoRuntime

        runtime = OpenVinoRuntime(checkpoint, "openvino" if wanted == "auto" else wanted, cache)
    logger.info("Runtime %s (asked for: %s), checkpoint %s", runtime.name, wanted, checkpoint.version)
    return runtime


def _has_cuda() -> bool:
    """Whether CUDA can be used; looks for the driver first, because importing torch to ask costs seconds."""
    if not any(ctypes.util.find_library(name) for name in ("cuda", "nvcuda")):
        return False
    import torch

    return torch.cuda.is_available()
