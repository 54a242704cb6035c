"""A whole lesson through the real server: started, watched, disturbed by every kind of bad input, ended, looked at."""

import random
import re
import socket
import subprocess
import sys
import time
import uuid
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import skimage.data
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from analytics.store.lesson_store import LessonStore
from emotion.labels import KEYS
from tests.running_app import ROOT, environment_for, free_port, running_app

pytestmark = pytest.mark.slow

FRAMES = 60


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A running app, a client for each page, and a lesson of class 2B with three children."""
    folder = tmp_path_factory.mktemp("lesson")
    with running_app(folder) as app:
        station = Client(app.url, verbose=False)
        teacher = Client(app.url + "/teacher/", verbose=False)
        begun = teacher.predict("Robots", "2B", 45, api_name="/start_lesson")
        codes = [teacher.predict("", "2B", True, api_name="/set_consent")["code"] for _ in range(3)]
        face = folder / "face.jpg"
        picture = Image.new("RGB", (640, 480), "grey")
        picture.paste(Image.fromarray(skimage.data.astronaut()).crop((80, 0, 400, 420)), (160, 30))
        picture.save(face, quality=90)
        yield SimpleNamespace(
            app=app,
            folder=folder,
            station=station,
            teacher=teacher,
            codes=codes,
            face=face,
            id=begun["lesson"],
            code=begun["code"],
            acknowledged=0,  # rows that the server said are recorded
            events=0,
        )


def saved(folder: Path, name: str, content: bytes | Image.Image, **options: object) -> str:
    """A file of ``content`` for an upload."""
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content.save(path, **options)
    return str(path)


def png_bomb(width: int, height: int) -> bytes:
    """A valid PNG of a few kilobytes that unpacks to width x height grey pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def post_frame(story: SimpleNamespace, body: bytes, **query: str) -> httpx.Response:
    query = {"lesson": story.code, "child": story.codes[0], **query}
    answer = httpx.post(story.app.url + "/observe", params=query, content=body, timeout=60)
    story.acknowledged += bool(answer.json().get("recorded"))
    return answer


def test_the_astronaut_is_happy(lesson):
    drawn, label, details = lesson.station.predict(handle_file(str(lesson.face)), api_name="/predict")
    assert label["label"] == "happy"
    assert Image.open(drawn).size == (640, 480)
    (face,) = details["faces"]
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert set(face["probabilities"]) == set(KEYS)
    assert len(face["landmarks"]) == 5
    assert details["model"]
    assert details["milliseconds"] > 0


def test_a_batch_is_answered_image_by_image_even_where_one_is_unreadable(lesson):
    letter = saved(lesson.folder, "letter.jpg", b"Dear teacher")
    answers = lesson.station.predict([handle_file(str(lesson.face)), handle_file(letter)], api_name="/predict_batch")
    assert answers[0]["faces"]
    assert "not a picture" in answers[1]["error"]


def test_every_frame_and_event_of_a_lesson_is_recorded_and_shown_to_the_teacher(lesson):
    frame = lesson.face.read_bytes()
    empty = BytesIO()
    Image.new("RGB", (640, 480), "grey").save(empty, "JPEG")

    def attend(child: str) -> list[dict]:
        answers = []
        with httpx.Client(base_url=lesson.app.url, timeout=60) as client:
            for number in range(FRAMES):
                body = empty.getvalue() if number % 20 == 19 else frame
                at = (datetime.now(UTC)).isoformat()
                query = {"lesson": lesson.code, "child": child, "at": at, "id": f"{child}-{number}"}
                response = client.post("/observe", params=query, content=body)
                while response.status_code == 429:  # faster than a child's camera: the server asks to wait
                    assert float(response.headers["Retry-After"]) >= 1
                    time.sleep(0.3)
                    response = client.post(
                        "/observe", params={**query, "at": datetime.now(UTC).isoformat()}, content=body
                    )
                answers.append(response.json())
        return answers

    with ThreadPoolExecutor(3) as children:
        everything = list(children.map(attend, lesson.codes))
    lesson.acknowledged += sum(answer["recorded"] for answers in everything for answer in answers)
    lesson.events += 3
    for answers in everything:
        assert [answer["recorded"] for answer in answers] == [True] * FRAMES
        assert [answer["expression"] for answer in answers].count("happy") == FRAMES - FRAMES // 20
        assert [answer["face"] for answer in answers].count(None) == FRAMES // 20

    first = lesson.codes[0]
    assert lesson.station.predict(lesson.id, "task_started", "Maze 3", first, api_name="/log_event")["id"]
    event = str(uuid.uuid4())
    for _ in range(2):  # a repeated call changes nothing
        answer = lesson.station.predict(lesson.code, "task_solved", "Maze 3", first, None, event, api_name="/log_event")
        assert answer["id"] == event
    assert lesson.station.predict(lesson.code, "break", "Window open", api_name="/log_event")["recorded"]
    status = lesson.station.predict(lesson.code, api_name="/lesson_status")
    assert status["open"]
    assert status["title"] == "Robots"
    assert 0 < status["seconds_left"] <= 45 * 60

    board = lesson.teacher.predict(lesson.code, api_name="/class_board")
    assert len(board) == 3
    figure, table = lesson.teacher.predict(lesson.id, first, "ru", api_name="/timeline")
    assert figure["type"] == "plotly"
    assert table["headers"] == ["at", *KEYS, "valence", "arousal", "face"]
    assert len(table["data"]) >= FRAMES
    assert lesson.teacher.predict("2B", api_name="/list_lessons")[0]["lesson"] == lesson.id


