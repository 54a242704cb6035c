"""What the server says of itself to those who look after it: ready only while every part can work."""

import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from emotion.runtime.base import Reading
from emotion.runtime.batching import BatchingRuntime
from emotion.serving.health import Metrics, add_health_routes


@pytest.fixture
def broken() -> set[str]:
    """The parts that cannot work at the moment."""
    return set()


@pytest.fixture
def client(broken: set[str]) -> TestClient:
    def part(name: str) -> None:
        if name in broken:
            raise RuntimeError(f"no room on /secret/{name}")

    app = FastAPI()
    parts = {"model": lambda: part("model"), "store": lambda: part("store")}
    add_health_routes(app, Metrics(), parts, is_local=lambda _: True)
    return TestClient(app)


@pytest.mark.parametrize("name", ["model", "store"])
def test_ready_turns_503_while_a_part_cannot_work_and_comes_back(client, broken, name, caplog):
    assert client.get("/readyz").json() == {"model": "ready", "store": "ready"}
    broken.add(name)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()[name] == "not ready"
    assert "/secret" not in answer.text
    assert f"Not ready: {name}" in caplog.text
    assert client.get("/healthz").status_code == 200
    broken.clear()
    assert client.get("/readyz").status_code == 200


def test_a_network_that_failed_is_known_to_have_failed_until_it_works_again():
    class Moody:
        name = "moody"
        streams = 1
        raises = True

        def read(self, crops):
            if self.raises:
                raise RuntimeError("out of memory")
            return Reading(crops, crops)

    moody = Moody()
    runtime = BatchingRuntime(moody)
    assert not runtime.failed
    with pytest.raises(RuntimeError, match="out of memory"):
        runtime.probabilities(np.zeros((1, 8)))
    assert runtime.failed
    moody.raises = False
    runtime.probabilities(np.zeros((1, 8)))
    assert not runtime.failed
