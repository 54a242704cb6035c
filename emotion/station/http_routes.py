"""The plain HTTP routes of a lesson: a JPEG body in, JSON back. The station page uses them, and so may any program.

``POST /observe?lesson=&child=&at=&id=`` is the `observe` endpoint without Gradio's upload, which would put the frame on
a disk; a form with one file and the same fields is taken as well. ``POST /admission?lesson=&child=`` asks beforehand
whether a frame would be recorded, so that no picture of a child leaves the tablet before there is consent.
``station=`` names the tablet: a second one with the same code gets the reason other_tablet, until it asks for admission
with ``take=true``.
"""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from emotion.serving.language import language_of
from emotion.station.form_body import read_form
from emotion.station.frame_intake import FrameIntake
from emotion.station.observing import FRAME_BYTES, RefusedError
from emotion.station.tablet_marks import COOKIE, VALID_SECONDS, TabletMarks
from emotion.station.texts import say


def add_frame_routes(app: FastAPI, intake: FrameIntake, marks: TabletMarks) -> None:
    """Put the two routes on ``app``. A mistake gets a 4xx status with ``error`` and ``reason``; a lesson's ordinary
    states (no consent, ended, replaced) are answers with ``recorded`` false. A tablet that is admitted gets one of
    ``marks``."""

    @app.post("/observe")
    async def observe(
        request: Request,
        lesson: str = "",
        child: str = "",
        at: str | None = None,
        id: str | None = None,
        station: str | None = None,
    ) -> JSONResponse:
        language = language_of(request)
        try:
            body = await read_body(request, FRAME_BYTES, language)
            image, fields = read_form(body, request.headers.get("content-type", ""), language)
            lesson, child = lesson or fields.get("lesson", ""), child or fields.get("child", "")
            at, id, station = at or fields.get("at"), id or fields.get("id"), station or fields.get("station")
            client = client_address(request)
            mark = marks.owner(request.cookies.get(COOKIE, ""))
            source = "station" if station else "api"  # the page names its tablet
            answer = await intake.observe(lesson, child, image, at, id, source, client, language, station, mark)
        except RefusedError as error:
            return refusal_response(error)
        except ClientDisconnect:
            return JSONResponse({"recorded": False}, 499)
        return JSONResponse(answer)

    @app.post("/admission")
    async def admission(
        request: Request, lesson: str = "", child: str = "", station: str | None = None, take: str = ""
    ) -> JSONResponse:
        language = language_of(request)
        try:
            mark, client = marks.owner(request.cookies.get(COOKIE, "")), client_address(request)
            admission = await intake.admission(lesson, child, client, language, station, take == "true", mark)
        except RefusedError as error:
            if error.status not in (404, 422):
                return refusal_response(error)
            # A child's typing mistake is no failed request: the question was answered.
            return JSONResponse({"admitted": False, "reason": error.reason, "message": str(error)})
        if (refusal := admission.refusal) is not None:
            return JSONResponse({"admitted": False, "reason": refusal["reason"], "message": refusal["message"]})
        answer = JSONResponse({"admitted": True})
        # As the choice of language: a Space stands in a frame of another site, whose cookies need both of these.
        secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE,
            marks.make(admission.child),
            VALID_SECONDS,
            secure=secure,
            httponly=True,
            samesite="none" if secure else "lax",
        )
        return answer


async def read_body(request: Request, limit: int, language: str, arrived: Callable[[int], None] | None = None) -> bytes:
    """The body of ``request``, read no further than ``limit`` bytes; ``arrived`` is told of each piece how many it has.
    Raises `RefusedError` if empty or longer, and what ``arrived`` raises."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if arrived:
            arrived(len(part))
        if size > limit:
            raise RefusedError("too_large", say(language, "error_too_large", limit=limit // 1_000_000), 413)
        parts.append(part)
    if not size:
        raise RefusedError("no_image", say(language, "error_no_image"))
    return b"".join(parts)


def refusal_response(error: RefusedError, what: str = "recorded") -> JSONResponse:
    """The JSON answer for a mistake; ``what`` did not happen."""
    headers = {"Retry-After": str(round(error.retry_after) + 1)} if error.retry_after else None
    return JSONResponse({what: False, "reason": error.reason, "error": str(error)}, error.status, headers)


def client_address(request: Any) -> str:
    """Whom a request (Starlette's or Gradio's) is charged to."""
    return request.client.host if request.client else ""
