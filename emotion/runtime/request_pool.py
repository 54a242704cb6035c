"""OpenVINO's options for low latency and for high throughput, and a pool of its inference requests."""

import os
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import openvino

# One photograph is answered soonest if every layer is divided among all cores.
LATENCY_OPTIONS = {"PERFORMANCE_HINT": "LATENCY"}

# The frames of a class need the most answers in all. Divided layers wait for each other, all the more when the cores
# have other work: beside the search for faces the undivided network does three times as many faces, and as many
# searches (tests/benchmarks/throughput.py). Half of the cores each, and more streams than frames are looked at together
# would be idle. Pinned to cores, as is usual, the two would be pinned to the same ones.
STREAMS = min(4, max(1, (os.cpu_count() or 1) // 2))
THROUGHPUT_OPTIONS = {
    "PERFORMANCE_HINT": "THROUGHPUT",
    "NUM_STREAMS": str(STREAMS),
    "INFERENCE_NUM_THREADS": str(STREAMS),
    "ENABLE_CPU_PINNING": "NO",
}


class RequestPool:
    """As many requests to a compiled model as it serves at the same time; who finds none idle waits for one."""

    def __init__(self, compiled: "openvino.CompiledModel") -> None:
        self.count: int = compiled.get_property("NUM_STREAMS")
        self._idle: queue.SimpleQueue[openvino.InferRequest] = queue.SimpleQueue()
        for _ in range(self.count):
            self._idle.put(compiled.create_infer_request())

    @contextmanager
    def borrowed(self) -> Iterator["openvino.InferRequest"]:
        """A request, and its output tensors, for this thread alone."""
        request = self._idle.get()
        try:
            yield request
        finally:
            self._idle.put(request)
