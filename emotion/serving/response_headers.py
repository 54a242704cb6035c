"""Security headers on every answer, and the refusal of cross-site requests that could change something."""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion.serving.language import language_of
from emotion.serving.other_origins import NO_OTHERS, OtherOrigins, preflight_headers, without_own_port
from emotion.serving.texts import say

# Of the answer to a preflight request, which is ours; whatever else allows other sites something is Gradio's.
ASKED_BEFORE = (
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
)
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
    """ASGI middleware: adds the headers to every answer. ``origins``: of other sites, whose pages may read what they
    ask for, and show the station page in a frame."""

    def __init__(self, app: ASGIApp, on_space: bool, origins: OtherOrigins = NO_OTHERS) -> None:
        self.app = app
        self.origins = origins
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
        origin = self.origins.of(scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in self.headers.items():
                    headers[name] = value
                if not PUBLIC.fullmatch(scope["path"]):
                    headers["cache-control"] = "no-store"
                # Gradio allows other sites to read its answers; ours are for our own pages and for programs.
                for name in [name for name in headers if name.startswith("access-control-")]:
                    if not (origin and name in ASKED_BEFORE):
                        del headers[name]
                if origin:
                    self.origins.complete(headers, origin)
                if scope["path"] == "/" and self.origins.names:
                    headers["content-security-policy"] += f" {self.origins.frames()}"
            await send(message)

        await self.app(scope, receive, with_headers)


class OwnSiteMiddleware:
    """ASGI middleware: refuses requests of another site's page that could change something; those of ``origins`` pass
    without their cookies, and ``scope["other_origin"]`` says whose they are."""

    def __init__(self, app: ASGIApp, origins: OtherOrigins = NO_OTHERS) -> None:
        self.app = app
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if origin := self.origins.of(scope):
            if (asked := preflight_headers(scope)) is not None:
                await Response(status_code=204, headers=asked)(scope, receive, send)
                return
            headers = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
            scope = {**scope, "headers": headers, "other_origin": origin}
        elif scope["method"] not in SAFE_METHODS and _is_cross_site(Headers(scope=scope)):
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
    return without_own_port(asked_of.netloc, asked_of.scheme) not in {
        without_own_port(name.strip(), asked_of.scheme) for name in names if name.strip()
    }
