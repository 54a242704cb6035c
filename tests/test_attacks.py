"""What a hostile visitor tries on the running app, and that each is refused while a child's lesson goes on."""

import csv
import gzip
import io
import json
import re
import socket
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from emotion.serving.slow_clients import HEADER_TIMEOUT_SECONDS
from tests.attack_target import FRAME, Target
from tests.composed import CLASSES, PASSWORD, account_variable
from tests.running_app import SECRET, running_app

pytestmark = pytest.mark.slow

FORMULAS = ('=HYPERLINK("http://evil.example")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1+1")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("attacked")
    with LessonStore(folder / "lessons.duckdb") as store:
        recorder = LessonRecorder(store, SECRET.encode())
        lesson = recorder.start_lesson(FORMULAS[0], CLASSES["anna"], 45)
        codes = [recorder.enrol(CLASSES["anna"], "parent", "1")[0] for _ in range(3)]
        for formula in FORMULAS:
            recorder.log_event(lesson.id, "note", formula, codes[0])
    with running_app(folder, EMOTION_ACCOUNTS=account_variable(CLASSES)) as app:
        yield Target(app, folder, lesson, codes)


@pytest.fixture(autouse=True)
def lesson_goes_on(target: Target) -> Iterator[None]:
    """After every attack the next frame of a child is recorded, and nothing broke."""
    yield
    time.sleep(0.2)
    answer = target.frame(2)
    assert answer.json().get("recorded"), answer.text
    assert "Traceback" not in target.app.log.read_text()


# files and uploads


@pytest.mark.parametrize("kind", ["absolute", "relative", "address", "secret", "stream"])
def test_a_function_takes_no_file_that_was_not_uploaded(target: Target, kind: str) -> None:
    """Gradio itself would read, copy and show any picture of the server to whoever names its path."""
    private = target.folder / "private.jpg"
    private.write_bytes(FRAME)
    path = {
        "absolute": str(private),
        "relative": "../private.jpg",
        "address": target.app.url + "/gradio_api/app_id",
        "secret": str(target.folder / "lessons.duckdb"),
        "stream": str(private),
    }[kind]
    file = {"path": path, "meta": {"_type": "gradio.FileData"}, "is_stream": kind == "stream"}
    for answer in (
        target.call("predict", file),
        target.call("predict", {"path": path}),
        target.call("predict_batch", [file]),
        target.call("observe", target.lesson.code, target.codes[0], file, None, None),
        target.call("observe", target.lesson.code, target.codes[0], {"path": path}, None, None),
    ):
        assert "event: error" in answer
        assert "did not arrive" in answer or "There is no image" in answer, answer
        assert "probabilities" not in answer
    assert private.exists(), "and none is deleted"


@pytest.mark.parametrize("name", ["../../../escaped.jpg", "/tmp/escaped.jpg", "..\\escaped.jpg", ".bashrc", "a\0b.jpg"])
def test_an_upload_lands_in_the_upload_folder_whatever_it_is_called(target: Target, name: str) -> None:
    boundary = b"----frontier"
    body = (
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="files"; filename="' + name.encode() + b'"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n" + FRAME + b"\r\n--" + boundary + b"--\r\n"
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}
    answer = httpx.post(target.app.url + "/gradio_api/upload", content=body, headers=headers)
    assert answer.status_code < 500
    if answer.status_code == 200:
        landed = Path(answer.json()[0])
        assert re.search(r"/expression-uploads-\d+-[^/]+/[0-9a-f]{32}/[0-9a-f]{64}/[^/]+$", str(landed.resolve())), (
            landed
        )
    assert not Path("/tmp/escaped.jpg").exists()
    assert not list(target.folder.rglob("*escaped*"))


def test_an_uploaded_page_is_not_shown_as_one(target: Target) -> None:
    """A page from our own address could act in a teacher's name."""
    script = b"<html><script>alert(1)</script></html>"
    for name, kind in (("x.html", "text/html"), ("x.svg", "image/svg+xml")):
        (path,) = httpx.post(target.app.url + "/gradio_api/upload", files={"files": (name, script, kind)}).json()
        answer = httpx.get(f"{target.app.url}/gradio_api/file={path}")
        assert "attachment" in answer.headers.get("content-disposition", "") or answer.status_code >= 400
        assert answer.headers["x-content-type-options"] == "nosniff"


def bombs() -> dict[str, bytes]:
    """Small things that unpack to large ones."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(50_000_000))
    gif = (
        b"GIF89a"
        + (60000).to_bytes(2, "little") * 2
        + b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0"
        + b"\x60\xea" * 2
        + b"\0;"
    )
    return {"zip": archive.getvalue(), "gzip": gzip.compress(bytes(50_000_000)), "gif of 3600 megapixels": gif}


@pytest.mark.parametrize("kind", list(bombs()))
def test_a_decompression_bomb_is_not_unpacked(target: Target, kind: str) -> None:
    bomb = bombs()[kind]
    query = {"lesson": target.lesson.code, "child": target.codes[1]}
    before = resident_megabytes(target)
    for headers in ({}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "deflate"}):
        answer = httpx.post(target.app.url + "/observe", params=query, content=bomb, headers=headers, timeout=60)
        assert answer.status_code in (413, 422)
    (path,) = httpx.post(target.app.url + "/gradio_api/upload", files={"files": ("bomb.png", bomb)}).json()
    assert "event: error" in target.call("predict", {"path": path, "meta": {"_type": "gradio.FileData"}})
    assert resident_megabytes(target) - before < 150


def resident_megabytes(target: Target) -> float:
    """Memory of the app's process."""
    status = Path(f"/proc/{target.app.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1000


@pytest.mark.parametrize(
    "path", ["/observe", "/admission", "/teacher/login", "/gradio_api/upload", "/gradio_api/queue/join",
             "/gradio_api/call/predict", "/teacher/gradio_api/queue/join"]
)  # fmt: skip
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_a_hundred_megabytes_is_refused_and_kept_nowhere(target: Target, path: str, announced: bool) -> None:
    before = resident_megabytes(target)
    body = (bytes(1_000_000) for _ in range(100))
    headers = {"Content-Length": "100000000"} if announced else {}
    try:
        answer = httpx.post(target.app.url + path, content=body, headers=headers, timeout=120)
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        pass  # the server had answered and closed the connection while we were still sending
    else:
        assert 400 <= answer.status_code < 500 or path == "/admission", "which looks at no body"
    assert resident_megabytes(target) - before < 60


# connections and headers


def test_slow_clients_are_disconnected_and_others_are_served(target: Target) -> None:
    slow = [socket.create_connection(target.address, timeout=HEADER_TIMEOUT_SECONDS + 30) for _ in range(200)]
    try:
        for connection in slow:
            connection.sendall(b"POST /observe HTTP/1.1\r\nHost: x\r\nX-A: ")
        began = time.monotonic()
        assert target.frame(0).json()["recorded"]
        for connection in slow:
            connection.sendall(b"a")
        assert time.monotonic() - began < HEADER_TIMEOUT_SECONDS, "the others did not have to wait for it"
        assert [connection.recv(1) for connection in slow] == [b""] * len(slow)
        assert time.monotonic() - began < HEADER_TIMEOUT_SECONDS + 15
    finally:
        for connection in slow:
            connection.close()


REQUEST = b"GET /healthz HTTP/1.1\r\nHost: school.example\r\n"
ABUSED_HEADERS = {
    "a header of a megabyte": REQUEST + b"X-A: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "a hundred thousand headers": REQUEST + b"".join(b"X-%d: a\r\n" % number for number in range(100_000)) + b"\r\n",
    "an address of a megabyte": b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": REQUEST + b"Host: evil.example\r\n\r\n",
    "a length that is none": b"POST /observe HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST /observe HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a newline in a name": REQUEST + b"X\n-A: b\r\n\r\n",
    "a null in a value": REQUEST + b"X-A: a\0b\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00" * 20 + b"\r\n\r\n",
}


@pytest.mark.parametrize("kind", ABUSED_HEADERS)
def test_headers_that_no_browser_sends_are_refused(target: Target, kind: str) -> None:
    answer = target.raw(ABUSED_HEADERS[kind])
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))


