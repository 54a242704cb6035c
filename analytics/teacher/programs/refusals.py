"""How the interface for programs says what it refuses: a status, a stable reason, a sentence."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from analytics.store.records import StoreError
from analytics.words.texts import say
from analytics.words.user_errors import UserError

LOG = logging.getLogger(__name__)
# By the key of the sentence. All others are arguments that do not fit: 422, and the key without "error_".
REASONS = {
    "error_lesson": (404, "unknown_lesson"),
    "error_child": (404, "unknown_child"),
    "error_no_child": (404, "unknown_child"),
    "error_class": (403, "not_your_class"),
    "error_synthetic": (403, "sample_lesson"),
    "error_lessons_open": (409, "too_many_lessons"),
    "error_animals": (409, "class_is_full"),
    "error_busy": (503, "busy"),
    "small_group_hidden": (403, "small_group"),
}


def add_refusals(api: FastAPI, language_of: Callable[[Any], str]) -> None:
    """Let ``api`` answer a caller's mistake, and a store that is down."""

    @api.exception_handler(UserError)
    async def mistake(request: Request, error: UserError) -> JSONResponse:
        status, reason = REASONS.get(error.key, (422, error.key.removeprefix("error_")))
        return JSONResponse({"reason": reason, "error": error.text(language_of(request))}, status)

    @api.exception_handler(StoreError)
    async def down(request: Request, error: StoreError) -> JSONResponse:
        LOG.error("the store could not serve a program: %s", error)  # it names files of the server
        return JSONResponse({"reason": "store_down", "error": say(language_of(request), "error_store_down")}, 503)
