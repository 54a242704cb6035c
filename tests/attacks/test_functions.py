"""A stranger calls the functions behind the pages: by number, by name, with anything, more often than they are served,
and for the answers of others."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from emotion.serving.function_calls import MOST_WAITING_OF_A_CLIENT
from emotion.serving.rate_limits import SMALL_BODY_BYTES
from emotion.station.photograph.http_routes import EXAMPLES
from tests.attack_target import Target
from tests.class_in_lesson import class_in_lesson, stranger

pytestmark = pytest.mark.slow

PHOTOGRAPH = EXAMPLES["astronaut"]
HUGE = 1e9
FACE = {
    "box": [-HUGE, -HUGE, HUGE, HUGE],
    "landmarks": [[HUGE, HUGE]] * 5,
    "score": 1.0,
    "quality": {"overall": 1.0, "size": 1.0, "sharpness": 1.0, "exposure": 1.0, "frontality": 1.0},
    "expression": "happy",
    "probabilities": dict.fromkeys(
        ("surprise", "disgust", "sad", "angry", "fear", "happy", "contempt", "neutral"), 0.125
    ),
}
DRAWN = {"faces": [FACE] * 20, "model": "x", "milliseconds": 1.0, "width": 10**9, "height": 10**9}


ADDRESSES = (f"127.0.1.{number}" for number in range(1, 255))  # each attack has one of its own


@pytest.fixture
def visitor(target: Target) -> Iterator[httpx.Client]:
    with stranger(target, next(ADDRESSES)) as client:
        yield client


def uploaded(visitor: httpx.Client) -> dict[str, Any]:
    answer = visitor.post("/gradio_api/upload", files={"files": ("a.jpg", PHOTOGRAPH.read_bytes())})
    return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}


def functions(visitor: httpx.Client) -> dict[int, dict[str, Any]]:
    """The functions of the station page by number, as everybody may read them."""
    return {function["id"]: function for function in visitor.get("/config").json()["dependencies"]}


def joined(visitor: httpx.Client, number: int, data: list[Any], session: str, **more: Any) -> str:
    """What the page's own way of calling answers, up to its end."""
    body = {"fn_index": number, "data": data, "session_hash": session, **more}
    answer = visitor.post("/gradio_api/queue/join", json=body)
    if answer.status_code != 200:
        return answer.text
    return visitor.get("/gradio_api/queue/data", params={"session_hash": session}).text


def test_what_a_visitor_sends_to_be_drawn_is_not_drawn(target: Target, visitor: httpx.Client) -> None:
    """680 bytes with a face of a billion pixels held the process for 5.6 s: boxes came back from the page."""
    photograph = uploaded(visitor)
    hostile = ([photograph, DRAWN, 0], [DRAWN, 0], [json.dumps(DRAWN), 0], [DRAWN], [photograph], [], [None] * 3)
    with class_in_lesson(target):
        for number in functions(visitor):
            for place, data in enumerate(hostile):
                session = f"drawn{number}x{place}"
                answer = joined(visitor, number, data, session, event_data={"index": [HUGE, -HUGE], "value": None})
                assert "Traceback" not in answer


def test_a_function_is_called_through_the_queue_alone(visitor: httpx.Client) -> None:
    """Direct runs went round the queue and its limits, and answered 500 for a caller's mistake."""
    for name in ("predict", "observe", "x"):
        for body in ({"data": [], "fn_index": 3}, {"data": []}):
            answer = visitor.post(f"/gradio_api/run/{name}", json=body)
            assert (answer.status_code, answer.json()["reason"]) == (404, "no_address")
            assert visitor.post(f"/teacher/gradio_api/run/{name}", json=body).status_code in (403, 404, 401)


def test_what_runs_in_the_browser_alone_is_not_called_at_the_server(visitor: httpx.Client) -> None:
    own = [number for number, function in functions(visitor).items() if not function["backend_fn"]]
    assert own
    for number in own:
        body = {"fn_index": number, "data": [], "session_hash": "browser"}
        for route in ("queue/join", "run/predict"):
            answer = visitor.post(f"/gradio_api/{route}", json=body)
            assert answer.status_code == 404
            assert len(answer.json()["error"].split()) > 4


def test_a_refused_call_has_a_stable_reason(visitor: httpx.Client) -> None:
    for route, body, expected in (
        ("call/nothing", {"data": []}, (404, "no_function")),
        ("call/observe", {}, (400, "bad_call")),
        ("call/observe", {"data": [0] * 65}, (400, "bad_call")),
        ("queue/join", {"data": [], "fn_index": 10**6, "session_hash": "a"}, (404, "no_function")),
    ):
        answer = visitor.post(f"/gradio_api/{route}", json=body)
        assert (answer.status_code, answer.json()["reason"]) == expected, route
    answer = visitor.get("/gradio_api/call/observe/" + "0" * 32)
    assert (answer.status_code, answer.json()["reason"]) == (404, "no_stream")


