"""A stranger guesses codes at every door, spells one child's in many ways, and makes hashes cost what they can."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from analytics.classroom.pseudonyms import ALPHABET, CHILD_LETTERS
from emotion.station.frame_intake import FRAMES_PER_SECOND, UNKNOWN_CODES_BURST, UNKNOWN_CODES_PER_SECOND
from tests.attack_target import FRAME, Target
from tests.class_in_lesson import class_in_lesson, stranger

pytestmark = pytest.mark.slow
ADDRESSES = (f"127.0.3.{number}" for number in range(1, 255))


@pytest.fixture
def visitor(target: Target) -> Iterator[httpx.Client]:
    with stranger(target, next(ADDRESSES)) as client:
        yield client


def called(client: httpx.Client, name: str, data: list[object]) -> str:
    event = client.post(f"/gradio_api/call/{name}", json={"data": data}).json()["event_id"]
    return client.get(f"/gradio_api/call/{name}/{event}").text


def guess(door: str, target: Target, client: httpx.Client, code: str) -> str:
    lesson = target.lesson.code
    if door == "admission":
        return client.post("/admission", params={"lesson": lesson, "child": code}).text
    if door == "observe":
        return client.post("/observe", params={"lesson": lesson, "child": code}, content=FRAME).text
    if door == "log_event":
        return called(client, "log_event", [lesson, "note", "x", code, None, None])
    return called(client, "lesson_status", [code])


@pytest.mark.parametrize("door", ["admission", "observe", "log_event", "lesson_status"])
def test_every_door_stops_whoever_guesses(target: Target, visitor: httpx.Client, door: str) -> None:
    answers = [guess(door, target, visitor, f"fox-{place:04d}") for place in range(150)]
    assert sum("Too many" in answer for answer in answers) >= 150 - UNKNOWN_CODES_BURST - 20
    for other in ("admission", "observe", "log_event", "lesson_status"):
        assert "Too many" in guess(other, target, visitor, "fox-zzzz"), "and at all the others"


def test_the_class_goes_on_behind_the_address_of_whoever_guesses(target: Target) -> None:
    with class_in_lesson(target), stranger(target, "127.0.0.1") as neighbour:
        for place in range(200):
            guess("admission", target, neighbour, f"fox-{place:04d}")
        assert "Too many" in guess("admission", target, neighbour, "fox-zzzz")


def test_one_child_is_one_owner_however_its_code_is_spelled(target: Target, visitor: httpx.Client) -> None:
    """Blanks and dashes made new owners, each with frames of its own."""
    code = target.codes[5]
    spellings = [
        code,
        code.upper(),
        f" {code}",
        code.replace("-", " "),
        code.replace("-", "--"),
        f"{code}.",
        f"-{code}",
    ]
    answers: Counter[str] = Counter()

    def send(place: int) -> None:
        lesson = (target.lesson.code, target.lesson.id, target.lesson.code.upper())[place % 3]
        query = {"lesson": lesson, "child": spellings[place % len(spellings)]}
        answer = visitor.post("/observe", params=query, content=FRAME).json()
        answers[answer.get("reason") or "recorded"] += 1

    began = time.monotonic()
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(send, range(150)))
    assert answers["recorded"] <= FRAMES_PER_SECOND * (time.monotonic() - began) + 2 * FRAMES_PER_SECOND + 1
    assert answers["busy"] > 20, answers


def test_guessing_a_child_of_a_known_lesson_succeeds_once_in_hundreds_of_lessons() -> None:
    """From the limits that are in force, for one client that knows which animals are in the class."""
    tries = UNKNOWN_CODES_BURST + 45 * 60 * UNKNOWN_CODES_PER_SECOND
    assert tries == 1450, "as it is written in analytics.classroom.pseudonyms"
    assert tries / len(ALPHABET) ** CHILD_LETTERS < 0.002


def test_logins_take_turns(target: Target) -> None:
    """Forty addresses at a time: each hash takes 64 MB and the frames' processors."""

    def login(place: int) -> int:
        with stranger(target, f"127.0.4.{1 + place % 200}") as client:
            fields = {"username": f"nobody{place}", "password": "wrong" * 4}
            return client.post("/teacher/login", data=fields).status_code

    with class_in_lesson(target), ThreadPoolExecutor(40) as threads:
        answers = Counter(threads.map(login, range(120)))
    assert set(answers) <= {401, 503, 429}
    assert answers[503] > 0
