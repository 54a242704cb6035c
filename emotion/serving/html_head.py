"""Puts our head into every HTML page before Gradio's own scripts.

Gradio 6 adds the ``head`` of a mounted app from its own script, when it has asked the browser for its language already:
too late for a visitor's choice of language.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion.serving.language import HEAD, LANGUAGES, language_of

MARK = b"<head>"


class RequestHeaders:
    """The headers of an ASGI request, as `language_of` wants them."""

    def __init__(self, scope: Scope) -> None:
        self.headers = Headers(scope=scope)


class HtmlHeadMiddleware:
    """ASGI middleware: inserts `HEAD` behind ``<head>`` and tells the page's language; all other answers pass."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        language = language_of(RequestHeaders(scope))
        start: Message | None = None
        body = b""

        async def watch(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                if Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                    start = message
                    return
            elif start is not None and message["type"] == "http.response.body":
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                page = body.replace(MARK, MARK + HEAD.encode(), 1)
                page = page.replace(f'lang="{LANGUAGES[0]}"'.encode(), f'lang="{language}"'.encode(), 1)
                headers = MutableHeaders(raw=start["headers"])
                if scope["method"] != "HEAD":
                    headers["content-length"] = str(len(page))
                else:
                    del headers["content-length"]
                await send(start)
                await send({"type": "http.response.body", "body": page})
                return
            await send(message)

        await self.app(scope, receive, watch)
