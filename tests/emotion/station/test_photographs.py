"""Photographs of visitors: what the page's route answers, how many are in memory; they give way to a lesson."""

import asyncio
import re
import time
from collections.abc import Iterator
from string import Formatter
from types import SimpleNamespace

import httpx
import pytest
from gradio_client import Client, handle_file

from emotion.classifier import Recognition
from emotion.station.lesson import STATIC as SHARED
from emotion.station.live.texts import WORDS as LIVE_WORDS
from emotion.station.observing import RefusedError
from emotion.station.pace import IDLE_FOR_EACH_BUSY, Pace
from emotion.station.photograph.http_routes import EXAMPLES
from emotion.station.photograph.panel import STATIC
from emotion.station.photograph.photographs import MOST_WAITING, Photographs
from emotion.station.photograph.texts import SHARED_KEYS, WORDS
from tests.composed import ComposedApp, composed_app


@pytest.mark.parametrize("is_lesson", [True, False])
def test_photographs_leave_the_lesson_two_thirds_of_the_time(is_lesson: bool) -> None:
    pace = Pace(lambda: is_lesson)
    began = time.monotonic()
    for _ in range(3):
        with pace.piece():
            time.sleep(0.1)
    took = time.monotonic() - began
    assert took >= 0.3 + 2 * IDLE_FOR_EACH_BUSY * 0.1 if is_lesson else took < 0.65


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("server"), accounts="/nowhere.json") as composed:
        yield composed


@pytest.mark.slow
def test_the_pages_route_tells_what_predict_tells(server: ComposedApp) -> None:
    sent = EXAMPLES["two-faces"].read_bytes()
    with httpx.Client(base_url=server.url, timeout=60) as visitor:
        told = visitor.post("/photograph", content=sent).json()
        assert len(told["faces"]) == 2
        form = visitor.post("/photograph", files={"image": ("photograph.jpg", sent)}).json()
        _, _, details = Client(server.url, verbose=False).predict(
            handle_file(str(EXAMPLES["two-faces"])), api_name="/predict"
        )
        for answer in (told, form, details):
            answer.pop("milliseconds")
        assert told == form == details
        pictures = [visitor.post("/photograph/picture", params=query, content=sent).json()["picture"]
                    for query in ({}, {"face": 0}, {"face": 1})]  # fmt: skip
        assert len(set(pictures)) == 3
        assert all(picture.startswith("data:image/jpeg;base64,") for picture in pictures)
        example = visitor.get("/photograph/example", params={"name": "cat"})
        assert example.content == EXAMPLES["cat"].read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_cannot_be_read_is_refused_in_words(server: ComposedApp, language: str) -> None:
    photograph = EXAMPLES["cat"].read_bytes()
    with httpx.Client(base_url=server.url, timeout=60, headers={"accept-language": language}) as visitor:
        for address, content, reason, status in (
            ("/photograph", b"", "no_image", 422),
            ("/photograph", b"Dear teacher", "not_an_image", 422),
            ("/photograph", photograph[:9000], "truncated", 422),
            ("/photograph?station=not%20an%20id", photograph, "bad_identifier", 422),
            ("/photograph/picture?face=0", photograph, "no_such_face", 422),
            ("/photograph/picture?face=-1", EXAMPLES["astronaut"].read_bytes(), "no_such_face", 422),
        ):
            answer = visitor.post(address, content=content)
            assert (answer.status_code, answer.json()["reason"]) == (status, reason), address
            assert len(answer.json()["error"]) > 20
            assert bool(re.search("[а-я]", answer.json()["error"])) == (language == "ru")
        missing = visitor.get("/photograph/example", params={"name": "../cat"})
        assert (missing.status_code, missing.json()["reason"]) == (404, "no_example")


# without a server


def photographs(most_bytes: int = 1000) -> Photographs:
    """Reads nothing of any photograph, slowly."""
    classifier = SimpleNamespace(recognise=lambda _: time.sleep(0.02) or Recognition((), 0, 4, 4, "test", 1.0))
    decoder = SimpleNamespace(read=lambda content: content)
    return Photographs(classifier, decoder, Pace(lambda: False), most_bytes)  # type: ignore[arg-type]


def test_photographs_in_memory_have_a_limit_for_each_visitor_and_for_all() -> None:
    room = photographs(1000)

    def hold(client: str, sizes: list[int]) -> None:
        with room.holding(client, "en") as arrived:
            for size in sizes:
                arrived(size)

    hold("10.0.0.1", [1000])
    with room.holding("10.0.0.1", "en") as first, room.holding("10.0.0.1", "en") as second:
        first(1000)
        second(900)
        with pytest.raises(RefusedError, match="Too many photographs"):
            hold("10.0.0.1", [50, 51])
        hold("10.0.0.2", [1000])
        with room.holding("10.0.0.3", "en") as third:
            third(1900)
            with pytest.raises(RefusedError) as refused:
                hold("10.0.0.2", [500])
        assert (refused.value.reason, refused.value.status) == ("busy", 429)
    hold("10.0.0.1", [2000])


def test_the_newest_photograph_of_a_page_wins_and_no_more_wait_than_there_is_room_for() -> None:
    room = photographs()

    async def ask(*stations: str) -> list[object]:
        tasks = [asyncio.create_task(room.read(b"x", "10.0.0.1", station, "en")) for station in stations]
        return [getattr(answer, "reason", None) for answer in await asyncio.gather(*tasks, return_exceptions=True)]

    assert asyncio.run(ask("a", "b", "b", "b")) == [None, "replaced", "replaced", None]
    answers = asyncio.run(ask(*(f"page-{number}" for number in range(MOST_WAITING + 4))))
    assert answers == [None] * (MOST_WAITING + 1) + ["busy"] * 3


def test_the_words_are_the_same_in_both_languages_and_the_panel_has_every_word_it_shows() -> None:
    assert WORDS["en"].keys() == WORDS["ru"].keys()
    for key, words in WORDS["en"].items():
        names = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (words, WORDS["ru"][key])]
        assert names[0] == names[1], key
    markup, script = ((STATIC / name).read_text(encoding="utf-8") for name in ("photograph.html", "photograph.js"))
    asked = set(re.findall(r'data-text="(\w+)"', markup)) | set(re.findall(r"\bwords\.(\w+)", script))
    assert len(asked) > 8
    assert asked <= set(WORDS["en"]) | set(SHARED_KEYS)
    assert set(SHARED_KEYS) <= set(LIVE_WORDS["en"])
    # Gradio reads what it shows as a template of JavaScript, in which these begin something else.
    for path in (STATIC / "photograph.html", STATIC / "photograph.css", SHARED / "face_panel.css"):
        assert not re.search(r"`|\$\{|\{\{", path.read_text(encoding="utf-8")), path
