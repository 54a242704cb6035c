"""The network in OpenVINO on the CPU: int8 where the checkpoint brings it, bfloat16 or float32 elsewhere."""

import logging
from pathlib import Path

import numpy as np
import openvino

from emotion.labels import KEYS
from emotion.network.checkpoint import Checkpoint
from emotion.network.quantisation import NO_QUANTISATION, Quantisation, QuantisationError, read_quantisation
from emotion.runtime import openvino_graph
from emotion.runtime.base import Reading, check_crops, softmax
from emotion.runtime.model_cache import compile_cached
from emotion.runtime.openvino_graph import EVIDENCE, FEATURES, LOGITS, POOLED
from emotion.runtime.processor import serves_a_class_at_full_size
from emotion.runtime.request_pool import LATENCY_OPTIONS, THROUGHPUT_OPTIONS, RequestPool

logger = logging.getLogger(__name__)


class OpenVinoRuntime:
    """Runs the network in OpenVINO; ``name`` is ``openvino-int8``, ``openvino-bf16`` or ``openvino-f32``, or
    ``openvino``: the machine and the checkpoint decide. ``throughput``: for many callers at once, see `for_throughput`.

    Raises `QuantisationError` when int8 is asked for by name and can't be had.
    """

    def __init__(self, checkpoint: Checkpoint, name: str, cache: Path | None, throughput: bool = False) -> None:
        capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        quantisation = _quantisation(checkpoint, name, capabilities)
        lower = "bf16" if "BF16" in capabilities else "f32"
        if name == "openvino":
            name = f"openvino-{lower if quantisation is NO_QUANTISATION else 'int8'}"
        self.name = name
        self.version = checkpoint.version
        self._checkpoint = checkpoint
        self._cache = cache
        # What an int8 model leaves in float is little; it runs at the lower precision too.
        precision = name.removeprefix("openvino-").replace("int8", lower)
        options = {"INFERENCE_PRECISION_HINT": precision}
        scheduling = THROUGHPUT_OPTIONS if throughput else LATENCY_OPTIONS
        # A kept model spares int8 1.2 of 2.4 seconds; a float one would spare 0.3 and fill 233 MB of the disk.
        folder = cache if name == "openvino-int8" else None
        contents = checkpoint.configuration.to_json() + Path(openvino_graph.__file__).read_text(encoding="utf-8")

        def build() -> openvino.Model:
            return openvino_graph.build_model(checkpoint, quantisation, serving=True)

        compiled = compile_cached(build, options, scheduling, folder, contents)
        self._requests = RequestPool(compiled)
        self.streams = self._requests.count

    def read(self, crops: np.ndarray) -> Reading:
        """See `emotion.runtime.base.Runtime`."""
        if len(crops) == 0:  # which the graph's pooling refuses
            check_crops(crops, self._checkpoint)
            return Reading(np.zeros((0, len(KEYS)), np.float32), np.zeros((0, FEATURES), np.float32))
        logits, features = self._infer(crops, LOGITS, POOLED)
        return Reading(softmax(logits, self._checkpoint.configuration.temperature), features)

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """See `emotion.runtime.base.Runtime`."""
        return self.read(crops).probabilities

    def evidence(self, crops: np.ndarray) -> np.ndarray:
        """See `emotion.runtime.base.Runtime`."""
        return self._infer(crops, EVIDENCE)[0]

    def _infer(self, crops: np.ndarray, *outputs: int) -> list[np.ndarray]:
        check_crops(crops, self._checkpoint)
        with self._requests.borrowed() as request:
            answers = request.infer(np.ascontiguousarray(crops))
            return [answers[output].copy() for output in outputs]

    def for_throughput(self) -> "OpenVinoRuntime":
        """See `emotion.runtime.base.Runtime`."""
        checkpoint = self._checkpoint if serves_a_class_at_full_size() else self._checkpoint.for_lessons()
        runtime = OpenVinoRuntime(checkpoint, self.name, self._cache, throughput=True)
        if checkpoint is not self._checkpoint:
            size = checkpoint.configuration.input_size
            runtime.version = f"{checkpoint.version}-{size}"
            logger.info("Frames of lessons are read at %s pixels: this computer is slow for more", size)
        return runtime


def _quantisation(checkpoint: Checkpoint, name: str, capabilities: list[str]) -> Quantisation:
    """The int8 model where it is asked for, or where the machine decides and both it and the checkpoint have int8."""
    if name == "openvino-int8":
        return read_quantisation(checkpoint)
    if name != "openvino" or "INT8" not in capabilities or checkpoint.configuration.int8 is None:
        return NO_QUANTISATION
    try:
        return read_quantisation(checkpoint)
    except QuantisationError as error:
        logger.warning("Falling back to the float weights, which are slower: %s", error)
        return NO_QUANTISATION
