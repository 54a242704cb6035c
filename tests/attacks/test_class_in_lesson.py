"""The measure itself: a class that nobody attacks passes, and one whose server is stopped does not."""

import signal
import statistics
import time

import pytest

from tests.attack_target import Target
from tests.class_in_lesson import class_in_lesson, stranger

pytestmark = pytest.mark.slow


def test_a_class_goes_on_beside_a_visitor(target: Target) -> None:
    with class_in_lesson(target), stranger(target) as visitor:
        for _ in range(5):
            assert visitor.get("/").status_code == 200
            time.sleep(1)


def test_a_server_that_stands_still_is_noticed(target: Target) -> None:
    with pytest.raises(AssertionError, match="in the attack"):
        stand_still_in_lesson(target)


def stand_still_in_lesson(target: Target) -> None:
    with class_in_lesson(target):
        target.app.process.send_signal(signal.SIGSTOP)
        time.sleep(8)
        target.app.process.send_signal(signal.SIGCONT)


def test_an_answer_on_a_kept_connection_does_not_wait_for_an_acknowledgement(target: Target) -> None:
    """Each took 43 ms: asyncio delays small answers on sockets whose protocol is not named."""
    with stranger(target) as visitor:
        seconds = []
        for _ in range(30):
            began = time.perf_counter()
            assert visitor.get("/nothing").status_code == 404
            seconds.append(time.perf_counter() - began)
    assert statistics.median(seconds) < 0.02, seconds
