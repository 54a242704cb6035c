"""Tablets for tests: clients that post frames to a running app and remember what it acknowledged."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import httpx

PICTURE = Path(__file__).resolve().parent.parent / "emotion" / "station" / "examples" / "astronaut.jpg"
PATIENCE = 60.0  # seconds that an answer may take on a machine that others use too


@dataclass(frozen=True)
class Answer:
    """When a frame was sent and answered, by `time.monotonic`, and whether it was recorded."""

    began: float
    ended: float
    recorded: bool


class Stations:
    """One thread per child posts a frame every ``period`` seconds, from the beginning of the ``with`` block to its
    end; a server that is down is tried again until it answers.

    ``acknowledged``: the times of the frames that the server said are recorded, by child. ``answers``: every answer, by
    child. ``refusals``: how often it answered otherwise, by status and reason. ``broken``: requests that got no answer
    at all, by kind of error.
    """

    def __init__(self, url: str, lesson: str, codes: Sequence[str], period: float = 0.3) -> None:
        self.url, self.lesson, self.codes, self.period = url, lesson, tuple(codes), period
        self.acknowledged: dict[str, list[datetime]] = {code: [] for code in self.codes}
        self.answers: dict[str, list[Answer]] = {code: [] for code in self.codes}
        self.refusals: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.unfit: list[str] = []  # refusals that are no sentence
        self.offset = 0.0  # seconds that the tablets' clocks run ahead
        self.picture = PICTURE.read_bytes()
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._attend, args=(code,)) for code in self.codes]

    @property
    def count(self) -> int:
        """Frames acknowledged so far."""
        return sum(map(len, self.acknowledged.values()))

    def wait_for_more(self, frames: int = 1, within: float = 500.0) -> float:
        """Waits until so many frames more are acknowledged; returns the seconds that this took."""
        began, wanted = time.monotonic(), self.count + frames
        with self._changed:
            assert self._changed.wait_for(lambda: self.count >= wanted, within), (
                f"no {frames} frames in {within} s; refused: {dict(self.refusals)}, broken: {dict(self.broken)}"
            )
        return time.monotonic() - began

    def wait_for_refusal(self, beginning: str, within: float = 60.0) -> None:
        """Waits until the server refuses a frame with a status and reason that begin so."""
        before = self._refused(beginning)
        with self._changed:
            assert self._changed.wait_for(lambda: self._refused(beginning) > before, within), dict(self.refusals)

    def __enter__(self) -> "Stations":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _refused(self, beginning: str) -> int:
        return sum(number for key, number in list(self.refusals.items()) if key.startswith(beginning))

    def _attend(self, code: str) -> None:
        with httpx.Client(base_url=self.url, timeout=PATIENCE) as client:
            while not self._stop.wait(self.period):
                at = datetime.fromtimestamp(time.time() + self.offset, UTC)
                query = {"lesson": self.lesson, "child": code, "at": at.isoformat(), "id": uuid.uuid4().hex}
                began = time.monotonic()
                try:
                    answer = client.post("/observe", params=query, content=self.picture)
                except httpx.HTTPError as problem:
                    self._note(self.broken, type(problem).__name__)
                    continue
                recorded = self._judge(code, at, answer)
                self.answers[code].append(Answer(began, time.monotonic(), recorded))

    def _judge(self, code: str, at: datetime, answer: httpx.Response) -> bool:
        said = answer.json() if answer.headers.get("content-type") == "application/json" else {}
        if said.get("recorded"):
            with self._changed:
                self.acknowledged[code].append(at)
                self._changed.notify_all()
            return True
        words = said.get("error") or said.get("message") or ""
        if len(words.split()) < 4 or "Traceback" in words or "/" in words or ".py" in words:
            self.unfit.append(answer.text[:500])
        self._note(self.refusals, f"{answer.status_code} {said.get('reason', '')}")
        return False

    def _note(self, counter: Counter[str], key: str) -> None:
        with self._changed:
            counter[key] += 1
            self._changed.notify_all()
