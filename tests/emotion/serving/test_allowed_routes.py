"""What is not there costs a 404: a path that no file has, a name that no server has, and neither fills the log."""

import json
import logging
import sys

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from emotion.serving.allowed_routes import AllowedRoutesMiddleware
from emotion.serving.logs import MESSAGE_CHARACTERS, TRACE_CHARACTERS, JsonFormatter


async def found(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("found")


@pytest.fixture
def client() -> TestClient:
    """Of an app that has something at every address."""
    return TestClient(AllowedRoutesMiddleware(Starlette(routes=[Route("/{path:path}", found)])))


@pytest.mark.parametrize(
    "path",
    [
        "/static/" + "x" * 300,
        "/static/" + "ж" * 150,
        "/static/" + "x/" * 600,
        "/static" + ("/" + "ж" * 100) * 9,
        "/static/" + "x" * 58_000,
    ],
)
def test_a_path_that_no_file_has_is_not_looked_for(client: TestClient, path: str) -> None:
    assert client.get("/static/файл.js").status_code == 200
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
@pytest.mark.parametrize("name", ["999.1.1.1", "[x]", "x:abc", "x:abc, school.example"])
def test_a_server_of_a_name_that_is_none_is_not_there(client: TestClient, header: str, name: str) -> None:
    """Gradio's page, which writes down where it is, would fail."""
    assert client.get("/static/файл.js", headers={header: name}).status_code == 404
    assert client.get("/static/файл.js", headers={"X-Gradio-Server": f"http://{name}"}).status_code == 404


@pytest.mark.parametrize("name", ["localhost:7860", "[::1]:7860", "my_app:80", "школа.рф".encode("idna").decode(), ""])
def test_a_server_may_have_any_name(client: TestClient, name: str) -> None:
    for header in ("Host", "X-Forwarded-Host"):
        assert client.get("/static/файл.js", headers={header: name}).status_code == 200


def test_a_line_of_the_log_has_an_end_whatever_a_visitor_names() -> None:
    path = "/" + "x" * 58_000
    try:
        raise OSError(36, "File name too long", path)
    except OSError:
        record = logging.LogRecord("app", logging.ERROR, "", 0, "No %s", (path,), sys.exc_info())
    line = json.loads(JsonFormatter().format(record))
    assert len(line["message"]) == MESSAGE_CHARACTERS
    assert len(line["trace"]) == TRACE_CHARACTERS
