"""Codes and pseudonyms: short, forgiving in spelling, and worth nothing without the secret."""

import hashlib
import hmac
import stat
import string
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.access.spelling import LOOK_ALIKES
from analytics.classroom.animals import ANIMALS, RUSSIAN_NAMES
from analytics.classroom.pseudonyms import (
    ALPHABET,
    ANIMAL_OF_RUSSIAN,
    animal_of,
    load_secret,
    new_child_code,
    new_lesson_code,
    normalise_child_code,
    normalise_lesson_code,
    pseudonym,
)
from analytics.store.records import StoreError

SECRET = b"a secret of this test"
CODES = st.builds(
    lambda animal, tail: f"{animal}-{tail}", st.sampled_from(ANIMALS), st.text(ALPHABET, min_size=4, max_size=4)
)


def test_the_alphabet_has_31_characters_that_are_hard_to_mistake() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 31
    assert not set("01ilo") & set(ALPHABET)


def test_the_animals_can_be_told_apart_and_typed() -> None:
    assert len(ANIMALS) == len(set(ANIMALS)) == 40
    assert all(animal.isascii() and animal.islower() for animal in ANIMALS)


@pytest.mark.parametrize(
    "spelling",
    ["fox-4k7p", "FOX-4K7P", " fox 4k7p ", "Fox4k7p", "fox–4k7p", "fox_4k7p", "fох-4к7р", "ＦＯＸ-４k7p"],
)
def test_every_spelling_of_a_child_code_means_the_same_child(spelling: str) -> None:
    assert normalise_child_code(spelling) == "fox-4k7p"
    assert pseudonym(SECRET, "2B", spelling) == pseudonym(SECRET, "2B", "fox-4k7p")


def any_letters(text: str) -> st.SearchStrategy[str]:
    """``text`` with letters in either case, of either alphabet where they look alike, and with or without dots."""
    twins = {letter: {letter, *(chr(key) for key, latin in LOOK_ALIKES.items() if chr(latin) == letter)}
             for letter in string.ascii_lowercase}  # fmt: skip
    choices = []
    for letter in text.lower():
        alike = {letter} | twins.get(chr(LOOK_ALIKES.get(ord(letter), ord(letter))), set())
        if letter == "ё":
            alike |= {"е", "e", "ë", unicodedata.normalize("NFD", "ё")}
        choices.append(st.sampled_from(sorted(alike | {letter.upper()})))
    return st.tuples(*choices).map("".join)


@st.composite
def russian_spellings(draw: st.DrawFn) -> tuple[str, str]:
    """A code, and the same with the animal in Russian in some spelling."""
    animal, tail = draw(st.sampled_from(ANIMALS)), draw(st.text(ALPHABET, min_size=4, max_size=4))
    hyphen = draw(st.sampled_from(["-", "", " ", " – ", "_"]))
    return f"{animal}-{tail}", draw(any_letters(RUSSIAN_NAMES[animal])) + hyphen + draw(any_letters(tail))


@given(codes=russian_spellings())
def test_an_animal_in_russian_means_the_same_child(codes: tuple[str, str]) -> None:
    code, spelling = codes
    assert normalise_child_code(spelling) == code
    assert pseudonym(SECRET, "2B", spelling) == pseudonym(SECRET, "2B", code)


def test_no_animal_s_name_in_russian_is_taken_for_another_animal() -> None:
    assert len(ANIMAL_OF_RUSSIAN) == len(ANIMALS)
    assert not set(ANIMAL_OF_RUSSIAN) & set(ANIMALS)


@pytest.mark.parametrize(
    "text", ["", "fox", "4k7p", "fox-4k7", "fox-4k7pp", "fox-4k0p", "unicorn-4k7p", "fox-4k7p' OR 1", "x" * 10_000]
)
def test_what_is_no_child_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="fox-4k7p"):
        normalise_child_code(text)


def test_a_lesson_code_is_understood_in_any_spelling() -> None:
    assert normalise_lesson_code(" 7MQ 3AD ") == "7mq3ad"
    for text in ("7mq3a", "7mq3add", "7mq30d", "", "../../"):
        with pytest.raises(ValueError, match="six letters"):
            normalise_lesson_code(text)


@given(text=st.text(max_size=40))
def test_any_text_is_a_code_or_a_refusal(text: str) -> None:
    for normalise in (normalise_child_code, normalise_lesson_code):
        try:
            code = normalise(text)
        except ValueError:
            continue
        assert normalise(code) == code


@given(code=CODES, class_name=st.text(min_size=1, max_size=10))
def test_a_pseudonym_is_the_start_of_an_hmac_and_does_not_show_the_code(code: str, class_name: str) -> None:
    expected = hmac.new(SECRET, f"{class_name}\0{code}".encode(), hashlib.sha256).hexdigest()[:20]
    result = pseudonym(SECRET, class_name, code)
    assert result == expected
    assert set(result) <= set(string.hexdigits.lower())
    assert result != pseudonym(b"another secret of it", class_name, code)
    assert result != pseudonym(SECRET, class_name + "x", code)


def test_new_codes_are_valid_differ_and_avoid_animals_that_are_taken() -> None:
    assert len({new_lesson_code() for _ in range(100)}) == 100
    assert all(normalise_lesson_code(code) == code for code in (new_lesson_code() for _ in range(100)))
    taken: set[str] = set()
    for _ in ANIMALS:
        code = new_child_code(taken)
        assert normalise_child_code(code) == code
        assert animal_of(code) not in taken
        taken.add(animal_of(code))
    with pytest.raises(ValueError, match="split the class"):
        new_child_code(taken)


def test_a_secret_is_generated_once_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "secret"
    first = load_secret(None, file)
    assert len(first) == 64
    assert load_secret("", file) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_secret(None, tmp_path / "other") != first


def test_a_secret_from_the_environment_wins_and_makes_no_file(tmp_path: Path) -> None:
    assert load_secret(" sixteen characters or more ", tmp_path / "secret") == b"sixteen characters or more"
    assert not (tmp_path / "secret").exists()
    with pytest.raises(StoreError, match="at least 16"):
        load_secret("short", tmp_path / "secret")


def test_a_secret_that_others_may_read_or_that_is_empty_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    load_secret(None, file)
    file.chmod(0o640)
    with pytest.raises(StoreError, match="chmod 600"):
        load_secret(None, file)
    file.chmod(0o600)
    file.write_text("")
    with pytest.raises(StoreError, match="holds 0 characters"):
        load_secret(None, file)
