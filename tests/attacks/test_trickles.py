"""A stranger sends bodies that cost far more than they carry: letter by letter, without an end, or to be remembered."""

import io
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import numpy as np
import pytest
from PIL import Image

from emotion.images import ImageError
from emotion.images.camera_frames import MOST_SEGMENTS, check_camera_frame
from emotion.serving.rate_limits import MOST_BODIES_OF_A_CLIENT, SLOW_SECONDS
from emotion.serving.slow_clients import MAXIMUM_CONNECTIONS
from tests.attack_target import Target
from tests.class_in_lesson import class_in_lesson, memory, stranger

CHUNKED = b"POST %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
SLOW = (
    b"POST /gradio_api/call/lesson_status HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 60\r\n\r\n{"
)


def connect(target: Target, address: str) -> socket.socket:
    return socket.create_connection(target.address, timeout=10, source_address=(address, 0))


@pytest.mark.parametrize(
    "path",
    [
        b"/observe?lesson=x&child=y",
        b"/api/v1/station/observe?lesson=x&child=y",
        b"/api/v1/station/events",
        b"/gradio_api/call/lesson_status",
        b"/teacher/login",
    ],
)
def test_a_body_in_chunks_of_a_letter_ends_the_connection(target: Target, path: bytes) -> None:
    """9 MB of them stopped the server for ten seconds."""
    with connect(target, "127.0.11.1") as connection:
        with suppress(ConnectionError):  # it may be closed before all is sent
            connection.sendall(CHUNKED % path + b"1\r\nx\r\n" * 20_000)
        began = time.monotonic()
        with suppress(ConnectionError):
            while connection.recv(65536):
                pass
        assert time.monotonic() - began < 2


def test_a_body_in_ordinary_chunks_is_taken(target: Target) -> None:
    pieces = (piece for piece in [b"x" * 1000] * 50)
    with stranger(target, "127.0.11.2") as program:
        answer = program.post("/observe", params={"lesson": "x", "child": "y"}, content=pieces)
    assert answer.status_code < 500
    assert answer.json()["recorded"] is False


@pytest.mark.slow
def test_connections_that_send_chunks_of_a_letter_do_not_stop_the_class(target: Target) -> None:
    """Four programs at one address, each 360 kB a connection: the server did not come back."""
    body = CHUNKED % b"/observe?lesson=x&child=y" + b"1\r\nx\r\n" * 60_000

    def send(_: int) -> int:
        sent, until = 0, time.monotonic() + 20
        while time.monotonic() < until:
            with suppress(OSError), connect(target, "127.0.11.3") as connection:
                connection.sendall(body)
            sent += 1
            time.sleep(0.05)
        return sent

    with class_in_lesson(target), ThreadPoolExecutor(4) as programs:
        assert sum(programs.map(send, range(4))) > 50


@pytest.mark.slow
def test_bodies_that_never_end_shut_no_child_out_behind_the_same_address(target: Target) -> None:
    """Six hundred, opened anew when closed: the class's own waiting connections made room, and it lost 30 s."""
    held, opened = [], 0
    with class_in_lesson(target):
        until = time.monotonic() + 20
        while time.monotonic() < until:
            for _ in range(12):
                connection = connect(target, "127.0.0.1")
                connection.sendall(SLOW)
                held.append(connection)
                opened += 1
            for old in held[: -MAXIMUM_CONNECTIONS - 20]:
                old.close()
            del held[: -MAXIMUM_CONNECTIONS - 20]
            time.sleep(0.03)
    for connection in held:
        connection.close()
    assert opened > MAXIMUM_CONNECTIONS


def test_a_body_that_breaks_off_leaves_no_trace_in_the_log(target: Target) -> None:
    """A request of 130 bytes wrote 2.9 kB, 31 MB in two minutes."""
    before = target.app.log.stat().st_size
    for _ in range(30):
        with connect(target, "127.0.11.4") as connection:
            connection.sendall(SLOW)
            time.sleep(0.02)
    time.sleep(1)
    written = target.app.log.read_bytes()[before:]
    assert b"Traceback" not in written
    assert len(written) < 30 * 300


def test_frames_that_never_end_make_room_for_a_child_s(target: Target) -> None:
    """Eighty-two connections of two strangers kept every child that was not known yet out for a minute."""
    head = b"POST /observe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nx"
    held = []
    for place in range(2 * MOST_BODIES_OF_A_CLIENT):
        connection = connect(target, f"127.0.11.{5 + place % 2}")
        connection.sendall(head)
        held.append(connection)
    time.sleep(SLOW_SECONDS + 0.5)
    with stranger(target, "127.0.11.9") as newcomer:
        answer = newcomer.post("/observe", params={"lesson": "x", "child": "y"}, content=b"x")
    assert answer.json()["reason"] != "busy"
    for connection in held:
        connection.close()


