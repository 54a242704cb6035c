"""The side of the server: a worker process that is asked, and ended when it takes too long."""

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import numpy as np

from emotion.images.workers.serving_requests import ANSWERED, LENGTH_BYTES, RefusalError

logger = logging.getLogger(__name__)

PIPE_BYTES = 1_048_576  # what Linux allows everybody
ROOT = Path(__file__).resolve().parents[3]


class WorkerLimitError(RuntimeError):
    """The process took too long, or it ended while it worked, for example because it had no memory left."""


class WorkerProcess:
    """One process of ``module`` with ``arguments``, asked one thing at a time. Thread-safe.

    It starts with the first request, or with `start`; it ends with `close` and with this process. ``seconds`` is the
    longest time of a request, start included.
    """

    def __init__(self, module: str, *arguments: str, seconds: float) -> None:
        self.seconds = seconds
        self._command = [sys.executable, "-m", module, *arguments]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, content: bytes) -> np.ndarray:
        """The answer to a request, uint8. Raises `RefusalError` with what the process says, or `WorkerLimitError`."""
        with self._lock:
            process = self._running()
            timer = threading.Timer(self.seconds, process.kill)
            timer.start()
            try:
                return _ask(process, content)
            except (EOFError, OSError) as error:
                self._end()
                logger.warning(
                    "%s took more than its limits for %d bytes and was ended", self._command[2], len(content)
                )
                raise WorkerLimitError from error
            finally:
                timer.cancel()

    def start(self) -> None:
        """Start the process, so that the first request need not wait for it."""
        with self._lock:
            self._running()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._end()
            # Pipes that hold more than Linux gives by itself: the pixels of a photograph go through in fewer turns.
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, pipesize=PIPE_BYTES
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _ask(process: "subprocess.Popen[bytes]", content: bytes) -> np.ndarray:
    requests, answers = process.stdin, process.stdout
    assert requests is not None
    assert answers is not None
    requests.write(len(content).to_bytes(LENGTH_BYTES, "little"))
    requests.write(content)
    requests.flush()
    kind = _read(answers, 1).tobytes()
    answer = _read(answers, int.from_bytes(_read(answers, LENGTH_BYTES).tobytes(), "little"))
    if kind != ANSWERED:
        raise RefusalError(answer.tobytes())
    return answer


def _read(stream: IO[bytes], count: int) -> np.ndarray:
    """So many bytes, uint8. Raises EOFError if the other side ends before."""
    found = np.empty(count, np.uint8)
    target, place = found.data, 0
    while place < count:
        read = stream.readinto(target[place:])  # type: ignore[attr-defined]
        if not read:
            raise EOFError
        place += read
    return found
