"""The interface for programs at /api/v1/, against the composed server: a lesson, refusals, who may what, streams."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from analytics.access.accounts import main as accounts_command
from analytics.signals.announcements import LEAST_SECONDS
from emotion.serving.programs import event_streams
from tests.composed import CLASSES, PASSWORD, ComposedApp, Taught, account_variable, composed_app
from tests.stations import PICTURE

pytestmark = pytest.mark.slow

FRAME = PICTURE.read_bytes()
PATIENCE = 60.0  # seconds that anything may take on a machine that others use too


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    folder = tmp_path_factory.mktemp("programs")
    (folder / "accounts.json").write_text(account_variable(CLASSES))
    with composed_app(folder, accounts=str(folder / "accounts.json")) as composed:
        yield composed


def client(server: ComposedApp, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=PATIENCE)


@pytest.fixture(scope="module")
def visitor(server: ComposedApp) -> httpx.Client:
    return client(server)


@pytest.fixture(scope="module")
def teachers(server: ComposedApp) -> dict[str, httpx.Client]:
    """By session, as a program that logs in with a password has one."""
    clients = {name: client(server) for name in CLASSES}
    for name, one in clients.items():
        form = {"username": name, "password": PASSWORD}
        assert one.post(f"{server.url}/teacher/login", data=form).status_code == 200
    return clients


@pytest.fixture
def lesson(teachers: dict[str, httpx.Client]) -> Iterator[dict[str, Any]]:
    """A lesson of anna's with a child of its own."""
    made = teachers["anna"].post("/lessons", json={"title": "Loops", "class_name": CLASSES["anna"], "minutes": 45})
    child = teachers["anna"].post("/children", json={"class_name": CLASSES["anna"]})
    assert (made.status_code, child.status_code) == (201, 201)
    yield {**made.json(), "child": child.json()}
    teachers["anna"].post(f"/lessons/{made.json()['lesson']}/end")
    teachers["anna"].post("/children/erase", json={"child": child.json()["child"]})


def codes(lesson: dict[str, Any]) -> dict[str, str]:
    return {"lesson": lesson["code"], "child": lesson["child"]["code"]}


def fail_thrice(visitor: httpx.Client, codes: dict[str, str], task: str = "4") -> None:
    """After which the child may be stuck."""
    for _ in range(3):
        answer = visitor.post("/station/events", json={**codes, "kind": "task_failed", "detail": task})
        assert answer.status_code == 200


