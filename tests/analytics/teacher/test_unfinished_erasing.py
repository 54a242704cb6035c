"""A teacher sees how far an erasing is, on the page and in the answer of the endpoint, in both languages."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from analytics.access.accounts import Accounts
from analytics.classroom.recorder import LessonRecorder
from analytics.store.erasing_plan import EXPORTS, FILE, HUB, LEFTOVERS, ROWS, UNREADABLE
from analytics.store.housekeeping import Housekeeper
from analytics.store.lesson_store import LessonStore
from analytics.teacher.class_view import ClassView
from analytics.teacher.page import build_teacher
from analytics.words.sentences import erasing_text
from emotion.labels import KEYS, Prediction

CALM = Prediction(tuple(0.93 if key == "neutral" else 0.01 for key in KEYS), 0.9, "test")
REQUEST = gr.Request(SimpleNamespace(headers={}))  # type: ignore[arg-type]


@pytest.fixture
def recorder(store: LessonStore) -> LessonRecorder:
    return LessonRecorder(store, b"s" * 32)


@pytest.fixture(params=["en", "ru"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def functions(store: LessonStore, recorder: LessonRecorder, language: str) -> dict[str, Callable[..., Any]]:
    page = build_teacher(store, recorder, lambda _request: language)
    return {block.fn.__qualname__.replace(".<locals>", ""): block.fn for block in page.fns.values() if block.fn}


@pytest.fixture
def child(store: LessonStore, recorder: LessonRecorder) -> tuple[str, str, Path]:
    """(code, pseudonym, a backup that nobody can open) of a child that was seen once."""
    lesson = recorder.start_lesson("Loops", "2B", 45)
    code, enrolled = recorder.enrol("2B", "parent", "1")
    recorder.record(lesson.id, code, None, CALM, 1, "test", None)
    recorder.end_lesson(lesson.id)
    copy = store.backup()
    copy.write_bytes(b"nonsense")
    return code, enrolled.pseudonym, copy


WORDS = {"en": ("1 step left", "copies of the database (1)"), "ru": ("остался 1 шаг", "копии базы (1)")}


def test_the_endpoint_says_how_far_it_is_and_so_does_a_second_call_by_code_or_pseudonym(
    functions: dict[str, Callable[..., Any]], child: tuple[str, str, Path], language: str, store: LessonStore
) -> None:
    code, pseudonym, copy = child
    erase = functions["teacher_handlers.erase_child"]
    first = erase(code, "2B", REQUEST)
    assert (first["rows"], first["steps_left"]) == (1, 1)
    for words in WORDS[language]:
        assert words in first["message"]
    for again in (erase(code, "2B", REQUEST), erase(pseudonym, "", REQUEST), erase(pseudonym, "2B", REQUEST)):
        assert (again["rows"], again["steps_left"], again["message"]) == (0, 1, first["message"])
    for wrong in ((code, ""), (code, "3A"), (pseudonym, "3A"), ("fox-2222", "2B"), ("", "2B")):
        with pytest.raises(gr.Error):
            erase(*wrong, REQUEST)
    copy.unlink()
    done = erase(code, "2B", REQUEST)
    assert (done["steps_left"], done["message"]) == (0, "")
    with pytest.raises(gr.Error):
        erase(code, "2B", REQUEST)


def test_the_page_warns_and_shows_the_line_until_all_is_done(
    functions: dict[str, Callable[..., Any]],
    child: tuple[str, str, Path],
    language: str,
    store: LessonStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    for kind in ("Warning", "Info"):
        monkeypatch.setattr(gr, kind, lambda words, **_: said.append(words))
    _, pseudonym, copy = child
    word = {"en": "ERASE", "ru": "СТЕРЕТЬ"}[language]
    table, *_ = functions["add_class.erase_chosen"](pseudonym, word, "UTC", REQUEST)
    for words in WORDS[language]:
        assert words in said[-1]
        assert words in table
    copy.unlink()
    Housekeeper(store, 100_000).tick()
    lesson = store.lessons("2B")[0]
    shown = functions["add_class.refresh"](lesson.id, "2B", "UTC", REQUEST)
    assert not any(WORDS[language][0] in str(part) for part in shown)


def test_another_teacher_learns_nothing_of_it(store: LessonStore, child: tuple[str, str, Path]) -> None:
    _, pseudonym, _ = child
    accounts = Accounts(
        {"anna": ("00", "00"), "boris": ("00", "00")}, {"anna": frozenset({"2B"}), "boris": frozenset({"3A"})}
    )
    anna = ClassView(store, accounts, 3, lambda: "anna")
    boris = ClassView(store, accounts, 3, lambda: "boris")
    assert anna.erase_child(pseudonym, "x").steps_left == 1
    assert [plan.pseudonym for plan in anna.unfinished_erasures()] == [pseudonym]
    assert boris.unfinished_erasures() == []
    with pytest.raises(ValueError, match="no such child"):
        boris.erase_child(pseudonym, "x")
    assert anna.erase_child(pseudonym, "x").steps_left == 1


@pytest.mark.parametrize("step", [ROWS, EXPORTS, LEFTOVERS, FILE, HUB, UNREADABLE, "search:/a", "rewrite:/b"])
def test_every_step_has_words(step: str, language: str) -> None:
    text = erasing_text(language, (step,))
    assert "/" not in text, "no path of the server"
    assert "step_" not in text
    assert erasing_text(language, (step, "search:/c", "search:/d")) != text


def test_the_words_for_several_steps_say_how_many(language: str) -> None:
    text = erasing_text(language, (FILE, "search:/a", "rewrite:/b", HUB))
    assert {"en": "4 steps left", "ru": "осталось шагов: 4"}[language] in text
    assert "/" not in text
