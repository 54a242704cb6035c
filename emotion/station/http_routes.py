"""The plain HTTP routes of a lesson: a JPEG body in, JSON back. The station page uses them, and so may any program.

``POST /observe?lesson=&child=&at=&id=`` is the `observe` endpoint without Gradio's upload, which would put the frame on
a disk; ``POST /admission?lesson=&child=`` asks beforehand whether a frame would be recorded, so that no picture of a
child leaves the tablet before there is consent.
"""

import time
from datetime import datetime
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from emotion.serving.health import Metrics
from emotion.serving.language import language_of
from emotion.serving.rate_limits import Buckets
from emotion.station.latest_frame_queue import NewestQueue
from emotion.station.observing import (
    CODE_CHARACTERS,
    FRAME_BYTES,
    Observer,
    RefusedError,
    read_identifier,
    read_text,
    read_time,
)
from emotion.station.texts import say

# Frames looked at together. More than the cores, so that the classifier can gather them into a batch while others wait
# for the store's commit.
AT_ONCE = 4

REPLACED = "replaced"

FRAMES_PER_SECOND = 6.0  # of one child: the page sends at most 5
# Unknown codes of one client: a class behind one address may mistype a hundred times, a program that tries may not.
GUESSES_PER_SECOND, GUESSES = 0.5, 100.0
GUESSING_PAUSE = 60.0  # seconds


class FrameDesk:
    """Takes frames from both doors (`/observe` and the named endpoint) and keeps only the newest of each child."""

    def __init__(self, observer: Observer, metrics: Metrics) -> None:
        self.observer = observer
        self.metrics = metrics
        self.frames = Buckets(FRAMES_PER_SECOND, 2 * FRAMES_PER_SECOND)
        self.guesses = Buckets(GUESSES_PER_SECOND, GUESSES)
        self.blocked: dict[str, float] = {}  # client -> monotonic time until which it is not listened to
        metrics.gauge("expression_frames_waiting", "Frames that wait to be looked at", lambda: self.queue.waiting)
        self.queue: NewestQueue[dict[str, object]] = NewestQueue(AT_ONCE)

    async def observe(
        self,
        lesson: str,
        child: str,
        image: bytes,
        at: str | None,
        id: str | None,
        source: str,
        client: str,
        language: str,
    ) -> dict[str, object]:
        """See `Observer.observe`; ``client`` is the address that is charged for wrong codes. Raises `RefusedError`."""
        began = time.perf_counter()
        try:
            answer = await self._observe(lesson, child, image, at, id, source, client, language)
        except RefusedError as error:
            self.metrics.frames.labels(error.reason).inc()
            raise
        self.metrics.frames.labels("recorded" if answer["recorded"] else str(answer["reason"])).inc()
        self.metrics.seconds.observe(time.perf_counter() - began)
        return answer

    async def admission(self, lesson: str, child: str, client: str, language: str) -> dict[str, object] | None:
        """None if a frame would be recorded, else the answer that says why not. Raises `RefusedError`."""
        lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)
        child = read_text("child", child, CODE_CHARACTERS, language)
        return await self._admit(lesson, child, None, client, language)

    async def _observe(
        self,
        lesson: str,
        child: str,
        image: bytes,
        at: str | None,
        id: str | None,
        source: str,
        client: str,
        language: str,
    ) -> dict[str, object]:
        lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)
        child = read_text("child", child, CODE_CHARACTERS, language)
        moment = read_time(at, language)
        identifier = read_identifier(id, language)
        # Strangers are turned away before they can take a place in the queue.
        not_admitted = await self._admit(lesson, child, moment, client, language)
        if not_admitted is not None:
            return not_admitted
        owner = f"{lesson.casefold()}/{child.casefold()}"
        wait = self.frames.take(owner)
        if wait > 0:
            raise RefusedError("busy", say("error_too_many_frames", language, limit=int(FRAMES_PER_SECOND)), 429, wait)
        job = partial(self.observer.observe, lesson, child, image, moment, identifier, source, language)
        answer = await self.queue.run(owner, job)
        if answer is None:
            return {"recorded": False, "reason": REPLACED, "message": say("error_replaced", language)}
        return answer

    async def _admit(
        self, lesson: str, child: str, at: datetime | None, client: str, language: str
    ) -> dict[str, object] | None:
        wait = self.blocked.get(client, 0.0) - time.monotonic()
        if wait > 0:
            raise RefusedError("busy", say("error_too_often", language, seconds=round(wait) + 1), 429, wait)
        try:
            return await run_in_threadpool(self.observer.admit, lesson, child, at, language)
        except RefusedError as error:
            if error.status == 404:
                wait = self.guesses.take(client)
                if wait > 0:
                    self.blocked = {key: until for key, until in self.blocked.items() if until > time.monotonic()}
                    self.blocked[client] = time.monotonic() + GUESSING_PAUSE
            raise


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
            answer = await desk.observe(lesson, child, image, at, id, "station", address(request), language)
        except RefusedError as error:
            return refused(error)
        except ClientDisconnect:
            return JSONResponse({"recorded": False}, 499)
        return JSONResponse(answer)

    @app.post("/admission")
    async def admission(request: Request, lesson: str = "", child: str = "") -> JSONResponse:
        language = language_of(request)
        try:
            answer = await desk.admission(lesson, child, address(request), language)
        except RefusedError as error:
            if error.status not in (404, 422):
                return refused(error)
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
    headers = {"Retry-After": str(round(error.wait) + 1)} if error.wait else None
    return JSONResponse({"recorded": False, "reason": error.reason, "error": str(error)}, error.status, headers)


def address(request: Any) -> str:
    """Whom a request (Starlette's or Gradio's) is charged to."""
    return request.client.host if request.client else ""
