"""What a station may: record for the child whose code it knows, into a lesson that is open, and read nothing.

And what anybody may ask for at most: requests, lessons.
"""

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from analytics.simulation.sample import SAMPLE_ID
from analytics.store.records import utc_now
from tests.composed import HINT, NOTE, PASSWORD, TITLE, ComposedApp, Taught, composed_app
from tests.stations import PICTURE

pytestmark = pytest.mark.slow

FRAME = PICTURE.read_bytes()
HOST = "http://school.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    folder = tmp_path_factory.mktemp("station")
    with composed_app(folder, lessons_open=2, requests_per_minute=600) as composed:
        yield composed


@pytest.fixture
def anna(server: ComposedApp) -> Taught:
    """Anna's lesson, which runs."""
    return server.taught["anna"]


def send(server: ComposedApp, lesson: str, child: str, **query: str) -> httpx.Response:
    """One frame through the plain route."""
    params = {"lesson": lesson, "child": child, **query}
    return httpx.post(server.url + "/observe", params=params, content=FRAME, timeout=120)


def call(server: ComposedApp, endpoint: str, *data: Any) -> str:
    """The answer of a named endpoint as it comes over the wire."""
    joined = httpx.post(f"{server.url}/gradio_api/call/{endpoint}", json={"data": data}, timeout=120)
    assert joined.status_code == 200, joined.text
    event = joined.json()["event_id"]
    return httpx.get(f"{server.url}/gradio_api/call/{endpoint}/{event}", timeout=120).text


def stored(server: ComposedApp) -> list[int]:
    """Rows of all lessons: observations and events."""
    lessons = server.store.lessons()
    return [
        sum(len(server.store.observations(lesson.id)) for lesson in lessons),
        sum(len(server.store.events(lesson.id)) for lesson in lessons),
    ]


def test_without_the_child_s_code_nothing_is_written_into_its_record(server: ComposedApp, anna: Taught) -> None:
    before = stored(server)
    other = server.taught["boris"]
    wrong = [
        anna.children[0].pseudonym,  # an export shows it
        anna.children[0].animal,
        anna.codes[0][:-1] + ("2" if anna.codes[0][-1] != "2" else "3"),
        other.codes[0],  # the code of a child of another class
        other.children[0].pseudonym,
    ]
    for child in wrong:
        answer = send(server, anna.lesson.code, child)
        assert (answer.status_code, answer.json()["recorded"]) == (404, False)
        assert "event: error" in call(server, "log_event", anna.lesson.code, "hint", "x", child, None, None)
    assert stored(server) == before


def test_nothing_is_written_into_a_lesson_that_is_not_open(server: ComposedApp, anna: Taught) -> None:
    ended = server.recorder.end_lesson(server.recorder.start_lesson("Over", anna.lesson.class_name, 5).id)
    long_ago = utc_now() - timedelta(hours=5)
    forgotten = type(ended)(uuid.uuid4().hex, "zzz222", "Forgotten", ended.class_name, long_ago, 30.0)
    server.store.add_lesson(forgotten)
    before = stored(server)
    for lesson in (ended.code, ended.id, forgotten.code, SAMPLE_ID):
        answer = send(server, lesson, anna.codes[0])
        assert answer.json()["reason"] == "lesson_ended"
        assert '"recorded": false' in call(server, "log_event", lesson, "hint", "x", anna.codes[0], None, None)
        assert '"recorded": false' in call(server, "log_event", lesson, "break", "x", None, None, None)
    assert send(server, "zzzzzz", anna.codes[0]).status_code == 404
    early = (anna.lesson.started_at - timedelta(minutes=1)).isoformat()
    assert send(server, anna.lesson.code, anna.codes[0], at=early).json()["reason"] == "before_lesson"
    assert stored(server) == before


