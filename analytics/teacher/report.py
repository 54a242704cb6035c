"""The report of a lesson or of a child, for paper and archive: one self-contained page of HTML."""

from markupsafe import Markup

from analytics.charts.child import comparison_text, distribution_table
from analytics.charts.heat_map import heat_html
from analytics.charts.report_drawing import timeline_drawing
from analytics.charts.tables import table_html
from analytics.insight.lesson_summary import lesson_summary
from analytics.insight.timeline import child_timeline
from analytics.store.records import Lesson
from analytics.teacher.context import TeacherContext
from analytics.teacher.small_groups import group_note
from analytics.teacher.static_files import STATIC
from analytics.teacher.summaries import child_sentences, child_summary, signal_words
from analytics.teacher.tabs.lesson import lesson_moments, tasks_html
from analytics.words.sentences import animal_name
from analytics.words.templates import render

STYLE = Markup((STATIC / "report.css").read_text(encoding="utf-8"))


def lesson_report(context: TeacherContext, lesson: Lesson, language: str, zone: str) -> Markup:
    """The report of a lesson: heat map, moments, tasks, and a line for every child."""
    summary = lesson_summary(context.store, lesson.id)
    signals = context.signals(lesson)
    heat = context.heat_map(lesson)
    note = group_note(len(summary.children), context.hides_small_groups, language)
    shows_class = not (note and context.hides_small_groups)
    timelines = (child_timeline(context.store, lesson.id, child) for child, _ in heat.children)
    return render(
        "teacher/report_lesson.html",
        language,
        style=STYLE,
        lesson=lesson,
        now=context.now(lesson),
        zone=zone,
        note=note,
        shows_class=shows_class,
        map=heat_html(heat, signals, language, zone) if shows_class else "",
        moments=lesson_moments(context, lesson, signals, language),
        tasks=tasks_html(summary, language),
        children=[" ".join(child_sentences(timeline, language, with_gaps=False)) for timeline in timelines],
    )


def child_report(context: TeacherContext, lesson: Lesson, child: str, language: str, zone: str) -> Markup:
    """The report of one child in one lesson: summary, signals, timeline, comparison with earlier lessons."""
    timeline = child_timeline(context.store, lesson.id, child)
    signals = [signal for signal in context.signals(lesson) if signal.child == child]
    return render(
        "teacher/report_child.html",
        language,
        style=STYLE,
        lesson=lesson,
        name=animal_name(language, timeline.animal),
        now=context.now(lesson),
        running=lesson.ended_at is None,
        zone=zone,
        words=child_summary(timeline, signals, language),
        signals=signals,
        signal_words=signal_words,
        drawing=timeline_drawing(timeline, language, zone),
        comparison_text=comparison_text(context.store, lesson, child, language),
        comparison=table_html(distribution_table(context.store, lesson, child, language), language),
    )
