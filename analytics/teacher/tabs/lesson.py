"""The tab "Lesson": the heat map, the tasks, and the moments worth remembering."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import gradio as gr
import pandas as pd
from markupsafe import Markup

from analytics.charts.heat_map import heat_html, heat_table
from analytics.charts.tables import table_html
from analytics.insight.feedback import parse_feedback
from analytics.insight.lesson_summary import LessonSummary, lesson_summary
from analytics.signals.support import Signal
from analytics.store.records import Lesson
from analytics.teacher.context import TeacherContext
from analytics.teacher.layout import PageLayout, with_user_errors
from analytics.teacher.small_groups import group_note
from analytics.teacher.static_files import CLICKS
from analytics.teacher.summaries import signal_words
from analytics.words.sentences import animal_name, correction_text, signed_number, task_text
from analytics.words.templates import render
from analytics.words.texts import duration, say

NOTICEABLE = 0.05  # a smaller change of valence is called none


def tasks_table(summary: LessonSummary, language: str) -> pd.DataFrame:
    """A row per task: children who solved it, failed attempts, children who struggled, the median time to solve it, and
    the change of valence after a failure."""
    tasks = summary.tasks
    worst = max((task.children_struggling + task.children_failed for task in tasks), default=0)
    names = [
        task_text(language, task.task)
        + (
            f" ({say(language, 'hardest')})"
            if worst and task.children_struggling + task.children_failed == worst
            else ""
        )
        for task in tasks
    ]
    return pd.DataFrame(
        {
            say(language, "task"): names,
            say(language, "solved"): [task.children_solved for task in tasks],
            say(language, "failed"): [task.failures for task in tasks],
            say(language, "struggling_count"): [task.children_struggling for task in tasks],
            say(language, "median_time"): [
                "–" if task.median_minutes is None else duration(language, 60 * task.median_minutes) for task in tasks
            ],
            say(language, "task_change"): [failure_change(summary, task.task, language) for task in tasks],
        }
    )


def child_tasks_json(summary: LessonSummary, animals: Mapping[str, str], language: str) -> list[dict[str, object]]:
    """What is known of each child in each task, as numbers and times. ``animals``: by pseudonym."""
    return [
        {
            "child": task.child,
            "animal": animal_name(language, animals[task.child]) if task.child in animals else "",
            "task": task.task,
            "started": task.started_at.isoformat(),
            "seconds": round(task.seconds, 1),
            "attempts": task.attempts,
            "failures": len(task.failed),
            "solved": task.solved_at.isoformat() if task.solved_at else None,
        }
        for task in summary.child_tasks
    ]


def failure_change(summary: LessonSummary, task: str, language: str) -> str:
    """The mean change of the children's valence in the minute after they failed the task, in words."""
    differences = [
        change.difference
        for change in summary.changes
        if change.event.kind == "task_failed" and change.event.detail == task
    ]
    if not differences:
        return "–"
    mean = sum(differences) / len(differences)
    key = "change_down" if mean < -NOTICEABLE else "change_up" if mean > NOTICEABLE else "change_none"
    return say(language, key, difference=signed_number(language, mean, 2))


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment worth remembering. ``kind``: of a signal, or ``note``."""

    at: datetime
    child: str
    kind: str
    words: str  # plain text


def lesson_moments(context: TeacherContext, lesson: Lesson, signals: list[Signal], language: str) -> list[Moment]:
    """Signals, the teacher's corrections, notes and breaks in order of time."""
    names = context.animals(lesson)

    def name_of(child: str) -> str:
        return animal_name(language, names.get(child, child[:6]))

    now = context.now(lesson)
    moments = [
        Moment(
            signal.start,
            signal.child,
            signal.kind,
            f"{name_of(signal.child)}: {signal_words(signal, language, now, lesson.ended_at is None)}",
        )
        for signal in signals
    ]
    for event in context.store.events(lesson.id):
        is_feedback = event.kind == "note" and parse_feedback(event.detail) is not None
        if event.kind in ("note", "break") and event.child and not is_feedback:
            words = say(language, f"event_{event.kind}", detail=event.detail)
            moments.append(Moment(event.at, event.child, "note", f"{name_of(event.child)}: {words}"))
    for item in context.store.corrections(lesson.id):
        words = f"{correction_text(language, item.label, item.note)} ({say(language, 'corrections')})"
        moments.append(Moment(item.start, item.child, "note", f"{name_of(item.child)}: {words}"))
    return sorted(moments, key=lambda moment: moment.at)


def moments_html(context: TeacherContext, lesson: Lesson, signals: list[Signal], language: str, zone: str) -> Markup:
    """The moments under their heading, each a button that opens the child's timeline there."""
    moments = lesson_moments(context, lesson, signals, language)
    return render("teacher/moments.html", language, moments=moments, zone=zone)


def tasks_html(summary: LessonSummary, language: str) -> Markup:
    """The table of tasks as HTML; empty where none was reported."""
    table = tasks_table(summary, language)
    return table_html(table, language) if len(table) else Markup()


def add_lesson(context: TeacherContext, layout: PageLayout) -> None:
    """Puts the tab's components in place and wires them."""
    with layout.tab("lesson"):
        map_of_class = gr.HTML(js_on_load=CLICKS, padding=False, elem_id="heat")
        with gr.Accordion(layout.word("as_table"), open=False):
            cells = gr.HTML(padding=False)
        tasks = gr.HTML(padding=False)
        moments = gr.HTML(js_on_load=CLICKS, padding=False, elem_id="moments")

    @with_user_errors(context)
    def refresh(lesson_id: str, zone: str, request: gr.Request) -> tuple[Any, ...]:
        language = context.language_of(request)
        lesson = context.lesson(lesson_id)
        summary = lesson_summary(context.store, lesson.id)
        signals = context.signals(lesson)
        note = group_note(len(summary.children), context.hides_small_groups, language)
        shows_class = not (note and context.hides_small_groups)
        heat = context.heat_map(lesson)
        class_map = render(
            "teacher/lesson_map.html",
            language,
            synthetic=lesson.synthetic,
            note=note,
            map=heat_html(heat, signals, language, zone) if shows_class else "",
        )
        return (
            class_map,
            table_html(heat_table(heat, language, zone), language) if shows_class else "",
            render("teacher/tasks.html", language, table=tasks_html(summary, language)) if shows_class else "",
            moments_html(context, lesson, signals, language, zone),
        )

    outputs = [map_of_class, cells, tasks, moments]
    layout.show("lesson", refresh, [layout.lesson, layout.zone], outputs)
    layout.while_running_slowly("lesson", refresh, [layout.lesson, layout.zone], outputs)
    layout.opens_child(map_of_class, context)
    layout.opens_child(moments, context)
