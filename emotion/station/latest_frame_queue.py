"""A queue in which at most one frame of each child waits: a newer frame takes its place, so no backlog can grow."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class LatestFrameQueue(Generic[Answer]):
    """Runs jobs in threads, a few at once, in the order in which their owners came, one at a time for each owner.

    A job that waits is replaced by its owner's next one and counted in `replaced`; its place in the order stays, so
    overload falls evenly on all owners. To be used from one event loop.
    """

    def __init__(self, at_once: int) -> None:
        self.replaced = 0
        self._free = at_once
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="frame")
        self._waiting: dict[str, tuple[Callable[[], Answer], asyncio.Future[Answer | None]]] = {}
        self._running: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself keeps only weak references

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return len(self._waiting)

    async def run(self, owner: str, job: Callable[[], Answer]) -> Answer | None:
        """The answer of ``job``, or None if the owner's next job took its place. What the job raises is raised."""
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        if owner in self._waiting:
            replaced = self._waiting[owner][1]
            if not replaced.done():
                replaced.set_result(None)
            self.replaced += 1
        self._waiting[owner] = (job, answer)
        self._start()
        return await answer

    def _start(self) -> None:
        ready = [owner for owner in self._waiting if owner not in self._running]
        for owner in ready[: self._free]:
            job, answer = self._waiting.pop(owner)
            self._running.add(owner)
            self._free -= 1
            task = asyncio.get_running_loop().create_task(self._work(owner, job, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self, owner: str, job: Callable[[], Answer], answer: asyncio.Future[Answer | None]) -> None:
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._threads, job)
        except Exception as error:  # noqa: BLE001  whatever it is belongs to the one who waits for this job
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(result)
        finally:
            self._running.discard(owner)
            self._free += 1
            self._start()
