"""Consent: which text, who, since when, until when; and what withdrawing it does at once."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from analytics.classroom.consent import FORMS, consent_form_version
from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from analytics.store.records import utc_now
from analytics.teacher.page import build_teacher
from emotion.labels import Prediction

CALM = Prediction((0.01,) * 7 + (0.93,), 0.9, "test")
# The texts of each version. A changed text is another agreement: give it a new number, in both languages, and add it.
TEXTS = {
    "1": {
        "en": "802da7351efdb845cd12ad9189faac0a33fffc4ec0ecb5b81bd43c0222880c02",
        "ru": "302fa008c1ea7ff775a78b334ee23a3d03db5b0ca0216bc85feed9dc051cf9e4",
    },
    "2": {
        "en": "2d788adac89df64f75c41ae988b8592a432869d95d13c9337fd5c68864811e61",
        "ru": "a0a8aa5a963ee64148b582577c83c0de7cce5ecccaa20c7689f251dddee5a2dd",
    },
}


@pytest.fixture
def recorder(store: LessonStore) -> LessonRecorder:
    return LessonRecorder(store, b"s" * 32)


@pytest.fixture
def call(store: LessonStore, recorder: LessonRecorder) -> Callable[..., Any]:
    page = build_teacher(store, recorder, lambda _request: "en")
    named = {block.api_name: block.fn for block in page.fns.values() if block.api_visibility == "public"}
    request = gr.Request(SimpleNamespace(headers={}))  # type: ignore[arg-type]
    return lambda name, *arguments: named[name](*arguments, request=request)


def test_both_forms_are_of_one_version() -> None:
    assert consent_form_version("en") == consent_form_version("ru")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_text_that_was_changed_has_a_new_version(language: str) -> None:
    digest = hashlib.sha256(FORMS[language].read_bytes()).hexdigest()
    assert TEXTS[consent_form_version(language)][language] == digest


def test_consent_is_on_file_with_text_role_date_and_expiry(store: LessonStore, call: Callable[..., Any]) -> None:
    enrolled = call("set_consent", "", "2B", True, "guardian", 30)
    consent = store.find_child(enrolled["child"]).consent
    assert (consent.version, consent.role) == (consent_form_version(), "guardian")
    assert abs(consent.given_at - utc_now()) < timedelta(minutes=1)
    assert consent.expires_at - consent.given_at == timedelta(days=30)
    entry = store.audit_entries()[-1]
    assert (entry.action, entry.actor) == ("consent_given", "guardian")
    assert f"version {consent_form_version()}" in entry.detail


def test_withdrawing_stops_the_next_frame_and_offers_the_erasure(
    store: LessonStore, recorder: LessonRecorder, call: Callable[..., Any]
) -> None:
    lesson = recorder.start_lesson("Loops", "2B", 45)
    enrolled = call("set_consent", "", "2B", True)

    def send() -> Any:
        return recorder.record(lesson.id, enrolled["code"], None, CALM, 1, "test", None)

    assert send().recorded
    answer = call("set_consent", enrolled["code"], "2B", False)
    assert answer["given"] is False
    assert "erase" in answer["message"]
    assert (send().recorded, send().reason) == (False, "no_consent")
    assert len(store.observations(lesson.id)) == 1, "what was recorded before is still there"
    assert call("erase_child", enrolled["child"])["rows"] == 1
    assert len(store.observations(lesson.id)) == 0
    assert send().reason == "unknown_child"


def test_the_page_offers_the_erasure_with_the_child_already_chosen(
    store: LessonStore, recorder: LessonRecorder, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(gr, "Warning", lambda words, **_: warnings.append(words))
    enrolled = call("set_consent", "", "2B", True)
    page = build_teacher(store, recorder, lambda _request: "en")
    request = gr.Request(SimpleNamespace(headers={}))  # type: ignore[arg-type]
    changes = [block.fn for block in page.fns.values() if block.fn is not None and block.fn.__name__ == "change"]
    for change in changes:  # one renews, one withdraws
        table, children = change(enrolled["child"], "UTC", request)
    assert len(warnings) == 1
    assert "ERASE" in warnings[0]
    assert "withdrawn" in table
    assert children.value == enrolled["child"]
