"""Of fewer than five children a figure of the class says much of each: a caution, or no figure."""

import gradio as gr
import pytest

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson
from analytics.teacher.page import build_teacher
from analytics.teacher.small_groups import SMALL_GROUP, group_note
from analytics.words.texts import say
from emotion.labels import Prediction
from tests.analytics.teacher.page_handlers import handlers

HAPPY = Prediction((0.01, 0.01, 0.01, 0.01, 0.01, 0.93, 0.01, 0.01), 0.9, "test")


def lesson_of(store: LessonStore, recorder: LessonRecorder, children: int) -> Lesson:
    """A lesson in which ``children`` were seen, of a class in which ten are enrolled."""
    class_name = f"class of {children}"
    lesson = recorder.start_lesson("Loops", class_name, 45)
    codes = [recorder.enrol(class_name, "parent", "1")[0] for _ in range(10)]
    for code in codes[:children]:
        for _ in range(3):
            assert recorder.record(lesson.id, code, None, HAPPY, 1, "test", None).recorded
    recorder.log_event(lesson.id, "task_started", "Maze")
    return lesson


@pytest.mark.parametrize("children", [1, SMALL_GROUP - 1, SMALL_GROUP])
@pytest.mark.parametrize("hides", [False, True])
def test_views_of_a_small_class_carry_a_caution_or_are_left_out(store: LessonStore, children: int, hides: bool) -> None:
    recorder = LessonRecorder(store, b"s" * 32)
    lesson = lesson_of(store, recorder, children)
    run = handlers(build_teacher(store, recorder, lambda _request: "en", hides_small_groups=hides))
    small = children < SMALL_GROUP
    caution, hidden = say("en", "small_group"), say("en", "small_group_hidden")
    note = hidden if hides else caution

    board, _ = run("tabs.now", "refresh", "now", lesson.id, "UTC", "")
    figure, table = run("tabs.now", "refresh_mood", "now", lesson.id, "UTC")
    heat, cells, tasks, moments = run("tabs.lesson", "refresh", "lesson", lesson.id, "UTC")
    _, report = run("tabs.report", "refresh", "report", lesson.id, "", "UTC")
    for view in (board, heat, report):
        assert (note in view) == small
        assert (caution in view or hidden in view) == small
    without = small and hides
    assert bool(table) != without, "the mood of the class"
    assert len(figure.data) == (0 if without else 2)
    assert ("Maze" in tasks) != without
    assert ("<svg" in heat) != without
    assert bool(cells) != without, "the map as a table"
    assert ("Maze" in report) != without
    assert "moments" in moments or "note" in moments, "what concerns single children stays"
    if without:
        with pytest.raises(gr.Error, match="Fewer than five"):
            run("endpoints", "lesson_summary", lesson.id, "en")
    else:
        assert run("endpoints", "lesson_summary", lesson.id, "en")["lesson"]["lesson"] == lesson.id


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_caution_speaks_both_languages_and_says_nothing_of_nobody(language: str) -> None:
    assert say(language, "small_group") in group_note(4, False, language)
    assert say(language, "small_group_hidden")[:20] in group_note(4, True, language)
    assert group_note(5, True, language) == group_note(0, True, language) == ""
