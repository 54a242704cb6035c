"""The plain HTTP routes by which a child shows its faces; the panel uses them. ``code=`` is that of the teacher's link.

``POST /teach?code=&label=&burst=&id=`` takes a JPEG body; with ``pending=true`` it counts only after
``/teach/keep?code=&burst=``. That, ``/teach/state?code=``, ``/teach/undo?code=&burst=`` and ``/teach/finish?code=``
take no body.
"""

from collections.abc import Awaitable

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from emotion.serving.language import language_of
from emotion.station.calibration.teaching import Teaching
from emotion.station.form_body import read_form
from emotion.station.http_routes import client_address, read_body, refusal_response
from emotion.station.observing import FRAME_BYTES, RefusedError


def add_calibration_routes(app: FastAPI, teaching: Teaching) -> None:
    """Put the five routes on ``app``. A mistake gets a 4xx status with ``error`` and ``reason``; a face that cannot be
    learnt from is an answer with ``kept`` false."""

    @app.post("/teach")
    async def teach(
        request: Request, code: str = "", label: str = "", burst: str = "", id: str | None = None, pending: str = ""
    ) -> JSONResponse:
        language = language_of(request)

        async def answer() -> dict[str, object]:
            body = await read_body(request, FRAME_BYTES, language)
            image, fields = read_form(body, request.headers.get("content-type", ""), language)
            named = {key: given or fields.get(key, "") for key, given in (("label", label), ("burst", burst))}
            client, identifier = client_address(request), id or fields.get("id")
            link, waits = code or fields.get("code", ""), pending == "true"
            return await teaching.teach(
                link, named["label"], named["burst"], image, identifier, client, language, waits
            )

        return await _answered(answer(), "kept")

    @app.post("/teach/state")
    async def state(request: Request, code: str = "") -> JSONResponse:
        return await _answered(teaching.state(code, client_address(request), language_of(request)), "open")

    @app.post("/teach/keep")
    async def keep(request: Request, code: str = "", burst: str = "") -> JSONResponse:
        return await _answered(teaching.keep(code, burst, client_address(request), language_of(request)), "kept")

    @app.post("/teach/undo")
    async def undo(request: Request, code: str = "", burst: str = "") -> JSONResponse:
        return await _answered(teaching.undo(code, burst, client_address(request), language_of(request)), "removed")

    @app.post("/teach/finish")
    async def finish(request: Request, code: str = "") -> JSONResponse:
        return await _answered(teaching.finish(code, client_address(request), language_of(request)), "enough")


async def _answered(answer: Awaitable[dict[str, object]], what: str) -> JSONResponse:
    try:
        return JSONResponse(await answer)
    except RefusedError as error:
        return refusal_response(error, what)
    except ClientDisconnect:
        return JSONResponse({what: False}, 499)