def polled(one: httpx.Client, path: str, **query: str) -> dict[str, Any]:
    """The first answer of a poll that has signals."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        answer = one.get(path, params=query)
        assert answer.status_code == 200, answer.text
        if answer.json()["signals"]:
            return answer.json()
        time.sleep(0.1)
    raise AssertionError("no signal came")


def test_what_sent_a_frame_is_stored(server: ComposedApp, visitor: httpx.Client, lesson: dict[str, Any]) -> None:
    for path, more in (
        ("/api/v1/station/observe", {}),
        ("/api/v1/station/observe", {"program": "PiktoMir-3.1"}),
        ("/observe", {}),
        ("/observe", {"station": "tablet-1"}),
    ):
        sent = httpx.post(server.url + path, params=codes(lesson) | more, content=FRAME, timeout=PATIENCE)
        assert sent.json()["recorded"], sent.text
    assert set(server.store.observations(lesson["lesson"])["source"]) == {"api", "api:PiktoMir-3.1", "station"}


def test_a_whole_lesson_from_enrolment_to_its_summary(
    visitor: httpx.Client, teachers: dict[str, httpx.Client], lesson: dict[str, Any]
) -> None:
    anna, path = teachers["anna"], f"/lessons/{lesson['lesson']}"
    seen = visitor.post("/station/observe", params=codes(lesson), content=FRAME).json()
    assert (seen["recorded"], seen["expression"]) == (True, "happy")
    again = visitor.post("/station/observe", data=codes(lesson), files={"image": FRAME})
    assert again.json()["recorded"], "as a form too"
    fail_thrice(visitor, codes(lesson))
    found = polled(anna, f"{path}/signals")
    assert [(one["kind"], one["change"], one["child"]) for one in found["signals"]] == [
        ("struggling", "raised", lesson["child"]["child"])
    ]
    assert anna.get(f"{path}/signals", params={"after": found["cursor"]}).json()["signals"] == []
    table = anna.get(f"{path}/timeline", params={"child": lesson["child"]["child"]}).json()
    assert (table["headers"][0], len(table["data"])) == ("at", 2)
    drawn = anna.get(f"{path}/timeline", params={"child": lesson["child"]["code"], "figure": True}).json()
    assert json.loads(drawn["plot"])["data"]
    states = {row["child"]: row["state"] for row in anna.get(f"{path}/board").json()["children"]}
    assert states[lesson["child"]["child"]] == "happy"
    summary = anna.get(f"{path}/summary").json()
    assert summary["signals"][0]["kind"] == "struggling"
    assert [(own["task"], own["failures"], own["solved"]) for own in summary["child_tasks"]] == [("4", 3, None)]
    solved = {**codes(lesson), "kind": "task_solved", "detail": "4", "id": "solved-4"}
    answers = [visitor.post("/station/events", json=solved | more).json() for more in ({}, {}, {"detail": "5"})]
    assert [answer.get("id", answer.get("reason")) for answer in answers] == ["solved-4", "solved-4", "other_event"]
    assert visitor.get("/station/lesson", params={"lesson": lesson["code"]}).json()["open"] is True
    assert anna.post(f"{path}/end").json()["ended_at"]
    assert lesson["lesson"] in [one["lesson"] for one in anna.get("/lessons").json()["lessons"]]


MISTAKES: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/nowhere", {}, 404, "no_address"),
    ("PUT", "/lessons", {}, 405, "wrong_method"),
    ("POST", "/lessons", {"json": {}}, 422, "bad_arguments"),
    ("POST", "/lessons", {"json": {"title": 5, "class_name": "x"}}, 422, "bad_arguments"),
    ("POST", "/lessons", {"content": b"{", "headers": {"content-type": "application/json"}}, 400, "bad_request"),
    ("POST", "/lessons", {"content": b"[" * 30_000}, 422, "bad_arguments"),
    ("POST", "/lessons", {"content": b"x" * 100_000}, 413, "too_large"),
    ("POST", "/lessons", {"json": {"title": "x", "class_name": "Nobody's"}}, 403, "not_your_class"),
    ("POST", "/lessons", {"json": {"title": "", "class_name": "Class-of-Anna"}}, 422, "empty"),
    ("POST", "/lessons", {"json": {"title": "x", "class_name": "Class-of-Anna", "minutes": 0}}, 422, "number"),
    ("GET", "/lessons/nothere", {}, 404, "unknown_lesson"),
    ("GET", "/lessons/a%00b/board", {}, 404, "unknown_lesson"),
    ("POST", "/lessons/nothere/end", {}, 404, "unknown_lesson"),
    ("GET", "/lessons/sample/signals?after=x", {}, 422, "cursor"),
    ("GET", "/lessons/sample/signals/stream?after=x", {}, 422, "cursor"),
    ("GET", "/lessons/sample/timeline?child=sample-fox&language=de", {}, 422, "language"),
    ("GET", "/lessons/sample/timeline?child=nobody", {}, 404, "unknown_child"),
    ("GET", "/lessons/sample/timeline", {}, 422, "bad_arguments"),
    ("POST", "/children/consent", {"json": {"child": "x", "given": "yes"}}, 422, "bad_arguments"),
    ("POST", "/children/consent", {"json": {"child": "nobody", "given": True}}, 404, "unknown_child"),
    ("POST", "/children/erase", {"json": {"child": ""}}, 404, "unknown_child"),
    ("POST", "/station/observe?lesson=zzzzzz&child=fox-aaaa", {"content": FRAME}, 404, "unknown_lesson"),
    ("POST", "/station/observe?lesson=zzzzzz&child=fox-aaaa", {}, 422, "no_image"),
    ("POST", "/station/events", {"json": {"lesson": "zzzzzz", "kind": "Sings aloud"}}, 422, "bad_event"),
    ("POST", "/station/events", {"json": {"lesson": "zzzzzz", "kind": "note", "at": "now"}}, 422, "bad_time"),
    ("GET", "/station/lesson?lesson=zzzzzz", {}, 404, "unknown_lesson"),
    ("GET", "/station/signals?lesson=zzzzzz&child=fox-aaaa", {}, 404, "unknown_lesson"),
    ("GET", "/station/signals?lesson=zzzzzz&child=fox-aaaa&after=1", {}, 422, "bad_cursor"),
    ("GET", "/station/signals/stream?lesson=zzzzzz&child=fox-aaaa", {}, 404, "unknown_lesson"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "reason"), MISTAKES)
def test_a_mistake_gets_its_status_a_reason_and_a_sentence(
    teachers: dict[str, httpx.Client], method: str, path: str, body: dict[str, Any], status: int, reason: str
) -> None:
    answer = teachers["anna"].request(method, path, **body)
    told = answer.json()
    assert (answer.status_code, told["reason"]) == (status, reason), told
    assert told["error"]
    assert {"server_time", "version"} <= told.keys()
    russian = teachers["anna"].request(
        method, path, **{**body, "headers": {**body.get("headers", {}), "accept-language": "ru"}}
    )
    assert russian.json()["error"] != told["error"]


def test_every_answer_has_the_servers_time_and_the_apps_version(
    visitor: httpx.Client, teachers: dict[str, httpx.Client], lesson: dict[str, Any]
) -> None:
    answers = [
        visitor.get("/station/signals", params=codes(lesson)),
        visitor.post("/station/observe", params=codes(lesson), content=FRAME),
        teachers["anna"].get("/lessons"),
        visitor.get("/lessons"),
    ]
    for answer in answers:
        assert answer.json()["server_time"].endswith("+00:00")
        assert answer.json()["version"] == visitor.get("/openapi.json").json()["info"]["version"]


def test_the_description_names_every_route_and_the_page_of_it_loads_nothing(visitor: httpx.Client) -> None:
    schema = visitor.get("/openapi.json").json()
    assert {path for path in schema["paths"] if not path.startswith("/station/")} == {
        "/lessons", "/lessons/{lesson}", "/lessons/{lesson}/end", "/lessons/{lesson}/board",
        "/lessons/{lesson}/signals",
        "/lessons/{lesson}/signals/stream", "/lessons/{lesson}/timeline", "/lessons/{lesson}/summary", "/children",
        "/children/consent", "/children/erase",
    }  # fmt: skip
    page = visitor.get("/").text
    assert all(f"/api/v1{path}" in page for path in schema["paths"])
    assert not [mark for mark in ("<script", "src=", "<link", "@import", "url(") if mark in page]


# who may what


def teachers_routes(taught: Taught) -> list[tuple[str, str, dict[str, Any]]]:
    """Every route of the teacher's half, about a lesson and a child; what ends or erases comes last."""
    path, child = f"/lessons/{taught.lesson.id}", taught.children[0].pseudonym
    return [
        ("GET", path, {}),
        ("GET", f"{path}/board", {}),
        ("GET", f"{path}/signals", {}),
        ("GET", f"{path}/signals/stream", {}),
        ("GET", f"{path}/timeline?child={child}", {}),
        ("GET", f"{path}/summary", {}),
        ("POST", "/children/consent", {"child": child, "given": False}),
        ("POST", "/children/erase", {"child": child}),
        ("POST", f"{path}/end", {}),
    ]


