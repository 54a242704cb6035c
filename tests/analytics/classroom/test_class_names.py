"""A class is the same however it is typed: in a lesson, in the roster, beside an account, in a call of a program."""

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from analytics.access.accounts import Accounts
from analytics.classroom.pseudonyms import pseudonym
from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from analytics.store.records import SAMPLE_CLASS
from analytics.teacher.class_view import ClassView
from analytics.teacher.page import build_teacher
from analytics.words.texts import say
from analytics.words.user_errors import UserError
from tests.analytics.examples import START, make_child, make_lesson

SECRET = b"a secret of this test"
CYRILLIC = "2\u0412"  # looks like 2B
PAIRS = [("2B", CYRILLIC), ("2Й", "2И\u0306"), ("2 B", "2\u00a0B"), ("2 B", "2  B"), ("2B", "2B\u200b"), ("2B", " 2b")]


@pytest.fixture
def recorder(store: LessonStore) -> LessonRecorder:
    return LessonRecorder(store, SECRET)


@pytest.mark.parametrize(("one", "other"), [*PAIRS, *((other, one) for one, other in PAIRS)])
def test_a_child_enrolled_under_one_spelling_takes_part_under_the_other(
    store: LessonStore, recorder: LessonRecorder, one: str, other: str
) -> None:
    lesson = recorder.start_lesson("Loops", one, 45)
    code, child = recorder.enrol(other, "parent", "1")
    assert recorder.admit(lesson.code, code).recorded
    assert child.class_name == lesson.class_name, "a class keeps the spelling that it has"
    assert store.children(one) == store.children(other) == [child]
    assert store.lessons(other) == store.lessons(one) == [lesson]
    assert recorder.resolve_child(other, code) == recorder.resolve_child(one, child.pseudonym) == child
    assert recorder.set_consent(code, False, class_name=other).consent is not None


def test_a_class_that_has_two_spellings_already_is_one_and_its_children_are_found(
    store: LessonStore, recorder: LessonRecorder
) -> None:
    """A file from before: each spelling was a class, and a pseudonym is made of the spelling."""
    code, old = "fox-4k7p", make_child(pseudonym(SECRET, CYRILLIC, "fox-4k7p"), "fox", CYRILLIC)
    twin_code, twin = "fox-9999", make_child(pseudonym(SECRET, "2B", "fox-9999"), "fox", "2B")
    with store.database.cursor() as cursor:  # what today's store would not take
        cursor.execute(
            "INSERT INTO child SELECT 1, ?, ?, 'fox', '1', 'parent', ?, ?, NULL, NULL",
            [old.pseudonym, CYRILLIC, START, old.consent.expires_at if old.consent else None],
        )
    store.add_lesson(make_lesson(class_name="2B"))
    with store.database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO child SELECT 2, ?, ?, 'fox', '1', 'parent', ?, ?, NULL, NULL",
            [twin.pseudonym, "2B", START, old.consent.expires_at if old.consent else None],
        )
    lesson = recorder.start_lesson("Loops", "2b", 45)
    assert lesson.class_name == CYRILLIC, "where its first child is"
    for known, pseudonym_of_child in ((code, old.pseudonym), (twin_code, twin.pseudonym)):
        found = recorder.resolve_child(lesson.id, known)
        assert found is not None
        assert found.pseudonym == pseudonym_of_child
        assert recorder.set_consent(found.pseudonym, True, role="parent").class_name == found.class_name
        assert recorder.admit(lesson.id, known).recorded
    _, child = recorder.enrol("2B", "parent", "1")
    assert child.class_name == CYRILLIC
    assert child.animal != "fox", "the animals of all spellings are taken"
    assert {one.pseudonym for one in store.children("2B")} == {old.pseudonym, twin.pseudonym, child.pseudonym}
    assert len(store.lessons(CYRILLIC)) == 2


def test_no_two_children_of_a_class_have_an_animal_whatever_the_spelling(store: LessonStore) -> None:
    store.put_child(make_child())
    with pytest.raises(ValueError, match="another child"):
        store.put_child(make_child("d" * 20, "fox", CYRILLIC))


