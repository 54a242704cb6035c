"""A worker for tests: answers a text by its reverse."""

import os
import time
from collections.abc import Sequence

from emotion.images.workers.serving_requests import RefusalError, serve


def answer(content: bytes) -> Sequence[bytes]:
    """The reverse; or what the word asks for."""
    if content == b"refuse":
        raise RefusalError(b"no")
    if content == b"sleep":
        time.sleep(60)
    if content == b"exit":
        os._exit(1)
    return [content[::-1]]


if __name__ == "__main__":
    serve(answer)
