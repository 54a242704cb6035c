"""The one thread that writes: it commits all jobs that wait in its queue in one transaction, then answers each."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import duckdb

from analytics.store import upkeep
from analytics.store.connection import transaction
from analytics.store.database import Database
from analytics.store.records import StoreError

LOG = logging.getLogger(__name__)
LARGEST_GROUP = 256  # jobs in one transaction: more than 30 stations hand in during the slowest commit measured
# Between the beginnings of two commits of observations while several arrive together. A commit of one row costs 4 ms of
# a processor, one of eight 6. Who writes alone, a child or a program with a row after the other, never waits.
GROUP_SECONDS = 0.05
DRAIN_SECONDS = 10.0  # what an orderly stop may take (SIGTERM to exit)

Result = TypeVar("Result")
Work = Callable[[duckdb.DuckDBPyConnection], Any]


@dataclass
class _Job:
    work: Work
    alone: bool = False  # maintenance that closes the file or starts transactions of its own
    batch: bool = False  # one of the pieces that the same merger takes all together
    payload: Any = None
    future: "Future[Any]" = field(default_factory=Future)


class Writer:
    """Work is handed in by any thread, which waits for the commit. ``merge`` inserts the payloads of one group at once:
    it gets a cursor and the list of payloads and returns one result for each.
    """

    def __init__(
        self, database: Database, merge: Callable[[duckdb.DuckDBPyConnection, Sequence[Any]], list[Any]]
    ) -> None:
        self._database = database
        self._merge = merge
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._stopping = False
        self.last_commit = -float("inf")  # monotonic time
        self._thread = threading.Thread(target=self._run, name="lesson-store-writer", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[duckdb.DuckDBPyConnection], Result]) -> Result:
        """Runs ``work`` in a transaction and returns its result after the commit. Raises what it raised, or
        `StoreError`.
        """
        return self._submit(_Job(work))

    def run_alone(self, work: Callable[[], Result]) -> Result:
        """Runs ``work`` in the writer's thread, outside of any transaction: nothing is written meanwhile."""
        return self._submit(_Job(lambda _: work(), alone=True))

    def insert(self, payload: Any) -> Any:
        """Hands ``payload`` to the merger together with whatever else has gathered; returns after the commit."""
        return self._submit(_Job(lambda cursor: self._merge(cursor, [payload])[0], batch=True, payload=payload))

    @property
    def waiting(self) -> int:
        """Pieces of work that wait in the queue."""
        return self._queue.qsize()

    def stop(self) -> None:
        """Refuses new work, commits what is waiting, and ends the thread. Raises `StoreError` after ten seconds."""
        with self._lock:
            if not self._stopping:
                self._stopping = True
                self._queue.put(None)
        self._thread.join(DRAIN_SECONDS)
        if self._thread.is_alive():
            raise StoreError(
                f"{self._database.path}: the last writes were not finished after {DRAIN_SECONDS:.0f} s; they were "
                f"not acknowledged"
            )

    def _submit(self, job: _Job) -> Any:
        with self._lock:
            if self._stopping:
                raise StoreError(f"{self._database.path} has been closed: open the store again")
            self._queue.put(job)
        return job.future.result()

    def _run(self) -> None:
        began, several = -float("inf"), False
        while True:
            job = self._queue.get()
            if job is None:
                return
            group = [job]
            last = False
            while len(group) < LARGEST_GROUP and not group[-1].alone:
                waits = several and all(job.batch for job in group)
                patience = began + GROUP_SECONDS - time.monotonic() if waits else 0.0
                try:
                    following = self._queue.get(timeout=patience) if patience > 0 else self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                    break
                group.append(following)
            alone = group.pop() if group[-1].alone else None
            began, several = time.monotonic(), len(group) > 1
            if group:
                self._commit(group)
            if alone is not None:
                self._answer_alone(alone)
            if last:
                return

    def _answer_alone(self, job: _Job) -> None:
        try:
            with self._database.translated():
                result = job.work(None)  # type: ignore[arg-type]  # run_alone takes no cursor
        except BaseException as error:  # noqa: BLE001  # the caller gets it, whatever it is
            job.future.set_exception(error)
        else:
            job.future.set_result(result)

    def _commit(self, group: list[_Job]) -> None:
        """One transaction for the group. If one piece fails, each gets a transaction of its own, so none fails for
        another.
        """
        try:
            results = self._transaction(group)
        except BaseException as error:  # noqa: BLE001  # the callers get it, whatever it is
            if len(group) == 1:
                group[0].future.set_exception(error)
            else:
                LOG.info("a group of %d writes failed (%s): each is tried alone", len(group), type(error).__name__)
                for job in group:
                    self._commit([job])
            return
        for job, result in zip(group, results, strict=True):
            job.future.set_result(result)

    def _transaction(self, group: list[_Job]) -> list[Any]:
        if self._database.file_is_lost:
            with self._database.translated():
                upkeep.rescue(self._database)
        with self._database.cursor() as cursor:
            try:
                with transaction(cursor):
                    results = {id(job): job.work(cursor) for job in group if not job.batch}
                    batches = [job for job in group if job.batch]
                    if batches:
                        merged = self._merge(cursor, [job.payload for job in batches])
                        results.update({id(job): result for job, result in zip(batches, merged, strict=True)})
                self.last_commit = time.monotonic()
            finally:
                if not all(job.batch for job in group):
                    self._database.changed()
            return [results[id(job)] for job in group]
