"""Requests that are lent to one thread at a time, and how the two ways of running share the processor."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import openvino
import pytest
from openvino import opset15 as ops

from emotion.runtime.request_pool import LATENCY_OPTIONS, STREAMS, THROUGHPUT_OPTIONS, RequestPool


def compiled(options: dict[str, str]) -> openvino.CompiledModel:
    """A model that doubles a number."""
    number = ops.parameter([1], np.float32)
    return openvino.Core().compile_model(openvino.Model([ops.add(number, number)], [number], "double"), "CPU", options)


def test_alone_there_is_one_request_and_side_by_side_one_for_each_stream() -> None:
    assert RequestPool(compiled(LATENCY_OPTIONS)).count == 1
    assert RequestPool(compiled(THROUGHPUT_OPTIONS)).count == STREAMS


def test_side_by_side_each_stream_has_one_thread_that_may_go_to_any_core() -> None:
    model = compiled(THROUGHPUT_OPTIONS)
    assert model.get_property("INFERENCE_NUM_THREADS") == STREAMS
    assert not model.get_property("ENABLE_CPU_PINNING")


def test_who_finds_no_request_idle_waits_for_one() -> None:
    requests, waiting = RequestPool(compiled(LATENCY_OPTIONS)), threading.Event()

    def ask() -> float:
        waiting.set()
        with requests.borrowed() as request:
            return float(request.infer([np.array([21], np.float32)])[0][0])

    with ThreadPoolExecutor(1) as threads:
        with requests.borrowed():
            answer = threads.submit(ask)
            assert waiting.wait(10)
            with pytest.raises(TimeoutError):
                answer.result(0.1)
        assert answer.result(10) == 42


def test_a_request_that_failed_is_lent_again() -> None:
    requests = RequestPool(compiled(LATENCY_OPTIONS))
    with pytest.raises(RuntimeError), requests.borrowed() as request:
        request.infer([np.zeros(7, np.float32)])
    with requests.borrowed() as request:
        assert request.infer([np.array([1], np.float32)])[0][0] == 2
