"""The list of addresses that are served. Gradio brings many more that this app has no use for (a proxy to other sites,
recordings, its own login, an assistant that edits the code): those are not found, for anybody.
"""

import re

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from emotion.serving.language import language_of
from emotion.serving.texts import say

OWN_ROUTES = {
    "/observe",
    "/admission",
    "/healthz",
    "/readyz",
    "/metrics",
    "/teacher",
    "/teacher/login",
    "/teacher/logout",
}
# Of each page: itself, what it is made of, and the functions behind it. Relative to the page's folder. A file is named
# by its path: behind an address Gradio would fetch what another site has there.
PAGE_ROUTES = re.compile(
    r"/(?:|config/?|theme\.css|favicon\.ico|manifest\.json|robots\.txt|pwa_icon(?:/\d+)?"
    r"|(?:static|assets|svelte)/.+"
    r"|gradio_api/(?:info/?|startup-events|app_id/?|theme\.css|queue/(?:join|data|status)"
    r"|call/(?!v2(?:/|$))[^/]+(?:/[^/]*)?|run/predict|heartbeat/.+|file=(?![A-Za-z]{2,}:).+|cancel|reset/?))"
)

STATION_ROUTES = re.compile(r"/gradio_api/upload(?:_progress)?")  # the teacher's page takes no files


PATH_CHARACTERS = 1000


class AllowedRoutesMiddleware:
    """ASGI middleware: 404 and a sentence for every address that no page and no program needs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or _is_allowed(scope.get("path", "")):
            await self.app(scope, receive, send)
            return
        words = say(language_of(HTTPConnection(scope)), "error_no_address")
        await JSONResponse({"error": words}, 404)(scope, receive, send)


def _is_allowed(path: str) -> bool:
    """Whether there is anything at ``path``. No file has so long a name, and no system looks for one."""
    if len(path) > PATH_CHARACTERS or any(len(part.encode("utf-8", "replace")) > 255 for part in path.split("/")):
        return False
    inside = path.removeprefix("/teacher") if path.startswith("/teacher/") else path
    of_a_page = PAGE_ROUTES.fullmatch(inside) or STATION_ROUTES.fullmatch(path)
    return path.rstrip("/") in OWN_ROUTES or of_a_page is not None
