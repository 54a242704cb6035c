"""Photographs of visitors stay on the server for a while, and give way to a lesson."""

import time

import numpy as np
import pytest

from emotion.classifier import Recognition
from emotion.serving.upload_limits import KEEP_SECONDS
from emotion.station.pace import IDLE_FOR_EACH_BUSY, Pace
from emotion.station.recent_photographs import KEEP_BYTES, Photograph, RecentPhotographs


def photograph(side: int = 10) -> Photograph:
    return Photograph(np.zeros((side, side, 3), np.uint8), 1.0, Recognition((), 0, side, side, "test", 1.0))


def test_a_photograph_is_there_for_its_token_alone_and_for_as_long_as_its_file() -> None:
    now = [0.0]
    recent = RecentPhotographs(lambda: now[0])
    kept = photograph()
    token = recent.put(kept)
    assert len(token) >= 20
    assert recent.get(token) is kept
    for other in ("", "x", None, 5, [token], {"a": 1}):
        assert recent.get(other) is None
    now[0] = KEEP_SECONDS - 1
    assert recent.get(token) is kept
    now[0] = KEEP_SECONDS
    assert recent.get(token) is None


def test_the_oldest_photographs_make_room() -> None:
    recent = RecentPhotographs()
    side = 2000  # 12 MB
    tokens = [recent.put(photograph(side)) for _ in range(10)]
    there = [recent.get(token) is not None for token in tokens]
    assert sum(there) == KEEP_BYTES // (3 * side * side)
    assert there == sorted(there)


@pytest.mark.parametrize("is_lesson", [True, False])
def test_photographs_leave_the_lesson_two_thirds_of_the_time(is_lesson: bool) -> None:
    pace = Pace(lambda: is_lesson)
    began = time.monotonic()
    for _ in range(3):
        with pace.piece():
            time.sleep(0.1)
    took = time.monotonic() - began
    assert took >= 0.3 + 2 * IDLE_FOR_EACH_BUSY * 0.1 if is_lesson else took < 0.65