@pytest.mark.parametrize("name", ["nothing", "x" * 7000, "predict/../choose", "_", "None", "False"])
def test_a_function_that_is_not_there_is_not_found_in_a_sentence(
    target: Target, visitor: httpx.Client, name: str
) -> None:
    before = len(target.log_text())
    answer = visitor.post(f"/gradio_api/call/{name}", json={"data": []})
    assert answer.status_code == 404
    assert len(answer.json()["error"].split()) > 4
    assert len(target.log_text()) - before < 500
    for number in (10**6, -1, None, "0", 1.5, True, [0]):
        body = {"data": [], "fn_index": number, "session_hash": "a"}
        assert visitor.post("/gradio_api/queue/join", json=body).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 30_000 + b"]" * 30_000,
        b'{"data": [NaN], "session_hash": "a", "fn_index": 0}',
        b'{"data": [1e999], "session_hash": "a", "fn_index": 0}',
        b'{"data": [' + b"9" * 10_000 + b'], "session_hash": "a", "fn_index": 0}',
        b'{"data": {}, "session_hash": "a"}',
        b'{"data": [' + b"0," * 1000 + b"0]}",
        b"",
        b"null",
        b"\xff\xfe",
        b'{"data": [], "session_hash": {"a": 1}}',
        b'{"data": [], "session_hash": "' + b"a" * 1000 + b'"}',
    ],
)
def test_a_body_that_is_no_call_is_refused_in_a_sentence(visitor: httpx.Client, body: bytes) -> None:
    for address in ("queue/join", "call/predict", "cancel", "reset", "call/observe"):
        answer = visitor.post(f"/gradio_api/{address}", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 404, 422), answer.text
        assert "Traceback" not in answer.text


def chunks() -> Iterator[bytes]:
    for _ in range(32 * 1024):
        yield b" " * 1024


def test_a_large_body_is_refused_before_it_is_read(target: Target, visitor: httpx.Client) -> None:
    """A body of 8 MB cost half a gigabyte and a second of everybody's time."""
    large = b'{"data": [' + b"[]," * 2_700_000 + b"0]}"
    routes = ("gradio_api/queue/join", "gradio_api/call/predict", "gradio_api/cancel", "admission", "gradio_api/reset")
    with class_in_lesson(target):
        for route in routes:
            for body in (large, large[: SMALL_BODY_BYTES + 1], chunks()):
                try:
                    answer = visitor.post(f"/{route}", content=body, headers={"Content-Type": "application/json"})
                except (httpx.WriteError, httpx.ReadError):  # the connection was closed while the rest was sent
                    continue
                assert answer.status_code == 413 or (route == "admission" and body is not large), route


def test_a_stranger_waits_for_his_own_calls_alone(target: Target, visitor: httpx.Client) -> None:
    """The queue had no end. A visitor of another address is served meanwhile."""
    number = next(number for number, function in functions(visitor).items() if function["api_name"] == "predict")
    with class_in_lesson(target), ThreadPoolExecutor(20) as threads:
        photograph = uploaded(visitor)

        def join(place: int) -> httpx.Response:
            body = {"fn_index": number, "data": [photograph], "session_hash": f"many{place}"}
            return visitor.post("/gradio_api/queue/join", json=body)

        answers = list(threads.map(join, range(400)))
        refused = [answer for answer in answers if answer.status_code != 200]
        assert len(refused) > 100 > MOST_WAITING_OF_A_CLIENT
        assert {answer.status_code for answer in refused} == {503}
        assert int(refused[0].headers["retry-after"]) > 0
        assert "waiting" in refused[0].json()["error"]
        with stranger(target, "127.0.0.88") as other:
            began = time.monotonic()
            assert "event: complete" in called(other, "lesson_status", [target.lesson.code])
            assert time.monotonic() - began < 10


def called(client: httpx.Client, name: str, data: list[Any]) -> str:
    event = client.post(f"/gradio_api/call/{name}", json={"data": data}).json()["event_id"]
    return client.get(f"/gradio_api/call/{name}/{event}").text


def test_an_answer_is_for_whoever_asked(target: Target, visitor: httpx.Client) -> None:
    data = [target.lesson.code]
    with stranger(target, "127.0.0.99") as thief:
        event = visitor.post("/gradio_api/call/lesson_status", json={"data": data}).json()["event_id"]
        assert thief.get(f"/gradio_api/call/lesson_status/{event}").status_code == 404
        assert thief.get("/gradio_api/queue/data", params={"session_hash": event}).status_code == 404
        assert thief.post("/gradio_api/reset", json={"event_id": event}).status_code == 404
        cancelled = {"session_hash": event, "fn_index": 0, "event_id": event}
        assert thief.post("/gradio_api/cancel", json=cancelled).status_code == 404
        assert "Robots" in visitor.get(f"/gradio_api/call/lesson_status/{event}").text, "and it was not taken away"


def test_the_place_where_the_network_looked_costs_no_memory_for_good(target: Target, visitor: httpx.Client) -> None:
    """The network that serves the class says where it looked: torch stays out of the server."""
    answer = visitor.post("/photograph/picture", params={"face": 0}, content=PHOTOGRAPH.read_bytes())
    assert answer.json()["picture"].startswith("data:image/jpeg;base64,")
    assert "libtorch" not in Path(f"/proc/{target.app.process.pid}/maps").read_text()
