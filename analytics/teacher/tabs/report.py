"""The tab "Report": a printable page of a lesson or a child, and the export of the data."""

from html import escape
from typing import Any

import gradio as gr

from analytics.store.records import Lesson
from analytics.teacher.context import Desk, MistakeError
from analytics.teacher.export import FORMATS
from analytics.teacher.layout import Frame, told
from analytics.teacher.report import child_report, lesson_report
from analytics.words.sentences import lesson_title
from analytics.words.texts import say

# The report is in the page already: it is saved from there, and no copy of it stays on the server.
SAVE = """() => {
  const frame = document.querySelector('iframe.report');
  if (!frame) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([frame.srcdoc], { type: 'text/html' }));
  link.download = frame.title + '.html';
  link.click();
  URL.revokeObjectURL(link.href);
}"""
WHOLE = ""  # the value of the choice "the whole lesson"


def report_html(desk: Desk, lesson: Lesson, child: str, language: str, zone: str) -> str:
    """The report of the lesson, or of a child (pseudonym) in it."""
    if child and child not in desk.animals(lesson):
        raise MistakeError("error_child", child=child[:60])
    return child_report(desk, lesson, child, language, zone) if child else lesson_report(desk, lesson, language, zone)


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
        with gr.Row(elem_classes=["row-end"]):
            about = gr.Dropdown(label=frame.word("report_whose"), choices=[], min_width=220, scale=2)
            printing = gr.Button(frame.word("report_print"), variant="primary", min_width=120, scale=0)
            saving = gr.Button(frame.word("report_save"), min_width=160, scale=0)
        page = gr.HTML(padding=False, elem_id="report")
        gr.Markdown(frame.word("export_heading"))
        with gr.Row(elem_classes=["row-end"]):
            kind = gr.Radio(label=frame.word("export_format"), choices=list(FORMATS), value=FORMATS[0], scale=2)
            make = gr.Button(frame.word("export_make"), min_width=140, scale=0)
        file = gr.File(label=frame.word("export_file"), interactive=False, visible=False)

    @told(desk)
    def refresh(lesson_id: str, chosen: str | None, zone: str, request: gr.Request) -> tuple[Any, ...]:
        language = desk.language_of(request)
        lesson = desk.lesson(lesson_id)
        children = desk.child_choices(lesson, language)
        choices = [(say(language, "report_whole"), WHOLE), *children]
        child = chosen if chosen in {value for _, value in choices} else WHOLE
        html = report_html(desk, lesson, child or WHOLE, language, zone)
        return gr.Dropdown(choices=choices, value=child), preview(html, lesson_title(language, lesson))

    @told(desk)
    def make_export(lesson_id: str, wanted: str, request: gr.Request) -> Any:
        return gr.File(value=str(desk.export(desk.lesson(lesson_id), wanted, "teacher page")), visible=True)

    inputs, outputs = [frame.lesson, about, frame.zone], [about, page]
    frame.show("report", refresh, inputs, outputs)
    frame.private(about.input, refresh, inputs, outputs)
    printing.click(
        None, js="() => document.querySelector('iframe.report')?.contentWindow.print()", api_visibility="private"
    )
    saving.click(None, js=SAVE, api_visibility="private")
    frame.private(make.click, make_export, [frame.lesson, kind], [file])
