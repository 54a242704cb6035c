"""Admission of frames: unknown codes are refused, rates limited, and only the newest frame of each child waits."""

import time
from datetime import datetime
from functools import partial

from starlette.concurrency import run_in_threadpool

from emotion.serving.health import Metrics
from emotion.serving.rate_limits import TokenBuckets
from emotion.station.code_door import CodeDoor
from emotion.station.latest_frame_queue import LatestFrameQueue
from emotion.station.observing import (
    CODE_CHARACTERS,
    Admission,
    Event,
    Observer,
    RefusedError,
    read_event,
    read_identifier,
    read_text,
    read_time,
)
from emotion.station.texts import say

# Frames looked at together. More than the cores, so that the classifier can gather them into a batch while others wait
# for the store's commit: with 4 instead of 12 a fifth of the processor is idle while a class of sixty waits.
CONCURRENT_FRAMES = 12

FRAMES_PER_SECOND = 6.0  # of one child: the page sends at most 5
# Of one child, and of the whole class: tasks begun, solved and failed come every few seconds at most.
EVENTS_PER_SECOND, EVENTS_BURST = 0.25, 60.0
EVENTS_OF_A_LESSON_PER_SECOND, EVENTS_OF_A_LESSON_BURST = 5.0, 600.0  # of all its children together
LESSON_SECONDS = 10.0  # after a frame for which a lesson is thought to go on; stations send one a second


class FrameIntake:
    """Takes frames from the route `/observe` and the endpoint of that name, and keeps only the newest of each child."""

    def __init__(self, observer: Observer, metrics: Metrics) -> None:
        self.observer = observer
        self.metrics = metrics
        self.frames = TokenBuckets(FRAMES_PER_SECOND, 2 * FRAMES_PER_SECOND)
        self.events = TokenBuckets(EVENTS_PER_SECOND, EVENTS_BURST)
        self.events_of_lessons = TokenBuckets(EVENTS_OF_A_LESSON_PER_SECOND, EVENTS_OF_A_LESSON_BURST)
        self.door = CodeDoor(observer.plain_codes)
        self.last_frame = float("-inf")  # monotonic time of the last one of an admitted child
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
        mark: str = "",
    ) -> dict[str, object]:
        """See `Observer.observe`; ``client`` is the address that is charged for wrong codes, ``mark`` whose tablet it
        is by its mark. Raises `RefusedError`."""
        began = time.perf_counter()
        try:
            answer = await self._observe(lesson, child, image, at, id, source, client, language, station, mark)
        except RefusedError as error:
            self.metrics.frames.labels(error.reason).inc()
            raise
        self.metrics.frames.labels("recorded" if answer["recorded"] else str(answer["reason"])).inc()
        self.metrics.frame_seconds.observe(time.perf_counter() - began)
        return answer

    async def admission(
        self,
        lesson: str,
        child: str,
        client: str,
        language: str,
        station: str | None = None,
        take: bool = False,
        mark: str = "",
    ) -> Admission:
        """Whether a frame would be recorded, and whose it would be. Raises `RefusedError`."""
        tablet = read_identifier(station, language) or ""
        lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)
        child = read_text("child", child, CODE_CHARACTERS, language)
        return await self._admit(lesson, child, None, client, language, tablet, mark, take)

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
        of_teacher: bool = False,
    ) -> dict[str, object]:
        """Record an event; ``of_teacher``: who calls may speak of the whole class. Returns ``recorded`` and ``id``, or
        ``reason`` and ``message``. Raises `RefusedError`."""
        event = read_event(lesson, kind, detail, child, at, id, language)

        def look_up() -> tuple[Admission, str]:
            admission = self.observer.admit_event(event, language, of_teacher)
            return admission, admission.owner

        admission = await self.door.enter(event.lesson, event.child or "", look_up, client, language)
        if admission.refusal is not None:
            return admission.refusal
        self._require_few_events(event, admission.owner, language)
        return await run_in_threadpool(self.observer.log_event, event, language)

    async def lesson_status(self, lesson: str, client: str, language: str) -> dict[str, object]:
        """See `Observer.lesson_status`. Raises `RefusedError`."""
        lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)

        def look_up() -> tuple[dict[str, object], str]:
            return self.observer.lesson_status(lesson, language), "a lesson"

        return await self.door.enter(lesson, "", look_up, client, language)

    def _require_few_events(self, event: Event, owner: str, language: str) -> None:
        key, limit = "error_too_many_events" if event.child else "error_too_many_class_events", EVENTS_PER_SECOND
        wait = self.events.take(owner)
        if wait == 0:
            key, limit = "error_too_many_lesson_events", EVENTS_OF_A_LESSON_PER_SECOND
            wait = self.events_of_lessons.take(owner.partition("/")[0])
        if wait > 0:
            words = say(language, key, limit=round(60 * limit), seconds=round(wait) + 1)
            raise RefusedError("busy", words, 429, wait)

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
        mark: str,
    ) -> dict[str, object]:
        tablet = read_identifier(station, language) or ""
        lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)
        child = read_text("child", child, CODE_CHARACTERS, language)
        moment = read_time(at, language)
        identifier = read_identifier(id, language)
        # Strangers are turned away before they can take a place in the queue.
        admission = await self._admit(lesson, child, moment, client, language, tablet, mark)
        if admission.refusal is not None:
            return admission.refusal
        self.last_frame = time.monotonic()
        wait = self.frames.take(admission.owner)
        if wait > 0:
            raise RefusedError("busy", say(language, "error_too_many_frames", limit=int(FRAMES_PER_SECOND)), 429, wait)
        job = partial(self.observer.observe, lesson, child, image, moment, identifier, source, language, tablet)
        answer = await self.queue.run(admission.owner, job)
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
        mark: str,
        take: bool = False,
    ) -> Admission:
        def look_up() -> tuple[Admission, str]:
            admission = self.observer.admit(lesson, child, at, language, tablet, take)
            return admission, admission.owner

        return await self.door.enter(lesson, child, look_up, client, language, mark)
