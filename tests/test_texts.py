"""Every text that the code asks for is there, in English and in Russian: of keys written out or put together."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.teacher import page
from analytics.words import texts as teacher_texts
from emotion.images import ERROR_KEYS
from emotion.serving import texts as serving_texts
from emotion.station import texts as station_texts

ROOT = Path(__file__).resolve().parents[1]
TEXTS = {module.__name__: module.TEXTS for module in (serving_texts, station_texts)}
# Gradio is given some of the teacher's texts joined to headings.
TEXTS[teacher_texts.__name__] = {
    language: {key.removeprefix(page.PREFIX) for key in texts} | teacher_texts.TEXTS[language].keys()
    for language, texts in page.translations().items()
}
LOOK_UPS = {"say": 1, "word": 0}  # functions of a key -> the place of the key among their arguments


def asked_for() -> Iterator[tuple[str, str, ast.expr]]:
    """Module with the texts, place in the code, expression of the key: of every look-up in both packages."""
    for path in sorted([*ROOT.glob("emotion/**/*.py"), *ROOT.glob("analytics/**/*.py"), ROOT / "app.py"]):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        source = next(
            (
                node.module
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom)
                and node.module in TEXTS
                and any(alias.name in ("say", "word") for alias in node.names)
            ),
            "emotion.station.texts" if path.is_relative_to(ROOT / "emotion" / "station") else "analytics.words.texts",
        )
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in LOOK_UPS:
                place = LOOK_UPS[node.func.id]
                if len(node.args) > place:
                    yield source, f"{path.relative_to(ROOT)}:{node.lineno}", node.args[place]


def keys_of(expression: ast.expr) -> Iterator[str]:
    """Keys that an expression can be; of one that is put together its beginning, with a star."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield expression.value
    elif isinstance(expression, ast.IfExp):
        yield from keys_of(expression.body)
        yield from keys_of(expression.orelse)
    elif isinstance(expression, ast.JoinedStr) and isinstance(expression.values[0], ast.Constant):
        yield f"{expression.values[0].value}*"


CASES = sorted({(source, place, key) for source, place, asked in asked_for() for key in keys_of(asked)})


def test_the_code_asks_for_many_texts() -> None:
    assert len({key for _, _, key in CASES}) > 150, "the search has lost its way"


@pytest.mark.parametrize(("source", "place", "key"), CASES, ids=[f"{place} {key}" for _, place, key in CASES])
def test_a_text_that_is_asked_for_is_there(source: str, place: str, key: str) -> None:
    for language in ("en", "ru"):
        there = TEXTS[source][language]
        assert key in there if not key.endswith("*") else any(name.startswith(key[:-1]) for name in there), place


@pytest.mark.parametrize("key", ERROR_KEYS)
def test_every_mistake_of_a_picture_has_its_sentence(key: str) -> None:
    for language in ("en", "ru"):
        assert station_texts.say(language, f"image_{key}", format="PNG")
