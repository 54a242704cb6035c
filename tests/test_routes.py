"""Who may what: every route of the composed server, from its own list, tried by everybody, held against one table."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from analytics.access.login import PROGRAMS, VISITOR
from tests.composed import PASSWORD, ComposedApp, composed_app

pytestmark = pytest.mark.slow

HOST = "http://school.example"
ELSEWHERE = ("192.168.1.9", 1)  # another computer than the one on which the app runs

# Every route of the server by who may reach it. One that is in none of the sets fails the test: somebody has to think.
OWN_ROUTES = {
    "/observe", "/admission", "/live", "/photograph", "/photograph/picture", "/photograph/example",
    "/teach", "/teach/state", "/teach/keep", "/teach/undo", "/teach/finish", "/healthz", "/readyz",
    "/api/v1/", "/api/v1/openapi.json", "/api/v1/station/observe", "/api/v1/station/events", "/api/v1/station/lesson",
    "/api/v1/station/signals", "/api/v1/station/signals/stream", "/api/v1/station/example",
}  # fmt: skip
# Of the interface for programs.
TEACHERS = {
    "/api/v1/lessons", "/api/v1/lessons/{lesson}", "/api/v1/lessons/{lesson}/end", "/api/v1/lessons/{lesson}/board",
    "/api/v1/lessons/{lesson}/signals", "/api/v1/lessons/{lesson}/signals/stream", "/api/v1/lessons/{lesson}/timeline",
    "/api/v1/lessons/{lesson}/summary", "/api/v1/children", "/api/v1/children/consent", "/api/v1/children/erase",
}  # fmt: skip
THIS_COMPUTER = {"/metrics"}
PAGE = {
    "/", "/assets/{path:path}", "/config", "/config/", "/favicon.ico", "/manifest.json", "/pwa_icon",
    "/pwa_icon/{size}", "/robots.txt", "/static/{path:path}", "/svelte/{path:path}", "/theme.css",
    "/gradio_api/app_id", "/gradio_api/app_id/", "/gradio_api/call/{api_name}", "/gradio_api/call/{api_name}/",
    "/gradio_api/call/{api_name}/{event_id}", "/gradio_api/cancel", "/gradio_api/file={path_or_url:path}",
    "/gradio_api/heartbeat/{session_hash}", "/gradio_api/info", "/gradio_api/info/", "/gradio_api/queue/data",
    "/gradio_api/queue/join", "/gradio_api/queue/status", "/gradio_api/reset", "/gradio_api/reset/",
    "/gradio_api/startup-events", "/gradio_api/theme.css",
}  # fmt: skip
STATION = {"/gradio_api/upload", "/gradio_api/upload_progress"}  # of the station's page alone
NOBODY = {
    "/gradio_api/api/{api_name}", "/gradio_api/api/{api_name}/", "/gradio_api/component_server",
    "/gradio_api/component_server/", "/gradio_api/custom_component/{id}/{environment}/{type}/{file_name}",
    "/gradio_api/deep_link", "/gradio_api/dev/reload", "/gradio_api/file/{path:path}", "/gradio_api/login_check",
    "/gradio_api/login_check/", "/gradio_api/openapi.json", "/gradio_api/process_recording",
    "/gradio_api/proxy={url_path:path}",
    "/gradio_api/call/v2/{api_name}", "/gradio_api/call/v2/{api_name}/", "/gradio_api/call/v2/{api_name}/{event_id}",
    "/gradio_api/run/{api_name}", "/gradio_api/run/{api_name}/", "/gradio_api/runs", "/gradio_api/runs/",
    "/gradio_api/stream/{event_id}", "/gradio_api/stream/{event_id}/close",
    "/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file",
    "/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8",
    "/gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}", "/gradio_api/token",
    "/gradio_api/token/", "/gradio_api/undo-vibe-edit", "/gradio_api/undo-vibe-edit/", "/gradio_api/user",
    "/gradio_api/user/", "/gradio_api/vibe-code", "/gradio_api/vibe-code/", "/gradio_api/vibe-edit",
    "/gradio_api/vibe-edit/", "/gradio_api/vibe-starter-queries", "/gradio_api/vibe-starter-queries/", "/login",
    "/login/", "/logout", "/monitoring", "/monitoring/summary", "/monitoring/{key}",
}  # fmt: skip
# The gate answers these itself, for everybody; what Gradio has there is never reached.
GATE = {"/teacher/login", "/teacher/login/", "/teacher/logout"}
# They answer for as long as a page is open, so they are only asked for by who is refused.
ENDLESS = {
    "/gradio_api/heartbeat/{session_hash}", "/gradio_api/queue/data", "/gradio_api/upload_progress",
    "/gradio_api/call/{api_name}/{event_id}",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("server"), metrics_token="0123456789abcdef") as composed:
        yield composed


def stranger(server: ComposedApp, address: tuple[str, int] = ELSEWHERE) -> TestClient:
    """A visitor without an account; a station is one too, and knows two codes besides."""
    return TestClient(server.app, base_url=HOST, client=address, follow_redirects=False)


@pytest.fixture
def visitor(server: ComposedApp) -> TestClient:
    return stranger(server)


@pytest.fixture(scope="module")
def everybody(server: ComposedApp) -> dict[str, TestClient]:
    """A client for each: one login is enough, because a hash is slow by intention."""
    clients = {name: stranger(server, ("192.168.1.10", 1)) for name in ("visitor", "anna", "boris")}
    for name in ("anna", "boris"):
        answer = clients[name].post("/teacher/login", data={"username": name, "password": PASSWORD})
        assert answer.status_code == 200
    return clients


def table(path: str) -> str:
    """Who may reach a route."""
    if path in OWN_ROUTES | PAGE | STATION:
        return "everybody"
    if path in THIS_COMPUTER:
        return "this computer"
    if path in GATE:
        return "the gate"
    inside = path.removeprefix("/teacher")
    if inside in NOBODY or inside in STATION:
        return "nobody"
    if (inside != path and inside in PAGE) or path in TEACHERS:
        return "teachers"
    return "not in the table"


def concrete(path: str) -> str:
    """A path with something in place of its parameters."""
    return re.sub(r"\{[^}]*\}", "1", path)


def test_every_route_is_in_the_table_and_the_table_names_no_other(server: ComposedApp) -> None:
    paths = {path for path, _ in server.walk()}
    assert {path for path in paths if table(path) == "not in the table"} == set()
    assert paths >= (OWN_ROUTES | TEACHERS | THIS_COMPUTER | PAGE | STATION | NOBODY)


def tried(client: TestClient, server: ComposedApp, who: str, endless: bool = True) -> Iterator[tuple[str, int]]:
    """The status of every route and method that the table has for ``who``."""
    for path, methods in server.walk():
        if table(path) == who and (endless or path.removeprefix("/teacher") not in ENDLESS):
            for method in methods:
                yield f"{method} {path}", client.request(method, concrete(path)).status_code


@pytest.mark.parametrize("who", ["visitor", "anna", "boris"])
def test_routes_that_no_page_needs_answer_404_to_everybody(
    server: ComposedApp, everybody: dict[str, TestClient], who: str
) -> None:
    answers = dict(tried(everybody[who], server, "nobody"))
    assert len(answers) > 60
    assert set(answers.values()) == {404}


def test_a_visitor_reaches_nothing_under_teacher(server: ComposedApp, visitor: TestClient) -> None:
    answers = dict(tried(visitor, server, "teachers"))
    assert len(answers) > 30
    assert set(answers.values()) == {401}
    assert visitor.get("/teacher").headers["location"] == "/teacher/"


@pytest.mark.parametrize("who", ["anna", "boris"])
def test_a_teacher_passes_everywhere_and_nothing_breaks(
    server: ComposedApp, everybody: dict[str, TestClient], who: str
) -> None:
    client = everybody[who]
    answers = dict(tried(client, server, "teachers", endless=False))
    assert {route: status for route, status in answers.items() if status == 401 or status >= 500} == {}
    assert client.get("/teacher/").status_code == 200
    assert client.get("/teacher/config").json()["username"] == who


def test_a_visitor_reaches_the_station_and_nothing_breaks(server: ComposedApp, visitor: TestClient) -> None:
    answers = dict(tried(visitor, server, "everybody", endless=False))
    assert {route: status for route, status in answers.items() if status == 401 or status >= 500} == {}
    refused = {route.split()[1] for route, status in answers.items() if status == 403}
    assert refused == {"/gradio_api/file={path_or_url:path}"}, "a file that the page has not shown"
    assert visitor.get("/").status_code == 200
    assert "error" in visitor.get("/nowhere").json()


@pytest.mark.parametrize(
    ("address", "host", "token", "status"),
    [
        ("127.0.0.1", "http://localhost", None, 200),
        ("::1", "http://[::1]", None, 200),
        ("127.0.0.1", HOST, None, 403),  # a proxy on the same computer, or a name that was made to point here
        ("192.168.1.9", HOST, None, 403),
        ("192.168.1.9", "http://localhost", None, 403),
        ("192.168.1.9", HOST, "0123456789abcdeX", 403),
        ("192.168.1.9", HOST, "", 403),
        ("192.168.1.9", HOST, "0123456789abcdef", 200),
    ],
)
def test_metrics_answer_this_computer_and_whoever_has_the_token(
    server: ComposedApp, address: str, host: str, token: str | None, status: int
) -> None:
    client = TestClient(server.app, base_url=host, client=(address, 1))
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("expression_frames" in answer.text) == (status == 200)


def test_a_session_of_a_teacher_does_not_open_the_metrics(everybody: dict[str, TestClient]) -> None:
    assert everybody["anna"].get("/metrics").status_code == 403


@pytest.mark.parametrize(
    "path", ["//teacher/", "/./teacher/", "/teacher%2f", "/%74eacher/config", "/TEACHER/", "/x/../teacher/"]
)
def test_no_spelling_of_a_path_bypasses_the_login(visitor: TestClient, path: str) -> None:
    assert "start_lesson" not in visitor.get(path).text


@pytest.mark.parametrize(
    "file",
    [
        "/etc/passwd",
        "../../../../etc/passwd",
        "..%2f..%2fapp.py",
        "..%252f..%252fapp.py",
        "/proc/self/environ",
        "app.py",
        "{database}",
        "{secret}",
        "http://127.0.0.1/x",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("who", ["visitor", "anna"])
@pytest.mark.parametrize(
    "page", ["/gradio_api/file=", "/teacher/gradio_api/file=", "/static/", "/assets/", "/svelte/", "/gradio_api/proxy="]
)
def test_no_file_outside_the_page_can_be_fetched(
    server: ComposedApp, everybody: dict[str, TestClient], who: str, file: str, page: str
) -> None:
    client = everybody[who]
    database = server.store.path
    file = file.format(database=database, secret=Path(__file__).resolve().parents[1] / "pyproject.toml")
    answer = client.get(page + file)
    assert answer.status_code >= 400
    assert not re.search(r"root:|PATH=|def compose|\[tool\.", answer.text)


def test_health_and_metrics_hold_no_personal_data(server: ComposedApp, visitor: TestClient) -> None:
    assert visitor.get("/healthz").json() == {"status": "alive"}
    assert visitor.get("/readyz").json() == {"model": "ready", "store": "ready"}
    local = TestClient(server.app, base_url="http://localhost", client=("127.0.0.1", 1))
    metrics = local.get("/metrics").text
    assert "expression_frames_waiting 0.0" in metrics
    taught = server.taught["anna"]
    words = [taught.lesson.id, taught.lesson.code, *taught.codes, *(child.pseudonym for child in taught.children)]
    assert not [word for word in words if word in metrics]


def test_guessing_codes_is_limited_for_each_address(server: ComposedApp, visitor: TestClient) -> None:
    answers = [
        visitor.post("/admission", params={"lesson": f"zz{number:04}", "child": "fox-aaaa"}) for number in range(110)
    ]
    assert answers[0].json()["reason"] == "unknown_lesson"
    assert 429 in [answer.status_code for answer in answers]
    other = stranger(server, ("192.168.1.11", 1))
    assert other.post("/admission", params={"lesson": "zzzzzz", "child": "fox-aaaa"}).status_code == 200


# A demonstration: the teacher page answers everybody. Here with accounts, which go on as before.


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("open"), demonstration=True) as composed:
        # Whoever asks for this first starts a page's line, in the loop of the asking: a `TestClient`'s ends at once.
        httpx.get(f"{composed.url}/teacher/gradio_api/startup-events", timeout=60).raise_for_status()
        yield composed


def test_a_visitor_of_a_demonstration_passes_where_teachers_do_and_nowhere_else(open_server: ComposedApp) -> None:
    visitor = stranger(open_server)
    answers = dict(tried(visitor, open_server, "teachers", endless=False))
    of_programs = {route for route in answers if f" {PROGRAMS}/" in route}
    assert {answers[route] for route in of_programs} == {401}, "whoever has no account looks at the page alone"
    assert {
        route: answers[route] for route in set(answers) - of_programs if answers[route] in (401, *range(500, 600))
    } == {}
    assert set(dict(tried(visitor, open_server, "nobody")).values()) == {404}
    assert visitor.get("/teacher/").status_code == 200
    assert visitor.get("/teacher/config").json()["username"] == VISITOR
    assert visitor.get("/metrics").status_code == 403
    for file in ("/etc/passwd", open_server.store.path):
        assert visitor.get(f"/teacher/gradio_api/file={file}").status_code >= 400


def test_in_a_demonstration_a_teacher_logs_in_and_out_as_ever(open_server: ComposedApp) -> None:
    teacher = stranger(open_server, ("192.168.1.12", 1))
    assert teacher.get("/teacher/login").status_code == 200
    wrong = teacher.post("/teacher/login", data={"username": "anna", "password": "wrong"})
    assert wrong.status_code == 401
    right = teacher.post("/teacher/login", data={"username": "anna", "password": PASSWORD})
    assert right.status_code == 200
    assert teacher.get("/teacher/config").json()["username"] == "anna"
    assert teacher.get("/teacher/logout").status_code == 303
    assert teacher.get("/teacher/config").json()["username"] == VISITOR


def test_one_visitor_does_not_hear_what_another_one_is_answered(open_server: ComposedApp) -> None:
    """All have one name, so they are told apart by address, as on the station."""
    call = f"{open_server.url}/teacher/gradio_api/call/list_lessons"
    with httpx.Client() as one, httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as other:
        asked = one.post(call, json={"data": [""]})
        assert asked.status_code == 200, asked.text
        begun = asked.json()["event_id"]
        assert other.get(f"{call}/{begun}").status_code == 404
        assert "complete" in one.get(f"{call}/{begun}", timeout=60).text


def test_without_a_secret_nobody_logs_in_to_a_demonstration_not_even_on_this_computer(tmp_path: Path) -> None:
    with composed_app(tmp_path, demonstration=True, secret=None) as composed:
        here = TestClient(composed.app, base_url="http://localhost", client=("127.0.0.1", 1), follow_redirects=False)
        for client in (here, stranger(composed)):
            no_login(client)


def no_login(client: TestClient) -> None:
    """Whoever asks is a visitor, whatever it does."""
    for path in ("/teacher/login", "/teacher/logout"):
        assert client.get(path).headers["location"] == "/teacher/"
    login = client.post("/teacher/login", data={"username": "anna", "password": PASSWORD})
    assert login.headers["location"] == "/teacher/"
    assert client.get("/teacher/config").json()["username"] == VISITOR
