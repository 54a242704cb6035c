"""Streams have a limit for each child or account, also for those that come at the same moment."""

import asyncio
from typing import Any

from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response

from emotion.serving.programs.event_streams import MOST_OF_ONE, EventStreams


def request() -> Request:
    return Request({"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("192.0.2.1", 1)})


def test_as_many_as_come_at_once_do_not_all_find_room() -> None:
    """Forty connections of one child all opened: they were counted after the first look only."""

    async def come() -> list[Response]:
        streams, looked = EventStreams(dict), asyncio.Event()

        async def poll(cursor: str) -> dict[str, Any]:
            await looked.wait()
            return {"signals": [], "cursor": cursor}

        answers = [asyncio.create_task(streams.answer(request(), "child", poll, "", KeyError)) for _ in range(40)]
        await asyncio.sleep(0)
        looked.set()
        return list(await asyncio.gather(*answers))

    refused = [answer for answer in asyncio.run(come()) if isinstance(answer, JSONResponse)]
    assert [answer.status_code for answer in refused] == [503] * (40 - MOST_OF_ONE)


def test_a_stream_that_is_refused_or_ends_gives_its_place_back() -> None:
    async def come() -> EventStreams:
        streams = EventStreams(dict)

        async def refuses(cursor: str) -> dict[str, Any]:
            raise KeyError(cursor)

        async def breaks_off(cursor: str) -> dict[str, Any]:
            if cursor == "second":
                raise KeyError(cursor)
            return {"signals": [{"id": "s"}], "cursor": "second"}

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> dict[str, str]:
            await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        for poll in (refuses, breaks_off):
            for _ in range(MOST_OF_ONE + 1):
                try:
                    answer = await streams.answer(request(), "child", poll, "", KeyError)
                except KeyError:
                    continue
                await answer(request().scope, receive, send)
        return streams

    sent: list[dict[str, Any]] = []
    streams = asyncio.run(come())
    assert sum(b"id: second" in message.get("body", b"") for message in sent) == MOST_OF_ONE + 1
    assert (streams.clients, streams.owners) == ({}, {})
