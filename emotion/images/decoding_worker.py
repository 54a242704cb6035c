"""The process in which strangers' pictures are decoded: what a picture does to it, it does to nobody else."""

import json
import sys
from collections.abc import Sequence
from functools import partial

import numpy as np

from emotion.images.reading import ImageError, read_reduced
from emotion.images.workers.serving_requests import Buffer, RefusalError, limit_process, serve


def decode(content: bytes, minimum_side: int) -> Sequence[Buffer]:
    """Height and width of what is sent, and of the picture, as four numbers of four bytes, and the pixels (height,
    width, 3) uint8, upright, of a picture's bytes; ``minimum_side`` as in `read_reduced`.

    Raises `RefusalError` with key, message and format of an `ImageError` as JSON.
    """
    try:
        pixels, (width, height) = read_reduced(content, minimum_side)
    except ImageError as error:
        words = {"key": error.key, "message": str(error), "format": error.format}
        raise RefusalError(json.dumps(words).encode()) from error
    except MemoryError as error:
        words = {"key": "too_costly", "message": "This picture takes too much memory to open.", "format": ""}
        raise RefusalError(json.dumps(words).encode()) from error
    return [np.array([*pixels.shape[:2], height, width], "<u4").tobytes(), pixels.data]


if __name__ == "__main__":
    limit_process(int(sys.argv[1]))
    serve(partial(decode, minimum_side=int(sys.argv[2])))
