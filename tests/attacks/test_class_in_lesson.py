"""The measure itself: a class that nobody attacks passes, and one whose server is stopped does not."""

import signal
import time
from collections.abc import Iterator

import pytest

from tests.attack_target import Target
from tests.class_in_lesson import attacked_app, class_in_lesson, stranger

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with attacked_app(tmp_path_factory.mktemp("attacked")) as running:
        yield running


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
