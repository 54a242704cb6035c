"""A stranger guesses codes at every door, spells one child's in many ways."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from emotion.station.code_door import UNKNOWN_CODES_BURST, UNKNOWN_CODES_PER_SECOND
from emotion.station.frame_intake import FRAMES_PER_SECOND
from emotion.station.tablet_marks import COOKIE
from tests.attack_target import FRAME, Target
from tests.class_in_lesson import class_in_lesson, stranger

pytestmark = pytest.mark.slow
ADDRESSES = (f"127.0.3.{number}" for number in range(1, 255))
DOORS = ("admission", "observe", "log_event", "lesson_status", "signals")


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
    if door == "signals":
        return client.get("/api/v1/station/signals", params={"lesson": lesson, "child": code}).text
    if door == "log_event":
        return called(client, "log_event", [lesson, "note", "x", code, None, None])
    return called(client, "lesson_status", [code])


@pytest.mark.parametrize("door", DOORS)
def test_every_door_stops_whoever_guesses_and_so_do_all_the_others(
    target: Target, visitor: httpx.Client, door: str
) -> None:
    began = time.monotonic()
    answers = [guess(door, target, visitor, f"fox-{place:04d}") for place in range(150)]
    answers += [guess(other, target, visitor, f"fox-zz{place:02d}") for place in range(5) for other in DOORS]
    looked_up = sum("Too many" not in answer for answer in answers)
    assert looked_up <= UNKNOWN_CODES_BURST + UNKNOWN_CODES_PER_SECOND * (time.monotonic() - began) + 1


def is_stopped(target: Target, client: httpx.Client) -> bool:
    """Every two seconds one guess is looked up: of three at once most are refused."""
    return any("Too many" in guess("admission", target, client, "fox-zzzz") for _ in range(3))


def test_the_class_goes_on_behind_the_address_of_whoever_guesses(target: Target) -> None:
    with class_in_lesson(target), stranger(target, "127.0.0.1") as neighbour:
        for place in range(200):
            guess("admission", target, neighbour, f"fox-{place:04d}")
        assert is_stopped(target, neighbour)


def test_the_class_goes_on_behind_the_address_of_whoever_floods_the_server(target: Target) -> None:
    """Four programs used up what the whole school may ask in a minute, and its frames got 429."""

    def flood(until: float) -> Counter[int]:
        answers: Counter[int] = Counter()
        with stranger(target, "127.0.0.1") as neighbour:
            while time.monotonic() < until:
                answers[neighbour.post("/admission", params={"lesson": "zzzzzz", "child": "x"}).status_code] += 1
        return answers

    with class_in_lesson(target), ThreadPoolExecutor(4) as threads:
        flooded = sum(threads.map(flood, [time.monotonic() + 20] * 4), Counter())
    assert flooded[429] > 100, flooded


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


def admitted(client: httpx.Client, lesson: str, child: str) -> bool:
    answer = client.post("/admission", params={"lesson": lesson, "child": child})
    return answer.status_code == 200 and bool(answer.json()["admitted"])


def test_a_new_child_gets_in_soon_after_a_neighbour_s_mistakes(target: Target, visitor: httpx.Client) -> None:
    """It took 60 seconds, and as many again with every further mistake."""
    for place in range(130):
        guess("admission", target, visitor, f"fox-{place:04d}")
    assert not admitted(visitor, target.lesson.code, target.codes[11]), "guessing is hard"
    time.sleep(3)
    assert admitted(visitor, target.lesson.code, target.codes[11])


def test_a_tablet_that_took_part_before_gets_in_while_its_neighbour_goes_on(target: Target) -> None:
    lesson, address, stop = target.lesson.code, next(ADDRESSES), threading.Event()
    with stranger(target, next(ADDRESSES)) as earlier:
        assert admitted(earlier, lesson, target.codes[12])
        mark = earlier.cookies[COOKIE]
    assert target.codes[12] not in mark
    assert target.codes[12].partition("-")[0] not in mark

    def go_on() -> None:
        with stranger(target, address) as neighbour:
            while not stop.is_set():
                guess("admission", target, neighbour, "fox-zzzz")

    neighbour = threading.Thread(target=go_on)
    neighbour.start()
    try:
        time.sleep(3)
        with stranger(target, address) as tablet:
            assert is_stopped(target, tablet)
            tablet.cookies.set(COOKIE, mark)
            assert admitted(tablet, lesson, target.codes[12])
    finally:
        stop.set()
        neighbour.join()


def test_a_lesson_that_has_ended_makes_no_code_right(target: Target, visitor: httpx.Client) -> None:
    """The sample lesson answered for any child, and what it answered for pushed out the codes of a class."""
    for place in range(120):
        answer = visitor.post("/admission", params={"lesson": "sample", "child": f"fox-{place:04d}"}).json()
        assert answer["reason"] == "lesson_ended"
    for place in range(120):
        guess("lesson_status", target, visitor, f"zz{place:04d}")
    answer = visitor.post("/admission", params={"lesson": "sample", "child": "fox-0000"}).json()
    assert answer["reason"] == "busy", "it is no way round the limit either"
