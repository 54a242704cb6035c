"""What callers say to the functions behind the pages: read whole, judged, and only then handed to Gradio.

Gradio takes a body of any size, depth and number, lets its queue grow without end, answers an unknown name with a
trace, and tells the answer of a call to whoever knows (or chose) its identifier.
"""

import json
import math
import re
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
from gradio.block_function import BlockFunction
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion.serving.addresses import network_of
from emotion.serving.language import language_of
from emotion.serving.texts import say

CALL_DEPTH = 32  # of objects and lists in each other
CALL_ARGUMENTS = 64
CALL_PARTS = 1000  # objects and lists in a call: each takes a hundred bytes of memory, a file two of them
MOST_WAITING = 256  # calls of a function that have not begun; a call of a photograph takes some 50 ms
MOST_WAITING_OF_A_CLIENT = 40  # a class of thirty programs behind one address waits with one each
# Answers that come in a stream, and streams by which Gradio knows that a page is open: each keeps a connection. A page
# has one or two; a hundred tablets may be behind one address.
MOST_STREAMS_OF_A_CLIENT = 250
RETRY_SECONDS = 5
MOST_SESSIONS = 500  # of which anything is remembered: Gradio alone would keep what it showed in ten thousand
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
API = "/gradio_api"
STREAMS = ("/queue/data", "/heartbeat/", "/call/")
# One that is never closed reaches to the end, or each of its quotes would be tried as a beginning again.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)


class CallError(ValueError):
    """A call that is refused: the status, and the key of the sentence."""

    def __init__(self, status: int, key: str, retry_after: int = 0) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.retry_after = retry_after


@dataclass
class FunctionCallsMiddleware:
    """ASGI middleware. ``pages``: the pages by the folder under which they are mounted, "" for the root; they may be
    put in after this was made. ``visitor``: who a request is from, where more than its address is known."""

    app: ASGIApp
    pages: Mapping[str, gr.Blocks]
    visitor: Callable[[Request], str | None] = lambda _: None
    # Who began a stream of answers, by the page's folder and the stream's identifier.
    owners: OrderedDict[tuple[str, str], str] = field(default_factory=OrderedDict)
    open_streams: Counter[tuple[str, str]] = field(default_factory=Counter)  # by their kind and whom they are for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope.get("path", "").rstrip("/")
        folder = next((name for name in sorted(self.pages, reverse=True) if path.startswith(f"{name}{API}/")), None)
        if scope["type"] != "http" or folder is None:
            await self.app(scope, receive, send)
            return
        request, route = Request(scope, receive), path.removeprefix(f"{folder}{API}")
        try:
            if request.method == "POST" and (answer := self._posted(route)):
                await answer(request, folder, route, send)
            else:
                self._require_owner(request, folder, route)
                if request.method == "GET" and route.startswith(STREAMS):
                    await self._stream(route.split("/")[1], request, receive, send)
                else:
                    await self.app(scope, receive, send)
        except CallError as error:
            headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
            words = say(language_of(HTTPConnection(scope)), error.key, seconds=error.retry_after)
            refusal = {"reason": error.key.removeprefix("error_"), "error": words}
            await JSONResponse(refusal, error.status, headers)(scope, receive, send)

    async def _stream(self, kind: str, request: Request, receive: Receive, send: Send) -> None:
        whose = (kind, self._whose(request))
        if self.open_streams[whose] >= MOST_STREAMS_OF_A_CLIENT:
            raise CallError(503, "error_queue_full", RETRY_SECONDS)
        self.open_streams[whose] += 1
        try:
            await self.app(request.scope, receive, send)
        finally:
            self.open_streams[whose] -= 1
            if not self.open_streams[whose]:
                del self.open_streams[whose]

    def _posted(self, route: str) -> Callable[[Request, str, str, Send], Awaitable[None]] | None:
        if route == "/queue/join":
            return self._join
        if route.startswith("/call/"):
            return self._call
        return self._end if route in ("/cancel", "/reset") else None

    async def _join(self, request: Request, folder: str, route: str, send: Send) -> None:
        """The page's own way: a function by its number, answered in the stream of the page's session."""
        body, page = await read_call(request), self.pages[folder]
        session, number = body.get("session_hash"), body.get("fn_index")
        if type(number) is not int or number not in page.fns:
            raise CallError(404, "error_no_function")
        function = page.fns[number]
        if function.fn is None or not function.queue:  # what runs in the browser alone is nothing to ask the server for
            raise CallError(404, "error_no_function")
        self._require_place(request, page, function)
        self._own(request, folder, _identifier(session))
        known = {"data": _arguments(body), "fn_index": number, "session_hash": session}
        for name, kinds in (("event_data", (dict, list, str, int, float, bool)), ("trigger_id", (int,))):
            if isinstance(body.get(name), kinds):
                known[name] = body[name]
        await self.app(request.scope, _replayed(known, request), send)

    async def _call(self, request: Request, folder: str, route: str, send: Send) -> None:
        """A program's way: a function by its name, answered in a stream of its own."""
        body, page = await read_call(request), self.pages[folder]
        name = route.removeprefix("/call/")
        named = {function.api_name: function for function in page.fns.values() if function.api_visibility != "private"}
        if name not in named:
            raise CallError(404, "error_no_function")
        self._require_place(request, page, named[name])
        if "session_hash" in body and body["session_hash"] is not None:
            self._own(request, folder, _identifier(body["session_hash"]))
        known = {"data": _arguments(body), "session_hash": body.get("session_hash")}

        async def noting(message: Message) -> None:
            found = re.search(rb'"event_id": ?"([0-9a-f]{32})"', message.get("body", b""))
            if found:
                self._own(request, folder, found[1].decode())
            await send(message)

        await self.app(request.scope, _replayed(known, request), noting)

    async def _end(self, request: Request, folder: str, route: str, send: Send) -> None:
        body = await read_call(request)
        for name in ("session_hash", "event_id"):
            if body.get(name) is not None:
                self._require(request, folder, _identifier(body[name]))
        await self.app(request.scope, _replayed(body, request), send)

    def _require_owner(self, request: Request, folder: str, route: str) -> None:
        """A stream of answers is for whoever began it."""
        if route == "/queue/data":
            asked = parse_qs(request.scope.get("query_string", b"").decode("latin-1")).get("session_hash", [""])
            self._require(request, folder, _identifier(asked[0]))
        elif route.startswith("/call/"):
            self._require(request, folder, _identifier(route.rpartition("/")[2]))
        elif route.startswith("/heartbeat/"):
            self._own(request, folder, _identifier(route.rpartition("/")[2]))

    def _require(self, request: Request, folder: str, identifier: str) -> None:
        if self.owners.get((folder, identifier)) != self._whose(request):
            raise CallError(404, "error_no_stream")

    def _own(self, request: Request, folder: str, identifier: str) -> None:
        """Notes whose a stream is. One of somebody else's is taken over only when nothing is on its way in it, as when
        a tablet comes back from another network, and what the page kept for it is forgotten."""
        key, queue = (folder, identifier), self.pages[folder]._queue
        whose = self._whose(request)
        if self.owners.get(key, whose) != whose:
            if queue.pending_event_ids_session.get(identifier):
                raise CallError(404, "error_no_stream")
            self.pages[folder].state_holder.session_data.pop(identifier, None)
        self.owners[key] = whose
        self.owners.move_to_end(key)
        if len(self.owners) > MOST_SESSIONS:
            self._forget_one()

    def _forget_one(self) -> None:
        """Forgets the longest silent stream of the visitor that has most of them: nobody pushes others out."""
        busiest, _ = Counter(self.owners.values()).most_common(1)[0]
        folder, identifier = key = next(key for key, owner in self.owners.items() if owner == busiest)
        del self.owners[key]
        page = self.pages[folder]
        page.state_holder.session_data.pop(identifier, None)
        page._queue.pending_messages_per_session.pop(identifier, None)
        for event in page._queue.pending_event_ids_session.pop(identifier, ()):
            page._queue.event_ids_to_events.pop(event, None)

    def _whose(self, request: Request) -> str:
        return self.visitor(request) or f"address {network_of(request.client.host if request.client else '')}"

    def _require_place(self, request: Request, page: gr.Blocks, function: BlockFunction) -> None:
        """Raises where too many calls wait for this function, of this client or of all: whoever fills the line of one
        leaves the others as they are."""
        line = page._queue.event_queue_per_concurrency_id.get(function.concurrency_id)
        waiting = list(line.queue) if line else []
        whose = self._whose(request)
        own = sum(self._whose(event.request) == whose for event in waiting)
        if len(waiting) >= MOST_WAITING or own >= MOST_WAITING_OF_A_CLIENT:
            raise CallError(503, "error_queue_full", RETRY_SECONDS)


