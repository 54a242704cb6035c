"""Both languages say everything, with the same values in it."""

import re
import string

import pytest

from analytics.classroom.animals import ANIMALS
from analytics.signals.support import KINDS, SUGGESTIONS
from analytics.words.sentences import times_text
from analytics.words.texts import TEXTS, duration, expression_name, say
from emotion.labels import KEYS


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys_and_no_empty_text() -> None:
    assert TEXTS["en"].keys() == TEXTS["ru"].keys()
    assert all(text.strip() for texts in TEXTS.values() for text in texts.values())


def test_both_languages_take_the_same_values() -> None:
    different = [key for key in TEXTS["en"] if placeholders(TEXTS["en"][key]) != placeholders(TEXTS["ru"][key])]
    assert different == []


def test_russian_is_written_in_russian() -> None:
    same = [key for key, text in TEXTS["ru"].items() if not re.search("[а-яё]", text, re.IGNORECASE)]
    assert [key for key in same if not re.fullmatch(r"[\s{}\w,:·+-]*", TEXTS["ru"][key])] == []


def test_every_animal_signal_and_suggestion_has_words() -> None:
    needed = [f"animal_{animal}" for animal in ANIMALS]
    needed += [f"{prefix}_{kind}" for kind in KINDS for prefix in ("signal", "was")]
    needed += [f"{when}_{what}" for when in ("suggest", "next") for what in (*SUGGESTIONS, "look", "praise")]
    needed += [f"was_{kind}" for kind in KINDS]
    assert [key for key in needed if key not in TEXTS["en"]] == []
    assert all(expression_name("ru", state) for state in (*KEYS, "away", "silent"))


def test_a_missing_key_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="no_such_key"):
        say("en", "no_such_key")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (45.4, "45 s"), (60, "1 min"), (100, "1 min 40 s"), (725, "12 min"), (3900, "1 h 5 min"), (-3, "0 s")],
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration("en", seconds) == words


def test_russian_counts_by_its_own_rules() -> None:
    assert [times_text("ru", count) for count in (1, 2, 3, 5, 12, 22)] == [
        "один раз",
        "дважды",
        "3 раза",
        "5 раз",
        "12 раз",
        "22 раза",
    ]
