"""Streams of server-sent events (HTML Living Standard, 9.2): what a program would poll for, sent as it comes.

An event is the JSON that a poll with the cursor of the one before would get, its id is the new cursor: a program that
connects again with ``Last-Event-ID``, as every browser does by itself, goes on where it was. A stream ends by itself
after a minute: then it is asked anew whether the caller still may.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from emotion.serving.addresses import network_of
from emotion.serving.language import language_of
from emotion.serving.texts import say

TICK_SECONDS = 0.3  # between two looks: with the store's and the network's time a signal is there within a second
STREAM_SECONDS = 60.0
QUIET_SECONDS = 15.0  # after which a line is sent that means nothing: proxies close what is silent
RETRY_MILLISECONDS = 100
RETRY_SECONDS = 5
# A class of thirty tablets and its teacher are behind one address; a child has a tablet, and one that was left open.
MOST_OF_A_CLIENT, MOST_OF_ONE = 250, 4
HEADERS = {"X-Accel-Buffering": "no"}  # nginx keeps answers back otherwise


class EventStreams:
    """All open streams. ``carried``: what every answer of the interface carries."""

    def __init__(self, carried: Callable[[], dict[str, str]]) -> None:
        self.carried = carried
        self.clients: Counter[str] = Counter()
        self.owners: Counter[str] = Counter()

    async def answer(
        self,
        request: Request,
        owner: str,
        poll: Callable[[str], Awaitable[dict[str, Any]]],
        after: str,
        refusals: type[Exception] | tuple[type[Exception], ...],
    ) -> Response:
        """A stream for ``owner``, one and the same for all requests of one child or account. ``poll``: what became
        known after a cursor, with ``signals`` and ``cursor``; of its ``refusals`` the first goes to the caller as that
        of any request, a later one ends the stream."""
        client = network_of(request.client.host if request.client else "")
        if self.clients[client] >= MOST_OF_A_CLIENT or self.owners[owner] >= MOST_OF_ONE:
            words = say(language_of(request), "error_queue_full", seconds=RETRY_SECONDS)
            return JSONResponse({"reason": "busy", "error": words}, 503, {"Retry-After": str(RETRY_SECONDS)})
        # Counted before anything is waited for: as many as come at once must not all find room.
        self._count(client, owner, 1)
        try:
            first = await poll(request.headers.get("last-event-id") or after)
        except BaseException:
            self._count(client, owner, -1)
            raise
        return _CountedStream(self._events(poll, first, refusals), partial(self._count, client, owner, -1))

    def _count(self, client: str, owner: str, streams: int) -> None:
        for counter, key in ((self.clients, client), (self.owners, owner)):
            counter[key] += streams
            if not counter[key]:
                del counter[key]

    async def _events(
        self,
        poll: Callable[[str], Awaitable[dict[str, Any]]],
        found: dict[str, Any],
        refusals: type[Exception] | tuple[type[Exception], ...],
    ) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        began = spoke = clock()
        yield format_sse_event(retry=RETRY_MILLISECONDS, comment="")
        while clock() - began < STREAM_SECONDS:
            if found["signals"]:
                spoke = clock()
                data = json.dumps({**self.carried(), **found}, ensure_ascii=False)
                yield format_sse_event(data_str=data, id=found["cursor"])
            elif clock() - spoke >= QUIET_SECONDS:
                spoke = clock()
                yield format_sse_event(comment="")
            await asyncio.sleep(TICK_SECONDS)
            try:
                found = await poll(found["cursor"])
            except refusals:
                return  # whoever connects again is told why


class _CountedStream(EventSourceResponse):
    """A stream that gives its place back when it ends, however it ends."""

    def __init__(self, events: AsyncIterator[bytes], ended: Callable[[], None]) -> None:
        super().__init__(events, headers=HEADERS)
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._ended()