def test_one_frame_through_gradio_is_recorded_and_its_file_is_gone(lesson):
    before = set(Path("/dev/shm").glob("expression-uploads-*/*/*"))
    answer = lesson.station.predict(lesson.id, lesson.codes[1], handle_file(str(lesson.face)), api_name="/observe")
    assert answer["recorded"]
    lesson.acknowledged += 1
    assert answer["expression"] == "happy"
    assert answer["faces_seen"] == 1
    assert not [
        path for path in set(Path("/dev/shm").glob("expression-uploads-*/*/*")) - before if path.name == "face.jpg"
    ]


BAD_PICTURES = {
    "not an image": (lambda face: b"Dear teacher", "not a picture|JPEG or WebP"),
    "a truncated JPEG": (lambda face: face[: len(face) // 2], "breaks off"),
    "a PNG bomb of 200 megapixels": (lambda face: png_bomb(20_000, 10_000), "too many pixels|JPEG or WebP"),
    "nothing": (lambda face: b"", "no image"),
    "three megabytes": (lambda face: random.Random(0).randbytes(3_000_000), "larger than 2 MB"),
}


@pytest.mark.parametrize("kind", BAD_PICTURES)
def test_a_frame_that_is_no_picture_is_refused_with_the_remedy(lesson, kind):
    make, words = BAD_PICTURES[kind]
    response = post_frame(lesson, make(lesson.face.read_bytes()))
    assert response.status_code in (413, 422)
    assert re.search(words, response.json()["error"])
    assert post_frame(lesson, lesson.face.read_bytes()).json()["recorded"], "the server goes on"


@pytest.mark.parametrize("kind", ["not an image", "a truncated JPEG", "a PNG bomb of 200 megapixels"])
def test_a_photograph_that_is_no_picture_is_refused_with_the_remedy(lesson, kind):
    make, words = BAD_PICTURES[kind]
    bad = saved(lesson.folder, "bad.png", make(lesson.face.read_bytes()))
    with pytest.raises(AppError, match=words):
        lesson.station.predict(handle_file(bad), api_name="/predict")


def unusual_pictures() -> dict[str, tuple[str, Image.Image, dict]]:
    astronaut = Image.fromarray(skimage.data.astronaut())
    deep = Image.fromarray(np.asarray(astronaut.convert("L")).astype(np.uint16) * 257)
    frames = [astronaut.convert("P"), Image.new("P", astronaut.size)]
    return {
        "16-bit": ("deep.png", deep, {}),
        "CMYK": ("print.jpg", astronaut.convert("CMYK"), {}),
        "palette": ("palette.png", astronaut.convert("P"), {}),
        "RGBA": ("clear.png", astronaut.convert("RGBA"), {}),
        "animated GIF": ("moving.gif", frames[0], {"save_all": True, "append_images": frames[1:]}),
    }


@pytest.mark.parametrize("kind", sorted(unusual_pictures()))
def test_an_unusual_picture_is_read_like_any_other(lesson, kind):
    name, picture, options = unusual_pictures()[kind]
    path = saved(lesson.folder, name, picture, **options)
    _, _, details = lesson.station.predict(handle_file(path), api_name="/predict")
    assert len(details["faces"]) == 1


@pytest.mark.parametrize("size", [(1, 1), (640, 480)])
def test_a_picture_without_a_face_is_said_to_have_none(lesson, size):
    path = saved(lesson.folder, "empty.png", Image.new("RGB", size, "grey"))
    _, label, details = lesson.station.predict(handle_file(path), api_name="/predict")
    assert details["faces"] == []
    assert not label or not label.get("label")


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"lesson": "zzzzzz"}, 404, "No lesson has the code"),
        ({"child": "fox-zzzz"}, 404, "No child of this class"),
        ({"at": "yesterday"}, 422, "ISO 8601"),
        ({"at": "2026-01-01T10:00:00"}, 422, "no zone"),
        ({"at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, 422, "future"),
        ({"at": (datetime.now(UTC) - timedelta(days=1)).isoformat()}, 422, "before the start"),
        ({"id": "<script>"}, 422, "can't be used as an id"),
        ({"lesson": "x" * 500}, 422, "at most 80 characters"),
    ],
)
def test_a_wrong_argument_is_named_with_its_remedy(lesson, change, status, words):
    response = post_frame(lesson, lesson.face.read_bytes(), **change)
    assert response.status_code == status
    assert words in response.json()["error"]
    query = {"lesson": lesson.code, "child": lesson.codes[0], "at": None, "id": None, **change}
    with pytest.raises(AppError, match=words):
        lesson.station.predict(
            query["lesson"],
            query["child"],
            handle_file(str(lesson.face)),
            query["at"],
            query["id"],
            api_name="/observe",
        )


