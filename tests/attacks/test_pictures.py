"""Small files that take seconds or gigabytes to open, sent as frames of a lesson and as photographs."""

import io
import struct
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from emotion.images import ImageError
from emotion.images.camera_frames import check_camera_frame
from emotion.images.isolated import IsolatedDecoder
from tests.attack_target import FRAME, Target
from tests.class_in_lesson import class_in_lesson, stranger


def encoded(kind: str, size: tuple[int, int] = (640, 480), **options: Any) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (size[1] // 10, size[0] // 10, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).resize(size).save(stream, kind, **options)
    return stream.getvalue()


def many_scans(scans: int = 150, side: int = 2000) -> bytes:
    """A progressive JPEG whose last scan, which adds next to nothing, stands there again and again."""
    stream = io.BytesIO()
    Image.new("L", (side, side), 128).save(stream, "JPEG", progressive=True)
    whole = stream.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * scans + b"\xff\xd9"


def comments(megabytes: float = 1.0) -> bytes:
    """A PPM whose size is said behind comments: each was searched for from the beginning."""
    return b"P6\n" + b"#\n" * int(megabytes * 500_000) + b"640 480\n255\n" + bytes(640 * 480 * 3)


def large_tile(side: int = 40_000) -> bytes:
    """A TIFF of 10 x 10 pixels in a tile of 40,000 x 40,000."""
    tags = [
        (256, 3, 10), (257, 3, 10), (258, 3, 8), (259, 3, 1), (262, 3, 1), (277, 3, 1),
        (322, 4, side), (323, 4, side), (324, 4, 8), (325, 4, 4),
    ]  # fmt: skip
    entries = b"".join(
        struct.pack("<HHIHH" if kind == 3 else "<HHII", tag, kind, 1, *((value, 0) if kind == 3 else (value,)))
        for tag, kind, value in tags
    )
    return b"II*\0" + struct.pack("<I", 12) + b"\0" * 4 + struct.pack("<H", len(tags)) + entries + b"\0" * 4


def flat_png(side: int = 7000) -> bytes:
    """49 megapixels in 160 kB."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(bytes(1 + 3 * side)) for _ in range(side)) + packer.flush()

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def huge_webp() -> bytes:
    """Says that its canvas has 16,384 x 16,384 pixels."""
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\x00" * 2
    return b"RIFF" + struct.pack("<I", len(body)) + body


BOMBS: dict[str, Callable[[], bytes]] = {
    "many scans": many_scans,
    "comments": comments,
    "large tile": large_tile,
    "flat png": flat_png,
    "huge webp": huge_webp,
}


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "PPM"])
def test_a_frame_of_a_lesson_is_jpeg_or_webp(kind: str) -> None:
    with pytest.raises(ImageError) as refused:
        check_camera_frame(encoded(kind))
    assert refused.value.key == "no_camera_frame"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"quality": 95},
        {"progressive": True},
        {"progressive": True, "quality": 100, "subsampling": 0},
        {"exif": b"Exif\0\0" + bytes(100)},
    ],
    ids=str,
)
def test_what_cameras_and_programs_send_is_a_frame(options: dict[str, Any]) -> None:
    check_camera_frame(encoded("JPEG", **options))
    check_camera_frame(encoded("JPEG", (4000, 3000), **options))
    check_camera_frame(FRAME)
    for lossless in (False, True):
        check_camera_frame(encoded("WEBP", lossless=lossless))


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_no_frame_and_is_told_so_at_once(name: str) -> None:
    bomb = BOMBS[name]()
    began = time.perf_counter()
    with pytest.raises(ImageError):
        check_camera_frame(bomb)
    assert time.perf_counter() - began < 0.2


def test_an_animation_is_no_frame() -> None:
    stream = io.BytesIO()
    pictures = [Image.new("RGB", (640, 480), colour) for colour in ("red", "green", "blue")]
    pictures[0].save(stream, "WEBP", save_all=True, append_images=pictures[1:])
    with pytest.raises(ImageError) as refused:
        check_camera_frame(stream.getvalue())
    assert refused.value.key == "no_camera_frame"


def test_a_picture_within_a_jpeg_is_not_counted_as_scans() -> None:
    thumbnail = encoded("JPEG", (80, 60), progressive=True)
    check_camera_frame(encoded("JPEG", exif=b"Exif\0\0" + thumbnail * 3))


def test_a_picture_that_takes_too_long_ends_its_process_and_the_next_is_read() -> None:
    decoder = IsolatedDecoder(seconds=3)
    for _ in range(2):
        with pytest.raises(ImageError) as refused:
            decoder.read(many_scans(600, 4000))
        assert refused.value.key == "too_costly"
        assert decoder.read(FRAME).size == (512, 512)
    decoder.process.close()


def test_a_picture_that_takes_too_much_memory_is_refused_and_the_next_is_read() -> None:
    decoder = IsolatedDecoder()
    with pytest.raises(ImageError):
        decoder.read(large_tile())
    assert decoder.read(FRAME).size == (512, 512)
    decoder.process.close()


def test_a_worker_reads_what_the_reader_reads() -> None:
    from emotion.images import read_image

    decoder = IsolatedDecoder()
    for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"):
        content = encoded(kind, (64, 48))
        assert (decoder.read(content).pixels == read_image(content)).all(), kind
    for content in (b"", b"nothing at all", encoded("PNG")[:500], b"8BPS" + bytes(100)):
        with pytest.raises(ImageError) as here:
            read_image(content)
        with pytest.raises(ImageError) as there:
            decoder.read(content)
        assert (here.value.key, here.value.format) == (there.value.key, there.value.format)
    decoder.process.close()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_of_a_large_photograph_half_the_side_is_enough(kind: str) -> None:
    decoder = IsolatedDecoder()
    content = encoded(kind, (6000, 1000))
    found = decoder.read(content)
    assert (found.size, found.pixels.shape) == ((6000, 1000), (500, 3000, 3))
    half = Image.open(io.BytesIO(content)).convert("RGB").resize((3000, 500), Image.Resampling.BOX)
    assert np.abs(found.pixels - np.asarray(half, float)).mean() < 2, "it shows the same"
    decoder.process.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_class_does_not_notice_bombs(target: Target, name: str) -> None:
    """Four at once as frames, and as photographs of Try it."""
    bomb = BOMBS[name]()
    with stranger(target, f"127.0.2.{1 + [*BOMBS].index(name)}") as visitor, ThreadPoolExecutor(6) as threads:

        def send_frame(child: int) -> httpx.Response:
            query = {"lesson": target.lesson.code, "child": target.codes[child]}
            return visitor.post("/observe", params=query, content=bomb[:1_900_000])

        def send_photograph(place: int) -> str:
            answer = visitor.post("/gradio_api/upload", files={"files": (f"{place}.jpg", bomb)})
            data = [{"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}]
            event = visitor.post("/gradio_api/call/predict", json={"data": data}).json()["event_id"]
            return visitor.get(f"/gradio_api/call/predict/{event}").text

        with class_in_lesson(target):
            frames = list(threads.map(send_frame, range(4)))
            photographs = list(threads.map(send_photograph, range(6)))
        for answer in frames:
            # replaced: the child's own next frame was there first
            assert answer.json()["reason"] in ("no_camera_frame", "too_costly", "replaced"), answer.text
        for answer in photographs:
            assert "event: error" in answer or '"faces": []' in answer