def test_a_station_reads_nothing_of_what_was_observed(server: ComposedApp, anna: Taught) -> None:
    """Not even its own child's earlier frames: an id that is known already is answered with what was sent now."""
    first = send(server, anna.lesson.code, anna.codes[1], id="frame-1").json()
    assert first["recorded"]
    rows = stored(server)
    again = send(server, anna.lesson.code, anna.codes[1], id="frame-1").json()
    assert again["probabilities"] == first["probabilities"], "it is the same picture"
    assert stored(server) == rows
    answers = [
        send(server, anna.lesson.code, anna.codes[1]).text,
        call(server, "lesson_status", anna.lesson.code),
        call(server, "log_event", anna.lesson.code, "hint", "x", anna.codes[1], None, None),
        httpx.post(
            server.url + "/admission", params={"lesson": anna.lesson.code, "child": anna.codes[1]}, timeout=60
        ).text,
        httpx.get(server.url + "/config", timeout=60).text,
        httpx.get(server.url + "/", timeout=60).text,
    ]
    secrets = [NOTE, HINT, "Canary-task", *(child.pseudonym for child in anna.children), *anna.codes]
    for answer in answers:
        assert not [word for word in secrets if word in answer]
    assert TITLE in answers[1], "the title is what a station may know of a lesson"
    told = json.loads(answers[1].partition("data: ")[2].splitlines()[0])[0]
    assert set(told) == {"open", "title", "seconds_left"}


def test_withdrawing_consent_stops_the_next_frame_admission_and_event(server: ComposedApp, anna: Taught) -> None:
    code, child = anna.codes[2], anna.children[2]
    assert send(server, anna.lesson.code, code).json()["recorded"]
    server.recorder.set_consent(child.pseudonym, False)
    before = stored(server)
    answer = send(server, anna.lesson.code, code)
    assert (answer.status_code, answer.json()["recorded"], answer.json()["reason"]) == (200, False, "no_consent")
    admission = httpx.post(
        server.url + "/admission", params={"lesson": anna.lesson.code, "child": code}, timeout=60
    ).json()
    assert (admission["admitted"], admission["reason"]) == (False, "no_consent")
    assert '"recorded": false' in call(server, "log_event", anna.lesson.code, "hint", "x", code, None, None)
    assert stored(server) == before


def log_in(server: ComposedApp, name: str) -> httpx.Client:
    form = {"username": name, "password": PASSWORD}
    answer = httpx.post(server.url + "/teacher/login", data=form, timeout=120)
    assert answer.status_code == 200
    return httpx.Client(base_url=server.url, timeout=120, cookies=answer.cookies)


def start(client: httpx.Client, class_name: str) -> str:
    """The answer to starting one more lesson."""
    joined = client.post("/teacher/gradio_api/call/start_lesson", json={"data": ["More", class_name, 5]})
    return client.get(f"/teacher/gradio_api/call/start_lesson/{joined.json()['event_id']}").text


def test_open_lessons_are_limited_for_each_teacher(server: ComposedApp, anna: Taught) -> None:
    with log_in(server, "anna") as client:
        opened = [start(client, anna.lesson.class_name) for _ in range(3)]
    assert ["event: complete" in answer for answer in opened] == [True, True, False]
    assert "2 lessons open already" in opened[2]
    with log_in(server, "boris") as client:
        assert "event: complete" in start(client, server.taught["boris"].lesson.class_name)
        refused = start(client, anna.lesson.class_name)
    assert "is not one of your classes" in refused
    assert refused.replace(anna.lesson.class_name, "…") == start_refused(server, "Class-of-Nobody")


def start_refused(server: ComposedApp, class_name: str) -> str:
    """What boris is told of a class that does not exist."""
    with log_in(server, "boris") as client:
        return start(client, class_name).replace(class_name, "…")


def test_requests_are_limited_for_each_address(server: ComposedApp) -> None:
    greedy = TestClient(server.app, base_url=HOST, client=("192.168.7.1", 1))
    other = TestClient(server.app, base_url=HOST, client=("192.168.7.2", 1))
    answers = [greedy.post("/admission") for _ in range(400)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].status_code == 200
    assert refused
    assert int(refused[0].headers["retry-after"]) >= 1
    assert refused[0].json()["reason"] == "busy"
    assert "Wait" in refused[0].json()["error"]
    assert other.post("/admission").status_code == 200
    russian = greedy.post("/admission", headers={"Accept-Language": "ru"})
    if russian.status_code == 429:
        assert "Подождите" in russian.json()["error"]
