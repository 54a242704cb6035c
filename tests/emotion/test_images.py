"""What `read_image` accepts and refuses: pictures from phones, scanners, drawing programs, and broken files."""

import contextlib
import io
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from emotion.images import MAXIMUM_PIXELS, ORIENTATION_TAG, ImageError, read_image, read_reduced

RED_ABOVE_BLUE = np.repeat(np.array([[[255, 0, 0]], [[0, 0, 255]]], np.uint8), 8, 0).repeat(16, 1)  # (16, 16, 3)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims to be large and holds almost nothing: what a decompression bomb looks like before decoding."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def key_of(source: object) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(source)  # type: ignore[arg-type]
    message = str(caught.value)
    assert 20 < len(message) < 200  # short
    assert ": " in message  # cause: remedy
    return caught.value.key


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "GIF"])
def test_every_usual_format_is_read_from_bytes_and_from_a_file(form, tmp_path):
    content = encoded(Image.fromarray(RED_ABOVE_BLUE), form)
    file = tmp_path / "picture"
    file.write_bytes(content)
    for source in (content, file, str(file)):
        pixels = read_image(source)
        assert pixels.shape == (16, 16, 3)
        assert pixels.dtype == np.uint8
        np.testing.assert_allclose(pixels[2, 8], (255, 0, 0), atol=40)
        np.testing.assert_allclose(pixels[13, 8], (0, 0, 255), atol=40)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured_as_pillow_does(orientation):
    from PIL import ImageOps

    image = Image.fromarray(np.random.default_rng(1).integers(0, 255, (9, 14, 3), dtype=np.uint8))
    image.getexif()[ORIENTATION_TAG] = orientation
    content = encoded(image, "PNG", exif=image.getexif())
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    np.testing.assert_array_equal(read_image(content), expected)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("longer", [320, 401, 641, 1300])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_large_picture_is_read_no_finer_than_needed_and_its_full_size_is_known(longer, orientation, form):
    picture = Image.radial_gradient("L").resize((longer, longer // 2))
    picture.getexif()[ORIENTATION_TAG] = orientation
    content = encoded(picture, form, quality=95, exif=picture.getexif())
    whole = read_image(content)
    reduced, size = read_reduced(content, 160)
    assert size == whole.shape[1::-1]
    assert 160 <= max(reduced.shape) < 320
    expected = Image.fromarray(whole).resize(reduced.shape[1::-1], Image.Resampling.BOX)
    assert np.abs(np.asarray(expected, float) - reduced).mean() < 2


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_picture_with_less_than_twice_the_pixels_is_read_whole(form):
    assert read_reduced(encoded(Image.new("RGB", (319, 100)), form), 160)[0].shape == (100, 319, 3)


def test_sixteen_bit_grey_keeps_its_upper_eight_bits():
    grey = np.array([[0, 256, 32768, 65535]], np.uint16)
    pixels = read_image(encoded(Image.fromarray(grey), "PNG"))
    assert pixels[0, :, 0].tolist() == [0, 1, 128, 255]


def test_cmyk_becomes_rgb():
    pixels = read_image(encoded(Image.fromarray(RED_ABOVE_BLUE).convert("CMYK"), "TIFF"))
    np.testing.assert_allclose(pixels, RED_ABOVE_BLUE, atol=3)


def test_a_palette_picture_becomes_rgb():
    pixels = read_image(encoded(Image.fromarray(RED_ABOVE_BLUE).quantize(4), "PNG"))
    np.testing.assert_allclose(pixels, RED_ABOVE_BLUE, atol=8)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_pixels_are_laid_on_white(mode):
    image = Image.new("RGBA", (4, 2), (0, 0, 0, 0)).convert(mode)
    image.putalpha(Image.new("L", (4, 2), 0)) if mode != "PA" else None
    assert (read_image(image) == 255).all()


def test_a_palette_entry_can_be_transparent():
    image = Image.fromarray(RED_ABOVE_BLUE).quantize(4)
    pixels = read_image(encoded(image, "PNG", transparency=image.getpixel((0, 0))))
    assert (pixels[2, 8] == 255).all()
    np.testing.assert_allclose(pixels[13, 8], (0, 0, 255), atol=8)


def test_of_an_animated_gif_the_first_frame_is_read():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    pixels = read_image(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100))
    assert pixels.shape == (8, 8, 3)
    assert pixels[4, 4].tolist() == [255, 0, 0]


def test_a_single_pixel_is_a_picture():
    assert read_image(encoded(Image.new("RGB", (1, 1), "red"), "PNG")).tolist() == [[[255, 0, 0]]]


def test_text_is_not_an_image():
    assert key_of(b"This is not a picture at all.") == "not_an_image"
    assert key_of(b"") == "not_an_image"
    assert key_of(12) == "not_an_image"


def test_a_page_description_is_never_handed_to_an_interpreter():
    assert key_of(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n") == "not_an_image"


def test_a_truncated_jpeg_is_refused():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    content = encoded(noise, "JPEG")
    assert key_of(content[: len(content) // 2]) == "truncated"


def test_a_damaged_png_is_refused():
    content = bytearray(encoded(Image.fromarray(RED_ABOVE_BLUE), "PNG"))
    start = content.index(b"IDAT") + 8
    content[start : start + 8] = bytes(8)
    assert key_of(bytes(content)) in ("damaged", "truncated")


def test_a_damaged_avif_is_refused():
    """Its decoder raises what no other does; found by fuzzing."""
    content = encoded(Image.fromarray(RED_ABOVE_BLUE), "AVIF")
    start = content.index(b"mdat") + 4
    assert key_of(content[:start] + b"\xff" * (len(content) - start)) == "damaged"


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    assert key_of(tmp_path / "nothing.jpg") == "not_found"
    assert key_of(tmp_path) == "unreadable"


def test_a_bomb_of_200_megapixels_is_refused():
    assert key_of(png_header(20_000, 10_000)) == "too_large"


def test_one_pixel_row_above_the_limit_is_refused_and_the_limit_is_not_a_matter_of_pillows_settings(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert key_of(png_header(10_000, MAXIMUM_PIXELS // 10_000 + 1)) == "too_large"
    assert key_of(np.broadcast_to(np.zeros(3, np.uint8), (10_000, 5_001, 3))) == "too_large"


def test_floating_point_pictures_are_refused():
    assert key_of(encoded(Image.new("F", (4, 4)), "TIFF")) == "unsupported_mode"


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.full((2, 3), 7, np.uint8), 7),
        (np.full((2, 3, 1), 7, np.uint8), 7),
        (np.full((2, 3, 3), 7, np.uint8), 7),
        (np.full((2, 3, 4), 255, np.uint8), 255),
        (np.full((2, 3, 3), 7 * 256, np.uint16), 7),
        (np.full((2, 3, 3), 1.0, np.float32), 255),
        (np.ones((2, 3), bool), 255),
    ],
)
def test_arrays_of_the_documented_types_are_read(array, expected):
    pixels = read_image(array)
    assert pixels.shape == (2, 3, 3)
    assert (pixels == expected).all()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 3, 2), np.uint8),
        np.zeros((0, 3, 3), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((2, 3, 3), np.int64),
        np.full((2, 3, 3), 2.0),
        np.full((2, 3, 3), np.nan),
    ],
)
def test_other_arrays_are_refused(array):
    assert key_of(array) == "unsupported_array"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_but_nothing_else_happens(data):
    form = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "PPM", "AVIF"]))
    content = bytearray(encoded(Image.fromarray(RED_ABOVE_BLUE), form))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, len(content))) :]
    with contextlib.suppress(ImageError):
        assert read_image(bytes(content)).shape[2] == 3


