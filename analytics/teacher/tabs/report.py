"""The tab "Report": a printable page of a lesson or a child, and the export of the data."""

from typing import Any

import gradio as gr
from markupsafe import Markup

from analytics.store.records import Lesson
from analytics.teacher.context import TeacherContext, UserError
from analytics.teacher.export import FORMATS
from analytics.teacher.layout import PageLayout, with_user_errors
from analytics.teacher.report import child_report, lesson_report
from analytics.words.sentences import lesson_title
from analytics.words.templates import render
from analytics.words.texts import say

# The report is in the page already: it is saved from there, and no copy of it stays on the server.
SAVE = """() => {
  const report = document.querySelector('iframe.report');
  if (!report) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([report.srcdoc], { type: 'text/html' }));
  link.download = report.title + '.html';
  link.click();
  URL.revokeObjectURL(link.href);
}"""
WHOLE = ""  # the value of the choice "the whole lesson"


def report_html(context: TeacherContext, lesson: Lesson, child: str, language: str, zone: str) -> Markup:
    """The report of the lesson, or of a child (pseudonym) in it."""
    if child and child not in context.animals(lesson):
        raise UserError("error_child", child=child[:60])
    return (
        child_report(context, lesson, child, language, zone)
        if child
        else lesson_report(context, lesson, language, zone)
    )


def add_report(context: TeacherContext, layout: PageLayout) -> None:
    """Puts the tab's components in place and wires them."""
    with layout.tab("report"):
        gr.Markdown(layout.word("report_heading"))
        with gr.Row(elem_classes=["row-end"]):
            about = gr.Dropdown(label=layout.word("report_whose"), choices=[], min_width=220, scale=2)
            printing = gr.Button(layout.word("report_print"), variant="primary", min_width=120, scale=0)
            saving = gr.Button(layout.word("report_save"), min_width=160, scale=0)
        page = gr.HTML(padding=False, elem_id="report")
        gr.Markdown(layout.word("export_heading"))
        with gr.Row(elem_classes=["row-end"]):
            kind = gr.Radio(label=layout.word("export_format"), choices=list(FORMATS), value=FORMATS[0], scale=2)
            make = gr.Button(layout.word("export_make"), min_width=140, scale=0)
        file = gr.File(label=layout.word("export_file"), interactive=False, visible=False)

    @with_user_errors(context)
    def refresh(lesson_id: str, chosen: str | None, zone: str, request: gr.Request) -> tuple[Any, ...]:
        language = context.language_of(request)
        lesson = context.lesson(lesson_id)
        children = context.child_choices(lesson, language)
        choices = [(say(language, "report_whole"), WHOLE), *children]
        child = chosen if chosen in {value for _, value in choices} else WHOLE
        html = report_html(context, lesson, child or WHOLE, language, zone)
        preview = render("teacher/report_preview.html", language, title=lesson_title(language, lesson), report=html)
        return gr.Dropdown(choices=choices, value=child), preview

    @with_user_errors(context)
    def make_export(lesson_id: str, wanted: str, zone: str, request: gr.Request) -> Any:
        language = context.language_of(request)
        file = context.export(context.lesson(lesson_id), wanted, "teacher page", language, zone)
        return gr.File(value=str(file), visible=True)

    inputs, outputs = [layout.lesson, about, layout.zone], [about, page]
    layout.show("report", refresh, inputs, outputs)
    layout.private(about.input, refresh, inputs, outputs)
    printing.click(
        None, js="() => document.querySelector('iframe.report')?.contentWindow.print()", api_visibility="private"
    )
    saving.click(None, js=SAVE, api_visibility="private")
    layout.private(make.click, make_export, [layout.lesson, kind, layout.zone], [file])
