"""The log of a whole lesson with everything that goes wrong in it: JSON lines, and nothing that leads to a child."""

import json
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest

from analytics.classroom.pseudonyms import pseudonym
from tests.faults import SWITCH
from tests.running_app import ROOT, SECRET, prepare_lesson, running_app
from tests.stations import PICTURE

pytestmark = pytest.mark.slow

NOTE = "canary-of-a-note"


def call(client: httpx.Client, address: str, data: object) -> str:
    """What a named function answers, as gradio_client asks for it."""
    page, name = address.rsplit("/", 1)
    answer = client.post(f"{page}/gradio_api/call/{name}", json={"data": data})
    if answer.status_code != 200:
        return answer.text
    return client.get(f"{page}/gradio_api/call/{name}/{answer.json()['event_id']}").text


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """What the process printed after a lesson in which much went wrong, and the words that it must not hold."""
    folder = tmp_path_factory.mktemp("logs")
    prepared = prepare_lesson(folder)
    first, second, _ = prepared.codes
    lesson, code, switch = prepared.lesson.id, prepared.lesson.code, folder / "fault"
    picture = PICTURE.read_bytes()
    program = ROOT / "tests" / "faulty_app.py"
    with running_app(folder, program=program, **{SWITCH: str(switch)}) as app:
        with httpx.Client(base_url=app.url, timeout=120, headers={"Cookie": "x-ray-cookie=1"}) as client:
            seen = {"lesson": code, "child": first}
            assert client.post("/observe", params=seen, content=picture).json()["recorded"]
            for wrong in ({"lesson": code + "x"}, {"child": first + "x"}, {"at": NOTE}, {"id": f"<{first}>"}):
                assert client.post("/observe", params=seen | wrong, content=picture).status_code >= 400
            assert client.post("/observe", params=seen, content=b"no picture").status_code == 422
            assert client.get("/observe", params=seen).status_code in (404, 405)
            assert client.get(f"/{code}/{first}").status_code == 404
            switch.touch()
            assert client.post("/observe", params=seen, content=picture).status_code == 503
            switch.unlink()
            call(client, "/log_event", [code, "note", NOTE, first])
            for data in ([lesson, "explosion", NOTE, first], [first], [[first]] * 9, {"child": first}):
                call(client, "/log_event", data)
            for name in ("observe", "lesson_status", "predict"):
                call(client, f"/{name}", [code, first, {"path": f"/tmp/{first}", "meta": {"_type": "gradio.FileData"}}])
            call(client, "/teacher/annotate", [lesson, second, NOTE, NOTE, "sad", NOTE])
            for name in ("timeline", "set_consent", "erase_child", "export_lesson", "class_board", "signals"):
                call(client, f"/teacher/{name}", [lesson, first])
            assert "rows" in call(client, "/teacher/erase_child", [second, prepared.class_name])
        with socket.create_connection(("127.0.0.1", int(app.url.rpartition(":")[2]))) as raw:
            raw.sendall(f"POST /observe?child={first} HTTP/9 {code}\r\n{NOTE}\r\n\r\n".encode())
            raw.recv(1000)
        assert app.stop() == 0
        pseudonyms = [pseudonym(SECRET.encode(), prepared.class_name, child) for child in prepared.codes]
        yield SimpleNamespace(
            text=app.log.read_text(),
            words=[*prepared.codes, *pseudonyms, code, lesson, prepared.lesson.title, NOTE, SECRET, "x-ray-cookie"],
        )


def test_nothing_that_leads_to_a_child_is_printed(lesson: SimpleNamespace) -> None:
    found = [word for word in lesson.words if word in lesson.text]
    assert found == [], [line for line in lesson.text.splitlines() if found[0] in line][:3]


def test_the_failure_itself_is_in_the_log_with_its_trace(lesson: SimpleNamespace) -> None:
    errors = [json.loads(line) for line in lesson.text.splitlines() if '"level": "ERROR"' in line]
    assert any("broken" in error.get("trace", "") for error in errors)


def test_every_line_is_an_object_with_time_level_and_message(lesson: SimpleNamespace) -> None:
    for line in lesson.text.splitlines():
        assert {"time", "level", "logger", "message"} <= set(json.loads(line)), line
