"""The side of a worker process: requests on its standard input, answers on its standard output."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO

ANSWERED, REFUSED = b"\0", b"\1"
LENGTH_BYTES = 8  # little-endian, before each request and, behind one byte for its kind, before each answer

Buffer = bytes | bytearray | memoryview


class RefusalError(Exception):
    """A request that cannot be served; ``content`` is told to whoever asked."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content


def serve(answer: Callable[[bytes], Sequence[Buffer]]) -> None:
    """Answers requests by ``answer``, whose buffers are sent one behind the other, until there are no more."""
    while serve_one(answer, sys.stdin.buffer, sys.stdout.buffer):
        pass


def serve_one(answer: Callable[[bytes], Sequence[Buffer]], requests: IO[bytes], answers: IO[bytes]) -> bool:
    """Answers one request; False if there is none any more."""
    length = requests.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return False
    try:
        kind, buffers = ANSWERED, answer(requests.read(int.from_bytes(length, "little")))
    except RefusalError as error:
        kind, buffers = REFUSED, [error.content]
    answers.write(kind + sum(memoryview(buffer).nbytes for buffer in buffers).to_bytes(LENGTH_BYTES, "little"))
    for buffer in buffers:
        answers.write(buffer)
    answers.flush()
    return True


def limit_process(memory_bytes: int) -> None:
    """At most so much memory, no file, no core dump, and less of the processor than a lesson has; where the
    system knows such limits.
    """
    try:
        import resource
    except ImportError:  # Windows has none: there the time alone is limited, by whoever waits
        return
    limits = {resource.RLIMIT_AS: memory_bytes, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    for kind, most in limits.items():
        with suppress(ValueError):  # macOS refuses a limit of the address space
            resource.setrlimit(kind, (most, most))
    os.nice(5)