async def read_call(request: Request) -> dict[str, Any]:
    """The JSON object in a body. Raises `CallError` if it is none, or deeper or less finite than any call."""
    body = await request.body()  # `RateLimitMiddleware` has counted it
    depth, parts = depth_of(body)
    if depth > CALL_DEPTH or parts > CALL_PARTS:
        raise CallError(400, "error_bad_call")
    try:
        found = json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except ValueError as error:
        raise CallError(400, "error_bad_call") from error
    if not isinstance(found, dict):
        raise CallError(400, "error_bad_call")
    return found


def depth_of(body: bytes) -> tuple[int, int]:
    """How many objects and lists lie in each other in a JSON text, at most, and how many there are."""
    depth = deepest = parts = 0
    for letter in _STRINGS.sub(b"", body):
        if letter in b"[{":
            depth += 1
            parts += 1
            deepest = max(deepest, depth)
        elif letter in b"]}":
            depth -= 1
    return deepest, parts


def _arguments(body: dict[str, Any]) -> list[Any]:
    data = body.get("data")
    if not isinstance(data, list) or len(data) > CALL_ARGUMENTS:
        raise CallError(400, "error_bad_call")
    return data


def _identifier(text: object) -> str:
    if not isinstance(text, str) or not IDENTIFIER.fullmatch(text):
        raise CallError(400, "error_bad_call")
    return text


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(text: str) -> float:
    raise ValueError(f"{text[:20]} is no number of JSON")


def _replayed(body: dict[str, Any], request: Request) -> Receive:
    """A body that was read, for whoever reads it next; it is JSON, whether or not the program said so."""
    others = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
    request.scope["headers"] = [*others, (b"content-type", b"application/json")]
    messages: list[Message] = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else await request.receive()

    return receive
