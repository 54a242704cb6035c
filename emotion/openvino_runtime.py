"""The network in OpenVINO on the CPU: bfloat16 where the processor has it, float32 elsewhere."""

import logging
import threading
from pathlib import Path

import numpy as np
import openvino

from emotion.checkpoint import Checkpoint
from emotion.openvino_graph import build_model
from emotion.runtime import check_crops, softmax

logger = logging.getLogger(__name__)


class OpenVinoRuntime:
    """Runs the network in OpenVINO; ``name`` is ``openvino`` (the machine decides), ``openvino-bf16`` or
    ``openvino-f32``.
    """

    def __init__(self, checkpoint: Checkpoint, name: str, cache: Path | None) -> None:
        core = openvino.Core()
        if name == "openvino":
            name = f"openvino-{'bf16' if 'BF16' in core.get_property('CPU', 'OPTIMIZATION_CAPABILITIES') else 'f32'}"
        self.name = name
        self._checkpoint = checkpoint
        options = {"INFERENCE_PRECISION_HINT": name.removeprefix("openvino-"), "PERFORMANCE_HINT": "LATENCY"}
        if cache is not None:
            options["CACHE_DIR"] = str(cache)
        self._request = core.compile_model(build_model(checkpoint), "CPU", options).create_infer_request()
        self._lock = threading.Lock()

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """See `emotion.runtime.Runtime`."""
        check_crops(crops, self._checkpoint)
        with self._lock:
            logits = self._request.infer(np.ascontiguousarray(crops))[0].copy()
        return softmax(logits, self._checkpoint.configuration.temperature)