def test_calls_of_thousands_of_lists_are_refused_before_they_are_remembered(target: Target) -> None:
    """62 kB of them took 1.7 MB each, for good."""
    before = memory(target)
    with stranger(target, "127.0.11.10") as program:
        for number in range(40):
            call = {"session_hash": f"many{number}", "data": [[[0]] * 15_000]}
            answer = program.post("/gradio_api/call/lesson_status", content=json.dumps(call, separators=(",", ":")))
            assert answer.status_code == 400
    assert memory(target) - before < 30


def test_uploads_that_nobody_makes_are_not_remembered(target: Target) -> None:
    """Each identifier that somebody asked about was kept, 59 kB of it, for good."""
    before = memory(target)

    def ask(number: int) -> None:
        # A head that arrives in two pieces is too long, and the connection is closed while the rest is on its way.
        with stranger(target, "127.0.11.11") as program, suppress(httpx.TransportError):
            program.get("/gradio_api/upload_progress", params={"upload_id": f"{number}" + "x" * 50_000})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(300)))
    assert memory(target) - before < 10


def jpeg() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(stream, "JPEG")
    return stream.getvalue()


@pytest.mark.parametrize("segment", [b"\xff\xfe\x00\x02", b"\xff\xed\x00\x02", b"\xff\xdb\x00\x02\xff", b"\xff\x01"])
def test_a_frame_of_many_segments_is_refused_at_once(segment: bytes) -> None:
    """Two megabytes of them took five seconds, and held up everybody."""
    picture = jpeg()
    began = time.perf_counter()
    with pytest.raises(ImageError, match="segments"):
        check_camera_frame(picture[:2] + segment * 400_000 + picture[2:])
    assert time.perf_counter() - began < 0.1
    check_camera_frame(picture[:2] + b"\xff\xfe\x00\x02" * (MOST_SEGMENTS - 50) + picture[2:])


def test_a_large_webp_is_no_frame() -> None:
    """4000 x 4000, decoded whole, took four seconds."""
    stream = io.BytesIO()
    Image.new("RGB", (2600, 2000)).save(stream, "WEBP")
    with pytest.raises(ImageError, match="take too long"):
        check_camera_frame(stream.getvalue())


@pytest.mark.slow
def test_addresses_that_are_not_there_cost_the_asker(target: Target) -> None:
    """They were counted by nothing: 1,360 a second, and the class waited 3.4 s."""

    def ask(_: int) -> None:
        until = time.monotonic() + 15
        with stranger(target, "127.0.11.12") as program:
            while time.monotonic() < until:
                program.get("/nothing-here")

    with class_in_lesson(target), ThreadPoolExecutor(40) as programs:
        list(programs.map(ask, range(40)))


@pytest.mark.parametrize(
    "path", ["/static/" + "x" * 300, "/assets/" + "x/" * 600, "/teacher/static/" + "%D0%B6" * 150, "/" + "x" * 15_000]
)
def test_a_path_that_no_file_has_is_not_looked_for(target: Target, path: str) -> None:
    """A name of 300 letters was a 500, and 58 kB a line of the log as long."""
    before = target.app.log.stat().st_size
    with stranger(target, "127.0.11.13") as visitor:
        answer = visitor.get(path)
    assert answer.status_code == 404
    assert target.app.log.stat().st_size - before < 5000


@pytest.mark.parametrize("detail", ["a\\u0000b", "\\ud800"])
def test_a_text_that_cannot_be_stored_is_the_caller_s_mistake(target: Target, detail: str) -> None:
    before = target.app.log.stat().st_size
    with stranger(target, "127.0.11.14") as program:
        data = f'["{target.lesson.code}", "hint", "{detail}", "{target.codes[0]}", null, null]'
        asked = program.post("/gradio_api/call/log_event", content=f'{{"data": {data}}}')
        assert asked.status_code == 200, asked.text
        event = asked.json()["event_id"]
        answer = program.get(f"/gradio_api/call/log_event/{event}").text
    assert "must be a text" in answer
    assert b"Traceback" not in target.app.log.read_bytes()[before:]


def test_an_origin_that_is_no_address_is_another_site(target: Target) -> None:
    with stranger(target, "127.0.11.15") as visitor:
        answer = visitor.post("/admission", headers={"Origin": "http://[x"})
    assert answer.status_code == 403
    assert answer.headers["x-content-type-options"] == "nosniff"
