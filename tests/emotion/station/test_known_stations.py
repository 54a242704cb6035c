"""Which requests are a station's own: by codes that were right at its address, or by its mark; no others."""

import pytest
from starlette.types import Scope

from analytics.classroom.pseudonyms import normalise_child_code, normalise_lesson_code, plain_code
from emotion.station.code_door import CodeDoor
from emotion.station.known_stations import KnownStations
from emotion.station.tablet_marks import COOKIE, TabletMarks

MARKS = TabletMarks(b"k" * 32)


@pytest.fixture
def known() -> KnownStations:
    door = CodeDoor(
        lambda lesson, child: (plain_code(lesson, normalise_lesson_code), plain_code(child, normalise_child_code))
    )
    door._remember("192.0.2.1", ("7mq3ad", "fox-4k7p"))
    return KnownStations(door, MARKS)


def scope(query: str = "", path: str = "/observe", client: str = "192.0.2.1", cookie: str = "") -> Scope:
    headers = [(b"cookie", cookie.encode())] if cookie else []
    return {"type": "http", "path": path, "query_string": query.encode(), "client": (client, 1), "headers": headers}


@pytest.mark.parametrize("query", ["lesson=7mq3ad&child=fox-4k7p", "child=FOX%204K7P&lesson=7MQ-3AD&at=1"])
def test_codes_that_were_right_are_one_station_in_every_spelling(known: KnownStations, query: str) -> None:
    assert known(scope(query)) == "child 7mq3ad fox-4k7p"
    assert known(scope(query, "/admission/")) == "child 7mq3ad fox-4k7p"


@pytest.mark.parametrize(
    "other",
    [
        scope("lesson=7mq3ad&child=fox-4k7p", client="192.0.2.2"),
        scope("lesson=7mq3ad&child=fox-4k7p", path="/gradio_api/upload"),
        scope("lesson=7mq3ad&child=fox-4k7q"),
        scope("lesson=7mq3ad&child=" + "fox-4k7p" + "-" * 200),
        scope("lesson=7mq3ad&child=fox-4k7p&" + "&".join(f"x{n}=1" for n in range(50))),
        scope(""),
        scope("%ff=%00&lesson"),
        scope("", cookie=f"{COOKIE}=nonsense"),
    ],
)
def test_everything_else_is_charged_to_its_address(known: KnownStations, other: Scope) -> None:
    assert known(other) == ""


def test_the_mark_of_a_tablet_is_one_station_wherever_it_is_carried(known: KnownStations) -> None:
    cookie = f"{COOKIE}={MARKS.make('child')}"
    assert known(scope("", client="203.0.113.9", cookie=cookie)) == known(scope("", cookie=cookie)) != ""