def test_another_teachers_lesson_does_not_exist_and_a_stranger_reaches_nothing(
    server: ComposedApp, visitor: httpx.Client, teachers: dict[str, httpx.Client]
) -> None:
    taught = server.taught["anna"]
    for method, path, body in teachers_routes(taught):
        refused = teachers["boris"].request(method, path, json=body or None)
        assert refused.status_code == 404, path
        assert refused.json()["reason"] in ("unknown_lesson", "unknown_child")
        assert visitor.request(method, path, json=body or None).json()["reason"] == "login_needed", path
    boris = teachers["boris"].get("/lessons").text + teachers["boris"].get("/children?class_name=Class-of-Anna").text
    assert not [word for word in (taught.lesson.id, taught.lesson.code, CLASSES["anna"]) if word in boris]
    assert server.store.find_lesson(taught.lesson.id).ended_at is None
    assert len(server.store.children(CLASSES["anna"])) >= 6


@pytest.mark.parametrize(
    "path",
    ["/api/v1/station/../lessons", "/api/v1//lessons", "/API/v1/lessons", "/api/v1/lessons/", "/api/v1/%6cessons"],
)
def test_no_spelling_of_an_address_gets_around_the_login(server: ComposedApp, path: str) -> None:
    raw = httpx.Request("GET", server.url)
    raw.url = httpx.URL(server.url).copy_with(raw_path=path.encode())
    with httpx.Client() as anybody:
        answer = anybody.send(raw)
    assert answer.status_code in (401, 404)


