"""The tab "Now": who needs an adult, the class board, the mood of the last ten minutes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import gradio as gr
import plotly.graph_objects as go
from markupsafe import Markup

from analytics.charts.mood import class_mood, mood_figure, mood_table
from analytics.charts.tables import table_html
from analytics.charts.timeline import annotate_empty, common_layout
from analytics.insight.feedback import Feedback, answers_to, store_feedback
from analytics.insight.timeline import SILENT, class_board
from analytics.simulation.demonstration import Demonstration, speed_of
from analytics.simulation.sample import SAMPLE_ID
from analytics.store.records import Lesson
from analytics.teacher.board import Attention, answers_text, headline, tiles_html
from analytics.teacher.context import TeacherContext
from analytics.teacher.layout import PageLayout, with_user_errors
from analytics.teacher.small_groups import group_note, is_small
from analytics.teacher.static_files import ALERTS, CLICKS
from analytics.words.sentences import animal_name
from analytics.words.templates import render
from analytics.words.texts import say

RECENT = timedelta(seconds=120)  # a signal that is over is shown this long, so that a glance away misses nothing
PLAYED_KEPT = 64  # boards of lessons that are played, each for all who look at it
SHOWN_AFTERWARDS = 6  # signals of a lesson that is over; the tab "Lesson" lists them all


def signals_to_show(items: list[Attention], lesson: Lesson, now: datetime) -> list[Attention]:
    """While the lesson runs, the signals that last or were raised in the last `RECENT`; afterwards the gravest."""
    if lesson.ended_at is None:
        return [item for item in items if item.signal.active or now - item.signal.raised <= RECENT]
    return items[:SHOWN_AFTERWARDS]


def now_html(context: TeacherContext, lesson: Lesson, language: str, zone: str) -> Markup:
    """Headline, signals and tiles of a lesson as HTML."""
    now = context.now(lesson)
    running = lesson.ended_at is None
    every = context.attention(lesson)
    items = signals_to_show(every, lesson, now)
    rows = class_board(context.store, lesson.id, now)
    silent = [row.animal for row in rows if row.state == SILENT and any(value is not None for value in row.sparkline)]
    seen = sum(row.state != SILENT for row in rows) + len(silent)
    return render(
        "teacher/now.html",
        language,
        headline=headline(items, language, running, seen, silent),
        two_tablets=two_tablets(context, lesson, language) if running else "",
        lesson=lesson,
        speed=speed_of(lesson.id),
        items=items,
        answered="" if running or lesson.synthetic or not every else answers_text(every, language),
        answers_to=(lambda _: ()) if lesson.synthetic else answers_to,
        running=running,
        now=now,
        zone=zone,
        note=group_note(seen, context.hides_small_groups, language),
        tiles=tiles_html(rows, items, language, running),
    )


def two_tablets(context: TeacherContext, lesson: Lesson, language: str) -> str:
    """A sentence on the children whose code was tried on more than one tablet lately; empty without any."""
    contested, names = context.recorder.contested(lesson), context.animals(lesson)
    children = sorted(animal_name(language, names.get(child, child[:6])) for child in contested)
    return say(language, "two_tablets", names=", ".join(children)) if children else ""


def add_now(context: TeacherContext, layout: PageLayout) -> tuple[Callable[..., tuple[object, str]], list[Any]]:
    """Puts the tab's components in place and wires them. Answers what draws the board (of a lesson's id, a zone, what
    was drawn before, and a request), and where."""
    with layout.tab("now"):
        board = gr.HTML(js_on_load=CLICKS + ALERTS, elem_id="board", padding=False)
        alerts = gr.Checkbox(label=layout.word("alerts"), value=False, container=False, elem_classes=["no-print"])
        chart = layout.chart("mood")
        with gr.Accordion(layout.word("mood_table"), open=False):
            table = gr.HTML()
        last = gr.State("")

    demonstration = Demonstration(context.store.clock)

    @lru_cache(maxsize=PLAYED_KEPT)
    def played_html(lesson: Lesson, _now: datetime, language: str, zone: str) -> Markup:
        return now_html(context, lesson, language, zone)

    @lru_cache(maxsize=PLAYED_KEPT)
    def played_mood(lesson: Lesson, _now: datetime, language: str, zone: str) -> tuple[object, str]:
        return mood(lesson, language, zone)

    @with_user_errors(context)
    def refresh(lesson_id: str, zone: str, before: str, request: gr.Request) -> tuple[object, str]:
        language = context.language_of(request)
        lesson = context.lesson(lesson_id)
        if speed_of(lesson.id) is None:
            html = now_html(context, lesson, language, zone)
        else:
            html = played_html(lesson, context.now(lesson), language, zone)
        return (gr.skip() if html == before else html), html

    @with_user_errors(context)
    def refresh_mood(lesson_id: str, zone: str, request: gr.Request) -> tuple[object, str]:
        language = context.language_of(request)
        lesson = context.lesson(lesson_id)
        if speed_of(lesson.id) is None:
            return mood(lesson, language, zone)
        return played_mood(lesson, context.now(lesson), language, zone)

    def mood(lesson: Lesson, language: str, zone: str) -> tuple[object, str]:
        now = context.now(lesson)
        if context.hides_small_groups and is_small(int(class_mood(context.store, lesson, now)["children"].max())):
            return annotate_empty(
                go.Figure(layout=common_layout(230, language)), say(language, "small_group_hidden")
            ), ""
        return mood_figure(context.store, lesson, now, language, zone), table_html(
            mood_table(context.store, lesson, now, language, zone), language
        )

    @with_user_errors(context)
    def answer(lesson_id: str, zone: str, event: gr.EventData, request: gr.Request) -> tuple[str, str]:
        lesson = context.lesson(lesson_id)
        store_feedback(
            context.store,
            lesson.id,
            str(event.child),
            Feedback(str(event.kind), str(event.answer), str(event.signal)),
            context.store.clock.now(lesson),
        )
        html = now_html(context, lesson, context.language_of(request), zone)
        return html, html

    @with_user_errors(context)
    def play(zone: str, event: gr.EventData, request: gr.Request) -> Any:
        language = context.language_of(request)
        lesson = context.lesson(demonstration.newest(1 if str(event.speed) == "1" else 10))
        played = (context.lesson_label(lesson, language, zone), lesson.id)
        return gr.Dropdown(choices=[played, *context.lesson_choices(language, zone)], value=lesson.id)

    @with_user_errors(context)
    def stop(zone: str, request: gr.Request) -> Any:
        return gr.Dropdown(choices=context.lesson_choices(context.language_of(request), zone), value=SAMPLE_ID)

    layout.show("now", refresh, [layout.lesson, layout.zone, last], [board, last])
    layout.show("now", refresh_mood, [layout.lesson, layout.zone], [chart, table])
    layout.while_running("now", refresh, [layout.lesson, layout.zone, last], [board, last])
    layout.while_running_slowly("now", refresh_mood, [layout.lesson, layout.zone], [chart, table])
    layout.private(board.answer_signal, answer, [layout.lesson, layout.zone], [board, last])
    alerts.input(None, alerts, js="(on) => window.tellOfSignals(on)", api_visibility="private")
    layout.private(board.play, play, [layout.zone], [layout.lesson], once=True)
    layout.private(board.stop, stop, [layout.zone], [layout.lesson], once=True)
    layout.opens_child(board, context)
    return refresh, [board, last]
