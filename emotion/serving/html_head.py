"""Puts the site bar, the keys of the tabs and the names that Gradio leaves out into the head of every HTML page, before
Gradio's own scripts.

Gradio 6 adds the ``head`` of a mounted app from its own script, when it has asked the browser for its language already:
too late for a visitor's choice of language.
"""

from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion.serving.language import COOKIE, LANGUAGES, language_of
from emotion.serving.programs.answers import PREFIX as PROGRAMS
from emotion.serving.rendering import templates_in
from emotion.serving.texts import SITE_BAR

START_OF_HEAD = b"<head>"


class HtmlHeadMiddleware:
    """ASGI middleware: puts the site bar behind ``<head>`` and the page's language into ``<html lang>``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.start_of_head = START_OF_HEAD + _site_bar().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith(PROGRAMS + "/"):  # those are no pages of this site
            await self.app(scope, receive, send)
            return
        language = language_of(HTTPConnection(scope))
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
                page = body.replace(START_OF_HEAD, self.start_of_head, 1)
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


def _site_bar() -> str:
    """The scripts of both pages, and the style of the bar on top of them."""
    folder = Path(__file__).parent
    static = folder / "static"
    return (
        templates_in(folder / "templates")
        .get_template("head.html")
        .render(
            options={"languages": LANGUAGES, "words": SITE_BAR, "cookie_name": COOKIE},
            scripts=[(static / name).read_text(encoding="utf-8") for name in ("site_bar.js", "tabs.js", "names.js")],
            style=(static / "site_bar.css").read_text(encoding="utf-8"),
        )
    )
