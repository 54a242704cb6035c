"""Which spellings of a name mean the same, and how a new one is written down."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analytics.access.spelling import fold, tidy

SAME = [
    ("2B", "2\u0412"),  # Cyrillic В
    ("2B", "2\u0392"),  # Greek Β
    ("2B", "2b"),
    ("2B", "２Ｂ"),
    ("2B", "2B\u200b"),
    ("2B", "\ufeff2B"),
    ("2B", "2\u00adB"),
    ("2B", "2B\ufe0f"),
    ("2B", "\u2066\u200e2B\u2069"),
    ("2B", "2 B"),
    ("2Й", "2И\u0306"),
    ("3é", "3E\u0301"),
    ("2 B", "2\u00a0B"),
    ("2 B", "2  B"),
    ("2 B", "2\u2009\tB\n"),
    ("2 B", "2\u3000B"),
    ("2 B", "2\u2800B"),
    ("11 А", "11A"),
    ("5-1", "5\u20131"),
    ("5-1", "5\u20111"),
    ("НОРА", "HOPA"),
    ("Klasse 3 ß", "KLASSE 3 SS"),
]
DIFFERENT = [("2B", "3B"), ("2А", "2Б"), ("1 1", "11"), ("5-1", "51"), ("2Е", "2Ё"), ("2И", "2Й"), ("2B", "2BB")]
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_a_reader_takes_for_the_same_name_is_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_differ_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(TEXT)
@example("A´")
def test_folding_and_tidying_change_nothing_the_second_time(name: str) -> None:
    assert fold(fold(name)) == fold(name) == fold(tidy(name))
    assert tidy(tidy(name)) == tidy(name)


@given(TEXT, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_every_form_of_unicode_means_the_same(name: str, form: str) -> None:
    assert fold(unicodedata.normalize(form, name)) == fold(name)  # type: ignore[arg-type]


@given(TEXT)
def test_case_and_blanks_around_it_mean_nothing(name: str) -> None:
    assert fold(f"\u00a0{name} \u200b") == fold(name)
    assert fold(name.casefold()) == fold(name)


def test_a_new_name_keeps_its_letters() -> None:
    assert tidy(" 2\u00a0\u00a0В\u200b ") == "2 В", "the Cyrillic letter stays what it is"
    assert tidy("И\u0306") == "Й"
    assert tidy("\u200b\u2060 ") == ""


def test_a_text_of_a_megabyte_is_compared_and_not_kept() -> None:
    assert fold("x" * 1_000_000) == "x" * 1_000_000
