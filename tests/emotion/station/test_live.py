"""The live mode's route over the running app: it answers, refuses in words, keeps nothing and gives way to lessons."""

import asyncio
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from string import Formatter
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
from PIL import Image

from emotion.labels import KEYS
from emotion.station.frame_intake import LESSON_SECONDS
from emotion.station.live.live_frames import MOST_ARRIVING_OF_A_CLIENT, MOST_WAITING, LiveFrames
from emotion.station.live.panel import STATIC
from emotion.station.live.texts import WORDS
from emotion.station.observing import FRAME_BYTES, RefusedError
from tests.calibrations import picture
from tests.composed import ComposedApp, composed_app

SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("server"), accounts="/nowhere.json") as composed:
        yield composed


@pytest.fixture
def visitor(server: ComposedApp, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client with an address of its own, so that tests do not share their allowance of frames."""
    place = sum(request.node.name.encode()) % 60_000
    address = f"127.9.{place // 250}.{place % 250 + 1}"
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(base_url=server.url, timeout=60, transport=transport) as client:
        yield client


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    content = BytesIO()
    image.save(content, "JPEG", quality=quality)
    return content.getvalue()


@SLOW
def test_a_frame_is_answered_with_its_largest_face(visitor: httpx.Client) -> None:
    answer = visitor.post("/live", params={"station": "a"}, content=picture())
    assert answer.status_code == 200
    told = answer.json()
    assert (told["faces_seen"], told["width"], told["height"]) == (1, 640, 480)
    (face,) = told["faces"]
    left, top, right, bottom = face["box"]
    assert 0 <= left < right <= 640
    assert 0 <= top < bottom <= 480
    assert face["expression"] == "happy"
    assert tuple(face["probabilities"]) == KEYS
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert 0 < face["quality"] <= 1
    assert 0 < told["milliseconds"] < 60_000
    assert answer.headers["cache-control"] == "no-store"
    form = visitor.post("/live", files={"image": ("frame.jpg", picture())}, data={"station": "b"})
    assert form.json()["faces"][0]["box"] == face["box"]


@SLOW
def test_an_empty_chair_two_people_and_a_noisy_camera_are_read(visitor: httpx.Client) -> None:
    assert visitor.post("/live", content=jpeg(Image.new("RGB", (640, 480), "grey"))).json()["faces"] == []
    both = Image.new("RGB", (640, 480), "grey")
    one = Image.open(BytesIO(picture())).resize((320, 240))
    both.paste(one, (0, 120))
    both.paste(one, (320, 120))
    told = visitor.post("/live", content=jpeg(both)).json()
    assert (told["faces_seen"], len(told["faces"])) == (2, 1)
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    large = jpeg(Image.fromarray(noise), 95)
    assert len(large) > 200_000  # more than other requests may have
    assert visitor.post("/live", content=large).status_code == 200


@SLOW
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize(
    ("content", "query", "reason", "status"),
    [
        (b"", {}, "no_image", 422),
        (b"Dear teacher", {}, "no_camera_frame", 422),
        (b"\xff\xd8\xff" + b"x" * 100, {}, None, 422),
        (b"\0\0\0\x18ftypheic" + b"x" * 100, {}, "unsupported_format", 422),
        (None, {}, "truncated", 422),
        (b"\xff\xd8\xff" + b"\0" * FRAME_BYTES, {}, "too_large", 413),
        (b"\xff\xd8\xff\xe0", {"station": "not an id"}, "bad_identifier", 422),
    ],
)
def test_what_is_no_frame_is_refused_in_words(
    visitor: httpx.Client, content: bytes | None, query: dict[str, str], reason: str | None, status: int, language: str
) -> None:
    body = picture()[:9000] if content is None else content
    answer = visitor.post("/live", params=query, content=body, headers={"accept-language": language})
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"reason", "error"}
    assert reason in (None, answer.json()["reason"])
    letters = set(answer.json()["error"].lower()) & set("абвгдежзиклмнопрстуя")
    assert bool(letters) == (language == "ru")
    assert len(answer.json()["error"]) > 20


@SLOW
def test_an_address_sends_six_frames_a_second_and_is_told_when_to_go_on(visitor: httpx.Client) -> None:
    def send(number: int) -> httpx.Response:
        return visitor.post("/live", params={"station": f"camera-{number}"}, content=b"no picture")

    with ThreadPoolExecutor(4) as four:
        answers = list(four.map(send, range(40)))
    assert {answer.status_code for answer in answers} == {422, 429}
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.json()["reason"] for answer in refused} == {"busy"}
    assert all(1 <= int(answer.headers["retry-after"]) <= 2 for answer in refused)
    time.sleep(1.2)
    assert visitor.post("/live", content=picture()).status_code == 200


@SLOW
def test_nothing_is_stored_and_a_lesson_comes_first(server: ComposedApp, visitor: httpx.Client) -> None:
    taught = server.taught["anna"]

    def stored() -> int:
        return sum(len(server.store.observations(lesson.id)) for lesson in server.store.lessons())

    before = stored()
    for _ in range(3):
        assert visitor.post("/live", content=picture()).json()["faces"]
    assert stored() == before
    lesson = {"lesson": taught.lesson.code, "child": taught.codes[0]}
    assert visitor.post("/observe", params=lesson, content=picture()).json()["recorded"]
    answer = visitor.post("/live", content=picture(), headers={"accept-language": "ru"})
    assert answer.status_code == 200
    assert (answer.json()["faces"], answer.json()["reason"]) == (None, "lesson_runs")
    assert answer.json()["error"] == WORDS["ru"]["error_lesson_runs"]
    time.sleep(LESSON_SECONDS)
    assert visitor.post("/live", content=picture()).json()["faces"]
    assert stored() == before + 1


# without a server


class SlowClassifier:
    """Takes a while for each frame and counts how many it has at a time."""

    def __init__(self) -> None:
        self.now = self.most = 0

    def recognise_frame(self, image: bytes) -> SimpleNamespace:
        self.now += 1
        self.most = max(self.most, self.now)
        time.sleep(0.05)
        self.now -= 1
        return SimpleNamespace(faces=(), faces_seen=0, width=640, height=480, milliseconds=50.0)


def live_frames(is_lesson: bool = False) -> tuple[LiveFrames, SlowClassifier]:
    classifier = SlowClassifier()
    decoder = SimpleNamespace(read=lambda content: content)
    return LiveFrames(classifier, decoder, lambda: is_lesson), classifier  # type: ignore[arg-type]


def test_one_frame_is_read_at_a_time_and_the_newest_of_each_camera_wins() -> None:
    live, classifier = live_frames()

    async def send() -> list[dict[str, object]]:
        tasks = []
        for round_ in range(3):
            for camera in range(4):
                address = f"10.0.0.{camera}"
                tasks.append(asyncio.create_task(live.read(picture(round_), address, f"camera-{camera}", "en")))
            await asyncio.sleep(0)
        return await asyncio.gather(*tasks)

    answers = asyncio.run(send())
    assert classifier.most == 1
    assert [answer.get("reason") for answer in answers[-4:]] == [None] * 4
    replaced = [answer for answer in answers if answer.get("reason") == "replaced"]
    assert len(replaced) == 3 + 4, "all but the newest of each, and the very first that was being read already"
    assert {str(answer["error"]) for answer in replaced} == {WORDS["en"]["error_replaced"]}


def test_no_more_wait_and_arrive_than_there_is_room_for() -> None:
    live, _ = live_frames()

    async def crowd() -> list[object]:
        tasks = [
            asyncio.create_task(live.read(picture(), "10.0.0.1", f"camera-{number}", "en"))
            for number in range(MOST_WAITING + 4)
        ]
        return await asyncio.gather(*tasks, return_exceptions=True)

    refused = [answer for answer in asyncio.run(crowd()) if isinstance(answer, RefusedError)]
    assert {(error.reason, error.status) for error in refused} == {("busy", 429)}
    assert len(refused) == 3, "one is read, as many as there is room for wait"

    def arrive(count: int) -> None:
        if count:
            with live.arriving("10.0.0.1", "en"):
                arrive(count - 1)

    arrive(MOST_ARRIVING_OF_A_CLIENT)
    with pytest.raises(RefusedError, match="Too many live frames arrive"):
        arrive(MOST_ARRIVING_OF_A_CLIENT + 1)
    with live.arriving("10.0.0.2", "en"):
        pass


def test_while_a_lesson_runs_no_frame_is_read() -> None:
    live, classifier = live_frames(is_lesson=True)
    assert asyncio.run(live.read(picture(), "10.0.0.1", "", "en"))["reason"] == "lesson_runs"
    assert classifier.most == 0


def test_the_words_are_the_same_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["ru"].keys()
    for key, words in WORDS["en"].items():
        names = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (words, WORDS["ru"][key])]
        assert names[0] == names[1], key


def test_the_panel_has_every_word_it_shows() -> None:
    markup, script = ((STATIC / name).read_text(encoding="utf-8") for name in ("live.html", "live.js"))
    asked = set(re.findall(r'data-text="(\w+)"', markup)) | set(re.findall(r"\bwords\.(\w+)", script))
    assert len(asked) > 8
    assert asked <= set(WORDS["en"])
    # Gradio reads what it shows as a template of JavaScript, in which these begin something else.
    for name in ("live.html", "live.css"):
        assert not re.search(r"`|\$\{|\{\{", (STATIC / name).read_text(encoding="utf-8")), name
