"""Streams of server-sent events: how they begin, stay open, end, and how many one client may hold."""

import asyncio
import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from emotion.serving.programs import event_streams
from emotion.serving.programs.event_streams import EventStreams

CARRIED = {"server_time": "now", "version": "1"}


class GoneError(Exception):
    """The lesson is over."""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_streams, "TICK_SECONDS", 0.001)
    monkeypatch.setattr(event_streams, "STREAM_SECONDS", 0.1)


def asked(last: str | None = None, client: str = "10.0.0.7") -> Request:
    headers = [(b"last-event-id", last.encode())] if last else []
    return Request({"type": "http", "headers": headers, "client": (client, 1), "path": "/", "query_string": b""})


class Source:
    """Answers of a poll, one after the other, then nothing new. ``cursors``: with which it was asked."""

    def __init__(self, *answers: list[int], ends: bool = False) -> None:
        self.answers, self.ends, self.cursors = list(answers), ends, list[str]()

    async def __call__(self, cursor: str) -> dict[str, Any]:
        self.cursors.append(cursor)
        if self.answers:
            return {"signals": self.answers.pop(0), "cursor": f"{cursor}+"}
        if self.ends:
            raise GoneError
        return {"signals": [], "cursor": cursor}


def whole(source: Source, request: Request, streams: EventStreams | None = None) -> str:
    async def read() -> str:
        answer = await (streams or EventStreams(lambda: CARRIED)).answer(request, "fox", source, "", GoneError)
        assert isinstance(answer, StreamingResponse)
        return "".join([part.decode() if isinstance(part, bytes) else part async for part in answer.body_iterator])

    return asyncio.run(read())


def test_each_answer_with_signals_is_an_event_whose_id_is_the_cursor() -> None:
    text = whole(Source([1], [], [2, 3]), asked())
    events = [line.partition(": ")[2] for line in text.splitlines() if line.startswith("data: ")]
    assert [json.loads(one) for one in events] == [
        CARRIED | {"signals": [1], "cursor": "+"},
        CARRIED | {"signals": [2, 3], "cursor": "+++"},
    ]
    assert [line for line in text.splitlines() if line.startswith("id: ")] == ["id: +", "id: +++"]
    assert "retry: 100" in text


def test_who_connects_again_goes_on_where_it_was() -> None:
    source = Source([1])
    whole(source, asked(last="here"))
    assert source.cursors[0] == "here"


def test_a_refusal_at_first_is_the_callers_and_a_later_one_ends_the_stream() -> None:
    with pytest.raises(GoneError):
        whole(Source(ends=True), asked())
    assert "data: " in whole(Source([1], ends=True), asked())


def test_a_quiet_stream_is_kept_open_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_streams, "QUIET_SECONDS", 0.0)
    assert whole(Source(), asked()).count("\n:") > 1


@pytest.mark.parametrize("limit", ["MOST_OF_ONE", "MOST_OF_A_CLIENT"])
def test_one_more_than_there_may_be_is_told_to_wait(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(event_streams, limit, 1)
    streams = EventStreams(lambda: CARRIED)

    async def two() -> None:
        first = await streams.answer(asked(), "fox", Source(), "", GoneError)
        assert isinstance(first, StreamingResponse)
        parts = first.body_iterator
        await anext(parts)  # it is open
        refused = await streams.answer(asked(), "fox", Source(), "", GoneError)
        assert (refused.status_code, json.loads(refused.body)["reason"]) == (503, "busy")
        others = await streams.answer(asked(client="10.0.0.8"), "owl", Source(), "", GoneError)
        assert others.status_code == 200
        await parts.aclose()  # type: ignore[attr-defined]

    asyncio.run(two())
    assert not streams.clients
    assert not streams.owners, "a stream that has ended makes room"
