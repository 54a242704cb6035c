"""Decodes strangers' pictures in a process of its own, which is ended when one takes too long or too much."""

import json
from pathlib import Path

from emotion.images.reading import DecodedImage, ImageError
from emotion.images.workers.serving_requests import RefusalError
from emotion.images.workers.worker_process import WorkerLimitError, WorkerProcess

SECONDS = 8.0  # for one picture; the largest photograph of a phone takes 1.5 s on one slow core
MEMORY_BYTES = 1_500_000_000  # of addresses, libraries included; the largest photograph takes 500 MB of them

# Pixels of the longer side that are kept of a larger photograph. The smallest face that is looked for has a 27th of it.
ENOUGH_SIDE = 2880


class IsolatedDecoder:
    """Reads pictures like `emotion.images.read_reduced`, one at a time, in a worker process. Thread-safe."""

    def __init__(self, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self.process = WorkerProcess(
            "emotion.images.decoding_worker", str(memory_bytes), str(ENOUGH_SIDE), seconds=seconds
        )

    def read(self, source: bytes | Path) -> DecodedImage:
        """A file, or its bytes; of one with twice `ENOUGH_SIDE` or more, half the side or less. Raises `ImageError`;
        its key is too_costly where the limits were met."""
        try:
            content = source if isinstance(source, bytes) else source.read_bytes()
        except OSError as error:
            raise ImageError("not_found", "The file is gone: send the picture again.") from error
        try:
            answer = self.process.ask(content)
        except RefusalError as refusal:
            words = json.loads(refusal.content)
            raise ImageError(words["key"], words["message"], words["format"]) from None
        except WorkerLimitError as error:
            raise ImageError("too_costly", "This picture takes too long to open: save it as a plain JPEG.") from error
        height, width, full_height, full_width = map(int, answer[:16].view("<u4"))
        return DecodedImage(answer[16:].reshape(height, width, 3), (full_width, full_height))
