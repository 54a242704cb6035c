"""The lesson's code for the wall: over the whole screen, with the QR code by which a tablet finds the lesson."""

from typing import Any

import gradio as gr
from markupsafe import Markup

from analytics.store.records import Lesson
from analytics.teacher.context import TeacherContext
from analytics.teacher.layout import PageLayout, with_user_errors
from analytics.teacher.static_files import DIALOGS
from analytics.teacher.station_links import leads_elsewhere, qr_code, station_address
from analytics.words.templates import render


def projector_html(lesson: Lesson, place: str, language: str) -> Markup:
    """The code of a lesson in a dialog. ``place``: the address of the teacher's page; where a tablet cannot open it,
    there is a sentence on that instead of the QR code."""
    address = station_address(place, lesson=lesson.code)
    station = station_address(place)
    return render(
        "teacher/projector.html",
        language,
        code=lesson.code,
        address=station.partition("?")[0],
        picture=qr_code(address) if leads_elsewhere(address) else None,
    )


def add_projector(context: TeacherContext, layout: PageLayout, button: gr.Button) -> None:
    """Puts the dialog in place, which ``button`` opens."""
    wall = gr.HTML(js_on_load=DIALOGS, padding=False, elem_id="wall")

    @with_user_errors(context)
    def show_code(lesson_id: str, place: str, request: gr.Request) -> Any:
        return projector_html(context.lesson(lesson_id), str(place or ""), context.language_of(request))

    layout.private(button.click, show_code, [layout.lesson, layout.place], [wall])
    layout.private(wall.left, lambda: "", [], [wall])