@pytest.mark.parametrize("classes", [{"2B"}, {CYRILLIC}, {" 2b "}])
def test_a_teacher_sees_the_class_beside_the_account_in_every_spelling(
    store: LessonStore, recorder: LessonRecorder, classes: set[str]
) -> None:
    accounts = Accounts({"anna": ("00", "00"), "boris": ("00", "00")}, {"anna": frozenset(classes)})
    who = ["anna"]
    view = ClassView(store, accounts, 3, lambda: who[-1])
    own = recorder.with_store(view)
    lesson = own.start_lesson("Loops", CYRILLIC, 45)
    code, child = own.enrol("2B", "parent", "1")
    assert view.lessons("2B") == view.lessons()
    assert view.children(CYRILLIC) == [child]
    assert view.find_lesson(lesson.id) is not None
    who.append("boris")
    assert view.class_spellings("2B") == () == view.class_spellings("3A")
    assert view.lessons("2B") == view.children("2B") == []
    for class_name in ("2b", "3a"):  # what is there and what is not, refused as it was typed
        with pytest.raises(UserError, match=class_name):
            own.start_lesson("Loops", class_name, 45)
    assert own.resolve_child(CYRILLIC, code) is None


def test_nobody_starts_a_lesson_in_the_sample_class_by_another_spelling(
    store: LessonStore, recorder: LessonRecorder
) -> None:
    store.add_lesson(make_lesson("sample", "sample", class_name=SAMPLE_CLASS, synthetic=True))
    accounts = Accounts({"head": ("00", "00")}, {"head": frozenset({"all"})})
    view = ClassView(store, accounts, 3, lambda: "head")
    with pytest.raises(UserError, match="sample"):
        recorder.with_store(view).start_lesson("Loops", "sample  CLASS", 45)


def test_the_page_and_the_endpoints_find_a_class_and_say_where_nobody_is_enrolled(
    store: LessonStore, recorder: LessonRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(gr, "Info", lambda *_, **__: None)
    monkeypatch.setattr(gr, "Warning", lambda words, **_: warnings.append(words))
    page = build_teacher(store, recorder, lambda _request: "en")
    request = gr.Request(SimpleNamespace(headers={}))  # type: ignore[arg-type]

    def call(name: str, *arguments: Any) -> Any:
        found = next(
            block.fn
            for block in page.fns.values()
            if block.fn is not None and name in (block.api_name, block.fn.__name__)
        )
        return found(*arguments, request=request)

    assert "2B" in call("begin_lesson", "Loops", "2B", 45, "UTC")[5], "nobody could take part, so it is asked first"
    assert store.lessons("2B") == []
    call("start_lesson", "Loops", "2B", 45)
    lesson = recorder.find_lesson(store.lessons("2B")[0].id)
    assert lesson is not None
    enrolled = call("set_consent", "", CYRILLIC, True, "parent", 30.0)
    assert recorder.admit(lesson.code, enrolled["code"]).recorded
    assert [row["child"] for row in call("class_board", lesson.id)] == [enrolled["child"]]
    assert [row["lesson"] for row in call("list_lessons", " 2\u0432 ")] == [lesson.id]
    assert call("set_consent", enrolled["code"], "2b", False, "parent", 30.0)["given"] is False
    assert call("erase_child", enrolled["code"], "2b")["child"] == enrolled["child"]
    recorder.enrol("2B", "parent", "1")
    call("begin_lesson", "Loops", CYRILLIC, 45, "UTC")
    assert warnings == []


def test_the_word_that_confirms_an_erasing_is_read_in_either_alphabet(
    store: LessonStore, recorder: LessonRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gr, "Info", lambda *_, **__: None)
    _, child = recorder.enrol("2B", "parent", "1")
    page = build_teacher(store, recorder, lambda _request: "ru")
    request = gr.Request(SimpleNamespace(headers={}))  # type: ignore[arg-type]
    erase = next(
        block.fn for block in page.fns.values() if block.fn is not None and block.fn.__name__ == "erase_chosen"
    )
    with pytest.raises(gr.Error):
        erase(child.pseudonym, "СТЕР", "UTC", request)
    typed = say("ru", "erase_word").replace("Е", "E").replace("Т", "T").lower()  # Latin letters
    erase(child.pseudonym, typed, "UTC", request)
    assert store.find_child(child.pseudonym) is None
