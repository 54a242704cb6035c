"""The tab "Report": a printable page of a lesson or a child."""

import re
import tempfile
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from analytics.desk import Desk, MistakeError
from analytics.frame import Frame, told
from analytics.report import child_report, lesson_report
from analytics.store import Lesson
from analytics.texts import say
from analytics.words import animal_name, lesson_title

WHOLE = ""  # the value of the choice "the whole lesson"


def report_html(desk: Desk, lesson: Lesson, child: str, language: str, zone: str) -> str:
    """The report of the lesson, or of a child (pseudonym) in it."""
    if child and child not in desk.animals(lesson):
        raise MistakeError("error_child", child=child[:60])
    return child_report(desk, lesson, child, language, zone) if child else lesson_report(desk, lesson, language, zone)


def report_file(desk: Desk, lesson: Lesson, child: str, language: str, zone: str) -> Path:
    """The report as a file with a name that says what it is."""
    title = lesson_title(language, lesson)
    if child:
        title = f"{animal_name(language, desk.animals(lesson).get(child, child[:6]))} {title}"
    name = re.sub(r"[^\w-]+", "-", f"{title} {lesson.started_at:%Y-%m-%d}").strip("-")[:80]
    path = Path(tempfile.mkdtemp()) / f"{name}.html"
    path.write_text(report_html(desk, lesson, child, language, zone), encoding="utf-8")
    return path


def preview(html: str, title: str) -> str:
    """The report inside the page, in a frame of its own so that its style stays there."""
    return (
        f'<iframe class="report" title="{escape(title)}" sandbox="allow-same-origin allow-modals" '
        f'srcdoc="{escape(html)}" '
        'style="width:100%;height:75vh;border:1px solid '
        'var(--border-color-primary);border-radius:10px;background:#fff"></iframe>'
    )


def add_report(desk: Desk, frame: Frame) -> None:
    """Puts the tab's components in place and wires them."""
    with frame.tab("report"):
        gr.Markdown(frame.word("report_heading"))
        with gr.Row(equal_height=True):
            about = gr.Dropdown(label=frame.word("report_whose"), choices=[], min_width=220, scale=2)
            printing = gr.Button(frame.word("report_print"), variant="primary", min_width=120, scale=0)
            download = gr.DownloadButton(frame.word("report_save"), min_width=160, scale=0)
        page = gr.HTML(padding=False, elem_id="report")

    @told(desk)
    def refresh(lesson_id: str, chosen: str | None, zone: str, request: gr.Request) -> tuple[Any, ...]:
        language = desk.language_of(request)
        lesson = desk.lesson(lesson_id)
        children = desk.child_choices(lesson, language)
        choices = [(say(language, "report_whole"), WHOLE), *children]
        child = chosen if chosen in {value for _, value in choices} else WHOLE
        html = report_html(desk, lesson, child or WHOLE, language, zone)
        path = report_file(desk, lesson, child or WHOLE, language, zone)
        return (
            gr.Dropdown(choices=choices, value=child),
            preview(html, lesson_title(language, lesson)),
            gr.DownloadButton(value=str(path)),
        )

    inputs, outputs = [frame.lesson, about, frame.zone], [about, page, download]
    frame.show("report", refresh, inputs, outputs)
    frame.private(about.input, refresh, inputs, outputs)
    printing.click(
        None, js="() => document.querySelector('iframe.report')?.contentWindow.print()", api_visibility="private"
    )
