"""Limits for each client: requests a minute, bytes and seconds of a body. Other clients do not notice."""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion.serving.addresses import network_of
from emotion.serving.language import language_of
from emotion.serving.texts import say

MAXIMUM_CLIENTS = 10_000  # remembered at a time, the longest silent one is forgotten first: memory stays bounded
BURST_SECONDS = 10.0  # a client may use its allowance of so many seconds at once: opening a page is 60 requests
# Of a station that takes part, which is known before the address is asked: five frames a second and what goes wrong.
KNOWN_PER_SECOND, KNOWN_BURST = 12.0, 60.0
CLOSED = {"Connection": "close"}  # else the server would go on reading what it has refused
# Before a refusal is sent, and for each other one that the same client waits for: a program that asks again at once
# pays for it, not the server, however many connections it has.
REFUSED_SECONDS, REFUSED_SECONDS_EACH, REFUSED_SECONDS_AT_MOST = 0.2, 0.02, 10.0
BODY_TIMEOUT_SECONDS = 60.0  # seconds for a whole body: a slow client must not hold a connection for hours


class TokenBuckets:
    """A token bucket for each key: ``rate`` a second on average, ``burst`` at once."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self.clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, cost: float = 1.0) -> float:
        """0 if ``key`` may go on, which takes ``cost`` of its tokens; else the seconds after which it may."""
        now = self.clock()
        left, then = self._buckets.pop(key, (self.burst, now))
        left = min(self.burst, left + (now - then) * self.rate)
        allowed = left >= cost
        self._buckets[key] = (left - cost if allowed else left, now)
        if len(self._buckets) > MAXIMUM_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (cost - left) / self.rate

    def give_back(self, key: str) -> None:
        """Undo a `take` that was allowed."""
        if key in self._buckets:
            left, then = self._buckets[key]
            self._buckets[key] = (min(self.burst, left + 1), then)

    def knows(self, key: str) -> bool:
        """Whether anything was taken by ``key`` lately."""
        return key in self._buckets


# A page takes ten milliseconds to make anew for each visitor, other answers take one. With it a tablet fetches sixty
# files, and thirty tablets behind one address begin at the same time.
PAGES = {"", "/config", "/gradio_api/info", "/api/v1", "/api/v1/openapi.json"}
FILES = ("/assets/", "/static/", "/svelte/")
PAGE_COST, FILE_COST = 8.0, 0.5

# Bodies of frames that arrive at a time: each is in memory before its codes can be read, in a form. A station that
# takes part sends one after the other.
MOST_BODIES, MOST_BODIES_OF_A_CLIENT, MOST_BODIES_OF_A_STATION = 80, 40, 6
SLOW_SECONDS = 3.0  # a frame that has been on its way for so long makes room where others wait
RETRY_SECONDS = 2

# Files come here, in requests of their own; nothing else that anybody sends is large.
FRAMES = ("/observe", "/api/v1/station/observe")
LARGE_BODIES = (*FRAMES, "/live", "/photograph", "/photograph/picture", "/teach", "/gradio_api/upload")
SMALL_BODY_BYTES = 64 * 1024


def cost_of(path: str) -> float:
    """How many requests an answer at ``path`` counts for."""
    inside = path.removeprefix("/teacher")
    if inside.rstrip("/") in PAGES:
        return PAGE_COST
    return FILE_COST if inside.startswith(FILES) else 1.0


@dataclass(eq=False)
class _Arrival:
    """A body on its way. ``timeout``: of the piece that is waited for."""

    client: str
    begun: float = field(default_factory=time.monotonic)
    deadline: float = field(default_factory=lambda: asyncio.get_running_loop().time() + BODY_TIMEOUT_SECONDS)
    timeout: asyncio.Timeout | None = None

    def end_if_slow(self) -> bool:
        """Ends it if it has been on its way for `SLOW_SECONDS`: it then makes room for another."""
        if time.monotonic() - self.begun < SLOW_SECONDS:
            return False
        self.deadline = asyncio.get_running_loop().time()
        if self.timeout is not None:
            self.timeout.reschedule(self.deadline)
        return True


class RateLimitMiddleware:
    """ASGI middleware: answers 429 to a client that asks too often, 413 to a body that is too large (``body_bytes`` at
    most for a file, `SMALL_BODY_BYTES` for anything else), 503 to a frame where too many arrive, 408 to a body that
    does not come. ``known``: the station that takes part from which a request comes, ``device``: a known one of a
    teacher or child; either is charged instead of the address, "" for the address."""

    def __init__(
        self,
        app: ASGIApp,
        requests_per_minute: int,
        body_bytes: int,
        known: Callable[[Scope], str] = lambda _: "",
        device: Callable[[Scope], str] = lambda _: "",
    ) -> None:
        self.app = app
        self.body_bytes = body_bytes
        per_second = requests_per_minute / 60
        self.clients = TokenBuckets(per_second, max(60.0, per_second * BURST_SECONDS))
        self.known = known
        self.device = device
        self.bodies: Counter[str] = Counter()  # of frames that arrive just now, by client
        self.bodies_of_stations: Counter[str] = Counter()
        self.arriving: dict[_Arrival, None] = {}  # bodies of frames of clients that are no station, longest first
        self.refused: Counter[str] = Counter()  # refusals that wait, by client
        self.stations = TokenBuckets(min(KNOWN_PER_SECOND, per_second), KNOWN_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        language = language_of(HTTPConnection(scope))
        client = network_of((scope.get("client") or ("",))[0])
        station, path = self.known(scope), scope["path"].rstrip("/")
        if station:
            wait = self.stations.take(station)
        else:
            wait = self.clients.take(self.device(scope) or client, cost_of(scope["path"]))
        if wait > 0:
            seconds = max(1, round(wait + 0.5))
            answer = {"recorded": False, "reason": "busy", "error": say(language, "error_too_often", seconds=seconds)}
            await self._hesitate(station or client)
            await JSONResponse(answer, 429, {"Retry-After": str(seconds)})(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "content-length" in headers and "transfer-encoding" in headers:
            # Two statements of a length: behind a proxy that believes the other one, a second request could hide here.
            words = say(language, "error_two_lengths")
            await JSONResponse({"error": words}, 400, {"Connection": "close"})(scope, receive, send)
            return
        is_large = path in LARGE_BODIES
        most = self.body_bytes if is_large else SMALL_BODY_BYTES
        words = say(language, "error_body_too_large", limit=f"{most // 1_000_000} MB" if is_large else "64 kB")
        announced = headers.get("content-length", "0")
        if not announced.isdigit() or int(announced) > most:
            await JSONResponse({"error": words}, 413, CLOSED)(scope, receive, send)
            return

        bodies, whose = (self.bodies_of_stations, station) if station else (self.bodies, client)
        if path in FRAMES and not self._has_place(station, client):
            words = say(language, "error_queue_full", seconds=RETRY_SECONDS)
            answer = {"recorded": False, "reason": "busy", "error": words}
            await JSONResponse(answer, 503, CLOSED | {"Retry-After": str(RETRY_SECONDS)})(scope, receive, send)
            return
        received, complete = 0, False
        arrival = _Arrival(client)

        async def counted() -> Message:
            nonlocal received, complete
            if complete:  # what comes now is only the end of the connection
                return await receive()
            # HTTPException, because the app that reads the body turns it into an answer, and any other into a 500.
            try:
                async with asyncio.timeout_at(arrival.deadline) as arrival.timeout:
                    message = await receive()
                arrival.timeout = None
            except TimeoutError as error:
                raise HTTPException(408, say(language, "error_too_slow", limit=int(BODY_TIMEOUT_SECONDS))) from error
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > most:
                    raise HTTPException(413, words, CLOSED)
                complete = not message.get("more_body", False)
                if complete:
                    self.arriving.pop(arrival, None)
            return message

        begun = False
        has_body = announced != "0" or "transfer-encoding" in headers

        async def noting(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                if has_body and not complete:  # answered without being read: the rest is not read either
                    MutableHeaders(raw=message["headers"])["connection"] = "close"
            await send(message)

        if path in FRAMES:
            bodies[whose] += 1
            if not station:
                self.arriving[arrival] = None
        try:
            await self.app(scope, counted, noting)
        except HTTPException as error:  # of `counted`, where a middleware read the body
            if begun:
                raise
            await JSONResponse({"error": error.detail}, error.status_code, error.headers)(scope, receive, send)
        except ClientDisconnect:
            return  # nobody is there to be answered, and it is nobody's fault here
        finally:
            self.arriving.pop(arrival, None)
            if path in FRAMES:
                bodies[whose] -= 1
                if not bodies[whose]:
                    del bodies[whose]

    def _has_place(self, station: str, client: str) -> bool:
        """Whether one frame more may arrive: of a station, or of a client that is none yet."""
        if station:
            return self.bodies_of_stations[station] < MOST_BODIES_OF_A_STATION
        if self.bodies[client] >= MOST_BODIES_OF_A_CLIENT:
            return self._end_slowest(client)
        return self.bodies.total() < MOST_BODIES or self._end_slowest(None)

    def _end_slowest(self, client: str | None) -> bool:
        """Ends the body, of a client or of any, that has been on its way the longest; False if none is slow."""
        for arrival in self.arriving:
            if client in (None, arrival.client):
                ends = arrival.end_if_slow()
                if ends:
                    del self.arriving[arrival]
                return ends
        return False

    async def _hesitate(self, client: str) -> None:
        self.refused[client] += 1
        try:
            seconds = REFUSED_SECONDS + REFUSED_SECONDS_EACH * (self.refused[client] - 1)
            await asyncio.sleep(min(seconds, REFUSED_SECONDS_AT_MOST))
        finally:
            self.refused[client] -= 1
            if not self.refused[client]:
                del self.refused[client]
