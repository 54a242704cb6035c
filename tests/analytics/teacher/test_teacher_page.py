"""The teacher page on a real store: what it shows, what its endpoints answer, and how it takes bad input."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest

from analytics.charts.heat_map import heat_table
from analytics.charts.timeline import timeline_figure
from analytics.classroom.recorder import LessonRecorder
from analytics.insight.feedback import Answer, Feedback, answers_to, feedback_by_signal, parse_feedback, store_feedback
from analytics.insight.timeline import BoardRow, child_timeline
from analytics.signals.support import KINDS
from analytics.simulation.sample import SAMPLE_ID, ensure_sample_lesson
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Correction, utc_now
from analytics.teacher.board import Attention, answers_text, attention_list, headline, tiles_html
from analytics.teacher.context import TeacherContext, UserError
from analytics.teacher.page import build_teacher, translations
from analytics.teacher.report import child_report, lesson_report
from analytics.teacher.summaries import child_html, child_sentences
from analytics.teacher.tabs.about import about_html, agreement
from analytics.teacher.tabs.child import parse_clock_time, save_correction
from analytics.teacher.tabs.lesson import moments_html
from analytics.teacher.tabs.now import now_html
from analytics.words.texts import TEXTS, duration
from emotion.labels import KEYS, Prediction
from tests.analytics.examples import make_observation

ENDPOINTS = {
    "start_lesson", "end_lesson", "list_lessons", "timeline", "class_board", "lesson_summary", "signals", "annotate",
    "export_lesson", "export_child", "set_consent", "erase_child",
}  # fmt: skip


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeacherContext]:
    with LessonStore(tmp_path_factory.mktemp("page") / "lessons.duckdb") as store:
        ensure_sample_lesson(store)
        yield TeacherContext(store, LessonRecorder(store, b"s" * 32), lambda _request: "en", "1", None)


@pytest.fixture(scope="module")
def page(context: TeacherContext) -> gr.Blocks:
    return build_teacher(context.store, context.recorder, context.language_of)


@pytest.fixture
def call(page: gr.Blocks) -> Callable[..., Any]:
    functions = {
        function.api_name: function.fn for function in page.fns.values() if function.api_visibility == "public"
    }
    assert set(functions) == ENDPOINTS

    def named(name: str, *arguments: Any) -> Any:
        request = gr.Request(SimpleNamespace(headers={}))  # type: ignore[arg-type]
        return functions[name](*arguments, request=request)

    return named


@pytest.mark.parametrize("language", ["en", "ru"])
def test_of_a_lesson_that_is_over_no_page_speaks_in_the_present(context: TeacherContext, language: str) -> None:
    lesson = context.lesson(SAMPLE_ID)
    assert lesson.ended_at
    signals = context.signals(lesson)
    fox = next(signal.child for signal in signals if signal.kind == "struggling")
    timeline = child_timeline(context.store, lesson.id, fox)
    own = [signal for signal in signals if signal.child == fox]
    pages = {
        "now": now_html(context, lesson, language, "UTC"),
        "child": child_html(timeline, own, language, "UTC", lesson.ended_at),
        "chart": " ".join(timeline_figure(timeline, language, "UTC", own).data[-1].text),
        "lesson": moments_html(context, lesson, signals, language, "UTC"),
        "report": child_report(context, lesson, fox, language, "UTC"),
    }
    words = TEXTS[language]
    present = [words[key] for key in words if key.startswith("suggest_")]
    present += [words[f"signal_{kind}"] for kind in KINDS if words[f"signal_{kind}"] not in words[f"was_{kind}"]]
    for name, page in pages.items():
        seen_words = re.sub("(?s)<style>.*?</style>|<[^>]*>", " ", page)
        assert words["was_struggling"] in seen_words, name
        assert [word for word in present if word in seen_words] == [], name
    assert words["next_hint"] in pages["now"]
    assert words["next_hint"] in pages["report"]


def test_the_sample_lesson_says_at_once_who_needed_help(context: TeacherContext) -> None:
    html = now_html(context, context.lesson(SAMPLE_ID), "en", "UTC")
    assert html.index("Fox") < html.index("Bear")
    assert "task 4" in html.lower()
    assert "may have been stuck" in html


def test_a_whole_lesson_through_the_endpoints(context: TeacherContext, call: Callable[..., Any]) -> None:
    lesson = call("start_lesson", "Loops", "2B", 45.0)
    enrolled = call("set_consent", "", "2B", True, "parent", 30.0)
    happy = Prediction((0.02, 0.01, 0.03, 0.01, 0.01, 0.7, 0.02, 0.2), 0.9, "test")
    recorded = context.recorder.record(lesson["code"], enrolled["code"], None, happy, 1, "test", None)
    assert recorded.recorded
    board = call("class_board", lesson["code"])
    assert [(row["animal"], row["state"]) for row in board] == [(enrolled["animal"], "happy")]
    figure, table = call("timeline", lesson["lesson"], enrolled["code"], "ru")
    assert json.loads(figure["plot"])["layout"]["title"]["text"]
    assert table["headers"][0] == "at"
    assert len(table["data"]) == 1
    assert call("end_lesson", lesson["code"])["ended_at"]
    assert lesson["lesson"] in [item["lesson"] for item in call("list_lessons", "2B")]
    assert call("erase_child", enrolled["child"], "")["rows"] == 1


def test_signals_are_polled_with_a_cursor_and_none_comes_twice(call: Callable[..., Any]) -> None:
    first = call("signals", SAMPLE_ID, "")
    assert "struggling" in {signal["kind"] for signal in first["signals"]}
    assert call("signals", SAMPLE_ID, first["cursor"])["signals"] == []


def test_the_summary_names_the_task_that_was_hard(call: Callable[..., Any]) -> None:
    summary = call("lesson_summary", SAMPLE_ID, "en")
    assert any(row[0] == "task 4 (hardest)" for row in summary["tasks"]["data"])
    assert len(summary["heat"]["valence"]) == len(summary["heat"]["children"])


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("start_lesson", ("", "2B", 45.0), "empty"),
        ("start_lesson", ("x" * 200, "2B", 45.0), "Shorten"),
        ("start_lesson", ("Loops", "2B", float("nan")), "number from"),
        ("end_lesson", ("nothere",), "list_lessons"),
        ("timeline", (SAMPLE_ID, "fox-4k7p", "en"), "enrol"),
        ("timeline", (SAMPLE_ID, "sample-fox", "de"), "language"),
        ("class_board", (None,), "list_lessons"),
        ("signals", (SAMPLE_ID, "' OR 1=1"), "cursor"),
        ("annotate", (SAMPLE_ID, "sample-fox", "yesterday", "now", "happy", ""), "ISO 8601"),
        ("annotate", (SAMPLE_ID, "sample-fox", "2026-09-15T07:05:00Z", "2026-09-15T07:06:00Z", "joyful", ""), "one of"),
        ("annotate", (SAMPLE_ID, "sample-fox", "2026-09-15T07:06:00Z", "2026-09-15T07:05:00Z", "happy", ""), "span"),
        ("set_consent", ("", "", True, "parent", 30.0), "empty"),
        ("set_consent", ("", "2B", True, "parent", -1.0), "number from"),
        ("erase_child", ("nobody", ""), "no child"),
    ],
)
def test_bad_input_is_answered_with_cause_and_remedy(
    call: Callable[..., Any], name: str, arguments: tuple[Any, ...], words: str
) -> None:
    with pytest.raises(gr.Error) as caught:
        call(name, *arguments)
    assert words in str(caught.value.message)


def test_an_error_is_told_in_the_language_that_was_asked_for(call: Callable[..., Any]) -> None:
    with pytest.raises(gr.Error) as caught:
        call("timeline", "nothere", "fox-4k7p", "ru")
    assert "нет" in caught.value.message


def test_an_export_is_a_file_with_rows(call: Callable[..., Any]) -> None:
    path = Path(call("export_lesson", SAMPLE_ID, "json"))
    assert json.loads(path.read_text(encoding="utf-8"))["observations"]
    path.unlink()


def test_a_tile_tells_its_state_in_a_word_and_a_picture_not_by_colour_alone() -> None:
    html = tiles_html([BoardRow("c", "fox", "happy", utc_now(), 65.0)], [], "ru")
    assert "Лиса" in html
    assert "радость" in html
    assert "1 мин 5 с" in html
    assert 'class="picture"' in html


def test_an_empty_class_is_told_what_to_do() -> None:
    assert "codes" in headline([], "en", True, 0).text
    assert "no signals" in headline([], "en", True, 10).text


def test_nobody_is_called_calm_whose_frames_have_stopped() -> None:
    some, everybody = headline([], "en", True, 10, ["fox", "bear"]), headline([], "en", True, 2, ["fox", "bear"])
    assert "No pictures from Fox, Bear" in some.text
    assert "check the tablets" in everybody.text
    assert some.kind == everybody.kind == "empty"
    assert "No signals of needing help" in headline([], "en", False, 10, ["fox"]).text, "tablets are off after a lesson"


def test_the_headline_tells_of_signals_that_last_and_of_tablets_that_fell_silent(context: TeacherContext) -> None:
    signal = next(item.signal for item in context.attention(context.lesson(SAMPLE_ID)) if item.open)
    over, lasting = Attention(signal, "fox"), Attention(replace(signal, end=None), "bear")
    assert headline([over], "en", True, 10).kind == "calm", "it is over: its line below says when"
    assert headline([over, lasting], "en", True, 10).text == "Bear may need you now."
    both = headline([lasting], "en", True, 10, ["owl"])
    assert both.text == "Bear may need you now. No pictures from Owl: check the tablets."
    assert "Fox" in headline([over], "en", False, 10).text, "after a lesson all of them are over"


def test_after_a_lesson_the_page_counts_what_was_answered_and_how(context: TeacherContext) -> None:
    items = context.attention(context.lesson(SAMPLE_ID))
    assert answers_text(items, "en") == f"Signals: {len(items)}. Answered: 0."
    answered = [replace(items[0], answer="helped"), replace(items[1], answer="seen"), *items[2:]]
    assert answers_text(answered, "en") == f"Signals: {len(items)}. Answered: 2 (seen 1, helped 1)."
    assert answers_text(answered, "ru") == f"Сигналов: {len(items)}. С ответом: 2 (вижу 1, помощь дана 1)."


def test_the_summary_of_a_child_accounts_for_every_gap_of_its_chart(context: TeacherContext) -> None:
    timeline = child_timeline(context.store, SAMPLE_ID, "sample-fox")
    words = " ".join(child_sentences(timeline, "en"))
    away = sum(episode.seconds for episode in timeline.episodes if episode.state == "away")
    steps = np.diff([moment.timestamp() for moment in timeline.smoothed["at"]])
    assert f"Out of the picture for {duration('en', away)} in all." in words
    assert "No picture arrived for" in words, f"{steps[steps > 5].sum()} seconds are missing altogether"


def test_a_sign_of_percent_never_begins_a_line() -> None:
    assert not [key for texts in TEXTS.values() for key, text in texts.items() if " %" in text]


def test_an_answered_signal_no_longer_asks_for_help(context: TeacherContext) -> None:
    lesson = context.lesson(SAMPLE_ID)
    signal = next(item.signal for item in context.attention(lesson) if item.signal.kind == "struggling")
    store_feedback(
        context.store, lesson.id, signal.child, Feedback(signal.kind, "helped", signal.id), lesson.started_at
    )
    assert feedback_by_signal(context.store, lesson.id) == {signal.id: Answer("helped", lesson.started_at)}
    answered, later = feedback_by_signal(context.store, lesson.id), lesson.started_at + timedelta(minutes=1)
    items = attention_list([signal], {signal.child: "fox"}, answered, later)
    assert "Fox" not in headline(items, "en", True, 10).text
    assert parse_feedback("a note about signal/struggling") is None


def test_an_answer_stays_where_it_is_for_ten_seconds_and_can_be_taken_back(context: TeacherContext) -> None:
    lesson = context.lesson(SAMPLE_ID)
    signals, animals, store = context.signals(lesson), context.animals(lesson), context.store
    first = attention_list(signals, animals, {}, lesson.started_at)[0].signal
    store_feedback(store, lesson.id, first.child, Feedback(first.kind, "seen", first.id), lesson.started_at)

    def place(seconds: float) -> int:
        now = lesson.started_at + timedelta(seconds=seconds)
        items = attention_list(signals, animals, feedback_by_signal(store, lesson.id), now)
        return [item.signal.id for item in items].index(first.id)

    assert place(9) == 0
    assert place(11) == len(signals) - 1
    undone = Feedback(first.kind, "undone", first.id)
    store_feedback(store, lesson.id, first.child, undone, lesson.started_at + timedelta(seconds=1))
    assert feedback_by_signal(store, lesson.id) == {}
    assert place(11) == 0


def test_nobody_helps_a_child_that_is_delighted(context: TeacherContext) -> None:
    assert answers_to("delighted") == ("seen", "wrong")
    assert answers_to("distressed") == ("seen", "helped", "wrong")
    lesson = context.lesson(SAMPLE_ID)
    with pytest.raises(ValueError, match="helped"):
        store_feedback(context.store, lesson.id, "x", Feedback("delighted", "helped", "s"), lesson.started_at)


def test_the_sample_cannot_be_answered(context: TeacherContext) -> None:
    assert 'data-act="answer"' not in now_html(context, context.lesson(SAMPLE_ID), "en", "UTC")


def test_agreement_counts_the_frames_that_a_teacher_corrected_but_none_of_the_sample(
    context: TeacherContext, lesson_store: LessonStore
) -> None:
    sample = context.lesson(SAMPLE_ID)
    start = sample.started_at + timedelta(minutes=5)
    save_correction(context, sample, "sample-otter", start, start + timedelta(minutes=1), "neutral", "")
    assert agreement(context.store) == []

    frames = [make_observation(second) for second in range(30)]
    lesson_store.add_observations(frames)
    label = KEYS[int(np.argmax(frames[0].probabilities))]
    for number, (chosen, first) in enumerate(((label, 0), ("contempt", 20))):
        begin = frames[first].at
        end = begin + timedelta(seconds=9.5)
        lesson_store.add_correction(Correction(str(number), "lesson-1", frames[0].child, begin, end, chosen, "", end))
    ((animal, model, agreed, total),) = agreement(lesson_store)
    assert (animal, model, agreed, total) == ("fox", frames[0].model, 10, 20)


def test_a_typed_time_means_the_readers_clock_on_the_day_of_the_lesson(context: TeacherContext) -> None:
    lesson = context.lesson(SAMPLE_ID)
    assert parse_clock_time("09:05", lesson, "Europe/Berlin") == datetime(2026, 9, 15, 7, 5, tzinfo=UTC)
    with pytest.raises(UserError, match="hours:minutes"):
        parse_clock_time("soon", lesson, "UTC")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_heat_map_has_a_table_that_says_the_same(context: TeacherContext, language: str) -> None:
    heat = context.heat_map(context.lesson(SAMPLE_ID))
    table = heat_table(heat, language, "UTC")
    assert table.shape == (len(heat.starts), 1 + len(heat.children))
    wolf = table[TEXTS[language]["animal_wolf"]]
    row = next(row for row, (child, _) in enumerate(heat.children) if child == "sample-wolf")
    assert (wolf == TEXTS[language]["heat_legend_away"]).tolist() == np.isnan(heat.cells[row]).tolist()


def test_reports_stand_alone_and_say_what_they_are_not_for(context: TeacherContext) -> None:
    lesson = context.lesson(SAMPLE_ID)
    for html in (lesson_report(context, lesson, "en", "UTC"), child_report(context, lesson, "sample-fox", "en", "UTC")):
        assert "<script" not in html
        assert "src=" not in html
        assert "not a diagnosis" in html
        assert "Synthetic sample" in html


def test_the_model_tab_reads_what_lies_beside_the_weights(context: TeacherContext, tmp_path: Path) -> None:
    assert "complete checkpoint folder" in about_html(context, "en")
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "resnet152", "training_data": "FER+"}))
    with_model = TeacherContext(context.store, context.recorder, context.language_of, "1", tmp_path)
    html = about_html(with_model, "en")
    assert "resnet152" in html
    assert TEXTS["en"]["about_data_ferplus"] in html
    assert TEXTS["ru"]["about_data_ferplus"] in about_html(with_model, "ru")
    (tmp_path / "config.json").write_text(json.dumps({"training_data": "something else altogether"}))
    assert TEXTS["ru"]["about_data_other"] in about_html(with_model, "ru")
    assert "emotion.training.evaluate" in html


def test_the_pages_words_for_the_browser_are_there_in_both_languages() -> None:
    words = translations()
    assert words["en"].keys() == words["ru"].keys()
    assert words["ru"]["teacher_tab_now"] == TEXTS["ru"]["tab_now"]


def test_a_tile_speaks_of_a_signal_in_the_past_once_the_lesson_has_ended(context: TeacherContext) -> None:
    item = next(item for item in context.attention(context.lesson(SAMPLE_ID)) if item.signal.kind == "struggling")
    row = BoardRow(item.signal.child, item.animal, "happy", utc_now(), 5.0)
    lasting = Attention(replace(item.signal, end=None), item.animal)
    assert "may be stuck</span>" in tiles_html([row], [lasting], "en", running=True)
    assert "may have been stuck</span>" in tiles_html([row], [lasting], "en", running=False)
