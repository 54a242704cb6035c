"""Three minutes of a lesson of thirty with the teacher's board open: nothing grows, nothing slows down, nothing fails.

`python -m tests.benchmarks.soak` is the same for half an hour. Here others may use the machine too, so the bounds are
wide: what each frame left behind would pass them by far, a slow growth is for the long soak to show.
"""

from collections.abc import Callable

import pytest

from tests.benchmarks.soak import soak

STATIONS = 30
GROWTH_MEGABYTES = 25.0  # between the second and the third minute; a frame's pixels that were kept would be 1,650 MB
THREADS, HANDLES = 10, 60  # more than in the minute before: requests that wait have a thread and a connection each


@pytest.mark.slow
def test_memory_threads_handles_and_latency_stay_flat(record_property: Callable[[str, object], None]) -> None:
    found = soak(STATIONS, minutes=3, environment={})
    record_property("rows", found.rows)
    _, before, after = found.rows
    assert after["resident MB"] - before["resident MB"] < GROWTH_MEGABYTES
    assert after["threads"] <= before["threads"] + THREADS
    assert after["handles"] <= before["handles"] + HANDLES
    assert after["p95 ms"] < 2 * before["p95 ms"] + 500
    assert [row["failed"] for row in found.rows] == [0, 0, 0]
    assert all(row["answered"] > 0 for row in found.rows)
    assert found.board_errors == []
    assert found.missing == 0
