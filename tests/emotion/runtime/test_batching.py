"""Batches that form by themselves, held against a network whose every call is seen."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from emotion.runtime.base import Reading
from emotion.runtime.batching import LARGEST_BATCH, BatchingRuntime


class Recorded:
    """Stands for the network: the answer names the crop, and a gate holds a batch while others arrive."""

    name = "recorded"
    streams = 1

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()

    def read(self, crops: np.ndarray) -> Reading:
        self.batches.append(len(crops))
        self.begun.set()
        assert self.gate.wait(10)
        if (crops == 255).any():
            raise RuntimeError("the network stumbled")
        values = np.repeat(crops[:, :1, 0, 0].astype(np.float32), 8, axis=1)
        return Reading(values, -values)


def crop(value: int, count: int = 1) -> np.ndarray:
    return np.full((count, 4, 4, 1), value, np.uint8)


def held_back(network: Recorded, gathering: BatchingRuntime, threads: ThreadPoolExecutor) -> None:
    """Lets one request begin and keeps it running, so that what comes next has to wait."""
    network.gate.clear()
    threads.submit(gathering.probabilities, crop(0))
    assert network.begun.wait(10)


def wait_for_requests(gathering: BatchingRuntime, count: int) -> None:
    arrived = threading.Event()
    for _ in range(500):
        if gathering._waiting.qsize() >= count:
            return
        arrived.wait(0.01)
    pytest.fail(f"{count} requests never arrived")


def test_a_lone_request_runs_at_once_and_alone() -> None:
    network = Recorded()
    answer = BatchingRuntime(network).read(crop(7, 2))
    np.testing.assert_array_equal(answer.probabilities, np.full((2, 8), 7))
    np.testing.assert_array_equal(answer.features, np.full((2, 8), -7))
    assert network.batches == [2]


def test_requests_that_arrive_meanwhile_share_the_next_batch_and_each_gets_its_own_answer() -> None:
    network = Recorded()
    gathering = BatchingRuntime(network)
    with ThreadPoolExecutor(8) as threads:
        held_back(network, gathering, threads)
        answers = [threads.submit(gathering.probabilities, crop(value)) for value in range(1, LARGEST_BATCH + 1)]
        wait_for_requests(gathering, LARGEST_BATCH)
        network.gate.set()
        for value, answer in enumerate(answers, start=1):
            np.testing.assert_array_equal(answer.result(10), np.full((1, 8), value))
    assert network.batches == [1, LARGEST_BATCH]


def test_no_batch_grows_beyond_the_limit_because_each_number_of_faces_costs_memory_for_good() -> None:
    network = Recorded()
    gathering = BatchingRuntime(network)
    with ThreadPoolExecutor(LARGEST_BATCH + 4) as threads:
        held_back(network, gathering, threads)
        sizes = [LARGEST_BATCH - 1, 2, 1, LARGEST_BATCH, 1]
        answers = []
        for arrived, size in enumerate(sizes, start=1):
            answers.append(threads.submit(gathering.probabilities, crop(arrived, size)))
            wait_for_requests(gathering, arrived)
        network.gate.set()
        for value, (size, answer) in enumerate(zip(sizes, answers, strict=True), start=1):
            np.testing.assert_array_equal(answer.result(10), np.full((size, 8), value))
    assert network.batches == [1, LARGEST_BATCH - 1, 3, LARGEST_BATCH, 1]


def test_a_network_with_two_streams_is_given_a_second_batch_while_the_first_runs() -> None:
    network = Recorded()
    network.streams = 2
    gathering = BatchingRuntime(network)
    with ThreadPoolExecutor(2) as threads:
        held_back(network, gathering, threads)
        network.begun.clear()
        answer = threads.submit(gathering.probabilities, crop(2))
        assert network.begun.wait(10)  # although the first is still under way: the gate is shut
        assert network.batches == [1, 1]
        network.gate.set()
        np.testing.assert_array_equal(answer.result(10), np.full((1, 8), 2))


def test_warming_up_meets_every_number_of_faces_and_is_no_request() -> None:
    network, seen = Recorded(), []
    BatchingRuntime(network, seen.append).warm_up(crop(0))
    assert network.batches == list(range(1, LARGEST_BATCH + 1))
    assert seen == []


def test_a_failure_reaches_those_who_wait_for_it_and_the_next_request_is_served() -> None:
    gathering = BatchingRuntime(Recorded())
    with pytest.raises(RuntimeError, match="stumbled"):
        gathering.probabilities(crop(255))
    np.testing.assert_array_equal(gathering.probabilities(crop(3)), np.full((1, 8), 3))


def test_a_request_of_another_shape_does_not_fail_its_neighbours() -> None:
    network = Recorded()
    gathering = BatchingRuntime(network)
    with ThreadPoolExecutor(4) as threads:
        held_back(network, gathering, threads)
        good = threads.submit(gathering.probabilities, crop(2))
        odd = threads.submit(gathering.probabilities, np.full((1, 9, 9, 1), 5, np.uint8))
        wait_for_requests(gathering, 2)
        network.gate.set()
        np.testing.assert_array_equal(good.result(10), np.full((1, 8), 2))
        np.testing.assert_array_equal(odd.result(10), np.full((1, 8), 5))
