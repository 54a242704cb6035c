"""Who may what: every route of the composed server, from its own list, tried by everybody, held against one table."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import BaseRoute, Mount
from starlette.testclient import TestClient

from analytics.accounts import Accounts, with_account
from analytics.store import LessonStore
from emotion.settings import Settings

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
HOST = "http://school.example"

# What everybody may reach. A new route is in nobody's list until somebody has thought about it.
OURS = {"/observe", "/admission", "/healthz", "/readyz", "/metrics"}
GRADIO = {
    "/", "/assets/{path:path}", "/config", "/config/", "/custom_component/{id}/{environment}/{type}/{file_name}",
    "/favicon.ico", "/login", "/login/", "/login_check", "/login_check/", "/logout", "/manifest.json",
    "/monitoring", "/monitoring/", "/monitoring/{key}", "/monitoring/summary", "/pwa_icon", "/pwa_icon/{size}",
    "/robots.txt", "/static/{path:path}", "/svelte/{path:path}", "/theme.css", "/token", "/token/", "/user", "/user/",
    "/gradio_api/",
}  # fmt: skip
GRADIO_API = re.compile(r"/gradio_api/|/(gradio_api/)?(openapi\.json|docs|redoc)")

# The named endpoints: the documented ones and no other.
STATION_ENDPOINTS = {"predict", "predict_batch", "observe", "log_event", "lesson_status"}
TEACHER_ENDPOINTS = {
    "start_lesson", "end_lesson", "list_lessons", "timeline", "class_board", "lesson_summary", "signals", "annotate",
    "export_lesson", "set_consent", "erase_child",
}  # fmt: skip


def walk(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every path with its methods, mounted apps included."""
    for route in routes:
        path = prefix + getattr(route, "path", "")
        if isinstance(route, Mount):
            yield from walk(route.routes, path.rstrip("/"))
        elif hasattr(route, "original_router"):  # FastAPI keeps an included router as one entry; its paths are whole
            yield from walk(route.original_router.routes, prefix)
        else:
            yield path or "/", tuple(sorted(getattr(route, "methods", None) or ("GET",)))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The composed app with the account of one teacher."""
    import app as application

    folder = tmp_path_factory.mktemp("server")
    salt, digest = with_account(Accounts({}), "anna", PASSWORD).hashes["anna"]
    settings = Settings(
        database=folder / "lessons.duckdb",
        accounts=json.dumps({"accounts": {"anna": {"salt": salt, "scrypt": digest}}}),
        requests_per_minute=1_000_000,
    )
    with LessonStore(settings.database) as store:
        yield application.compose(settings, store)


@pytest.fixture
def visitor(server) -> TestClient:
    """Somebody on another computer without an account."""
    return TestClient(server, base_url=HOST, client=("192.168.1.9", 1), follow_redirects=False)


@pytest.fixture
def teacher(server) -> TestClient:
    """Somebody who has logged in."""
    client = TestClient(server, base_url=HOST, client=("192.168.1.10", 1), follow_redirects=False)
    assert client.post("/teacher/login", data={"username": "anna", "password": PASSWORD}).status_code == 200
    return client


def concrete(path: str) -> str:
    """A path with something in place of its parameters."""
    return re.sub(r"\{[^}]*\}", "x", path)


def test_every_route_is_in_the_table(server):
    unknown = {
        path
        for path, _ in walk(server.routes)
        if not (path in OURS or path in GRADIO or GRADIO_API.match(path) or path.startswith("/teacher"))
    }
    assert unknown == set()


def test_a_visitor_reaches_nothing_under_teacher(server, visitor):
    tried = 0
    for path, methods in walk(server.routes):
        if path.startswith("/teacher"):
            for method in methods:
                answer = visitor.request(method, concrete(path))
                tried += 1
                open_to_all = ("/teacher/login", "/teacher/logout")
                led_there = answer.headers.get("location") == "/teacher/"
                assert answer.status_code == 401 or led_there or path.rstrip("/") in open_to_all, path
                assert "pseudonym" not in answer.text
    assert tried > 40


@pytest.mark.parametrize(
    "path", ["//teacher/", "/./teacher/", "/teacher%2f", "/%74eacher/config", "/TEACHER/", "/x/../teacher/"]
)
def test_no_spelling_leads_around_the_gate(visitor, path):
    assert "start_lesson" not in visitor.get(path).text


def test_the_teacher_passes_and_the_page_says_who_it_is(teacher):
    assert teacher.get("/teacher/").status_code == 200
    assert teacher.get("/teacher/config").json()["username"] == "anna"


def endpoints(config: dict) -> set[str]:
    return {
        item["api_name"] for item in config["dependencies"] if item["api_visibility"] == "public" and item["api_name"]
    }


def test_only_the_documented_endpoints_are_public(visitor, teacher):
    assert endpoints(visitor.get("/config").json()) == STATION_ENDPOINTS
    assert endpoints(teacher.get("/teacher/config").json()) == TEACHER_ENDPOINTS


def test_the_station_knows_no_function_that_reads_observations(visitor):
    text = visitor.get("/config").text
    assert not [name for name in TEACHER_ENDPOINTS if f'"{name}"' in text]


@pytest.mark.parametrize(
    "file",
    [
        "/etc/passwd",
        "../../../../etc/passwd",
        "..%2f..%2fapp.py",
        "app.py",
        "{database}",
        "{secret}",
        "http://127.0.0.1/x",
    ],
)
@pytest.mark.parametrize("page", ["/gradio_api/file=", "/teacher/gradio_api/file=", "/static/", "/assets/", "/svelte/"])
def test_no_file_outside_the_page_can_be_fetched(server, visitor, tmp_path, file, page):
    secret = Path(__file__).resolve().parents[1] / "pyproject.toml"
    file = file.format(database=secret, secret=secret)
    answer = visitor.get(page + file)
    assert answer.status_code >= 400
    assert "root:" not in answer.text


def test_monitoring_and_documentation_of_the_frameworks_are_off(visitor):
    for path in ("/docs", "/redoc", "/openapi.json", "/monitoring", "/monitoring/summary"):
        assert visitor.get(path).status_code >= 400, path


def test_health_and_metrics_hold_no_personal_data(visitor):
    assert visitor.get("/healthz").json() == {"status": "alive"}
    assert visitor.get("/readyz").json() == {"model": "ready", "store": "ready"}
    metrics = visitor.get("/metrics").text
    assert "expression_frames_waiting 0.0" in metrics
    assert not re.search(r"lesson|child=", metrics.replace("Frames of lessons", ""))


def test_who_tries_codes_is_stopped_and_others_go_on(server, visitor):
    answers = [
        visitor.post("/admission", params={"lesson": f"zz{number:04}", "child": "fox-aaaa"}) for number in range(110)
    ]
    assert answers[0].json()["reason"] == "unknown_lesson"
    assert answers[-1].status_code == 429
    other = TestClient(server, base_url=HOST, client=("192.168.1.11", 1))
    assert other.post("/admission", params={"lesson": "zzzzzz", "child": "fox-aaaa"}).status_code == 200
