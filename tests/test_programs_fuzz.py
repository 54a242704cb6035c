"""Whatever a program sends to a route of the interface, it is told what was wrong; the server never breaks.

The routes are those of the OpenAPI description, so a new one is tried without being named here.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.composed import PASSWORD, ComposedApp, composed_app
from tests.stations import PICTURE

pytestmark = pytest.mark.slow

odd_texts = [
    "",
    "sample",
    "\0",
    "\u202ex",
    "x" * 5000,
    "2026-01-01T00:00:00Z",
    "00000000000000000-x",
    "NaN",
    "../..",
    "%00",
]
texts = st.one_of(st.text(max_size=30), st.sampled_from(odd_texts))
numbers = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -1, 1e308, float("nan")]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("fuzzed")) as composed:
        yield composed


@pytest.fixture(scope="module")
def anna(server: ComposedApp) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/api/v1", timeout=60) as client:
        form = {"username": "anna", "password": PASSWORD}
        assert client.post(f"{server.url}/teacher/login", data=form).status_code == 200
        yield client


@pytest.fixture(scope="module")
def operations(anna: httpx.Client) -> list[tuple[str, str, dict[str, Any], list[str]]]:
    """(method, path, description, fields of the body) of all routes."""
    schema = anna.get("/openapi.json").json()
    found = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            model = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            fields = list(schema["components"]["schemas"][model]["properties"]) if model else []
            found.append((method, path, operation, fields))
    return found


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_call_gets_an_answer_that_blames_the_server(
    data: st.DataObject, server: ComposedApp, anna: httpx.Client, operations: list[Any]
) -> None:
    method, path, operation, fields = data.draw(st.sampled_from(operations))
    taught = server.taught["anna"]
    known: dict[str, Any] = {
        "lesson": taught.lesson.code, "child": taught.codes[0], "class_name": taught.lesson.class_name, "title": "x",
        "kind": "note", "given": True,
    }  # fmt: skip
    query: dict[str, str] = {}
    for parameter in operation.get("parameters", []):
        name, value = parameter["name"], data.draw(texts)
        value = str(known[name]) if name in known and data.draw(st.booleans()) else value
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(value.encode("utf-8", "replace"), safe=""))
        elif data.draw(st.booleans()):
            query[name] = value
    body: dict[str, Any] = {}
    if fields:
        drawn = {
            name: known[name] if name in known and data.draw(st.booleans()) else data.draw(values) for name in fields
        }
        text = json.dumps(drawn if data.draw(st.booleans()) else data.draw(values))
        body = {"content": text.encode(), "headers": {"content-type": "application/json"}}
    elif method == "post":
        body = {"content": data.draw(st.binary(max_size=50))}
    with anna.stream(method, path, params=query, **body) as answer:
        if answer.headers["content-type"].startswith("text/event-stream"):
            return
        told = json.loads(answer.read())
    assert answer.status_code < 500 or told["reason"] == "busy", told
    assert {"server_time", "version"} <= told.keys()
    assert answer.status_code < 400 or (told["reason"] and told["error"])


def test_what_is_some_seconds_old_is_dated_by_the_servers_clock(server: ComposedApp, anna: httpx.Client) -> None:
    lesson = server.recorder.start_lesson("Clocks", "Class-of-Clocks", 45)
    codes = {"lesson": lesson.code, "child": server.recorder.enrol("Class-of-Clocks", "parent", "1")[0]}
    frame, event = PICTURE.read_bytes(), {**codes, "kind": "note", "detail": "of a slow clock"}
    seen = anna.post("/station/observe", params={**codes, "age": 0.5}, content=frame)
    told = anna.post("/station/events", json=event | {"age": 0.25})
    assert (seen.status_code, told.status_code) == (200, 200), (seen.text, told.text)
    server_time = datetime.fromisoformat(told.json()["server_time"])
    (stored,) = [one for one in server.store.events(lesson.id) if one.detail == "of a slow clock"]
    assert abs((server_time - stored.at).total_seconds() - 0.25) < 2
    refusals = [
        anna.post("/station/observe", params={**codes, "age": 1, "at": server_time.isoformat()}, content=frame),
        anna.post("/station/events", json=event | {"age": 1, "at": server_time.isoformat()}),
        anna.post("/station/events", json=event | {"age": 3600}),
        anna.post("/station/events", json=event | {"at": (server_time + timedelta(minutes=1)).isoformat()}),
    ]
    reasons = ["two_times", "two_times", "before_lesson", "in_future"]
    assert [answer.json()["reason"] for answer in refusals] == reasons
    assert str(server_time.date()) in refusals[-1].json()["error"], "the server's time, to set a clock by"
    for age in (-1, 1e9, "nan", "soon"):
        assert anna.post("/station/observe", params={**codes, "age": age}, content=frame).status_code == 422
        assert anna.post("/station/events", json=event | {"age": age}).status_code == 422
