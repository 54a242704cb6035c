"""What a visitor of a demonstration may run of the teacher page: the functions that only read. All others are refused
before they begin, those too that nobody thought of when this list was written.
"""

from collections.abc import Callable
from functools import wraps
from inspect import unwrap
from typing import Any

import gradio as gr

from analytics.teacher.class_view import ClassView
from analytics.teacher.context import as_gradio_error
from analytics.words.user_errors import UserError

# By module and name. Exports read too, but leave files and a line in the audit trail.
READING = frozenset(
    {
        "page.arrive", "page.choose", "page.tick", "page.<lambda>",
        "layout.choose", "layout.<lambda>",
        "now.refresh", "now.refresh_mood", "now.play", "now.stop",
        "child.refresh", "child.compare", "child.show_table", "child.take_span", "child.<lambda>",
        "calibration.refresh", "calibration.show_class", "calibration.<lambda>",
        "lesson.refresh", "trends.refresh", "report.refresh", "classes.refresh", "about.refresh",
        "endpoints.list_lessons", "endpoints.timeline", "endpoints.class_board_endpoint", "endpoints.lesson_summary",
        "endpoints.signals",
    }
)  # fmt: skip


def refuse_writing(page: gr.Blocks, view: ClassView, language_of: Callable[[Any], str]) -> None:
    """Wraps every function of ``page`` that is not one of `READING`: whoever ``view`` calls a visitor gets a sentence
    instead."""
    for block in page.fns.values():
        if block.fn is not None and name_of(block.fn) not in READING:
            block.fn = _for_teachers(block.fn, view, language_of)


def name_of(function: Callable[..., Any]) -> str:
    """Module and name of a function behind the page, without what wraps it."""
    own = unwrap(function)
    return f"{own.__module__.rpartition('.')[2]}.{own.__qualname__.rpartition('.')[2]}"


def _for_teachers(
    function: Callable[..., Any], view: ClassView, language_of: Callable[[Any], str]
) -> Callable[..., Any]:
    @wraps(function)
    def guarded(*arguments: Any, **named: Any) -> Any:
        try:
            view.require_writer()
        except UserError as error:
            request = next((value for value in (*arguments, *named.values()) if isinstance(value, gr.Request)), None)
            raise as_gradio_error(error, language_of(request)) from error
        return function(*arguments, **named)

    return guarded
