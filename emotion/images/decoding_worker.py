"""The process in which strangers' pictures are decoded: what a picture does to it, it does to nobody else."""

import json
import sys
from collections.abc import Sequence

import numpy as np

from emotion.images.reading import ImageError, read_reduced
from emotion.workers.serving_requests import Buffer, RefusalError, limit_process, serve


def decode(content: bytes) -> Sequence[Buffer]:
    """Height and width of what is sent, and of the picture, as four numbers of four bytes, and the pixels (height,
    width, 3) uint8, upright, of a picture's bytes; see `emotion.images.isolated.ENOUGH_SIDE`.
    `RefusalError` with key, message and format of an `ImageError` as JSON."""
    try:
        pixels, (width, height) = read_reduced(content, int(sys.argv[2]))
    except ImageError as error:
        words = {"key": error.key, "message": str(error), "format": error.format}
        raise RefusalError(json.dumps(words).encode()) from error
    except MemoryError as error:
        words = {"key": "too_costly", "message": "This picture takes too much memory to open.", "format": ""}
        raise RefusalError(json.dumps(words).encode()) from error
    return [np.array([*pixels.shape[:2], height, width], "<u4").tobytes(), pixels.data]


if __name__ == "__main__":
    limit_process(int(sys.argv[1]))
    serve(decode)
