"""Three minutes of a lesson with the teacher's board open: nothing grows, nothing slows down, nothing fails.

`python -m tests.benchmarks.soak` is the same with thirty stations for half an hour.
"""

from collections.abc import Callable

import pytest

from tests.benchmarks.soak import soak

STATIONS = 3  # what a machine of two busy cores answers without replacing frames all the time
GROWTH_MEGABYTES = 40.0  # between the second and the third minute; a frame's pixels that were kept would be 165 MB


@pytest.mark.slow
def test_memory_threads_handles_and_latency_stay_flat(record_property: Callable[[str, object], None]) -> None:
    found = soak(STATIONS, minutes=3, environment={})
    record_property("rows", found.rows)
    _, before, after = found.rows
    assert after["resident MB"] - before["resident MB"] < GROWTH_MEGABYTES
    assert after["threads"] <= before["threads"] + 2
    assert after["handles"] <= before["handles"] + 5
    assert after["p95 ms"] < 2 * before["p95 ms"] + 500
    assert [row["failed"] for row in found.rows] == [0, 0, 0]
    assert all(row["answered"] > 0 for row in found.rows)
    assert found.board_errors == []
    assert found.missing == 0
