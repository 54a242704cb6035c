"""The app when things go wrong: see `tests/faults.py` for each fault. None may cost a row that was acknowledged."""

import http.client
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fault_tools import CannotTryError, Outcome
from tests.faults import FAULTS
from tests.running_app import running_app

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_no_acknowledged_row_is_lost_and_the_lesson_goes_on(
    fault: Callable[[Path], Outcome], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    try:
        outcome = fault(tmp_path)
    except CannotTryError as reason:
        pytest.skip(str(reason))
    print(outcome)
    record_property("outcome", str(outcome))
    assert outcome.acknowledged > 0
    assert outcome.lost == 0
    assert outcome.seconds


def test_a_connection_that_was_idle_for_seconds_still_takes_a_frame(tmp_path: Path) -> None:
    """Clients that keep connections as long as the server does meet one that is just closing (uvicorn: 5 s)."""
    with running_app(tmp_path) as app:
        connection = http.client.HTTPConnection("127.0.0.1", int(app.url.rpartition(":")[2]), timeout=30)
        for _ in range(2):
            connection.request("POST", "/observe?lesson=zzzzzz&child=fox-aaaa", b"x" * 60_000)
            answer = connection.getresponse()
            assert answer.status == 404
            answer.read()
            used = connection.sock
            time.sleep(7)
        assert connection.sock is used, "no second connection was needed"
