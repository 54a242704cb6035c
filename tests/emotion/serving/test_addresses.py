"""The ways to the server: IPv4 through an IPv6 socket, HEAD, and what a proxy may say of the address that was asked."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from app import address_text, reserve_port
from emotion.serving.addresses import network_of, plain_address
from emotion.serving.health import Metrics, add_health_routes
from emotion.serving.response_headers import OwnSiteMiddleware
from emotion.serving.settings import Settings, SettingsError
from emotion.serving.slow_clients import SlowClientProtocol
from tests.running_app import free_port


@contextmanager
def served(app: FastAPI, host: str) -> Iterator[int]:
    """``app`` behind our protocol on every address of ``host``; its port."""
    port = free_port()
    with reserve_port(Settings(host=host, port=port)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, http=SlowClientProtocol, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python knows no IPv6")
def test_a_server_on_all_addresses_knows_who_comes_by_which() -> None:
    app = FastAPI()

    @app.get("/who")
    async def who(request: Request) -> str:
        return request.client.host if request.client else ""

    with served(app, "::") as port:
        assert httpx.get(f"http://127.0.0.1:{port}/who").json() == "127.0.0.1"
        assert httpx.get(f"http://[::1]:{port}/who").json() == "::1"
        told = {"X-Forwarded-For": "203.0.113.7"}
        assert httpx.get(f"http://127.0.0.1:{port}/who", headers=told).json() == "203.0.113.7", (
            "a proxy of this machine"
        )


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("::FFFF:7f00:1", "127.0.0.1"),
        ("[::ffff:10.0.0.7]", "10.0.0.7"),
        ("[::ffff:10.0.0.7]:50123", "10.0.0.7"),
        ("10.0.0.7:50123", "10.0.0.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::127.0.0.1", "::127.0.0.1"),  # a mapped one is IPv4; who comes by this one is not this computer
        ("2001:db8::1", "2001:db8::1"),
        ("10.0.0.7", "10.0.0.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_mapped_address_is_that_of_the_same_client(address: str, plain: str) -> None:
    assert plain_address(address) == plain


def test_who_is_behind_a_proxy_on_both_protocols_is_one_client_and_not_all_are() -> None:
    assert network_of("::ffff:203.0.113.7") == "203.0.113.7"
    assert network_of("fe80::1%eth0") != network_of("fe80::2%eth0"), "neighbours on one link share the first 64 bits"
    assert network_of("FE80::1%eth0") == network_of("fe80::1%eth0")
    assert network_of("2001:db8::1") == network_of("2001:db8::2")
    assert network_of("::203.0.113.7") != network_of("::203.0.113.8"), "IPv4 as it was once written"


@pytest.mark.parametrize("address", ["203.0.113.7:50123", "[::ffff:203.0.113.7]:50124", "::ffff:cb00:7107"])
def test_a_client_is_the_same_however_a_proxy_writes_its_address(address: str) -> None:
    assert network_of(address) == network_of("203.0.113.7")


def test_the_address_that_the_log_names_can_be_opened() -> None:
    assert address_text("::", 7860) == "[::]:7860"
    assert address_text("127.0.0.1", 7860) == "127.0.0.1:7860"
    assert Settings.from_environment({"GRADIO_SERVER_NAME": "[::1]"}).host == "::1"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("ready", [True, False])
def test_head_answers_like_get_without_the_body(path: str, ready: bool) -> None:
    def part() -> None:
        if not ready:
            raise RuntimeError("no room")

    app = FastAPI()
    add_health_routes(app, Metrics(), {"store": part}, is_local=lambda _: True)
    client = TestClient(app)
    got, looked = client.get(path), client.head(path)
    assert looked.status_code == got.status_code
    assert looked.headers["content-type"] == got.headers["content-type"]
    assert looked.content == b""


@pytest.mark.parametrize(
    ("headers", "cross"),
    [
        ({"Origin": "https://school.example", "Host": "127.0.0.1:7860"}, True),
        ({"Origin": "https://school.example", "Host": "app:7860", "X-Forwarded-Host": "school.example"}, False),
        ({"Origin": "https://school.example", "Host": "school.example:443"}, False),
        ({"Origin": "http://school.example", "Host": "school.example:443"}, True),
        ({"Origin": "https://School.example", "Host": "school.EXAMPLE"}, False),
        ({"Origin": "https://school.example:8443", "Host": "school.example"}, True),
        ({"Origin": "https://evil.example", "Host": "a", "X-Forwarded-Host": "school.example, inner"}, True),
        ({"Origin": "null", "Host": ""}, True),
        ({"Origin": "", "Host": ""}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://[x"}, True),
    ],
)
def test_a_page_is_our_own_if_the_browser_asked_for_the_name_that_we_are_called_by(
    headers: dict[str, str], cross: bool
) -> None:
    app = FastAPI()
    app.add_middleware(OwnSiteMiddleware)
    app.post("/change")(lambda: "changed")
    answer = TestClient(app).post("/change", headers=headers)
    assert answer.status_code == (403 if cross else 200)


def test_trusted_proxies_are_addresses() -> None:
    proxies = {"EMOTION_TRUSTED_PROXIES": "10.0.0.0/24, ::1"}
    assert Settings.from_environment(proxies).trusted_proxies == "10.0.0.0/24, ::1"
    with pytest.raises(SettingsError, match="nginx"):
        Settings.from_environment({"EMOTION_TRUSTED_PROXIES": "nginx"})
