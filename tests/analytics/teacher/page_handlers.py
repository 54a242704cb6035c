"""The handlers of the teacher page, called as Gradio calls them."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gradio as gr


def handlers(page: gr.Blocks) -> Callable[..., Any]:
    """Runs a handler of ``page``: its module below `analytics.teacher`, its name, and its arguments but the request.

    Where a handler is wired several times it is the first, which runs when its tab is opened.
    """
    found: dict[tuple[str, str], Callable[..., Any]] = {}
    for block in page.fns.values():
        if block.fn is not None:
            found.setdefault((block.fn.__module__, block.fn.__name__), block.fn)

    def run(module: str, name: str, *arguments: Any) -> Any:
        request = gr.Request(SimpleNamespace(headers={}))  # type: ignore[arg-type]
        return found[f"analytics.teacher.{module}", name](*arguments, request)

    return run
