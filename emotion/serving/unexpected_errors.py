"""What nobody foresaw: one sentence for whoever asked, and the trace for the log. No library's text reaches a page."""

import logging
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from emotion.serving.language import language_of
from emotion.serving.texts import say

logger = logging.getLogger(__name__)


def tell_in_a_sentence(page: gr.Blocks) -> None:
    """Let the functions of ``page`` answer an unforeseen exception, of Gradio's own work around them too, in words."""
    process = page.process_api

    async def guarded(block_fn: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return await process(block_fn, *arguments, **options)
        except gr.Error:
            raise
        except Exception as error:
            request = options.get("request")
            language = language_of(request if isinstance(request, gr.Request) else None)
            if getattr(block_fn.fn, "__module__", "").startswith("gradio"):  # its own, which trusts its own page
                logger.warning("A call of %s could not be served: %s", block_fn.fn.__name__, type(error).__name__)
                raise gr.Error(say(language, "error_bad_call"), print_exception=False) from error
            logger.exception("A function of a page failed")
            raise gr.Error(say(language, "error_unexpected"), print_exception=False) from error

    page.process_api = guarded  # type: ignore[method-assign]


def add_error_answer(app: FastAPI) -> None:
    """Let the plain routes answer an unforeseen exception in words; the server writes its trace into the log."""

    @app.exception_handler(Exception)
    async def answer(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": say(language_of(request), "error_unexpected")}, 500)