def test_a_request_is_not_smuggled_behind_another_one(target: Target) -> None:
    """Two statements of a length: what one program takes for a body another one would take for a second request."""
    smuggled = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    lengths = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (len(smuggled) + 5)
    request = b"POST /admission HTTP/1.1\r\nHost: localhost\r\n" + lengths + smuggled
    answer = target.raw(request)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"expression_frames" not in answer


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80@localhost", "<script>alert(1)</script>", "a" * 300])
def test_a_forged_host_header_is_not_trusted(target: Target, host: str) -> None:
    for path in ("/", "/healthz", "/teacher/login", "/nowhere"):
        answer = target.raw(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\r\n".encode())
        assert b"<script>alert" not in answer
    assert target.raw(f"GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).startswith(b"HTTP/1.1 403")


FOREIGN = ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"})


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(
    "path", ["/observe", "/admission", "/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/call/observe",
             "/teacher/login", "/teacher/logout", "/teacher/gradio_api/call/erase_child"]
)  # fmt: skip
def test_requests_from_another_site_are_refused(target: Target, path: str, headers: dict[str, str]) -> None:
    with teacher(target) as anna:
        answer = anna.post(path, content=b"{}", headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.json()["error"]
    assert not [name for name in answer.headers if name.startswith("access-control-")]


_sessions: dict[str, str] = {}


def teacher(target: Target) -> httpx.Client:
    """A client of anna's, who logged in once."""
    if target.app.url not in _sessions:
        form = {"username": "anna", "password": PASSWORD}
        answer = httpx.post(target.app.url + "/teacher/login", data=form, timeout=120)
        assert answer.status_code == 200
        _sessions[target.app.url] = answer.cookies["teacher_session"]
    client = httpx.Client(base_url=target.app.url, timeout=120)
    client.cookies.set("teacher_session", _sessions[target.app.url], path="/teacher")
    return client


def export(anna: httpx.Client, lesson: str, kind: str) -> bytes:
    """A lesson as a file, as a program fetches it."""
    event = anna.post("/teacher/gradio_api/call/export_lesson", json={"data": [lesson, kind]}).json()["event_id"]
    answer = anna.get(f"/teacher/gradio_api/call/export_lesson/{event}").text
    file = json.loads(answer.partition("data: ")[2].splitlines()[0])[0]
    return anna.get(f"/teacher/gradio_api/file={file['path']}").content


def test_no_cell_of_an_export_starts_a_formula(target: Target) -> None:
    with teacher(target) as anna, zipfile.ZipFile(io.BytesIO(export(anna, target.lesson.id, "csv"))) as archive:
        tables = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist() if name.endswith(".csv")}
    cells = [cell for text in tables.values() for row in csv.reader(io.StringIO(text)) for cell in row]
    typed = [cell.replace("'", "") for cell in cells]
    assert sum(formula in cell for formula in FORMULAS for cell in typed) >= len(FORMULAS) + 1, "nothing typed is lost"
    starts = tuple("=+-@\t\r＝")
    dangerous = [
        cell for cell in cells if cell.startswith(starts) and not re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell)
    ]
    assert dangerous == []


# guessing, flooding, and what is said of it


def test_guessing_a_password_locks_out_and_says_for_how_long(target: Target) -> None:
    with httpx.Client(base_url=target.app.url, timeout=60) as client:
        answers = [
            client.post("/teacher/login", data={"username": "boris", "password": f"wrong {n}"}) for n in range(7)
        ]
        assert [answer.status_code for answer in answers][:5] == [401] * 5
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert client.get("/teacher/config").status_code == 401
    with teacher(target) as anna:
        assert anna.get("/teacher/config").status_code == 200, "who is in stays in"


@pytest.mark.parametrize("token", ["", "x", "' OR 1=1 --", "0" * 43])
def test_a_forged_session_is_refused(target: Target, token: str) -> None:
    answer = httpx.get(target.app.url + "/teacher/config", headers={"Cookie": f"teacher_session={token}"})
    assert answer.status_code == 401


def test_a_stolen_session_ends_with_the_logout(target: Target) -> None:
    with teacher(target) as anna:
        stolen = {"Cookie": f"teacher_session={_sessions.pop(target.app.url)}"}
        assert anna.get("/teacher/config").status_code == 200
        anna.get("/teacher/logout")
    assert httpx.get(target.app.url + "/teacher/config", headers=stolen).status_code == 401


def test_too_many_frames_of_one_child_are_refused_and_other_children_are_recorded(target: Target) -> None:
    query = {"lesson": target.lesson.code, "child": target.codes[0]}
    with httpx.Client(base_url=target.app.url, timeout=60) as client, ThreadPoolExecutor(16) as threads:
        # What is no picture costs least, so a busy machine gets fast enough too.
        flood = list(threads.map(lambda _: client.post("/observe", params=query, content=b"x"), range(300)))
    refused = [answer for answer in flood if answer.status_code == 429]
    assert refused
    assert "frames a second" in refused[0].json()["error"]
    assert int(refused[0].headers["retry-after"]) >= 1
    assert target.frame(1).json()["recorded"]


def test_malformed_calls_leave_no_code_in_the_log(target: Target) -> None:
    """Gradio would print the arguments of a call that it cannot serve."""
    own = target.codes[0]
    for answer in (
        target.call("observe", target.lesson.code, own),
        target.call("log_event", target.lesson.code, "hint", {"deep": [own]}, own, None, None, None),
        target.call("observe", target.lesson.code, own, {"path": own, "meta": own}, None, None),
        target.call("lesson_status", [target.lesson.code]),
    ):
        assert "Traceback" not in answer
    text = target.app.log.read_text()
    assert not [word for word in (*target.codes, target.lesson.code, target.lesson.id) if word in text]


def test_core_dumps_are_off(target: Target) -> None:
    limits = Path(f"/proc/{target.app.process.pid}/limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0\s", limits)


def test_metrics_count_frames_batches_and_errors(target: Target) -> None:
    before, after = metrics(target), {}
    assert target.frame(0).json()["recorded"]
    with ThreadPoolExecutor(6) as threads:  # the same child at once: what waits is replaced, or refused
        list(threads.map(lambda _: target.frame(1), range(24)))
    after = metrics(target)

    def grown(name: str) -> float:
        return after.get(name, 0.0) - before.get(name, 0.0)

    assert grown('expression_frames_total{outcome="recorded"}') >= 2
    assert grown('expression_frames_total{outcome="busy"}') + grown('expression_frames_total{outcome="replaced"}') >= 1
    assert grown("expression_frame_seconds_count") >= 2
    assert grown("expression_batch_faces_count") >= 2
    assert grown("expression_batch_faces_sum") >= grown("expression_batch_faces_count")
    assert after["expression_store_waiting"] == 0
    assert after["expression_frames_waiting"] == 0
    assert after["expression_errors_total"] == before["expression_errors_total"]
    assert after["process_resident_memory_bytes"] > 50e6


def metrics(target: Target) -> dict[str, float]:
    """What Prometheus would read."""
    text = httpx.get(target.app.url + "/metrics").text
    rows = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}
