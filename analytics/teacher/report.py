"""One page per lesson or per child, for paper and archive: self-contained HTML, no number without words, English or
Russian."""

from html import escape

from analytics.charts.child import comparison_words, distribution_table
from analytics.charts.heat_map import heat_html
from analytics.charts.report_drawing import timeline_drawing
from analytics.charts.tables import table_html
from analytics.insight.lesson_summary import lesson_summary
from analytics.insight.timeline import child_timeline
from analytics.signals.support import Signal
from analytics.store.records import Lesson
from analytics.teacher.context import TeacherContext
from analytics.teacher.small_groups import group_note
from analytics.teacher.static_files import STATIC
from analytics.teacher.summaries import child_sentences, signal_sentence
from analytics.teacher.tabs.lesson import moments_lines, tasks_table
from analytics.words.sentences import animal_name, class_title, date_text, lesson_title, suggestion_text, time_of_day
from analytics.words.texts import duration, say

STYLE = (STATIC / "report.css").read_text(encoding="utf-8")


def lesson_report(context: TeacherContext, lesson: Lesson, language: str, zone: str) -> str:
    """The report of a lesson: how it went, who needed what, the tasks, who and when."""
    summary = lesson_summary(context.store, lesson.id)
    signals = context.signals(lesson)
    heat = context.heat_map(lesson)
    tasks = tasks_table(summary, language)
    note = group_note(len(summary.children), context.hides_small_groups, language)
    shows_class = not (note and context.hides_small_groups)
    course = heat_html(heat, signals, language, zone) if shows_class else ""
    parts = [
        _head(lesson, language, zone),
        f"<p>{escape(_length(context, lesson, len(heat.children), language))}</p>{note}",
        f"<section><h2>{escape(say(language, 'report_course'))}</h2>{course}</section>" if shows_class else "",
        f"<section><h2>{escape(say(language, 'moments_title'))}"
        f"</h2>{_moments(context, lesson, signals, language, zone)}</section>",
        f"<section><h2>{escape(say(language, 'tasks_title'))}</h2>"
        + (table_html(tasks, language) if len(tasks) else f"<p>{escape(say(language, 'no_tasks'))}</p>")
        + "</section>"
        if shows_class
        else "",
        f"<h2>{escape(say(language, 'report_children'))}</h2><ul class='children'>",
    ]
    for child, _ in heat.children:
        words = " ".join(child_sentences(child_timeline(context.store, lesson.id, child), language))
        parts.append(f"<li>{escape(words)}</li>")
    parts.append("</ul>")
    return _page(lesson_title(language, lesson), "".join(parts), language)


def child_report(context: TeacherContext, lesson: Lesson, child: str, language: str, zone: str) -> str:
    """The report of one child in one lesson: in words, the timeline, what happened, beside its earlier lessons."""
    timeline = child_timeline(context.store, lesson.id, child)
    signals = [signal for signal in context.signals(lesson) if signal.child == child]
    name = animal_name(language, timeline.animal)
    words = " ".join(child_sentences(timeline, language))
    if not signals and timeline.episodes:
        words += " " + say(language, "words_no_signals")
    now, running = context.now(lesson), lesson.ended_at is None
    lines = "".join(
        f"<li>{escape(signal_sentence(signal, language, zone, now, running))} "
        f"{escape(suggestion_text(language, signal, running))}</li>"
        for signal in signals
    )
    comparison = distribution_table(context.store, lesson, child, language)
    parts = [
        _head(lesson, language, zone, name),
        f"<p>{escape(words)}</p><ul>{lines}</ul>",
        f"<section><h2>{escape(say(language, 'report_course'))}</h2>{timeline_drawing(timeline, language, zone)}"
        "</section>",
        f"<section><h2>{escape(say(language, 'distribution_title'))}</h2>"
        f"<p>{escape(comparison_words(context.store, lesson, child, language))}</p>"
        f"{table_html(comparison, language)}</section>",
    ]
    return _page(f"{name}: {lesson_title(language, lesson)}", "".join(parts), language)


def _length(context: TeacherContext, lesson: Lesson, children: int, language: str) -> str:
    seconds = (context.now(lesson) - lesson.started_at).total_seconds()
    return say(language, "report_length", time=duration(language, seconds), count=children)


def _moments(context: TeacherContext, lesson: Lesson, signals: list[Signal], language: str, zone: str) -> str:
    lines = moments_lines(context, lesson, signals, language)
    if not lines:
        return f"<p>{escape(say(language, 'no_moments'))}</p>"
    return "<ul>" + "".join(f"<li>{time_of_day(line.at, zone)} — {escape(line.words)}</li>" for line in lines) + "</ul>"


def _head(lesson: Lesson, language: str, zone: str, name: str = "") -> str:
    title = f"{name} · {lesson_title(language, lesson)}" if name else lesson_title(language, lesson)
    started = f"{date_text(lesson.started_at, language, zone)} {time_of_day(lesson.started_at, zone)[:5]}"
    label = f'<p><span class="chip">{escape(say(language, "synthetic_long"))}</span></p>' if lesson.synthetic else ""
    return (
        f"<h1>{escape(title)}</h1><p>{escape(class_title(language, lesson.class_name))}. "
        f"{escape(say(language, 'report_started', date=started))}</p>{label}"
    )


def _page(title: str, body: str, language: str) -> str:
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}"
        f'<p class="foot">{escape(say(language, "report_foot"))}</p></body></html>'
    )
