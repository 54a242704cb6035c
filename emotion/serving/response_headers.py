"""Security headers on every answer, and the refusal of cross-site requests that could change something."""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion.serving.language import language_of
from emotion.serving.texts import say

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

# Gradio's page is made of inline scripts and templates that are compiled in the browser, hence the two 'unsafe'; what
# remains is worth having: nothing is loaded from, sent to or framed by another site.
CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
FRAME_ANCESTORS = {False: "'self'", True: "'self' https://huggingface.co"}  # a Space is shown inside that site


# What is the same for everybody; of all else, a child's photograph or a class's figures, a browser keeps no copy.
PUBLIC = re.compile(r"(?:/teacher)?/(?:(?:static|assets|svelte)/.+|(?:gradio_api/)?theme\.css|favicon\.ico|pwa_icon.*)")


class ResponseHeadersMiddleware:
    """ASGI middleware: adds the headers to every answer."""

    def __init__(self, app: ASGIApp, on_space: bool) -> None:
        self.app = app
        policy = "; ".join(f"{name} {value}" for name, value in CONTENT_SECURITY_POLICY.items())
        self.headers = {
            "content-security-policy": f"{policy}; frame-ancestors {FRAME_ANCESTORS[on_space]}",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "permissions-policy": "camera=(self), microphone=(), geolocation=()",
            "cross-origin-resource-policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in self.headers.items():
                    headers[name] = value
                if not PUBLIC.fullmatch(scope["path"]):
                    headers["cache-control"] = "no-store"
                # Gradio allows other sites to read its answers; ours are for our own pages and for programs.
                for name in [name for name in headers if name.startswith("access-control-")]:
                    del headers[name]
            await send(message)

        await self.app(scope, receive, with_headers)


class OwnSiteMiddleware:
    """ASGI middleware: refuses requests of another site's page that could change something."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and _is_cross_site(Headers(scope=scope)):
            words = say(language_of(HTTPConnection(scope)), "error_cross_site")
            await JSONResponse({"error": words}, 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _is_cross_site(headers: Headers) -> bool:
    """Whether a browser made this request for another site's page (Fetch Metadata, else Origin against Host).

    Programs send neither header, and no cookie of a visitor either. X-Forwarded-Host counts as well as Host: a proxy
    may keep the name that the browser asked for there, and no page of another site can set it without asking first.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        asked_of = urlsplit(origin)
    except ValueError:  # no browser sends such a one
        return True
    names = [headers.get("host", ""), *headers.get("x-forwarded-host", "").split(",")]
    return _without_default_port(asked_of.netloc, asked_of.scheme) not in {
        _without_default_port(name.strip(), asked_of.scheme) for name in names if name.strip()
    }


def _without_default_port(name: str, scheme: str) -> str:
    return name.lower().removesuffix({"http": ":80", "https": ":443"}.get(scheme, ""))
