"""Pictures with whole pixels and something odd about them: they are read. Formats that are not: they are named."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from emotion.images import ERROR_KEYS, ORIENTATION_TAG, ImageError, read_image, read_reduced
from emotion.images.signatures import foreign_format
from emotion.station.observing import image_refusal
from emotion.station.texts import TEXTS

# Patches of even colour: every format keeps them, and no turn or mirror image of it looks alike.
PATCHES = np.kron(
    np.random.default_rng(0).integers(0, 255, (5, 4, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8)
)  # (40, 32, 3)


def encoded(form: str, pixels: np.ndarray = PATCHES, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


def refusal(content: object) -> ImageError:
    with pytest.raises(ImageError) as caught:
        read_image(content)  # type: ignore[arg-type]
    return caught.value


# --- orientation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_once_as_a_png_is(orientation, compression):
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    tiff = encoded("TIFF", exif=exif, compression=compression)
    expected = read_image(encoded("PNG", exif=exif))
    np.testing.assert_array_equal(read_image(tiff), expected)
    pixels, size = read_reduced(tiff, 30)
    assert size == expected.shape[1::-1] == pixels.shape[1::-1]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_damaged_exif_does_not_cost_the_picture(form):
    assert read_image(encoded(form, exif=b"Exif\0\0neither II nor MM")).shape == PATCHES.shape


# --- side data -----------------------------------------------------------------------------------------------------

PNG_SIDE_CHUNKS = (
    b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"gAMA", b"cHRM", b"pHYs", b"tRNS", b"eXIf", b"tIME", b"sRGB", b"bKGD",
    b"sBIT", b"acTL", b"fcTL", b"vpAg",
)  # fmt: skip


def png_chunk(kind: bytes, body: bytes, checksum_off_by: int = 0) -> bytes:
    checksum = zlib.crc32(kind + body) ^ checksum_off_by
    return len(body).to_bytes(4, "big") + kind + body + checksum.to_bytes(4, "big")


@pytest.mark.parametrize("kind", PNG_SIDE_CHUNKS)
@pytest.mark.parametrize("place", ["before the pixels", "behind the pixels"])
def test_an_odd_side_chunk_does_not_cost_a_png_its_pixels(kind, place):
    plain = encoded("PNG")
    at = plain.index(b"IDAT") - 4 if place == "before the pixels" else len(plain) - 12
    for chunk in (png_chunk(kind, b"\0"), png_chunk(kind, b""), png_chunk(kind, bytes(30), checksum_off_by=1)):
        np.testing.assert_array_equal(read_image(plain[:at] + chunk + plain[at:]), PATCHES)


def test_a_comment_that_unpacks_to_megabytes_does_not_cost_a_png_its_pixels():
    plain = encoded("PNG")
    comment = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(8_000_000)))
    np.testing.assert_array_equal(read_image(plain[:33] + comment + plain[33:]), PATCHES)


def test_a_side_chunk_with_a_wrong_length_does_not_cost_a_png_its_pixels():
    plain = encoded("PNG")
    liar = (1_000_000).to_bytes(4, "big") + b"tEXt" + b"a comment" + bytes(4)
    np.testing.assert_array_equal(read_image(plain[:33] + liar + plain[33:]), PATCHES)


def test_an_odd_comment_takes_neither_orientation_nor_transparency_with_it():
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6
    turned = encoded("PNG", exif=exif)
    odd = png_chunk(b"gAMA", b"")
    np.testing.assert_array_equal(read_image(turned[:33] + odd + turned[33:]), read_image(turned))
    palette = Image.fromarray(PATCHES).quantize(4)
    file = io.BytesIO()
    palette.save(file, "PNG", transparency=palette.getpixel((0, 0)))
    see_through = file.getvalue()
    np.testing.assert_array_equal(read_image(see_through[:33] + odd + see_through[33:]), read_image(see_through))


def jpeg_segment(mark: int, body: bytes) -> bytes:
    return bytes([0xFF, mark]) + (len(body) + 2).to_bytes(2, "big") + body


@pytest.mark.parametrize(
    ("mark", "body"), [(0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe"), (0xE0, b"JFIF"), (0xED, b"Photoshop 3.0\x008BIM")]
)
def test_an_odd_segment_does_not_cost_a_jpeg_its_pixels(mark, body):
    plain = encoded("JPEG")
    np.testing.assert_array_equal(read_image(plain[:2] + jpeg_segment(mark, body) + plain[2:]), read_image(plain))


def test_a_webp_whose_exif_is_cut_off_is_read():
    file = encoded("WEBP", lossless=True, exif=b"II*\0\x08\0\0\0\0\0")
    np.testing.assert_array_equal(read_image(file[:-6]), PATCHES)


def test_damaged_pixels_are_still_refused():
    content = bytearray(encoded("PNG"))
    start = content.index(b"IDAT") + 10
    content[start : start + 8] = bytes(8)
    assert refusal(bytes(content)).key in ("damaged", "truncated")


# --- files that break off ------------------------------------------------------------------------------------------

JPEG_KINDS = {
    "baseline": {"quality": 90},
    "progressive": {"quality": 90, "progressive": True},
    "restart marks": {"quality": 90, "restart_marker_blocks": 2},
    "optimised": {"quality": 60, "optimize": True},
}


@pytest.mark.parametrize("kind", JPEG_KINDS)
def test_a_jpeg_without_its_end_mark_is_read(kind):
    whole = encoded("JPEG", **JPEG_KINDS[kind])
    for cut in (1, 2):
        np.testing.assert_array_equal(read_image(whole[:-cut]), read_image(whole))


@given(kind=st.sampled_from(sorted(JPEG_KINDS)), share=st.floats(0, 1), seed=st.integers(0, 50))
@settings(deadline=None, max_examples=150)
def test_a_jpeg_that_breaks_off_is_refused_or_read_exactly_never_filled_up_with_grey(kind, share, seed):
    noise = np.random.default_rng(seed).integers(0, 255, (48, 48, 3), dtype=np.uint8)
    whole = encoded("JPEG", noise, **JPEG_KINDS[kind])
    try:
        pixels = read_image(whole[: round(share * len(whole))])
    except ImageError as error:
        assert error.key in ("truncated", "damaged", "not_an_image")  # noqa: PT017 - either is right
    else:
        np.testing.assert_array_equal(pixels, read_image(whole))


# --- sixteen bits --------------------------------------------------------------------------------------------------

SMALL = np.arange(0, 240, 20, dtype=np.uint16).reshape(3, 4)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bit_grey_that_holds_eight_bits_is_not_black(form):
    assert (read_image(encoded(form, SMALL))[..., 0] == SMALL).all()


def test_a_sixteen_bit_array_that_holds_eight_bits_is_not_black():
    assert (read_image(SMALL)[..., 0] == SMALL).all()


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (6, 4)])
def test_sixteen_bit_colour_that_holds_eight_bits_is_not_black(colour_type, channels):
    pixels = np.stack([SMALL, SMALL + 1, SMALL + 2, np.full_like(SMALL, 255)], -1)[..., :channels]
    for values, expected in ((pixels, pixels), (pixels * 256, pixels)):
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
        header = struct.pack(">IIBBBBB", 4, 3, 16, colour_type, 0, 0, 0)
        content = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows))
        assert (read_image(content + png_chunk(b"IEND", b"")) == expected[..., :3]).all()


# --- what is no picture of ours ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1miafMiHB", "HEIC"),
        (b"\0\0\0\x14ftypabcd\0\0\0\0heix", "HEIC"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "CR3"),
        (b"\0\0\0\x18ftypqt  \0\0\0\0qt  ", "MP4"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"8BPS\0\1", "PSD"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\3\4\x14\0", "ZIP"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\xef\xbb\xbf<!DOCTYPE html><html>", "HTML"),
    ],
)
def test_a_format_that_is_not_read_is_named_in_both_languages(head, name, tmp_path):
    file = tmp_path / "IMG_0001.jpg"
    file.write_bytes(head + bytes(40))
    for source in (file, head + bytes(40)):
        error = refusal(source)
        assert (error.key, error.format) == ("unsupported_format", name)
        assert name in str(error)
        assert "JPEG" in str(error)
        for language in TEXTS:
            assert name in str(image_refusal(error, language))


@given(st.binary(max_size=600))
def test_any_beginning_has_a_known_format_or_none(head):
    assert foreign_format(head) is None or isinstance(foreign_format(head), str)


@pytest.mark.parametrize("key", ERROR_KEYS)
def test_every_reason_has_a_sentence_in_both_languages(key):
    for language in TEXTS:
        assert str(image_refusal(ImageError(key, "", "HEIC"), language))


def test_a_broken_beginning_of_ours_is_damaged_and_not_something_else():
    assert refusal(encoded("GIF")[:9]).key == "damaged"
    assert refusal(encoded("TIFF", compression="tiff_lzw")[:-40]).key == "damaged"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert refusal(tmp_path / "pipe.jpg").key == "unreadable"


def test_a_name_that_is_not_utf8_stands_in_a_message_that_can_be_written(tmp_path):
    name = os.fsdecode(tmp_path) + "/" + os.fsdecode(b"\x8f\xa5\xe2\xef.jpg")
    message = str(refusal(name))
    assert "�" in message
    assert message.encode("utf-8")
