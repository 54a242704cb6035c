"""The plain HTTP routes of a lesson: a JPEG body in, JSON back. The station page uses them, and so may any program.

``POST /observe?lesson=&child=&at=&id=`` is the `observe` endpoint without Gradio's upload, which would put the frame on
a disk; ``POST /admission?lesson=&child=`` asks beforehand whether a frame would be recorded, so that no picture of a
child leaves the tablet before there is consent.
"""

from functools import partial

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from emotion.language import language_of
from emotion.newest import NewestQueue
from emotion.observing import (
    CODE_CHARACTERS,
    FRAME_BYTES,
    Observer,
    RefusedError,
    read_identifier,
    read_text,
    read_time,
)
from emotion.texts import say

# Frames looked at together. More than the cores, so that the classifier can gather them into a batch while others wait
# for the store's commit.
AT_ONCE = 4

REPLACED = "replaced"


class FrameDesk:
    """Takes frames from both doors (`/observe` and the named endpoint) and keeps only the newest of each child."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.queue: NewestQueue[dict[str, object]] = NewestQueue(AT_ONCE)

    async def observe(
        self, lesson: str, child: str, image: bytes, at: str | None, id: str | None, source: str, language: str
    ) -> dict[str, object]:
        """See `Observer.observe`. Raises `RefusedError`."""
        lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)
        child = read_text("child", child, CODE_CHARACTERS, language)
        moment = read_time(at, language)
        identifier = read_identifier(id, language)
        # Strangers are turned away before they can take a place in the queue.
        not_admitted = await run_in_threadpool(self.observer.admit, lesson, child, moment, language)
        if not_admitted is not None:
            return not_admitted
        job = partial(self.observer.observe, lesson, child, image, moment, identifier, source, language)
        answer = await self.queue.run(f"{lesson.casefold()}/{child.casefold()}", job)
        if answer is None:
            return {"recorded": False, "reason": REPLACED, "message": say("error_replaced", language)}
        return answer


def add_frame_routes(app: FastAPI, desk: FrameDesk) -> None:
    """Put the two routes on ``app``. A mistake gets a 4xx status with ``error`` and ``reason``; a lesson's ordinary
    states (no consent, ended, replaced) are answers with ``recorded`` false."""

    @app.post("/observe")
    async def observe(
        request: Request, lesson: str = "", child: str = "", at: str | None = None, id: str | None = None
    ) -> JSONResponse:
        language = language_of(request)
        try:
            image = await read_body(request, FRAME_BYTES, language)
            answer = await desk.observe(lesson, child, image, at, id, "station", language)
        except RefusedError as error:
            return refused(error)
        except ClientDisconnect:
            return JSONResponse({"recorded": False}, 499)
        return JSONResponse(answer)

    @app.post("/admission")
    async def admission(request: Request, lesson: str = "", child: str = "") -> JSONResponse:
        language = language_of(request)
        try:
            lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)
            child = read_text("child", child, CODE_CHARACTERS, language)
            answer = await run_in_threadpool(desk.observer.admit, lesson, child, None, language)
        except RefusedError as error:
            # A child's typing mistake is no failed request: the question was answered.
            return JSONResponse({"admitted": False, "reason": error.reason, "message": str(error)})
        if answer is not None:
            return JSONResponse({"admitted": False, "reason": answer["reason"], "message": answer["message"]})
        return JSONResponse({"admitted": True})


async def read_body(request: Request, limit: int, language: str) -> bytes:
    """The body of ``request``, read no further than ``limit`` bytes. Raises `RefusedError` if empty or longer."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise RefusedError("too_large", say("error_too_large", language, limit=limit // 1_000_000), 413)
        parts.append(part)
    if not size:
        raise RefusedError("no_image", say("error_no_image", language))
    return b"".join(parts)


def refused(error: RefusedError) -> JSONResponse:
    """The JSON answer for a mistake."""
    return JSONResponse({"recorded": False, "reason": error.reason, "error": str(error)}, error.status)
