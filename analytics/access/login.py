"""Login for everything under ``/teacher``, and for the teacher's half of the interface for programs: sessions, logging
in and out, tokens of servers, and what an attempt may cost.

An ASGI middleware, so that no route of the teacher page, present or future, can be reached around it.
"""

import asyncio
import ipaddress
import os
import re
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from analytics.access.accounts import Accounts
from analytics.access.known_devices import VALID_SECONDS, KnownDevices
from analytics.access.login_limits import LoginLimits
from analytics.access.spelling import fold
from analytics.access.texts import TEXTS
from analytics.access.tokens import PREFIX as TOKEN_PREFIX
from analytics.access.tokens import LiveTokens

PREFIX = "/teacher"
TEMPLATES = Jinja2Templates(Path(__file__).parent)  # escapes what it is given
VISITOR = "(visitor)"  # in place of a name, which has no brackets: who is let in to a demonstration without an account
COOKIE = "teacher_session"
# Of the interface for programs all is the teacher's but what is named here. Its cookie is the same session under a name
# of its own, so that the station, which lies between the two paths, gets neither.
PROGRAMS = "/api/v1"
OPEN_TO_ALL = re.compile(rf"{PROGRAMS}/(?:station/.*|openapi\.json)?", re.DOTALL)
PROGRAMS_COOKIE = "teacher_session_programs"
LONGEST_SESSION = 12 * 3600.0  # seconds; however busy the session is
# A hash takes 64 MB and a third of a second: many at a time would take the frames' memory and threads.
HASHES_AT_ONCE, HASHES_WAITING, HASH_WAIT_SECONDS = 2, 12, 5
HASHES_OF_STRANGERS, HASHES_OF_A_PLACE = 9, 6  # of those, for whom no known device speaks: in all, and at one place
KNOWN_DEVICES = "known devices"  # in place of their place
LOGIN_BODY, MOST_FIELDS = 4096, 4  # bytes, and fields of a form in parts
ASK = {"WWW-Authenticate": "Bearer"}
LOOPBACK_HOST = re.compile(
    r"(?:localhost|127\.0\.0\.1|\[::1\]|\[::ffff:(?:127\.0\.0\.1|7f00:1)\])(?::\d{1,5})?", re.IGNORECASE
)


@dataclass
class Session:
    """Who is logged in, since when, and when the last request came."""

    name: str
    began: float
    seen: float


def known_devices(accounts: Accounts, key: bytes) -> KnownDevices:
    """The devices on which teachers of ``accounts`` have logged in, by cookies signed with ``key``."""
    return KnownDevices(key, {name: salt for name, (salt, _) in accounts.hashes.items()})


