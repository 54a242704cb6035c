"""The process in which strangers' pictures are decoded: what a picture does to it, it does to nobody else."""

import json
import sys
from collections.abc import Sequence

import numpy as np

from emotion.images.reading import ImageError, read_image
from emotion.workers.serving_requests import Buffer, RefusalError, limit_process, serve


def decode(content: bytes) -> Sequence[Buffer]:
    """Height and width as two numbers of four bytes, and the pixels (height, width, 3) uint8 of a picture's bytes.
    `RefusalError` with key, message and format of an `ImageError` as JSON."""
    try:
        pixels = read_image(content)
    except ImageError as error:
        words = {"key": error.key, "message": str(error), "format": error.format}
        raise RefusalError(json.dumps(words).encode()) from error
    except MemoryError as error:
        words = {"key": "too_costly", "message": "This picture takes too much memory to open.", "format": ""}
        raise RefusalError(json.dumps(words).encode()) from error
    return [np.array(pixels.shape[:2], "<u4").tobytes(), pixels.data]


if __name__ == "__main__":
    limit_process(int(sys.argv[1]))
    serve(decode)
