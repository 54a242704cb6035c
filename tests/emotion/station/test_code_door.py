"""The door for codes: what guessing costs, whom it never costs anything, and what can be reached by it at most."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.classroom.animals import ANIMALS
from analytics.classroom.pseudonyms import ALPHABET, CHILD_LETTERS, LESSON_LETTERS, plain_code
from analytics.classroom.pseudonyms import normalise_child_code as plain_child
from analytics.classroom.pseudonyms import normalise_lesson_code as plain_lesson
from emotion.station.code_door import (
    MARKED_BURST,
    MOST_PLACES,
    STRANGERS_BURST,
    STRANGERS_PER_SECOND,
    UNKNOWN_CODES_BURST,
    UNKNOWN_CODES_PER_SECOND,
    VOUCHING_PLACES,
    CodeDoor,
)
from emotion.station.observing import RefusedError

LESSON = "7mq3ad"
CHILDREN = {f"fox-{letter * CHILD_LETTERS}" for letter in "abcdefgh"}
SCHOOL, LESSON_SECONDS = "192.0.2.1", 45 * 60


class Guessing:
    """A door with one lesson, and seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.looked_up = 0
        self.door = CodeDoor(
            lambda lesson, child: (plain_code(lesson, plain_lesson), plain_code(child, plain_child)), lambda: self.now
        )

    def look_up(self, lesson: str, child: str) -> Callable[[], tuple[bool, str]]:
        def look() -> tuple[bool, str]:
            self.looked_up += 1
            if plain_code(lesson, plain_lesson) != LESSON:
                raise RefusedError("unknown_lesson", "", 404)
            if plain_code(child, plain_child) not in CHILDREN:
                raise RefusedError("unknown_child", "", 404)
            return True, "found"

        return look

    def ask(self, client: str, child: str, lesson: str = LESSON, mark: str = "") -> str:
        """``in``, or the reason of the refusal."""
        try:
            asyncio.run(self.door.enter(lesson, child, self.look_up(lesson, child), client, "en", mark))
        except RefusedError as error:
            return error.reason
        return "in"

    def exhaust(self, client: str, lesson: str = LESSON) -> None:
        for number in range(1000):
            if self.ask(client, f"hare-{number:04d}", lesson) == "busy":
                return
        raise AssertionError("no limit")


@pytest.fixture
def guessing() -> Guessing:
    return Guessing()


def test_who_guesses_is_not_listened_to_any_more_not_even_with_a_right_code(guessing: Guessing) -> None:
    guessing.exhaust("198.51.100.1")
    assert guessing.ask("198.51.100.1", "fox-aaaa") == "busy"
    assert guessing.looked_up <= UNKNOWN_CODES_BURST, "no answer, no oracle"
    assert guessing.ask("198.51.100.2", "fox-aaaa") == "in", "others are"


def test_a_computer_s_64_bits_of_addresses_are_one_client(guessing: Guessing) -> None:
    guessing.exhaust("2001:db8:1:2::1")
    assert guessing.ask("2001:db8:1:2:ffff::9", "fox-aaaa") == "busy"
    assert guessing.ask("2001:db8:1:3::1", "fox-aaaa") == "in"


def test_a_thousand_guesses_at_one_moment_count_as_a_thousand(guessing: Guessing) -> None:
    async def at_once() -> list[object]:
        calls = [
            guessing.door.enter(LESSON, f"hare-{n:04d}", guessing.look_up(LESSON, "hare-2222"), "198.51.100.1", "en")
            for n in range(1000)
        ]
        return await asyncio.gather(*calls, return_exceptions=True)

    assert len(asyncio.run(at_once())) == 1000
    assert guessing.looked_up == UNKNOWN_CODES_BURST


def test_children_that_take_part_go_on_in_every_spelling_whatever_a_neighbour_guesses(guessing: Guessing) -> None:
    assert guessing.ask(SCHOOL, "fox-aaaa") == "in"
    guessing.exhaust(SCHOOL)
    guessing.exhaust(SCHOOL, "zzzzzz")
    for typed in ("fox-aaaa", "FOX aaaa", "f-o-x–aaaa", "fоx-аааа", "fox aaaa."):
        assert guessing.ask(SCHOOL, typed, " 7MQ-3AD ") == "in"


def test_a_new_child_gets_in_seconds_after_a_neighbour_s_hundred_mistakes(guessing: Guessing) -> None:
    guessing.exhaust(SCHOOL)
    guessing.now += 2.5
    assert guessing.ask(SCHOOL, "fox-aaaa") == "in"


def test_a_new_child_gets_in_at_once_where_the_neighbour_does_not_know_the_lesson(guessing: Guessing) -> None:
    assert guessing.ask(SCHOOL, "fox-aaaa") == "in"
    guessing.exhaust(SCHOOL, "zzzzzz")
    assert guessing.ask(SCHOOL, "fox-bbbb", "zzzzzy") == "busy"
    assert guessing.ask(SCHOOL, "fox-bbbb") == "in"


def test_a_tablet_that_took_part_before_gets_in_while_a_neighbour_goes_on_guessing(guessing: Guessing) -> None:
    guessing.exhaust(SCHOOL)
    assert guessing.ask(SCHOOL, "fox-aaaa") == "busy"
    assert guessing.ask(SCHOOL, "fox-aaaa", mark="tablet") == "in"