class LoginMiddleware:
    """ASGI middleware. ``accounts`` empty: only this computer passes. ``language_of``: a visitor's language.
    ``network_of``: the addresses that one client may have, for one of them. ``devices``: on which teachers logged in
    before; without them none is known after this process has ended. ``tokens``: of servers. ``visitors``: whoever is
    not logged in passes to the page as `VISITOR`, from this computer too, because behind a proxy anybody may look like
    it.

    The name of whoever passed stands in ``scope["teacher"]`` (``local`` without accounts), for the audit.
    """

    def __init__(
        self,
        app: ASGIApp,
        accounts: Accounts,
        language_of: Callable[[Any], str],
        idle_minutes: int,
        clock: Callable[[], float] = time.monotonic,
        network_of: Callable[[str], str] = str,
        devices: KnownDevices | None = None,
        visitors: bool = False,
        tokens: LiveTokens | None = None,
    ) -> None:
        self.app = app
        self.visitors = visitors
        self.network_of = network_of
        self.hashing = ThreadPoolExecutor(HASHES_AT_ONCE, "hash", _give_way)
        self.waiting: Counter[str] = Counter()  # hashes that are not done, by place
        self.accounts = accounts
        self.language_of = language_of
        self.idle = idle_minutes * 60.0
        self.clock = clock
        self.limits = LoginLimits(accounts.hashes, clock)
        self.devices = devices or known_devices(accounts, secrets.token_bytes(32))
        self.tokens = tokens or LiveTokens(dict)
        self.sessions: dict[str, Session] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or not _is_teachers(path):
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # the teacher page uses no web socket
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope, receive)
        answer = await self._answer(request, path.removeprefix(PREFIX))
        await (answer or self.app)(scope, receive, send)

    async def _answer(self, request: Request, path: str) -> Response | None:
        """What to answer instead of the teacher page, or None to let the request pass."""
        if not path:  # the page's own addresses are relative to the folder
            return RedirectResponse(PREFIX + "/", 307)
        if secret := _token(request):
            account = await asyncio.to_thread(self.tokens.account, secret)
            if not account:
                return JSONResponse({"reason": "bad_token", "error": self._text(request, "bad_token")}, 401, ASK)
            request.scope["teacher"] = account
            return None
        if not self.accounts:
            if self.visitors:
                return self._let_in(request, path)
            if is_local(request):
                request.scope["teacher"] = "local"
                return None
            return self._closed(request)
        if path.rstrip("/") in ("/login", "//login"):  # Node's @gradio/client asks for the second
            return await self._log_in(request) if request.method == "POST" else self._page(request)
        session = self._session(request)
        if path.rstrip("/") == "/logout":
            self.sessions.pop(_cookie(request), None)
            gone = RedirectResponse(PREFIX + "/login", 303)
            gone.delete_cookie(COOKIE, path=PREFIX)
            gone.delete_cookie(PROGRAMS_COOKIE, path=PROGRAMS)
            return gone
        if session is not None:
            request.scope["teacher"] = session.name
            return None
        if self.visitors:
            return self._let_in(request, path)
        if _wants_page(request):
            return RedirectResponse(PREFIX + "/login", 303)
        return JSONResponse({"reason": "login_needed", "error": self._text(request, "login_needed")}, 401, ASK)

    def _let_in(self, request: Request, path: str) -> Response | None:
        """A visitor passes to the page, not to the interface for programs; without accounts there is nothing to log in
        to."""
        if path.startswith(PROGRAMS):
            return JSONResponse({"reason": "login_needed", "error": self._text(request, "login_needed")}, 401, ASK)
        if path.rstrip("/") in ("/login", "/logout"):
            return RedirectResponse(PREFIX + "/", 303)
        request.scope["teacher"] = VISITOR
        return None

    async def _log_in(self, request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LOGIN_BODY:
                return JSONResponse({"error": self._text(request, "login_wrong")}, 413)
        fields = await _fields(request, body)
        name = fold(fields.get("username", ""))
        place, device = self.network_of(_address(request)), self.devices.device(name, request.cookies)
        wait = self.limits.wait(name, place, device)
        if wait > 0:
            words = self._text(request, "login_wait").format(seconds=int(wait) + 1)
            return self._refused(request, words, 429, {"Retry-After": str(int(wait) + 1)})
        if not self._has_place(place, device):
            words = self._text(request, "login_busy").format(seconds=HASH_WAIT_SECONDS)
            return self._refused(request, words, 503, {"Retry-After": str(HASH_WAIT_SECONDS)})
        # Charged before the hash is computed: a hundred attempts at the same moment count as a hundred.
        self.limits.failed(name, place, device)
        waits_as = KNOWN_DEVICES if device else place
        self.waiting[waits_as] += 1
        try:
            password = fields.get("password", "")
            verifying = asyncio.get_running_loop().run_in_executor(self.hashing, self.accounts.verify, name, password)
            is_right = await verifying
        finally:
            self.waiting[waits_as] -= 1
            self.waiting += Counter()  # without those that wait no more
        if not is_right:
            return self._refused(request, self._text(request, "login_wrong"), 401, {})
        self.limits.succeeded(name, place, device)
        now = self.clock()
        self.sessions = {token: session for token, session in self.sessions.items() if self._is_valid(session, now)}
        token = secrets.token_urlsafe(32)
        self.sessions[token] = Session(name, now, now)
        answer: Response = (
            RedirectResponse(PREFIX + "/", 303) if _wants_page(request) else JSONResponse({"success": True})
        )
        secure = request.url.scheme == "https"
        for cookie, path in ((COOKIE, PREFIX), (PROGRAMS_COOKIE, PROGRAMS)):
            answer.set_cookie(cookie, token, path=path, httponly=True, secure=secure, samesite="strict")
        answer.set_cookie(
            self.devices.cookie_name(name),
            self.devices.make(name),
            VALID_SECONDS,
            path=PREFIX,
            httponly=True,
            secure=secure,
            samesite="strict",
        )
        return answer

    def _has_place(self, place: str, device: str) -> bool:
        """Whether one more hash may wait: strangers never take the places of known devices, nor one place all."""
        if device:
            return self.waiting.total() < HASHES_WAITING
        strangers = self.waiting.total() - self.waiting[KNOWN_DEVICES]
        return strangers < HASHES_OF_STRANGERS and self.waiting[place] < HASHES_OF_A_PLACE

    def _session(self, request: Request) -> Session | None:
        session, now = self.sessions.get(_cookie(request)), self.clock()
        if session is None or not self._is_valid(session, now):
            return None
        session.seen = now
        return session

    def _is_valid(self, session: Session, now: float) -> bool:
        return now - session.seen < self.idle and now - session.began < LONGEST_SESSION

    def _refused(self, request: Request, refusal: str, status: int, headers: dict[str, str]) -> Response:
        if _wants_page(request):
            return self._page(request, status, headers, refusal=refusal)
        return JSONResponse({"error": refusal}, status, headers)

    def _closed(self, request: Request) -> Response:
        if _wants_page(request):
            return self._page(request, 403, closed=True)
        return JSONResponse({"reason": "closed", "error": self._text(request, "closed")}, 403)

    def _page(
        self, request: Request, status: int = 200, headers: dict[str, str] | None = None, **content: object
    ) -> Response:
        """The form, with ``refusal`` above it; or, with ``closed``, only that there are no accounts."""
        language = self.language_of(request)
        content |= {"language": language, "texts": TEXTS[language], "prefix": PREFIX}
        return TEMPLATES.TemplateResponse(request, "login.html", content, status, headers)

    def _text(self, request: Request, key: str) -> str:
        return TEXTS[self.language_of(request)][key]


# What proxies add, the widely used ones and those of clouds.
PASSED_ON = (
    *("forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip"),
    *("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"),
)


def is_local(request: Request) -> bool:
    """Whether a request comes from this computer: its address is a loopback one, it was sent to a loopback name, no
    proxy says that it passed it on, and no page of another site made it.

    The name is asked too because a web page elsewhere can make its own name point to 127.0.0.1 (DNS rebinding), and
    because behind a proxy on the same machine every address is a loopback one. It is taken as it was sent: parsed as
    part of an address, ``evil.example@localhost`` would be ``localhost``. HTTP/1.0 is what nginx speaks unless it is
    told otherwise, and nginx says nothing else of itself; no browser speaks it.
    """
    try:
        address = ipaddress.ip_address(_address(request))
    except ValueError:
        return False
    # A server that listens on :: sees who comes by IPv4 as ::ffff:127.0.0.1.
    local_address = (getattr(address, "ipv4_mapped", None) or address).is_loopback
    if request.scope.get("http_version") == "1.0" or request.scope.get("other_origin"):
        return False
    passed_on = any(name in request.headers for name in PASSED_ON)
    return local_address and not passed_on and LOOPBACK_HOST.fullmatch(request.headers.get("host", "")) is not None


def authenticated_teacher(request: Request) -> str | None:
    """The name that `LoginMiddleware` authenticated for a request, for Gradio's ``auth_dependency``."""
    return request.scope.get("teacher")


def known_teacher(request: Request) -> str | None:
    """As `authenticated_teacher`, but None for a visitor: all of them have one name, and are told apart by address."""
    name = authenticated_teacher(request)
    return None if name == VISITOR else name


def _give_way() -> None:
    """Lets the threads of frames go before this one, where a thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def _fields(request: Request, body: bytes) -> dict[str, str]:
    """The texts of a form: of a browser's, or in parts, as Node's @gradio/client sends it; none of what is no form."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}

    async def again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        form = await Request({**request.scope}, again).form(max_files=0, max_fields=MOST_FIELDS)
    except (HTTPException, MultiPartException):
        return {}
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _is_teachers(path: str) -> bool:
    if path == PROGRAMS or path.startswith(PROGRAMS + "/"):
        return OPEN_TO_ALL.fullmatch(path) is None
    return path == PREFIX or path.startswith(PREFIX + "/")


def _cookie(request: Request) -> str:
    """The session that a request names."""
    return request.cookies.get(PROGRAMS_COOKIE if _is_of_a_program(request) else COOKIE, "")


def _token(request: Request) -> str:
    """The token that a request brings, "" without one of ours."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.strip().startswith(TOKEN_PREFIX) else ""


def _is_of_a_program(request: Request) -> bool:
    return str(request.scope.get("path", "")).startswith(PROGRAMS + "/")


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not _is_of_a_program(request)
