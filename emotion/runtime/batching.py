"""Requests that arrive together share one batch of the network; none waits for a batch that nobody else joins."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from emotion.runtime.base import Reading, Runtime

# Faces in one call of the network. For each number of faces that it has met OpenVINO keeps code of its own, some ten
# megabytes, and makes it for 50 to 150 ms; batches of sixteen would be a fifth faster than batches of four.
LARGEST_BATCH = 4


@dataclass(frozen=True, slots=True)
class _Request:
    crops: np.ndarray
    answer: "Future[Reading]"


class BatchingRuntime:
    """A `Runtime` in front of another one, for many threads.

    A thread for each of its streams takes what waits and runs it as one batch; what arrives meanwhile is the next.
    There is no deadline to wait for: under load batches form by themselves while the previous one is computed, and a
    lone request runs at once.
    """

    def __init__(self, runtime: Runtime, on_batch: Callable[[int], object] | None = None) -> None:
        """``on_batch`` is told the number of faces of each batch."""
        self._runtime = runtime
        self._on_batch = on_batch
        self.failed = False  # whether the last batch raised
        self._waiting: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        # Daemons: they end with the process, and a request whose caller has gone needs no answer.
        for _ in range(runtime.streams):
            threading.Thread(target=self._work, name="network", daemon=True).start()

    @property
    def name(self) -> str:
        """The name of the runtime behind."""
        return self._runtime.name

    @property
    def version(self) -> str:
        """The version of the network behind."""
        return self._runtime.version

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """See `emotion.runtime.base.Runtime`."""
        return self.read(crops).probabilities

    def read(self, crops: np.ndarray) -> Reading:
        """See `emotion.runtime.base.Runtime`; blocks until the batch that these crops are in is done. More crops than
        `LARGEST_BATCH` are a batch of their own.
        """
        request = _Request(crops, Future())
        self._waiting.put(request)
        return request.answer.result()

    def evidence(self, crops: np.ndarray) -> np.ndarray:
        """See `emotion.runtime.base.Runtime`; few ask for it, and each is answered alone."""
        return self._runtime.evidence(crops)

    def warm_up(self, crop: np.ndarray) -> None:
        """Lets the network meet every number of faces that a batch can have; ``crop``: one, as (1, ...)."""
        for faces in range(1, LARGEST_BATCH + 1):
            self._runtime.read(np.repeat(crop, faces, axis=0))

    def _work(self) -> None:
        following: _Request | None = None
        while True:
            requests, following = self._batch(following or self._waiting.get())
            for batch in _alike(requests):
                self._answer(batch)

    def _batch(self, first: _Request) -> tuple[list[_Request], _Request | None]:
        """The requests of the next batch, and the one that did not fit into it any more."""
        requests, faces = [first], len(first.crops)
        while faces < LARGEST_BATCH:
            try:
                request = self._waiting.get_nowait()
            except queue.Empty:
                break
            faces += len(request.crops)
            if faces > LARGEST_BATCH:
                return requests, request
            requests.append(request)
        return requests, None

    def _answer(self, requests: list[_Request]) -> None:
        if self._on_batch is not None:
            self._on_batch(sum(len(request.crops) for request in requests))
        try:
            found = self._runtime.read(np.concatenate([request.crops for request in requests]))
        except Exception as error:  # noqa: BLE001  whatever it is belongs to those who wait for it
            self.failed = True
            for request in requests:
                request.answer.set_exception(error)
            return
        self.failed = False
        start = 0
        for request in requests:
            own = slice(start, start + len(request.crops))
            request.answer.set_result(Reading(found.probabilities[own], found.features[own]))
            start += len(request.crops)


def _alike(requests: list[_Request]) -> list[list[_Request]]:
    """Groups requests that can be joined: one caller's wrong shape must not fail the others."""
    groups: dict[tuple[object, ...], list[_Request]] = {}
    for request in requests:
        groups.setdefault((request.crops.shape[1:], request.crops.dtype), []).append(request)
    return list(groups.values())
