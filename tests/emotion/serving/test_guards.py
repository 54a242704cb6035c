"""Limits and headers around every answer: over the limit costs only who goes over, other sites get nothing."""

import asyncio
import time

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from emotion.serving.html_head import HtmlHeadMiddleware
from emotion.serving.rate_limits import MAXIMUM_CLIENTS, REFUSED_SECONDS, RateLimitMiddleware, TokenBuckets, cost_of
from emotion.serving.response_headers import OwnSiteMiddleware, ResponseHeadersMiddleware


async def echo(request):
    return PlainTextResponse(str(len(await request.body())))


async def page(request):
    return HTMLResponse('<!doctype html><html lang="en"><head><title>x</title></head></html>')


def echo_app() -> Starlette:
    return Starlette(routes=[Route("/echo", echo, methods=["GET", "POST"])])


def client_of(*layers, address: str = "10.0.0.1") -> TestClient:
    """A client of a small app behind ``layers``, the first one outermost."""
    app = Starlette(routes=[Route("/echo", echo, methods=["GET", "POST"]), Route("/", page)])
    for make in reversed(layers):
        app = make(app)
    return TestClient(app, base_url="http://station.example", client=(address, 1))


def limited(app):
    return RateLimitMiddleware(app, requests_per_minute=60, body_bytes=1000)


def with_headers(app):
    return ResponseHeadersMiddleware(OwnSiteMiddleware(app), on_space=False)


def test_a_bucket_allows_its_burst_then_its_rate():
    now = [0.0]
    bucket = TokenBuckets(2.0, 3.0, lambda: now[0])
    assert [bucket.take("a") for _ in range(3)] == [0, 0, 0]
    assert bucket.take("a") == pytest.approx(0.5)
    assert bucket.take("b") == 0, "others are not harmed"
    now[0] += 0.5
    assert bucket.take("a") == 0


def test_memory_stays_bounded_however_many_clients_come():
    bucket = TokenBuckets(1.0, 1.0)
    for number in range(MAXIMUM_CLIENTS + 100):
        bucket.take(str(number))
    assert len(bucket._buckets) == MAXIMUM_CLIENTS


def test_a_computer_s_64_bits_of_addresses_have_one_allowance():
    app = limited(echo_app())
    answers = [TestClient(app, client=(f"2001:db8:1:2::{number:x}", 1)).get("/echo") for number in range(70)]
    assert 429 in [answer.status_code for answer in answers]
    assert TestClient(app, client=("2001:db8:1:3::1", 1)).get("/echo").status_code == 200


def test_a_station_that_takes_part_is_not_charged_for_its_neighbours_and_has_a_limit_too():
    app = RateLimitMiddleware(
        echo_app(), requests_per_minute=60, body_bytes=1000, known=lambda scope: scope["query_string"].decode()
    )
    client = TestClient(app, client=("10.0.0.1", 1))
    while client.get("/echo").status_code == 200:
        pass
    assert client.get("/echo?child").status_code == 200
    assert any(client.get("/echo?child").status_code == 429 for _ in range(100))
    assert client.get("/echo?other").status_code == 200


def test_a_page_counts_for_more_than_the_files_that_it_is_made_of():
    for folder in ("", "/teacher"):
        assert cost_of(f"{folder}/") == cost_of(f"{folder}/config") == 8
        assert cost_of(f"{folder}/assets/index.js") == 0.5
        assert cost_of(f"{folder}/gradio_api/queue/join") == 1


def test_thirty_tablets_behind_one_address_open_the_page_within_five_seconds():
    now = [0.0]
    school = TokenBuckets(100.0, 1000.0, lambda: now[0])
    asked = ["/", "/gradio_api/info", *["/assets/some.js"] * 60]
    for _ in range(30):
        now[0] += 5 / 30
        assert [school.take("school", cost_of(path)) for path in asked] == [0] * len(asked)


def test_a_refusal_waits_a_moment_so_that_asking_again_at_once_costs_the_asker():
    client = TestClient(limited(echo_app()), client=("10.0.0.2", 1))
    while True:
        began = time.monotonic()
        if client.get("/echo").status_code == 429:
            break
    assert time.monotonic() - began >= REFUSED_SECONDS


def test_a_known_device_is_charged_by_itself_where_others_used_up_the_address():
    app = RateLimitMiddleware(
        echo_app(), requests_per_minute=60, body_bytes=1000, device=lambda scope: scope["query_string"].decode()
    )
    client = TestClient(app, client=("10.0.0.1", 1))
    while client.get("/echo").status_code == 200:
        pass
    assert client.get("/echo?tablet").status_code == 200


