"""The tab "Trends": one child from lesson to lesson, with confidence intervals and a caution."""

from collections.abc import Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from analytics.charts.child import CAUTION_BELOW, MEASURES, LessonStatistics, child_lessons, trends_figure, trends_table
from analytics.charts.tables import table_html
from analytics.insight.trend import MINIMUM_LESSONS, theil_sen_slope
from analytics.teacher.context import TeacherContext
from analytics.teacher.layout import PageLayout, with_user_errors
from analytics.teacher.small_groups import group_note
from analytics.words.sentences import signed_number
from analytics.words.templates import render
from analytics.words.texts import say


def caution_html(count: int, language: str) -> Markup:
    """A caution that so few lessons say little; empty where there are enough."""
    if count >= CAUTION_BELOW:
        return Markup()
    key = "nothing_yet" if not count else "trends_one" if count == 1 else "trends_caution"
    return render("teacher/note.html", language, kind="note caution", words=say(language, key, count=count))


def slope_html(shares: Sequence[LessonStatistics], measure: str, language: str) -> Markup:
    """The change of the measure from lesson to lesson with its interval; empty for fewer than two lessons."""
    if len(shares) < 2:
        return Markup()
    slope = theil_sen_slope([share.means[measure] for share in shares])
    if slope is None:
        words = say(language, "slope_few", least=MINIMUM_LESSONS)
    else:
        key = "slope_unclear" if not slope.is_clear else "slope_rises" if slope.middle > 0 else "slope_falls"
        middle = _amount(abs(slope.middle), measure, language).lstrip("+")
        low, high = (_amount(bound, measure, language) for bound in (slope.low, slope.high))
        words = say(language, key, count=len(shares), middle=middle, low=low, high=high)
    return render("teacher/note.html", language, kind="", words=words)


def _amount(value: float, measure: str, language: str) -> str:
    """A change of a measure: of valence as a number, of shares of time in points of percent."""
    if measure == "valence":
        return signed_number(language, value, 3)
    return say(language, "percent_points", value=signed_number(language, 100 * value, 1))


def add_trends(context: TeacherContext, layout: PageLayout) -> None:
    """Puts the tab's components in place and wires them."""
    with layout.tab("trends"):
        with gr.Row():
            child = gr.Dropdown(label=layout.word("child"), choices=[], min_width=220)
            measure = gr.Dropdown(
                label=layout.word("trends_measure"),
                choices=[(layout.word(f"measure_{name}"), name) for name in MEASURES],
                value=MEASURES[0],
                min_width=220,
            )
        warning = gr.HTML(padding=False)
        chart = layout.chart("trends")
        with gr.Accordion(layout.word("as_table"), open=False):
            table = gr.HTML()

    @with_user_errors(context)
    def refresh(lesson_id: str, chosen: str | None, name: str, zone: str, request: gr.Request) -> tuple[Any, ...]:
        language = context.language_of(request)
        lesson = context.lesson(lesson_id)
        animals = context.animals(lesson)
        choices = context.child_choices(lesson, language)
        if chosen not in animals:
            chosen = choices[0][1] if choices else None
        if chosen is None:
            return gr.Dropdown(choices=[], value=None), caution_html(0, language), None, ""
        shares = child_lessons(context.store, lesson.class_name, chosen)
        return (
            gr.Dropdown(choices=choices, value=chosen),
            group_note(len(animals), False, language)
            + slope_html(shares, name, language)
            + caution_html(len(shares), language),
            trends_figure(shares, animals[chosen], name, language, zone),
            table_html(trends_table(shares, name, language, zone), language),
        )

    outputs = [child, warning, chart, table]
    layout.show("trends", refresh, [layout.lesson, layout.child, measure, layout.zone], outputs)
    chosen = [layout.lesson, child, measure, layout.zone]
    layout.private(child.input, refresh, chosen, outputs)
    layout.private(measure.input, refresh, chosen, outputs)
