"""Few bytes that cost much: texts and headers whose reading takes the square of their length, scans hidden from the
count, uploads of many files, bodies and answers that nobody takes, pages that are made anew."""

import io
import json
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emotion.images import ImageError
from emotion.images.camera_frames import check_camera_frame
from emotion.serving.function_calls import MOST_STREAMS_OF_A_CLIENT, depth_of
from emotion.serving.slow_clients import MAXIMUM_CONNECTIONS
from emotion.serving.upload_limits import MOST_FILES, UploadQuota
from emotion.station.form_body import read_form
from emotion.station.observing import RefusedError
from tests.attack_target import FRAME, Target
from tests.class_in_lesson import class_in_lesson, stranger
from tests.composed import PASSWORD

VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def depth(value: Any) -> int:
    """The same by what was parsed."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES, st.booleans())
def test_the_depth_of_a_text_is_that_of_what_it_says(value: Any, ascii_only: bool) -> None:
    assert depth_of(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "replace"))[0] == depth(value)


@pytest.mark.parametrize("end", [b"", b"\\", b'"', b'\\"'])
def test_a_text_of_quotes_that_are_never_closed_is_looked_at_once(end: bytes) -> None:
    """64 kB of them took the process 13 seconds."""
    began = time.perf_counter()
    depth_of(b'"' + b'\\"' * 32_700 + end)
    assert time.perf_counter() - began < 0.2


@pytest.mark.parametrize("header", ['multipart/form-data; boundary="' + ";" * 60_000, "a;" * 30_000])
def test_a_long_content_type_is_refused_unread(header: str) -> None:
    """60 kB of it took the process 3 seconds."""
    began = time.perf_counter()
    with pytest.raises(RefusedError):
        read_form(b"x", header, "en")
    assert time.perf_counter() - began < 0.2


def hidden_scans(times: int) -> bytes:
    """A progressive JPEG whose last scan is repeated, the repetitions behind a mark that has no length but looks so."""
    stream = io.BytesIO()
    grey = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    Image.fromarray(grey).save(stream, "JPEG", progressive=True)
    content = stream.getvalue()
    scan = content[content.rindex(b"\xff\xda") : -2]
    behind = scan * times
    return content[:-2] + b"\xff\x01" + min(65_535, len(behind) + 2).to_bytes(2, "big") + behind + b"\xff\xd9"


def test_scans_behind_a_mark_without_a_length_are_counted() -> None:
    assert Image.open(io.BytesIO(hidden_scans(1))).convert("L").size == (64, 64), "it is a picture that can be read"
    check_camera_frame(hidden_scans(1))
    with pytest.raises(ImageError) as caught:
        check_camera_frame(hidden_scans(60))
    assert caught.value.key == "too_costly"


def test_a_file_that_says_how_long_its_beginning_is_is_not_believed() -> None:
    """Two kilobytes took minutes and gigabytes; found by fuzzing."""
    began = time.perf_counter()
    with pytest.raises(ImageError):
        check_camera_frame(b"\xff\xff\xff\xffftyp" + bytes(2000))
    assert time.perf_counter() - began < 0.1


def test_uploads_are_counted_too_and_not_only_their_bytes(tmp_path: Path) -> None:
    quota = UploadQuota(most_uploads=5, most_uploads_of_a_client=3)
    for number in range(3):
        assert quota.has_room("a", 1)
        folder = tmp_path / str(number)
        folder.mkdir()
        with quota.upload(folder, "a", 1):
            (folder / "file").write_bytes(b"x")
    assert not quota.has_room("a", 1)
    assert quota.has_room("b", 1)
    (tmp_path / "0" / "file").unlink()
    (tmp_path / "0").rmdir()
    assert quota.has_room("a", 1)


@pytest.mark.slow
def test_an_upload_of_many_files_or_with_a_long_boundary_is_refused_in_a_sentence(target: Target) -> None:
    with stranger(target) as visitor:
        many = [("files", (f"{number}.jpg", FRAME)) for number in range(MOST_FILES + 1)]
        long = {"content-type": f'multipart/form-data; boundary="{"a" * 300}"'}
        answers = [
            visitor.post("/gradio_api/upload", files=many),
            visitor.post("/gradio_api/upload", content=b"x", headers=long),
        ]
        for answer in answers:
            assert answer.status_code == 400, answer.text
            assert "An upload holds up to" in answer.text
        assert visitor.post("/gradio_api/upload", files=many[:MOST_FILES]).status_code == 200


@pytest.mark.slow
def test_bytes_that_are_costly_to_read_do_not_stop_the_class(target: Target) -> None:
    with class_in_lesson(target), stranger(target) as visitor:
        for _ in range(4):
            for route in ("cancel", "queue/join", "call/predict", "reset"):
                with suppress(httpx.TransportError):  # what is too large may be refused while the rest is sent
                    visitor.post(f"/gradio_api/{route}", content=b'"' + b'\\"' * 32_700)
            header = {"content-type": 'multipart/form-data; boundary="' + ";" * 60_000}
            for path in ("/observe", "/gradio_api/upload"):
                with suppress(httpx.TransportError):  # the head of a request may be too long altogether
                    visitor.post(path, content=b"x", headers=header)


@pytest.mark.slow
def test_bodies_of_frames_without_a_code_do_not_fill_the_memory(target: Target) -> None:
    """Three hundred took 545 MB."""
    head = b"POST /observe?lesson=aaaaaa&child=fox-2222 HTTP/1.1\r\nHost: a\r\nContent-Length: 1900000\r\n\r\n"
    with class_in_lesson(target), ExitStack() as held:
        for _ in range(300):
            connection = socket.create_connection(target.address, timeout=10, source_address=("127.0.8.1", 0))
            held.enter_context(connection)
            with suppress(OSError):  # what is one too many is closed
                connection.sendall(head + b"x" * 1_899_990)
        time.sleep(3)


@pytest.mark.slow
def test_answers_that_nobody_takes_shut_no_tablet_out(target: Target) -> None:
    """Whoever asked six hundred times for a large file and read nothing shut out the address."""
    page = httpx.get(target.app.url + "/").text
    asset = "/assets/" + page.partition('src="./assets/')[2].partition('"')[0]
    request = f"GET {asset} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with class_in_lesson(target), ExitStack() as held:
        for _ in range(MAXIMUM_CONNECTIONS):
            connection = held.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.bind(("127.0.0.1", 0))
            connection.connect(target.address)
            connection.sendall(request)
            time.sleep(0.02)
        with stranger(target, "127.0.0.1") as tablet:
            answer = tablet.post("/admission", params={"lesson": target.lesson.code, "child": target.codes[0]})
        assert answer.json()["admitted"] is True


@pytest.mark.slow
def test_one_function_s_line_and_open_pages_leave_room_for_events_and_their_answers(target: Target) -> None:
    stop, filled = threading.Event(), Counter[int]()

    def fill() -> None:
        with stranger(target, "127.0.0.1") as neighbour:
            files = [("files", (f"{number}.jpg", FRAME)) for number in range(MOST_FILES)]
            paths = neighbour.post("/gradio_api/upload", files=files).json()
            photographs = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in paths]
            while not stop.is_set():
                call = neighbour.post("/gradio_api/call/predict_batch", json={"data": [photographs]})
                filled[call.status_code] += 1
                time.sleep(0.03)  # the number of requests is another limit

    with ExitStack() as held:
        client = held.enter_context(httpx.Client(limits=httpx.Limits(max_connections=None), timeout=60))
        for place in range(MOST_STREAMS_OF_A_CLIENT + 5):
            opened = client.send(httpx.Request("GET", f"{target.app.url}/gradio_api/heartbeat/h{place}"), stream=True)
            held.callback(opened.close)
        threads = [threading.Thread(target=fill) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            answers = Counter()
            for _ in range(10):
                data = [target.lesson.code, "note", "x", target.codes[3], None, None]
                joined = client.post(f"{target.app.url}/gradio_api/call/log_event", json={"data": data})
                answers[joined.status_code] += 1
                assert joined.status_code == 200, joined.text
                event = joined.json()["event_id"]
                assert "recorded" in client.get(f"{target.app.url}/gradio_api/call/log_event/{event}").text
                time.sleep(0.3)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert answers == {200: 10}
    assert filled[503] > 0, "the neighbour's own line was full"


@pytest.mark.slow
def test_a_teacher_and_a_tablet_go_on_behind_the_address_of_whoever_floods_it(target: Target) -> None:
    with stranger(target, "127.0.9.1") as teacher, stranger(target, "127.0.9.1") as tablet:
        teacher.post("/teacher/login", data={"username": "anna", "password": PASSWORD})
        tablet.post("/admission", params={"lesson": target.lesson.code, "child": target.codes[4]})
        until = time.monotonic() + 12

        def flood() -> int:
            refused = 0
            with stranger(target, "127.0.9.1") as neighbour:
                while time.monotonic() < until:
                    refused += neighbour.get("/healthz").status_code == 429
            return refused

        with ThreadPoolExecutor(4) as threads:
            floods = [threads.submit(flood) for _ in range(4)]
            seen: Counter[int] = Counter()
            while time.monotonic() < until:
                seen[teacher.get("/teacher/").status_code] += 1
                seen[tablet.get("/").status_code] += 1
                time.sleep(0.5)
        assert sum(one.result() for one in floods) > 50
    assert set(seen) == {200}, seen


@pytest.mark.slow
def test_pages_made_anew_for_a_stranger_do_not_slow_the_class(target: Target) -> None:
    """Eight programs that asked for nothing but the page took a core."""

    def ask(_: int) -> Counter[int]:
        answers: Counter[int] = Counter()
        until = time.monotonic() + 25
        with stranger(target, "127.0.10.1") as visitor:
            while time.monotonic() < until:
                answers[visitor.get("/").status_code] += 1
        return answers

    with class_in_lesson(target), ThreadPoolExecutor(8) as threads:
        asked = sum(threads.map(ask, range(8)), Counter())
    assert min(asked[429], asked[200]) > 50, asked
