"""A worker process answers, refuses, and is ended when it takes too long."""

import io
import time
from collections.abc import Iterator, Sequence

import pytest

from emotion.images.workers.serving_requests import LENGTH_BYTES, RefusalError, serve_one
from emotion.images.workers.worker_process import WorkerLimitError, WorkerProcess

MODULE = "tests.emotion.images.workers.example_worker"


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    process = WorkerProcess(MODULE, seconds=20)
    yield process
    process.close()


def test_it_answers_and_refuses(worker: WorkerProcess) -> None:
    assert worker.ask(b"hello").tobytes() == b"olleh"
    assert worker.ask(b"").tobytes() == b""
    large = bytes(range(256)) * 50_000
    assert worker.ask(large).tobytes() == large[::-1]
    with pytest.raises(RefusalError) as refused:
        worker.ask(b"refuse")
    assert refused.value.content == b"no"
    assert worker.ask(b"ab").tobytes() == b"ba", "and goes on"


@pytest.mark.parametrize("request_", [b"sleep", b"exit"])
def test_what_takes_too_long_or_ends_it_is_told_and_the_next_is_answered(request_: bytes) -> None:
    worker = WorkerProcess(MODULE, seconds=3)
    began = time.monotonic()
    with pytest.raises(WorkerLimitError):
        worker.ask(request_)
    assert time.monotonic() - began < 20
    assert worker.ask(b"ab").tobytes() == b"ba"
    worker.close()


def test_requests_end_with_their_stream() -> None:
    def answer(content: bytes) -> Sequence[bytes]:
        return [content, content]

    requests, answers = io.BytesIO((2).to_bytes(LENGTH_BYTES, "little") + b"ab"), io.BytesIO()
    assert serve_one(answer, requests, answers)
    assert answers.getvalue() == b"\0" + (4).to_bytes(LENGTH_BYTES, "little") + b"abab"
    assert not serve_one(answer, requests, answers)
