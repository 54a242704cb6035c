"""A stranger holds connections and asks for nothing, or holds streams that never end."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from emotion.serving.function_calls import MOST_STREAMS_OF_A_CLIENT
from emotion.serving.slow_clients import MAXIMUM_CONNECTIONS, MAXIMUM_IN_ALL
from tests.attack_target import Target
from tests.class_in_lesson import class_in_lesson, stranger

pytestmark = pytest.mark.slow
ASKED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def connections(target: Target, addresses: list[str], each: int, request: bytes) -> Iterator[list[socket.socket]]:
    """``each`` connections from every address; each sends ``request`` once and then holds still."""
    with ExitStack() as held:
        opened = []
        for _ in range(each):
            for address in addresses:
                connection = socket.create_connection(target.address, timeout=10, source_address=(address, 0))
                held.enter_context(connection)
                if request:
                    connection.sendall(request)
                opened.append(connection)
            time.sleep(0.02)  # how many requests a second a stranger may make is not what is asked here
        yield opened


def answer(connection: socket.socket) -> bytes:
    """The next answer to `ASKED`, head and body; what came of it if the connection was closed."""
    received = b""
    while b"}" not in received and (more := connection.recv(4096)):
        received += more
    return received


def served_within(target: Target, address: str, seconds: float) -> bool:
    """Whether a tablet that was not there before is answered at ``address``."""
    with stranger(target, address) as newcomer:
        began = time.monotonic()
        admission = newcomer.post("/admission", params={"lesson": target.lesson.code, "child": target.codes[0]})
        return admission.json()["admitted"] is True and time.monotonic() - began < seconds


@pytest.mark.parametrize("request_first", [b"", ASKED], ids=["never asked", "asked once"])
def test_idle_connections_of_the_school_s_own_address_shut_no_tablet_out(target: Target, request_first: bytes) -> None:
    """Six hundred of them shut out the address."""
    with (
        class_in_lesson(target),
        connections(target, ["127.0.0.1"], MAXIMUM_CONNECTIONS + 150, request_first),
    ):
        for _ in range(5):
            assert served_within(target, "127.0.0.1", 2.0)
            time.sleep(1)


def test_idle_connections_of_many_addresses_leave_room_for_others(target: Target) -> None:
    addresses = [f"127.0.5.{number}" for number in range(1, 9)]
    with (
        class_in_lesson(target),
        connections(target, addresses, MAXIMUM_IN_ALL // len(addresses) + 60, ASKED),
    ):
        assert served_within(target, "127.0.0.1", 2.0)
        assert served_within(target, "127.0.5.1", 2.0)
        assert served_within(target, "127.0.6.1", 2.0)


def test_who_never_asked_makes_room_before_who_did(target: Target) -> None:
    with connections(target, ["127.0.7.1"], 20, ASKED) as asked:
        for connection in asked:
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        with connections(target, ["127.0.7.1"], MAXIMUM_CONNECTIONS, b""):
            time.sleep(1)
            for connection in asked:
                connection.sendall(ASKED)
                assert connection.recv(4096).startswith(b"HTTP/1.1 200")


def test_streams_that_never_end_leave_room_for_the_class(target: Target) -> None:
    answers: Counter[int] = Counter()
    with class_in_lesson(target), ExitStack() as held:
        client = held.enter_context(httpx.Client(limits=httpx.Limits(max_connections=None), timeout=60))
        for place in range(MOST_STREAMS_OF_A_CLIENT + 50):
            stream = httpx.Request("GET", target.app.url + f"/gradio_api/heartbeat/held{place}")
            opened = client.send(stream, stream=True)
            held.callback(opened.close)
            answers[opened.status_code] += 1
        assert answers == {200: MOST_STREAMS_OF_A_CLIENT, 503: 50}
        assert served_within(target, "127.0.0.1", 2.0)
