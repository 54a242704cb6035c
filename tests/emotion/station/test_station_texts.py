"""Both languages say the same things."""

import re
from pathlib import Path
from string import Formatter

import pytest

from emotion.serving.texts import SITE_BAR
from emotion.station.observing import CALLER_ERROR_STATUS
from emotion.station.texts import LESSON_KEYS, TEXTS, quoted, say

LESSON_SCRIPT = Path(__file__).resolve().parents[3] / "emotion" / "station" / "static" / "lesson.js"


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_english_and_russian_have_the_same_keys():
    assert TEXTS["en"].keys() == TEXTS["ru"].keys()
    assert SITE_BAR["en"].keys() == SITE_BAR["ru"].keys()


@pytest.mark.parametrize("key", sorted(TEXTS["en"]))
def test_both_languages_fill_in_the_same_values(key):
    assert placeholders(TEXTS["en"][key]) == placeholders(TEXTS["ru"][key])


@pytest.mark.parametrize("key", sorted(TEXTS["ru"]))
def test_russian_is_written_in_russian(key):
    assert re.search("[А-Яа-я]", TEXTS["ru"][key])


def test_the_lesson_panel_has_every_word_it_shows():
    markup = LESSON_SCRIPT.with_suffix(".html").read_text(encoding="utf-8")
    assert set(re.findall(r'data-text="(\w+)"', markup)) <= set(LESSON_KEYS)
    assert set(LESSON_KEYS) <= set(TEXTS["en"])


def test_every_mistake_a_recorder_reports_has_its_sentence():
    for reason in (
        *CALLER_ERROR_STATUS, "no_consent", "before_consent", "lesson_ended", "recording_disabled", "replaced"
    ):  # fmt: skip
        for language in TEXTS:
            assert say(language, f"error_{reason}", lesson="1", child="2", at="3", now="4")


def test_a_visitors_own_words_are_shortened_and_harmless_in_a_message():
    assert quoted("<script>") == "“&lt;script&gt;”"
    assert len(quoted("x" * 1000)) < 100
