"""Admission of frames: unknown codes are refused, rates limited, and only the newest frame of each child waits."""

import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from emotion.serving.addresses import network_of
from emotion.serving.health import Metrics
from emotion.serving.rate_limits import TokenBuckets
from emotion.station.latest_frame_queue import LatestFrameQueue
from emotion.station.observing import CODE_CHARACTERS, Observer, RefusedError, read_identifier, read_text, read_time
from emotion.station.texts import say

# Frames looked at together. More than the cores, so that the classifier can gather them into a batch while others wait
# for the store's commit.
CONCURRENT_FRAMES = 4

FRAMES_PER_SECOND = 6.0  # of one child: the page sends at most 5
# Unknown codes of one client: a class behind one address may mistype a hundred times, a program that tries may not.
UNKNOWN_CODES_PER_SECOND, UNKNOWN_CODES_BURST = 0.5, 100.0
BLOCK_SECONDS = 60.0  # seconds
MOST_RIGHT_CODES = 2000  # remembered at a time, the longest unused ones are forgotten first
LESSON_SECONDS = 10.0  # after a frame for which a lesson is thought to go on; stations send one a second

Answer = TypeVar("Answer")


class FrameIntake:
    """Takes frames from the route `/observe` and the endpoint of that name, and keeps only the newest of each child."""

    def __init__(self, observer: Observer, metrics: Metrics) -> None:
        self.observer = observer
        self.metrics = metrics
        self.frames = TokenBuckets(FRAMES_PER_SECOND, 2 * FRAMES_PER_SECOND)
        self.guesses = TokenBuckets(UNKNOWN_CODES_PER_SECOND, UNKNOWN_CODES_BURST)
        self.right: OrderedDict[tuple[str, str], None] = OrderedDict()  # codes that a client has shown to be right
        self.last_frame = float("-inf")  # monotonic time of the last one of an admitted child
        self.blocked: dict[str, float] = {}  # client -> monotonic time until which it is not listened to
        metrics.gauge("expression_frames_waiting", "Frames that wait to be looked at", lambda: self.queue.waiting)
        self.queue: LatestFrameQueue[dict[str, object]] = LatestFrameQueue(CONCURRENT_FRAMES)

    def is_lesson(self) -> bool:
        """Whether frames arrive."""
        return time.monotonic() - self.last_frame < LESSON_SECONDS

    async def observe(
        self,
        lesson: str,
        child: str,
        image: bytes,
        at: str | None,
        id: str | None,
        source: str,
        client: str,
        language: str,
        station: str | None = None,
    ) -> dict[str, object]:
        """See `Observer.observe`; ``client`` is the address that is charged for wrong codes. Raises `RefusedError`."""
        began = time.perf_counter()
        try:
            answer = await self._observe(lesson, child, image, at, id, source, client, language, station)
        except RefusedError as error:
            self.metrics.frames.labels(error.reason).inc()
            raise
        self.metrics.frames.labels("recorded" if answer["recorded"] else str(answer["reason"])).inc()
        self.metrics.frame_seconds.observe(time.perf_counter() - began)
        return answer

    async def admission(
        self, lesson: str, child: str, client: str, language: str, station: str | None = None, take: bool = False
    ) -> dict[str, object] | None:
        """None if a frame would be recorded, else the answer that says why not. Raises `RefusedError`."""
        tablet = read_identifier(station, language) or ""
        lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)
        child = read_text("child", child, CODE_CHARACTERS, language)
        return (await self._admit(lesson, child, None, client, language, tablet, take))[0]

    async def log_event(
        self,
        lesson: str,
        kind: str,
        detail: str,
        child: str | None,
        at: str | None,
        id: str | None,
        client: str,
        language: str,
    ) -> dict[str, object]:
        """See `Observer.log_event`. Raises `RefusedError`."""
        codes = f"{_plain(str(lesson))}/{_plain(str(child or ''))}"
        job = partial(self.observer.log_event, lesson, kind, detail, child, at, id, language)
        return await self._guarded(codes, job, client, language)

    async def lesson_status(self, lesson: str, client: str, language: str) -> dict[str, object]:
        """See `Observer.lesson_status`. Raises `RefusedError`."""
        job = partial(self.observer.lesson_status, lesson, language)
        return await self._guarded(f"{_plain(str(lesson))}/", job, client, language)

    async def _observe(
        self,
        lesson: str,
        child: str,
        image: bytes,
        at: str | None,
        id: str | None,
        source: str,
        client: str,
        language: str,
        station: str | None,
    ) -> dict[str, object]:
        tablet = read_identifier(station, language) or ""
        lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)
        child = read_text("child", child, CODE_CHARACTERS, language)
        moment = read_time(at, language)
        identifier = read_identifier(id, language)
        # Strangers are turned away before they can take a place in the queue.
        not_admitted, owner = await self._admit(lesson, child, moment, client, language, tablet)
        if not_admitted is not None:
            return not_admitted
        self.last_frame = time.monotonic()
        wait = self.frames.take(owner)
        if wait > 0:
            raise RefusedError("busy", say(language, "error_too_many_frames", limit=int(FRAMES_PER_SECOND)), 429, wait)
        job = partial(self.observer.observe, lesson, child, image, moment, identifier, source, language, tablet)
        answer = await self.queue.run(owner, job)
        if answer is None:
            return {"recorded": False, "reason": "replaced", "message": say(language, "error_replaced")}
        return answer

    async def _admit(
        self,
        lesson: str,
        child: str,
        at: datetime | None,
        client: str,
        language: str,
        tablet: str,
        take: bool = False,
    ) -> tuple[dict[str, object] | None, str]:
        job = partial(self.observer.admit, lesson, child, at, language, tablet, take)
        return await self._guarded(f"{_plain(lesson)}/{_plain(child)}", job, client, language)

    async def _guarded(self, codes: str, job: Callable[[], Answer], client: str, language: str) -> Answer:
        """The one door for codes: what ``job`` answers, unless ``client`` has guessed too often. A client is charged
        for codes that are unknown, with all the addresses that it may use; codes that it has shown to be right before
        go on, whatever a neighbour behind the same address tries.
        """
        network = network_of(client)
        known = (network, codes)
        wait = self.blocked.get(network, 0.0) - time.monotonic()
        if wait > 0 and known not in self.right:
            raise RefusedError("busy", say(language, "error_too_often", seconds=round(wait) + 1), 429, wait)
        try:
            answer = await run_in_threadpool(job)
        except RefusedError as error:
            if error.status == 404:
                self.right.pop(known, None)
                wait = self.guesses.take(network)
                if wait > 0:
                    self.blocked = {key: until for key, until in self.blocked.items() if until > time.monotonic()}
                    self.blocked[network] = time.monotonic() + BLOCK_SECONDS
            raise
        self.right[known] = None
        self.right.move_to_end(known)
        if len(self.right) > MOST_RIGHT_CODES:
            self.right.popitem(last=False)
        return answer


def _plain(code: str) -> str:
    """A code without what the recorder forgives in it."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", code).casefold() if letter.isalnum())
