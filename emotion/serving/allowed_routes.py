"""The list of addresses that are served. Gradio brings many more that this app has no use for (a proxy to other sites,
recordings, its own login, an assistant that edits the code): those are not found, for anybody.
"""

import re

import httpx
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from emotion.serving.language import language_of
from emotion.serving.texts import say

OWN_ROUTES = {
    "/observe",
    "/admission",
    "/live",
    "/photograph",
    "/photograph/picture",
    "/photograph/example",
    "/teach",
    "/teach/state",
    "/teach/keep",
    "/teach/undo",
    "/teach/finish",
    "/healthz",
    "/readyz",
    "/metrics",
    "/teacher",
    "/teacher/login",
    "/teacher//login",  # Node's @gradio/client
    "/teacher/logout",
}
# Of each page: itself, what it is made of, and the functions behind it. Relative to the page's folder. A file is named
# by its path: behind an address Gradio would fetch what another site has there.
PAGE_ROUTES = re.compile(
    r"/(?:|config/?|theme\.css|favicon\.ico|manifest\.json|robots\.txt|pwa_icon(?:/\d+)?"
    r"|(?:static|assets|svelte)/.+"
    r"|gradio_api/(?:info/?|startup-events|app_id/?|theme\.css|queue/(?:join|data|status)"
    r"|call/(?!v2(?:/|$))[^/]+(?:/[^/]*)?|heartbeat/.+|file=(?![A-Za-z]{2,}:).+|cancel|reset/?))"
)

# For programs: `emotion.serving.programs`.
PROGRAM_ROUTES = re.compile(
    r"/api/v1/(?:|openapi\.json"
    r"|lessons(?:/[^/]+(?:/(?:end|board|signals|signals/stream|timeline|summary))?)?|children(?:/consent|/erase)?"
    r"|station/(?:observe|lesson|events|signals|signals/stream|example))"
)
STATION_ROUTES = re.compile(r"/gradio_api/upload(?:_progress)?")  # the teacher's page takes no files
# Of a path, and of a name between two strokes: what is longer no system looks for.
PATH_BYTES, NAME_BYTES = 1000, 255
# By what Gradio writes down where its page is; it can't do so for a name that is none ("x:abc").
NAMES_OF_SERVER = {"host": "http://", "x-forwarded-host": "http://", "x-gradio-server": ""}


class AllowedRoutesMiddleware:
    """ASGI middleware: 404 and a sentence for every address that no page and no program needs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or (_is_allowed(scope.get("path", "")) and _has_a_name(Headers(scope=scope))):
            await self.app(scope, receive, send)
            return
        words = say(language_of(HTTPConnection(scope)), "error_no_address")
        await JSONResponse({"reason": "no_address", "error": words}, 404)(scope, receive, send)


def _is_allowed(path: str) -> bool:
    """Whether there is anything at ``path``."""
    written = path.encode("utf-8", "replace")
    if len(written) > PATH_BYTES or any(len(name) > NAME_BYTES for name in written.split(b"/")):
        return False
    inside = path.removeprefix("/teacher") if path.startswith("/teacher/") else path
    of_a_page = PAGE_ROUTES.fullmatch(inside) or STATION_ROUTES.fullmatch(path)
    return path.rstrip("/") in OWN_ROUTES or bool(of_a_page or PROGRAM_ROUTES.fullmatch(path))


def _has_a_name(headers: Headers) -> bool:
    """Whether the server can be where a request says that it was asked."""
    try:
        for name, scheme in NAMES_OF_SERVER.items():
            httpx.URL(scheme + headers.get(name, "").split(",")[0].strip())
    except httpx.InvalidURL:
        return False
    return True
