"""What every answer under ``/api/v1/`` carries, whoever gives it: the server's time and the app's version; and of a
refusal a reason, also where a limit or the login refused before the call was reached.
"""

import json
from collections.abc import Callable
from datetime import datetime

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PREFIX = "/api/v1"
VERSION = "1.0.0"  # of the app: the first number changes when an interface does not answer as before
# Of a refusal that says none itself, by its status.
REASONS = {
    400: "bad_request",
    401: "login_needed",
    403: "forbidden",
    404: "no_address",
    405: "wrong_method",
    408: "too_slow",
    413: "too_large",
    415: "bad_form",
    429: "busy",
    503: "busy",
}


def reason_of(status: int) -> str:
    """The stable key of a refusal by its status alone."""
    return REASONS.get(status, "unexpected" if status >= 500 else "bad_request")


class ProgramAnswersMiddleware:
    """ASGI middleware: completes the JSON objects that are answered under `PREFIX`. ``now``: the clock that dates what
    is recorded."""

    def __init__(self, app: ASGIApp, now: Callable[[], datetime]) -> None:
        self.app = app
        self.now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(PREFIX + "/") or path.endswith(".json"):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        parts: list[bytes] = []

        async def completed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                kind = MutableHeaders(raw=message["headers"]).get("content-type", "")
                if not kind.startswith("application/json"):
                    await send(message)
                else:
                    start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                body = self.complete(b"".join(parts), start["status"])
                MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
                await send(start)
                await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, completed)

    def complete(self, body: bytes, status: int) -> bytes:
        """A JSON object with what every answer carries."""
        if status >= 400:
            body = json.dumps({"reason": reason_of(status), **json.loads(body)}, ensure_ascii=False).encode()
        front = json.dumps(carried(self.now)).encode()
        rest = body.strip()[1:]  # put in front without reading the whole: a timeline has half a megabyte
        return front[:-1] + (b"" if rest == b"}" else b", ") + rest


def carried(now: Callable[[], datetime]) -> dict[str, str]:
    """What every answer carries."""
    return {"server_time": now().isoformat(), "version": VERSION}
