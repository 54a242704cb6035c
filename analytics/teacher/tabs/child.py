"""The tab "Child": one child's timeline, in words, with the teacher's corrections and a comparison with earlier
lessons."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import gradio as gr

from analytics.charts.child import distribution_figure, distribution_table
from analytics.charts.tables import table_html
from analytics.charts.timeline import timeline_figure, timeline_table
from analytics.insight.timeline import child_timeline
from analytics.store.records import Correction, Lesson
from analytics.teacher.context import TeacherContext, UserError, check_text
from analytics.teacher.layout import PageLayout, with_user_errors
from analytics.teacher.static_files import SPANS
from analytics.teacher.summaries import child_html
from analytics.teacher.tabs.calibration import add_own_face
from analytics.words.sentences import time_of_day, time_zone
from analytics.words.templates import render
from analytics.words.texts import expression_name, say
from emotion.labels import KEYS

MAXIMUM_NOTE = 500  # characters: a few sentences
# Back to the whole lesson from whatever part of it the chart shows: the slider below spans it.
SHOW_WHOLE = """() => {
  const chart = document.querySelector('#timeline .js-plotly-plot');
  if (chart) Plotly.relayout(chart, { 'xaxis.range': [...chart.layout.xaxis.rangeslider.range] });
}"""
TABLE_STEP = 5  # every fifth row: a table of a lesson has some hundred rows then


def parse_clock_time(text: str | None, lesson: Lesson, zone: str) -> datetime:
    """The time ``text``, "10:15" or "10:15:03" in ``zone``, on the day of the lesson; aware. `UserError` for other
    texts."""
    value = (text or "").strip()
    for pattern in ("%H:%M:%S", "%H:%M"):
        try:
            found = datetime.strptime(value, pattern).time()
        except ValueError:
            continue
        start = lesson.started_at.astimezone(time_zone(zone))
        moment = datetime.combine(start.date(), found, time_zone(zone))
        # A lesson may run past midnight: what lies well before its start belongs to the next day.
        return moment if moment >= start - timedelta(hours=1) else moment + timedelta(days=1)
    raise UserError("error_clock", value=value[:40])


def save_correction(
    context: TeacherContext, lesson: Lesson, child: str, start: datetime, end: datetime, label: str, note: str
) -> str:
    """Checks and stores a correction; returns its id. `UserError` for a span outside the lesson, an unknown label or a
    long note."""
    if label and label not in KEYS:
        raise UserError("error_label", label=label[:40], labels=", ".join(KEYS))
    if not label and not note:
        raise UserError("error_empty", field=say("en", "note"))
    check_text("note", note, MAXIMUM_NOTE, "en")
    slack = timedelta(seconds=2)  # a brush overshoots the edge of a chart
    if not (lesson.started_at - slack <= start <= end <= context.now(lesson) + slack):
        raise UserError("error_span")
    correction = Correction(uuid4().hex, lesson.id, child, start, end, label, note, context.store.clock())
    context.store.add_correction(correction)
    return correction.id


def add_child(context: TeacherContext, layout: PageLayout) -> None:
    """Puts the tab's components in place and wires them."""
    with layout.tab("child"):
        with gr.Row(elem_classes=["row-end"]):
            layout.child.render()
            whole = gr.Button(layout.word("whole_lesson"), size="sm", min_width=140, scale=0, elem_classes=["no-print"])
        words = gr.HTML(padding=False)
        chart = layout.chart("timeline")
        with gr.Accordion(layout.word("as_table"), open=False) as table_panel:
            table = gr.HTML()
        with gr.Accordion(layout.word("span_title"), open=True, elem_classes=["no-print"]):
            gr.Markdown(layout.word("span_help"))
            with gr.Row(elem_classes=["row-end"]):
                start = gr.Textbox(
                    label=layout.word("from"), placeholder="10:15:00", min_width=110, scale=1, max_lines=1
                )
                end = gr.Textbox(label=layout.word("to"), placeholder="10:16:30", min_width=110, scale=1, max_lines=1)
                label = gr.Dropdown(label=layout.word("label"), choices=[("", "")], value="", min_width=180, scale=2)
                note = gr.Textbox(
                    label=layout.word("note"), max_length=MAXIMUM_NOTE, min_width=220, scale=4, max_lines=1
                )
                save = gr.Button(layout.word("save"), variant="primary", min_width=140, scale=0)
        comparison = layout.chart("distribution")
        with gr.Accordion(layout.word("as_table"), open=False):
            comparison_table = gr.HTML()
        spans = gr.HTML(js_on_load=SPANS, visible="hidden")
        if context.calibrator is not None:
            add_own_face(context, layout)

    @with_user_errors(context)
    def refresh(lesson_id: str, child: str | None, zone: str, at: str, request: gr.Request) -> tuple[Any, ...]:
        language = context.language_of(request)
        lesson = context.lesson(lesson_id)
        child = context.chosen_child(lesson, child)
        if child is None:
            empty = say(language, "no_child")
            return render("teacher/note.html", language, kind="headline empty", words=empty), None, gr.skip()
        timeline = child_timeline(context.store, lesson.id, child)
        signals = [signal for signal in context.signals(lesson) if signal.child == child]
        focus = datetime.fromisoformat(at) if at else None
        labels = [(say(language, "label_none"), ""), *((expression_name(language, key), key) for key in KEYS)]
        return (
            child_html(timeline, signals, language, zone, context.now(lesson)),
            timeline_figure(timeline, language, zone, signals, focus),
            gr.Dropdown(choices=labels),
        )

    @with_user_errors(context)
    def compare(lesson_id: str, child: str | None, request: gr.Request) -> tuple[Any, Any]:
        language = context.language_of(request)
        lesson = context.lesson(lesson_id)
        child = context.chosen_child(lesson, child)
        if child is None:
            return None, ""
        return distribution_figure(context.store, lesson, child, language), table_html(
            distribution_table(context.store, lesson, child, language), language
        )

    @with_user_errors(context)
    def show_table(lesson_id: str, child: str | None, zone: str, request: gr.Request) -> str:
        language = context.language_of(request)
        lesson = context.lesson(lesson_id)
        if not child:
            return ""
        rows = timeline_table(child_timeline(context.store, lesson.id, child)).iloc[::TABLE_STEP]
        rows = rows.assign(
            at=[time_of_day(datetime.fromisoformat(moment), zone) for moment in rows["at"]],
            face=[say(language, "yes" if face else "no") for face in rows["face"]],
        ).round(2)
        names = {key: expression_name(language, key) for key in KEYS}
        heads = names | {
            "at": say(language, "time"),
            **{name: say(language, name) for name in ("valence", "arousal", "face")},
        }
        return table_html(rows.rename(columns=heads), language)

    @with_user_errors(context)
    def store_correction(
        lesson_id: str,
        child: str | None,
        zone: str,
        first: str,
        last: str,
        chosen: str | None,
        words_said: str,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        language = context.language_of(request)
        lesson = context.lesson(lesson_id)
        known = context.child(lesson.id, child)
        begin, finish = parse_clock_time(first, lesson, zone), parse_clock_time(last, lesson, zone)
        save_correction(context, lesson, known.pseudonym, begin, finish, chosen or "", (words_said or "").strip())
        name = expression_name(language, chosen) if chosen else say(language, "label_none")
        gr.Info(
            say(
                language, "saved_correction", span=f"{time_of_day(begin, zone)}–{time_of_day(finish, zone)}", label=name
            )
        )
        return "", *refresh(lesson_id, child, zone, "", request)

    def take_span(event: gr.EventData) -> tuple[str, str]:
        return str(event.first)[11:19], str(event.last)[11:19]

    inputs = [layout.lesson, layout.child, layout.zone, layout.moment]
    outputs = [words, chart, label]
    pair = [layout.lesson, layout.child]
    layout.child_views += [(refresh, inputs, outputs), (compare, pair, [comparison, comparison_table])]
    layout.show("child", refresh, inputs, outputs)
    layout.show("child", compare, pair, [comparison, comparison_table])
    layout.while_running_slowly("child", refresh, inputs, outputs)
    layout.while_open("child", layout.child.change, refresh, inputs, outputs)
    layout.while_open("child", layout.child.change, compare, pair, [comparison, comparison_table])
    layout.private(layout.child.input, lambda: "", [], [layout.moment])
    reset = layout.private(whole.click, lambda: "", [], [layout.moment])
    layout.private(reset.then, refresh, inputs, outputs)
    whole.click(None, js=SHOW_WHOLE, api_visibility="private")
    layout.private(table_panel.expand, show_table, [layout.lesson, layout.child, layout.zone], [table])
    layout.private(spans.shown_span, take_span, [], [start, end])
    layout.private(
        save.click,
        store_correction,
        [layout.lesson, layout.child, layout.zone, start, end, label, note],
        [note, *outputs],
    )
