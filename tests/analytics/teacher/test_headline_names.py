"""The headline of a whole class that needs something is one that can be read at a glance."""

import pytest

from analytics.classroom.animals import ANIMALS
from analytics.teacher.board import MOST_NAMED, headline


@pytest.mark.parametrize(("language", "rest"), [("en", "and 25 more: check"), ("ru", "и ещё 25.")])
def test_a_headline_names_a_few_children_and_counts_the_others(language: str, rest: str) -> None:
    words = headline([], language, True, 31, list(ANIMALS)[:30]).text
    assert rest in words
    assert words.count(",") == MOST_NAMED - 1
    few = headline([], language, True, 31, list(ANIMALS)[:MOST_NAMED]).text
    assert few.count(",") == MOST_NAMED - 1
    assert "5 " not in few