# A process of its own, because a peak can be asked of a process only, and of this one it would hold earlier tests.
# It is read from /proc: what getrusage says of a child begins with its parent's memory.
MEASURE = """
import sys
from pathlib import Path
from PIL import Image
from emotion.images import ImageError, read_image

def peak():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])

before = peak()
try:
    print(*read_image(sys.argv[1]).shape)
except ImageError as error:
    print(error.key)
print((peak() - before) // 1024)
"""


def answer_and_peak(file) -> tuple[str, int]:
    """What reading the file in a fresh process gives, and by how many MB its peak memory grows."""
    result = subprocess.run([sys.executable, "-c", MEASURE, str(file)], capture_output=True, text=True, check=True)
    answer, megabytes = result.stdout.splitlines()
    return answer, int(megabytes)


def test_the_bomb_is_refused_before_it_is_decoded(tmp_path):
    file = tmp_path / "bomb.png"
    Image.new("1", (20_000, 10_000)).save(file)  # 25 kB on disk, 600 MB in memory
    assert file.stat().st_size < 100_000
    answer, megabytes = answer_and_peak(file)
    assert answer == "too_large"
    assert megabytes < 20


@pytest.mark.slow
@pytest.mark.parametrize(("form", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {})])
def test_fifty_megapixels_are_read_in_bounded_memory(form, options, tmp_path):
    file = tmp_path / "large"
    Image.effect_noise((1000, 781), 60).resize((8192, 6103)).convert("RGB").save(file, form, **options)
    answer, megabytes = answer_and_peak(file)
    assert answer == "6103 8192 3"
    assert megabytes < 420  # 350 measured: four bytes a pixel in Pillow, three in the array
