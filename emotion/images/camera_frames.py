"""Judges a frame of a lesson before any decoder sees it: strangers may send any bytes, and thirty children wait.

A camera's frame is a JPEG or a WebP. Both can be made so that a small file takes seconds: a JPEG by many scans, each of
which goes over the whole picture again, a WebP by its size or by many pictures in one.
"""

import re
from collections.abc import Iterator

from emotion.images.reading import ImageError
from emotion.images.signatures import HEAD, foreign_format

FRAME_PIXELS = 16_000_000  # a camera's frame has 0.3 to 8 million
# Each scan costs at most some 15 ns a pixel. A progressive photograph has ten scans, or fourteen from some encoders.
SCANNED_PIXELS = 160_000_000
MOST_SCANS = 32
MOST_SEGMENTS = 1000  # a photograph has some twenty; each costs microseconds in Python
WEBP_PIXELS = 4_000_000  # is decoded whole and slowly, where a JPEG is decoded at a part of its size

_START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # ITU-T T.81, table B.1
_START_OF_SCAN, _END, _TEMPORARY = 0xDA, 0xD9, 0x01
_NEXT_MARK = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # behind pixels: neither a stuffed byte nor a restart
_ANIMATED = 0x02  # of VP8X, https://developers.google.com/speed/webp/docs/riff_container


def check_camera_frame(content: bytes) -> None:
    """Raises `ImageError` unless ``content`` is a JPEG or WebP file that is decoded in a fraction of a second."""
    if content.startswith(b"\xff\xd8\xff"):
        (width, height), scans = _jpeg(content)
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        (width, height), scans = _webp(content), 1
    elif (found := foreign_format(content[:HEAD])) is not None:
        raise ImageError("unsupported_format", f"{found} is no format of a frame: send a JPEG.", found)
    else:
        raise ImageError(
            "no_camera_frame", "A frame of a lesson is a JPEG or WebP file: save it as JPEG and try again."
        )
    most = WEBP_PIXELS if content.startswith(b"RIFF") else FRAME_PIXELS
    if width * height > most or scans > MOST_SCANS or width * height * scans > SCANNED_PIXELS:
        raise ImageError(
            "too_costly", f"{width} x {height} pixels in {scans} scans take too long: send 640 x 480, in one scan."
        )


def _jpeg(content: bytes) -> tuple[tuple[int, int], int]:
    """Width and height, (0, 0) where they are not said, and the number of scans."""
    sizes, scans = [(0, 0)], 0
    for mark, body in _segments(content):
        if mark in _START_OF_FRAME and len(body) >= 5:
            sizes.append((int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")))
        scans += mark == _START_OF_SCAN
        if scans > MOST_SCANS:
            break
    return max(sizes, key=lambda size: size[0] * size[1]), scans


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Marks of a JPEG file with what is in their segments, pixels left out. Raises `ImageError` for too many."""
    place = 2
    for _ in range(MOST_SEGMENTS):
        found = _NEXT_MARK.search(content, place)
        if found is None or content[found.start() + 1] == _END:
            return
        begin = found.start()
        if content[begin + 1] == _TEMPORARY:  # the one mark here that has no segment: what looks like it is more marks
            place = begin + 2
            continue
        mark, length = content[begin + 1], int.from_bytes(content[begin + 2 : begin + 4], "big")
        yield mark, content[begin + 4 : begin + 2 + length]
        place = begin + 2 + max(2, length)
    raise ImageError("too_costly", f"More than {MOST_SEGMENTS} segments take too long: send 640 x 480, in one scan.")


def _webp(content: bytes) -> tuple[int, int]:
    """Width and height by the first chunk. Raises `ImageError` for an animation and for what is no WebP."""
    kind, body = content[12:16], content[20:30]
    if kind == b"VP8X" and len(body) == 10 and not body[0] & _ANIMATED:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    if kind == b"VP8L" and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    raise ImageError("no_camera_frame", "A frame of a lesson is one still picture: save it as JPEG and try again.")