def test_of_frames_that_arrive_at_a_time_a_client_and_a_station_have_so_many(monkeypatch):
    for name, most in (("MOST_BODIES", 5), ("MOST_BODIES_OF_A_CLIENT", 3), ("MOST_BODIES_OF_A_STATION", 2)):
        monkeypatch.setattr(f"emotion.serving.rate_limits.{name}", most)
    limits = RateLimitMiddleware(
        echo_app(), requests_per_minute=6000, body_bytes=1000, known=lambda scope: scope["query_string"].decode()
    )

    async def ask() -> list[list[int]]:
        go_on, statuses = asyncio.Event(), []

        async def one(client: str, station: str) -> int:
            sent: list[dict] = []

            async def receive() -> dict:
                await go_on.wait()
                return {"type": "http.request", "body": b"x", "more_body": False}

            async def send(message: dict) -> None:
                sent.append(message)

            scope = {"type": "http", "method": "POST", "path": "/observe", "headers": [(b"content-length", b"1")]}
            await limits(scope | {"query_string": station.encode(), "client": (client, 1)}, receive, send)
            return sent[0]["status"]

        for client, station, count in (("a", "", 5), ("b", "", 5), ("a", "child", 4)):
            tasks = [asyncio.create_task(one(client, station)) for _ in range(count)]
            await asyncio.sleep(0.05)
            statuses.append(tasks)
        go_on.set()
        return [[await task for task in tasks] for tasks in statuses]

    async def echo_observe(scope: dict, receive, send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    limits.app = echo_observe
    refused = [[status == 503 for status in statuses] for statuses in asyncio.run(ask())]
    assert [sum(some) for some in refused] == [2, 3, 2], "three of a, then two of b, and two of a station beside them"
    assert not limits.bodies
    assert not limits.bodies_of_stations


def test_too_many_requests_get_429_a_time_and_a_sentence():
    client = client_of(limited)
    answers = [client.get("/echo") for _ in range(70)]
    assert answers[0].status_code == 200
    # A refusal takes a while, in which the allowance grows again: not each of the last ones is refused.
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert "Wait" in refused.json()["error"]


def test_a_body_over_the_limit_is_refused_whether_announced_or_not(monkeypatch):
    monkeypatch.setattr("emotion.serving.rate_limits.SMALL_BODY_BYTES", 100)
    client = client_of(limited)
    for route, most in (("/observe", 1000), ("/echo", 100)):  # files may be large, and nothing else
        assert client.post(route, content=b"x" * most).status_code != 413
        assert client.post(route, content=b"x" * (most + 1)).status_code == 413
    assert client.post("/echo", content=iter([b"x" * 60, b"x" * 60])).status_code == 413
    assert client.post("/echo", content=b"x", headers={"Content-Length": "many"}).status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("emotion.serving.rate_limits.BODY_TIMEOUT_SECONDS", 0.2)

    async def ask() -> list[dict]:
        sent: list[dict] = []

        async def receive() -> dict:
            if not received:
                received.append(1)
                return {"type": "http.request", "body": b"x", "more_body": True}
            await asyncio.sleep(30)
            raise AssertionError("it was waited for")

        async def send(message: dict) -> None:
            sent.append(message)

        received: list[int] = []
        scope = {"type": "http", "method": "POST", "path": "/echo", "headers": [], "query_string": b"",
                 "client": ("10.0.0.1", 1), "http_version": "1.1", "scheme": "http", "server": ("x", 80)}  # fmt: skip
        await limited(Starlette(routes=[Route("/echo", echo, methods=["POST"])]))(scope, receive, send)
        return sent

    assert asyncio.run(ask())[0]["status"] == 408


def test_a_request_that_states_its_length_twice_is_refused_and_its_connection_closed():
    answer = client_of(limited).post(
        "/echo", content=b"x", headers={"Content-Length": "1", "Transfer-Encoding": "chunked"}
    )
    assert (answer.status_code, answer.headers["connection"]) == (400, "close")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://station.example"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_only_our_own_pages_and_programs_may_change_something(headers, status):
    client = client_of(with_headers)
    assert client.post("/echo", headers=headers).status_code == status
    assert client.get("/echo", headers=headers).status_code == 200


def test_every_answer_even_a_refusal_carries_the_headers():
    client = client_of(with_headers, limited)
    for answer in (client.get("/"), client.get("/nowhere"), client.post("/echo", headers={"Origin": "null"})):
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "camera=(self)" in answer.headers["permissions-policy"]


def test_the_head_stands_before_everything_else_and_tells_the_language():
    answer = client_of(HtmlHeadMiddleware).get("/", headers={"Accept-Language": "ru"})
    assert '<html lang="ru"><head><script data-options=' in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert client_of(HtmlHeadMiddleware).get("/echo").text == "0"
