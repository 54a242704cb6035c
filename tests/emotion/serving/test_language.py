"""A visitor reads the language chosen, else the browser's, else English."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.serving.language import LANGUAGES, language_of, negotiate_language


@dataclass
class Request:
    headers: dict[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("en-GB,en;q=0.9,ru;q=0.8", "en"),
        ("de-DE,ru;q=0.5,en;q=0.7", "en"),
        ("de", "en"),
        ("en;q=0, ru;q=0.1", "ru"),
        ("RU", "ru"),
        ("*, ;;q=,ru;q=1.0000", "en"),
    ],
)
def test_the_browsers_order_of_languages_counts(header, language):
    assert negotiate_language(header) == language


def test_the_choice_overrides_the_browser():
    headers = {"accept-language": "en", "cookie": "theme=dark; language=ru; other=1"}
    assert language_of(Request(headers)) == "ru"


def test_a_choice_that_does_not_exist_is_passed_over():
    assert language_of(Request({"cookie": "language=xx", "accept-language": "ru"})) == "ru"


def test_without_a_request_english_is_spoken():
    assert language_of(None) == "en"


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_the_headers_say_the_answer_is_a_language(cookie, accepted):
    assert language_of(Request({"cookie": cookie, "accept-language": accepted})) in LANGUAGES
