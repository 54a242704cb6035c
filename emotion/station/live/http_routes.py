"""The plain HTTP route of the live mode: ``POST /live?station=`` takes a JPEG body, or a form with one file, and
answers what is seen in it. Nothing is stored. ``station=`` tells the cameras of one address apart.
"""

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from emotion.serving.language import language_of
from emotion.station.form_body import read_form
from emotion.station.http_routes import client_address, read_body
from emotion.station.live.live_frames import LiveFrames
from emotion.station.observing import FRAME_BYTES, RefusedError, read_identifier
from emotion.station.texts import say

BODY_SECONDS = 10  # a frame that takes longer is old, and keeps others from being received


def add_live_route(app: FastAPI, live: LiveFrames) -> None:
    """Put the route on ``app``. A mistake gets a 4xx status with ``reason`` and ``error``; a frame that is not read
    because a lesson runs, or because a newer one came, is an answer with these two and without ``faces``."""

    @app.post("/live")
    async def look(request: Request, station: str = "") -> JSONResponse:
        language, client = language_of(request), client_address(request)
        try:
            with live.arriving(client, language):
                image, fields = await _received(request, language)
            camera = read_identifier(station or fields.get("station"), language) or ""
            return JSONResponse(await live.read(image, client, camera, language))
        except RefusedError as error:
            headers = {"Retry-After": str(round(error.retry_after) + 1)} if error.retry_after else None
            return JSONResponse({"reason": error.reason, "error": str(error)}, error.status, headers)
        except ClientDisconnect:
            return JSONResponse({"reason": "gone", "error": ""}, 499)


async def _received(request: Request, language: str) -> tuple[bytes, dict[str, str]]:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await read_body(request, FRAME_BYTES, language)
    except TimeoutError as error:
        raise RefusedError("too_slow", say(language, "error_too_slow", limit=BODY_SECONDS), 408) from error
    return read_form(body, request.headers.get("content-type", ""), language)