def test_the_mark_of_a_tablet_opens_nothing_to_who_guesses_with_it(guessing: Guessing) -> None:
    guessing.exhaust(SCHOOL)
    answers = [guessing.ask(SCHOOL, f"hare-{number:04d}", mark="tablet") for number in range(100)]
    assert answers.count("unknown_child") == MARKED_BURST


def test_many_addresses_guess_no_faster_than_a_few_and_the_class_does_not_notice(guessing: Guessing) -> None:
    assert guessing.ask(SCHOOL, "fox-aaaa") == "in"
    for number in range(3000):
        guessing.ask(f"198.51.{number // 250}.{number % 250}", "hare-2222")
    assert guessing.looked_up - 1 <= STRANGERS_BURST + 1
    assert guessing.ask("203.0.113.1", "fox-bbbb") == "busy"
    assert guessing.ask(SCHOOL, "fox-bbbb") == "in"


def test_one_right_code_does_not_vouch_for_a_thousand_addresses(guessing: Guessing) -> None:
    for number in range(100):
        assert guessing.ask(f"198.51.100.{number}", "fox-aaaa") == "in"
    assert len(guessing.door.places) == VOUCHING_PLACES
    assert len(guessing.door.right[LESSON, "fox-aaaa"]) == MOST_PLACES


def test_nothing_that_is_not_right_is_remembered(guessing: Guessing) -> None:
    """A lesson that has ended said so for any child: two thousand of those pushed out the codes of a class."""

    def ended() -> tuple[bool, str]:
        return False, ""

    for number in range(100):
        asyncio.run(guessing.door.enter("sample", f"fox-{number}", ended, "198.51.100.1", "en"))
    assert not guessing.door.right


def test_a_trouble_of_the_server_costs_a_client_nothing(guessing: Guessing) -> None:
    def full() -> tuple[bool, str]:
        raise RefusedError("not_served", "", 503)

    for _ in range(300):
        with pytest.raises(RefusedError):
            asyncio.run(guessing.door.enter(LESSON, "fox-aaaa", full, SCHOOL, "en"))
    assert guessing.ask(SCHOOL, "fox-aaaa") == "in"


def test_an_erased_child_s_code_is_a_guess_again(guessing: Guessing) -> None:
    assert guessing.ask(SCHOOL, "fox-aaaa") == "in"
    CHILDREN.discard("fox-aaaa")
    try:
        assert guessing.ask(SCHOOL, "fox-aaaa") == "unknown_child"
        guessing.exhaust(SCHOOL)
        assert guessing.ask(SCHOOL, "fox-aaaa") == "busy"
    finally:
        CHILDREN.add("fox-aaaa")


def test_a_client_where_somebody_begins_to_take_part_has_one_allowance_more(guessing: Guessing) -> None:
    guessing.exhaust(SCHOOL)
    guessing.now += 2
    assert guessing.ask(SCHOOL, "fox-aaaa") == "in"
    guessing.exhaust(SCHOOL)
    assert guessing.looked_up <= 2 * UNKNOWN_CODES_BURST + UNKNOWN_CODES_PER_SECOND * guessing.now + 1


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 5)), min_size=1, max_size=400))
def test_whatever_the_pace_no_more_is_looked_up_than_the_limits_say(steps: list[tuple[int, float]]) -> None:
    guessing = Guessing()
    for client, pause in steps:
        guessing.now += pause
        guessing.ask(f"198.51.100.{client}", "hare-2222")
    of_clients = 4 * (UNKNOWN_CODES_BURST + UNKNOWN_CODES_PER_SECOND * guessing.now)
    of_lesson = 1 + STRANGERS_BURST + STRANGERS_PER_SECOND * guessing.now
    assert guessing.looked_up <= min(of_clients, of_lesson) + 1


def test_the_chances_of_guessing_are_those_that_the_documentation_states() -> None:
    """In a lesson of 45 minutes, for who knows its code and which animals are in the class."""
    of_one_client = UNKNOWN_CODES_BURST + LESSON_SECONDS * UNKNOWN_CODES_PER_SECOND
    of_all_strangers = STRANGERS_BURST + LESSON_SECONDS * STRANGERS_PER_SECOND
    codes_of_an_animal = len(ALPHABET) ** CHILD_LETTERS
    # Until somebody takes part at its address a client has one allowance, and from then on another.
    of_one_client_at_children = UNKNOWN_CODES_BURST + of_one_client
    assert (of_one_client, of_one_client_at_children, of_all_strangers) == (1450, 1550, 6400)
    assert round(100 * of_one_client_at_children / codes_of_an_animal, 2) == 0.17
    assert round(100 * of_all_strangers / codes_of_an_animal, 2) == 0.69
    # A lesson's code, twenty of them open: one client, and a thousand of them.
    of_a_lesson = 20 * of_one_client / len(ALPHABET) ** LESSON_LETTERS
    assert round(100 * of_a_lesson, 4) == 0.0033
    assert round(100 * 1000 * of_a_lesson, 1) == 3.3
    assert len(ANIMALS) == 40