@pytest.mark.parametrize(
    ("endpoint", "arguments", "words"),
    [
        ("/lesson_status", ("zzzzzz",), "No lesson has the code"),
        ("/lesson_status", ({"not": "text"},), "must be a text"),
        ("/log_event", ("zzzzzz", "hint", ""), "No lesson has the code"),
        ("/log_event", ("zzzzzz", "Explosion!", ""), "is not a kind of event"),
        ("/log_event", ("zzzzzz", "hint", "x" * 501), "at most 500 characters"),
    ],
)
def test_other_endpoints_name_what_is_wrong_too(lesson, endpoint, arguments, words):
    with pytest.raises(AppError, match=words):
        lesson.station.predict(*arguments, api_name=endpoint)


def test_a_frame_in_a_form_is_recorded_as_one_in_the_body_is(lesson):
    code = lesson.teacher.predict("", "2B", True, api_name="/set_consent")["code"]
    fields = {"lesson": lesson.code, "child": code}
    files = {"image": ("frame.jpg", lesson.face.read_bytes(), "image/jpeg")}
    answer = httpx.post(lesson.app.url + "/observe", data=fields, files=files, timeout=60).json()
    assert (answer["recorded"], answer["expression"]) == (True, "happy")
    lesson.acknowledged += 1


def test_a_damaged_frame_is_a_sentence_and_no_failure_of_the_server(lesson):
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
    damaged = lesson.face.read_bytes().replace(b"\xff\xda", b"\xff\xfe")
    for body, words in ((heic, "HEIC"), (damaged, "damaged|breaks off")):
        answer = post_frame(lesson, body, child=lesson.codes[1])
        assert answer.status_code == 422
        assert re.search(words, answer.json()["error"])


def test_errors_are_in_russian_for_a_russian_client(lesson):
    response = httpx.post(
        lesson.app.url + "/observe",
        params={"lesson": "z", "child": "y"},
        content=b"x",
        headers={"Accept-Language": "ru"},
    )
    assert "Нет урока" in response.json()["error"]


def test_nothing_is_recorded_after_the_end_and_what_was_acknowledged_is_there(lesson):
    ended = lesson.teacher.predict(lesson.code, api_name="/end_lesson")
    assert ended["ended_at"]
    answer = post_frame(lesson, lesson.face.read_bytes()).json()
    assert (answer["recorded"], answer["reason"]) == (False, "lesson_ended")
    # Read before the stop: the event streams of open pages end by being cancelled, and uvicorn logs that at length.
    assert "Traceback" not in lesson.app.log.read_text()
    assert lesson.app.stop() == 0
    with LessonStore(lesson.folder / "lessons.duckdb") as store:
        assert len(store.observations(lesson.id)) == lesson.acknowledged > 0
        assert len(store.events(lesson.id)) == lesson.events


def run_app(folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The app in an environment in which it cannot start."""
    environment = environment_for(folder, free_port(), **more)
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")], env=environment, cwd=folder, capture_output=True, text=True, timeout=180
    )


def assert_one_sentence(run: subprocess.CompletedProcess[str], *words: str) -> None:
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    last = run.stderr.strip().splitlines()[-1]
    for word in words:
        assert word in last


def test_a_damaged_database_is_kept_aside_and_the_app_starts_with_a_critical_message(tmp_path):
    content = b"This is a shopping list." * 1000
    (tmp_path / "lessons.duckdb").write_bytes(content)
    with running_app(tmp_path) as app:
        assert httpx.get(app.url + "/readyz").json() == {"model": "ready", "store": "ready"}
        assert '"CRITICAL"' in app.log.read_text()
    (kept,) = tmp_path.glob("lessons.duckdb.damaged-*")
    assert kept.read_bytes() == content


def test_a_database_in_use_stops_the_second_start_with_a_sentence(tmp_path):
    with LessonStore(tmp_path / "lessons.duckdb"):
        assert_one_sentence(run_app(tmp_path), "lessons.duckdb")


def test_a_port_that_is_taken_stops_the_start_with_a_sentence(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert_one_sentence(run_app(tmp_path, GRADIO_SERVER_PORT=port), port, "GRADIO_SERVER_PORT")


def test_a_checkpoint_that_is_not_there_stops_the_start_with_a_sentence(tmp_path):
    assert_one_sentence(run_app(tmp_path, EMOTION_CHECKPOINT=str(tmp_path / "nothing")), "nothing")


def test_a_bad_setting_stops_the_start_with_a_sentence(tmp_path):
    assert_one_sentence(run_app(tmp_path, EMOTION_RETENTION_DAYS="soon"), "EMOTION_RETENTION_DAYS", "soon")
