"""Pages of other sites that may call the interface for programs: those that a setting names, and never with cookies.

Of a browser's request, Origin says whose page made it (Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol).
"""

import re
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Scope

from emotion.serving.programs.answers import PREFIX

# A scheme, a host, and a port where it is not the scheme's own: what a browser sends, in small letters.
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
NO_ORIGIN = "null"  # what a browser says of a file, and of a frame without an origin of its own
OWN_PORTS = {"http": ":80", "https": ":443"}

# With the codes of a lesson and a child; all else under PREFIX is a teacher's.
STATION = re.compile(rf"/observe|/admission|{PREFIX}/(?:station/.+|openapi\.json)", re.DOTALL)
METHODS = "GET, POST, OPTIONS"
REQUEST_HEADERS = "Authorization, Content-Type, Accept-Language, Last-Event-ID"
PREFLIGHT_SECONDS = 600  # for which a browser need not ask again


def read_origins(text: str) -> str:
    """Origins with commas, each as a browser writes it. Raises ValueError, which says what is wrong with the first."""
    names = []
    for name in (part.strip().lower() for part in text.split(",")):
        if name == "*":
            raise ValueError(
                "would let every page of the internet in; name the sites, for example https://piktomir.ru."
            )
        if name != NO_ORIGIN and not ORIGIN.fullmatch(name):
            raise ValueError(
                f"names no origins: {name!r} is not a scheme, a host and perhaps a port alone; use for example "
                "https://piktomir.ru,app://piktomir without a slash at the end, or null for files."
            )
        names.append(without_own_port(name, name.partition("://")[0]))
    return ",".join(names)


def without_own_port(name: str, scheme: str) -> str:
    """A host, or an origin, without the port that its scheme has anyway."""
    return name.lower().removesuffix(OWN_PORTS.get(scheme, " "))


@dataclass(frozen=True, slots=True)
class OtherOrigins:
    """``names``: as `read_origins` gives them."""

    names: frozenset[str] = frozenset()

    def of(self, scope: Scope) -> str:
        """The origin of a named site's page whose request is served; "" for all other requests.

        What needs a teacher is served with a token alone: the browser's cookies and this computer's rights are for
        our own pages.
        """
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        if origin not in self.names or headers.get("sec-fetch-site") == "same-origin":
            return ""
        path = scope["path"]
        return origin if STATION.fullmatch(path) or (path.startswith(f"{PREFIX}/") and _has_token(headers)) else ""

    def frames(self) -> str:
        """The sites that may show the station page in a frame, as a content security policy lists them."""
        return " ".join(sorted(self.names - {NO_ORIGIN}))

    def complete(self, headers: MutableHeaders, origin: str) -> None:
        """Lets the page of ``origin`` read an answer."""
        headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = "Retry-After"
        headers["cross-origin-resource-policy"] = "cross-origin"
        headers.add_vary_header("Origin")


NO_OTHERS = OtherOrigins()


def preflight_headers(scope: Scope) -> dict[str, str] | None:
    """The answer to a browser's question before a request; None for what is no such question."""
    if scope["method"] != "OPTIONS" or "access-control-request-method" not in Headers(scope=scope):
        return None
    return {
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": REQUEST_HEADERS,
        "access-control-max-age": str(PREFLIGHT_SECONDS),
    }


def _has_token(headers: Headers) -> bool:
    """Whether a request brings a bearer's token, or asks beforehand whether it may."""
    asked = [name.strip().lower() for name in headers.get("access-control-request-headers", "").split(",")]
    return headers.get("authorization", "").lower().startswith("bearer ") or "authorization" in asked
