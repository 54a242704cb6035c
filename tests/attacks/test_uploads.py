"""A stranger leaves files behind, in every way in which an upload can go wrong, and fills the memory with them."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from emotion.serving.upload_limits import UploadQuota, sweep
from emotion.station.photograph.http_routes import EXAMPLES
from tests.attack_target import Target
from tests.class_in_lesson import class_in_lesson, stranger

PHOTOGRAPH = EXAMPLES["astronaut"].read_bytes()
ADDRESSES = (f"127.0.5.{number}" for number in range(1, 255))


def test_what_is_old_is_swept_whatever_it_is_and_the_pages_own_stays(tmp_path: Path) -> None:
    own, old, new = tmp_path / "a/example.jpg", tmp_path / "b/c/tmp123", tmp_path / "d/new.jpg"
    for file in (own, old, new):
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
    (tmp_path / "link").symlink_to(own)
    sweep(tmp_path, {own}, 1000)
    assert old.exists()
    time.sleep(0.3)
    new.write_bytes(b"y")
    sweep(tmp_path, {own}, 0.2)  # folders that were emptied by it go in the next round
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {own, new}
    for _ in range(3):
        time.sleep(0.3)
        sweep(tmp_path, {own}, 0.2)
    assert {path.name for path in tmp_path.rglob("*")} == {"a", "example.jpg"}


def test_uploads_have_room_for_others_whatever_one_client_sends(tmp_path: Path) -> None:
    quota = UploadQuota(most_bytes=1000, most_bytes_of_a_client=600)
    assert quota.has_room("huge", 5000), "one file of any size that the server takes"
    with quota.upload(tmp_path / "a", "one", 500):
        assert quota.has_room("one", 100)
        assert not quota.has_room("one", 101)
        assert quota.has_room("two", 500)
        assert not quota.has_room("two", 501)
    assert quota.has_room("one", 600), "it did not arrive"
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(bytes(500))
    with quota.upload(tmp_path / "a", "one", 500):
        pass
    assert not quota.has_room("one", 101), "it lies there"
    (tmp_path / "a" / "file").unlink()
    (tmp_path / "a").rmdir()
    assert quota.has_room("one", 600)


@pytest.fixture
def visitor(target: Target) -> Iterator[httpx.Client]:
    with stranger(target, next(ADDRESSES)) as client:
        yield client


def left_behind(target: Target) -> set[Path]:
    """The files in the app's folder of uploads."""
    folders = Path("/dev/shm").glob(f"expression-uploads-{target.app.process.pid}-*")
    found = {file for folder in folders for file in folder.rglob("*") if file.is_file()}
    assert found, "the pages' own are there"
    return found


FILE = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n' + PHOTOGRAPH
BROKEN = {
    "another field": FILE.replace(b'"files"', b'"other"') + b"\r\n--x--\r\n",
    "two fields": FILE + b"\r\n" + FILE.replace(b'"files"', b'"other"') + b"\r\n--x--\r\n",
    "no name": FILE.replace(b'name="files"; ', b"") + b"\r\n--x--\r\n",
    "not ended": FILE,
    "a bad part": FILE + b"\r\n--x\r\nnonsense\x00\r\n--x--",
    "text alone": b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nhello\r\n--x--\r\n',
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BROKEN)
def test_of_an_upload_that_is_none_nothing_stays(target: Target, visitor: httpx.Client, kind: str) -> None:
    before = left_behind(target)
    answer = visitor.post(
        "/gradio_api/upload", content=BROKEN[kind], headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert "Traceback" not in answer.text
    assert left_behind(target) == before, answer.text


@pytest.mark.slow
def test_of_an_upload_that_breaks_off_nothing_stays(target: Target) -> None:
    before = left_behind(target)
    body = BROKEN["not ended"]
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + 1000}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    with socket.create_connection(target.address) as connection:
        connection.sendall(head.encode() + body)
        time.sleep(1)
    until = time.monotonic() + 10
    while left_behind(target) != before:
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.mark.slow
def test_uploads_do_not_fill_the_memory(target: Target, visitor: httpx.Client) -> None:
    """240 MB lay there after two seconds."""
    with class_in_lesson(target):
        answers = [
            visitor.post("/gradio_api/upload", files={"files": ("a", os.urandom(20_000_000))}) for _ in range(10)
        ]
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) <= 6
    assert set(statuses) == {200, 503}
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert int(refused.headers["retry-after"]) > 0
    with stranger(target, next(ADDRESSES)) as other:
        assert other.post("/gradio_api/upload", files={"files": ("a.jpg", PHOTOGRAPH)}).status_code == 200


@pytest.mark.slow
def test_a_browser_keeps_nothing_of_a_person(target: Target, visitor: httpx.Client) -> None:
    path = visitor.post("/gradio_api/upload", files={"files": ("a.jpg", PHOTOGRAPH)}).json()[0]
    query = {"lesson": target.lesson.code, "child": target.codes[0]}
    for answer in (
        visitor.get(f"/gradio_api/file={path}"),
        visitor.get("/", params={"lesson": target.lesson.code}),
        visitor.post("/admission", params=query),
        visitor.get("/config"),
        visitor.get("/teacher/login"),
        visitor.get("/nothing"),
    ):
        assert answer.headers["cache-control"] == "no-store", answer.url
    script = next(name for name in visitor.get("/").text.split('"') if name.startswith("./assets/") and ".js" in name)
    assert visitor.get(script.removeprefix(".")).headers.get("cache-control") != "no-store"


@pytest.mark.slow
def test_a_web_socket_is_refused_and_takes_no_place(target: Target) -> None:
    upgrade = (
        b"GET /gradio_api/queue/join HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    for _ in range(3):
        assert b" 101 " not in target.raw(upgrade)