def test_a_session_of_the_teacher_page_is_not_sent_to_the_station(teachers: dict[str, httpx.Client]) -> None:
    paths = {cookie.path for cookie in teachers["anna"].cookies.jar if "session" in cookie.name}
    assert paths == {"/teacher", "/api/v1"}


# tokens of servers


def token(server: ComposedApp, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Runs the command beside the running app; what it prints."""
    file = server.store.path.with_name("accounts.json")
    assert accounts_command(["--file", str(file), "token", *arguments]) == 0
    return capsys.readouterr().out.strip()


def test_a_token_opens_its_classes_until_it_is_revoked_while_the_app_runs(
    server: ComposedApp, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = token(server, capsys, "add", "piktomir", "--classes", CLASSES["anna"])
    program = client(server, authorization=f"Bearer {secret}")
    classes = {one["class_name"] for one in program.get("/lessons").json()["lessons"] if not one["synthetic"]}
    assert classes == {CLASSES["anna"]}
    started = program.post("/lessons", json={"title": "x", "class_name": CLASSES["anna"]})
    assert started.status_code == 201
    assert program.post("/lessons", json={"title": "x", "class_name": CLASSES["boris"]}).status_code == 403
    assert program.get(f"/lessons/{server.taught['boris'].lesson.id}/board").json()["reason"] == "unknown_lesson"
    assert program.post(f"/lessons/{started.json()['lesson']}/end").status_code == 200
    page = httpx.get(f"{server.url}/teacher/config", headers={"authorization": f"Bearer {secret}"}, timeout=PATIENCE)
    assert page.json()["username"] == "token piktomir", "for gradio_client too"
    wrong = client(server, authorization=f"Bearer {secret[:-1]}x").get("/lessons")
    assert (wrong.status_code, wrong.json()["reason"]) == (401, "bad_token")
    token(server, capsys, "revoke", "piktomir")
    assert program.get("/lessons").json()["reason"] == "bad_token"
    trail = [(entry.action, entry.detail) for entry in server.store.audit_entries() if "piktomir" in entry.detail]
    assert [action for action, _ in trail] == ["token_made", "token_revoked"]
    assert secret not in str(server.store.audit_entries())
    assert secret not in server.store.path.with_name("accounts.json").read_text()


# a child's tablet


def test_a_tablet_reads_the_signals_of_its_own_child_and_learns_nothing_else(
    server: ComposedApp, visitor: httpx.Client, teachers: dict[str, httpx.Client], lesson: dict[str, Any]
) -> None:
    other = teachers["anna"].post("/children", json={"class_name": CLASSES["anna"]}).json()
    mine, theirs = codes(lesson), {"lesson": lesson["code"], "child": other["code"]}
    fail_thrice(visitor, theirs)
    polled(visitor, "/station/signals", **theirs)
    assert visitor.get("/station/signals", params=mine).json()["signals"] == []
    fail_thrice(visitor, mine)
    own = polled(visitor, "/station/signals", **mine)
    assert [(one["kind"], one["suggestion_key"]) for one in own["signals"]] == [("struggling", "hint")]
    assert own["cursor"].startswith("00000000000000001-"), "nor how many signals others had"
    told = json.dumps(own)
    hidden = (lesson["lesson"], lesson["child"]["child"], lesson["child"]["animal"], other["child"], "Loops")
    assert not [word for word in hidden if f'"{word}"' in told or lesson["lesson"] in told]
    by_pseudonym = visitor.get("/station/signals", params={**mine, "child": lesson["child"]["child"]})
    assert by_pseudonym.json()["reason"] == "unknown_child"
    teachers["anna"].post("/children/consent", json={"child": lesson["child"]["child"], "given": False})
    withdrawn = visitor.get("/station/signals", params=mine)
    assert (withdrawn.status_code, withdrawn.json()["reason"]) == (403, "no_consent")
    teachers["anna"].post(f"/lessons/{lesson['lesson']}/end")
    assert visitor.get("/station/signals", params=theirs).json()["reason"] == "lesson_ended"


# streams


class Listening:
    """A program that listens to a stream in a thread of its own, until ``wanted`` events have come."""

    def __init__(self, one: httpx.Client, path: str, wanted: int = 1, **options: Any) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.open = threading.Event()
        self.thread = threading.Thread(target=self._listen, args=(one, path, wanted, options), daemon=True)
        self.thread.start()
        assert self.open.wait(PATIENCE)

    def _listen(self, one: httpx.Client, path: str, wanted: int, options: dict[str, Any]) -> None:
        with one.stream("GET", path, **options) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                self.open.set()
                name, _, value = line.partition(": ")
                fields[name] = value
                if not line and "data" in fields:
                    self.events.append((fields["id"], json.loads(fields["data"])))
                    fields = {}
                if len(self.events) == wanted:
                    return

    def wait(self) -> list[tuple[str, dict[str, Any]]]:
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return self.events


def test_a_stream_tells_each_signal_as_it_comes_and_goes_on_where_it_was(
    visitor: httpx.Client, teachers: dict[str, httpx.Client], lesson: dict[str, Any]
) -> None:
    path = f"/lessons/{lesson['lesson']}/signals"
    teacher = Listening(teachers["anna"], f"{path}/stream")
    tablet = Listening(visitor, "/station/signals/stream", params=codes(lesson))
    fail_thrice(visitor, codes(lesson))
    ((cursor, event),) = teacher.wait()
    polled_one = teachers["anna"].get(path).json()
    assert event["signals"] == polled_one["signals"], "the JSON and the cursor are those of a poll"
    assert (event["cursor"], cursor) == (polled_one["cursor"], polled_one["cursor"])
    assert {"server_time", "version"} <= event.keys()
    assert tablet.wait()[0][1]["signals"][0]["id"] == event["signals"][0]["id"]
    goes_on = Listening(teachers["anna"], f"{path}/stream", headers={"last-event-id": cursor})
    other = teachers["anna"].post("/children", json={"class_name": CLASSES["anna"]}).json()
    fail_thrice(visitor, {**codes(lesson), "child": other["code"]})
    ((_, later),) = goes_on.wait()
    assert [(one["change"], one["child"]) for one in later["signals"]] == [("raised", other["child"])]


def test_what_a_stream_waits_for_by_itself_is_less_than_a_second() -> None:
    """Between a commit and the look at it, and between two looks of the stream."""
    assert LEAST_SECONDS + event_streams.TICK_SECONDS < 1


def test_a_stream_ends_when_the_child_may_no_longer_be_watched_and_then_says_why(
    visitor: httpx.Client, teachers: dict[str, httpx.Client], lesson: dict[str, Any]
) -> None:
    tablet = Listening(visitor, "/station/signals/stream", params=codes(lesson))
    teachers["anna"].post(f"/lessons/{lesson['lesson']}/end")
    assert tablet.wait() == []
    again = visitor.get("/station/signals/stream", params=codes(lesson))
    assert (again.status_code, again.json()["reason"]) == (409, "lesson_ended")


def test_one_child_cannot_hold_any_number_of_streams(
    server: ComposedApp, lesson: dict[str, Any], teachers: dict[str, httpx.Client]
) -> None:
    with httpx.Client(base_url=f"{server.url}/api/v1", timeout=PATIENCE) as tablet:
        open_ones = [
            Listening(tablet, "/station/signals/stream", params=codes(lesson)) for _ in range(event_streams.MOST_OF_ONE)
        ]
        one_more = tablet.get("/station/signals/stream", params=codes(lesson))
        assert (one_more.status_code, one_more.json()["reason"]) == (503, "busy")
        teachers["anna"].post(f"/lessons/{lesson['lesson']}/end")  # which ends them
        assert [one.wait() for one in open_ones] == [[]] * event_streams.MOST_OF_ONE


def test_guessing_codes_at_the_signals_is_paid_for_as_everywhere(visitor: httpx.Client) -> None:
    """Last, because it uses up what this address may guess."""
    for number in range(130):
        answer = visitor.get("/station/signals", params={"lesson": f"zz{number:04}", "child": "fox-aaaa"})
    assert (answer.status_code, answer.json()["reason"]) == (429, "busy")
