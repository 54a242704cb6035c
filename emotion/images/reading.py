"""Reads a picture from whatever a caller has (file, bytes, PIL image, array) into one plain RGB array, or says why not.

Nothing is decoded before its size is known, so a small file that unpacks to gigabytes is refused for free.
"""

import hashlib
import os
import re
import stat
import struct
import sys
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from emotion.images.side_data import jpeg_endings, without_side_data
from emotion.images.signatures import HEAD, begins_like_a_picture, foreign_format

# What today's largest phone cameras make. Decoding one needs 350 MB, and 480 MB if it has to be turned.
MAXIMUM_PIXELS = 50_000_000
# Of a file that is to be read in part and is no JPEG: all of it is decoded first, at four bytes a pixel.
MAXIMUM_WHOLE_PIXELS = 40_000_000
ORIENTATION_TAG = 0x0112  # EXIF 2.32, table 4: how the camera was held
ROTATED_ORIENTATIONS = (5, 6, 7, 8)  # its values for a camera that was held on its side


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """``pixels`` (height, width, 3) uint8 RGB, upright, maybe fewer than the picture has; ``size``: its own full width
    and height."""

    pixels: np.ndarray
    size: tuple[int, int]


ImageSource = Image.Image | np.ndarray | str | Path | bytes | DecodedImage

# Formats that photographs come in. Pillow knows some fifty more, among them EPS, which an external interpreter draws.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")

# Pillow reports a file that breaks off by these words only, without a class of its own.
TRUNCATION_WORDS = ("truncated", "not processed", "unexpected end", "incomplete")

# What Pillow's decoders are seen to raise on damaged files, apart from its own errors.
DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    RuntimeError,  # of the AVIF decoder
    struct.error,
    zlib.error,
)

# A larger file that could not be decoded is not tried again without its side data: the copy would cost as much memory.
MENDABLE_BYTES = 64_000_000

_BITS_TAG = 258  # BitsPerSample of TIFF 6.0
# Pillow takes the first byte of each 16-bit value in this order; the other order gives the lower byte.
_OTHER_BYTE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}

_SURROGATES = re.compile("[\ud800-\udfff]")  # how Python holds bytes that are not UTF-8

_STRIP = 1_000_000  # pixels converted at a time: conversion then needs a few megabytes besides source and result


# What can be wrong with a picture; every language has a sentence for each.
ERROR_KEYS = (
    "not_found", "unreadable", "not_an_image", "unsupported_format", "truncated", "damaged", "too_large",
    "unsupported_mode", "unsupported_array", "no_camera_frame", "too_costly",
)  # fmt: skip


class ImageError(ValueError):
    """A picture that cannot be used. The message names the cause and the remedy; ``key`` is stable, for translation.

    Keys: ``not_found``, ``unreadable`` (file system), ``not_an_image``, ``unsupported_format`` (a known one; ``format``
    is its name), ``truncated``, ``damaged``, ``too_large``, ``unsupported_mode`` (pixel formats without a defined
    brightness range), ``unsupported_array``, ``no_camera_frame`` (see `emotion.images.camera_frames`), ``too_costly``
    (it would take too long or too much memory).
    """

    def __init__(self, key: str, message: str, format: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.format = format


def shown_name(name: str | Path) -> str:
    """A file name as it can be written anywhere: bytes of it that are not UTF-8 become replacement characters."""
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", os.fspath(name))


def read_image(source: ImageSource) -> np.ndarray:
    """Return the picture as (height, width, 3) uint8 RGB, upright according to its EXIF orientation, at full size.

    Of an animation the first frame is read; transparency is laid on white; 16-bit values keep their upper eight bits,
    unless none needs more than the lower eight; an odd comment or profile and a missing end mark are passed over; grey,
    palette and CMYK pictures become RGB. Arrays may be (h, w), (h, w, 1), (h, w, 3) RGB or (h, w, 4) RGBA of uint8,
    uint16, bool or floats in 0..1. Raises `ImageError` for everything else, and for more than `MAXIMUM_PIXELS`.
    """
    return read_reduced(source, None)[0]


def read_reduced(source: ImageSource, minimum_side: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """As `read_image`, but of a file only as many pixels as are needed; and the full (width, height), upright.

    A picture whose longer side has at least twice, four or eight times ``minimum_side`` pixels is read at a half, a
    quarter or an eighth of its size: a JPEG by leaving out the finest waves of each block, which is cheaper than
    decoding all, others by averaging, a strip at a time; of those no more than `MAXIMUM_WHOLE_PIXELS` are taken. None:
    everything is needed.
    """
    if isinstance(source, DecodedImage):
        return source.pixels, source.size
    if isinstance(source, np.ndarray):
        pixels = _from_array(source)
        return pixels, (pixels.shape[1], pixels.shape[0])
    if isinstance(source, Image.Image):
        return _from_pillow(source, minimum_side)
    if not isinstance(source, (str, Path, bytes)):
        raise ImageError(
            "not_an_image", f"A {type(source).__name__} is not a picture: give a file, bytes, a PIL image or an array."
        )
    if isinstance(source, bytes):
        return _read_encoded(source, f"{len(source):,} bytes of data", minimum_side)
    path = Path(source)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ImageError("unreadable", f"{shown_name(path.name)} cannot be read (it is no file): give a picture.")
        return _read_encoded(path, shown_name(path.name), minimum_side)
    except FileNotFoundError as error:
        raise ImageError("not_found", f"There is no file {shown_name(path.name)}: check the path.") from error
    except (PermissionError, NotADirectoryError) as error:
        raise ImageError(
            "unreadable", f"{shown_name(path.name)} cannot be read ({error.strerror}): check its permissions."
        ) from error


def _read_encoded(content: bytes | Path, name: str, minimum_side: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """`read_reduced` of a file or of its bytes; where it cannot be decoded as it is, without its side data."""
    try:
        return _decode(content, name, minimum_side)
    except ImageError as error:
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        if error.key not in ("damaged", "truncated") or size > MENDABLE_BYTES:
            raise
        whole = content if isinstance(content, bytes) else content.read_bytes()
        bare = without_side_data(whole)
        if bare is None:
            raise
        try:
            return _decode(bare, name, minimum_side)
        except ImageError as second:
            endings = jpeg_endings(bare)
            if second.key != "truncated" or endings is None:
                raise second from error
            return _decode_ended(endings, name, minimum_side, second)


def _decode_ended(
    endings: tuple[bytes, bytes], name: str, minimum_side: int | None, error: ImageError
) -> tuple[np.ndarray, tuple[int, int]]:
    """The picture of a JPEG file whose end mark alone is missing, see `jpeg_endings`; raises ``error`` otherwise."""
    digests = []
    try:
        for ending in endings[::-1]:
            pixels, size = _decode(ending, name, minimum_side)
            digests.append(hashlib.blake2b(pixels.data).digest())  # not two arrays: each may have 150 MB
    except ImageError as second:
        raise error from second
    if digests[0] != digests[1]:
        raise error
    return pixels, size


def _decode(content: bytes | Path, name: str, minimum_side: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """`read_reduced` of a file or of its bytes, exactly as they are."""
    try:
        with Image.open(BytesIO(content) if isinstance(content, bytes) else content, formats=FORMATS) as picture:
            raw_mode = _raw_mode(picture)
            decoded = _from_pillow(picture, minimum_side)
            deep = raw_mode[:3] == "RGB" and raw_mode[-4:-1] == ";16"
            only_lower_bytes = deep and not any(np.max(band) for band in picture.getextrema()[:3])
        if only_lower_bytes:
            # Sixteen bits a colour that hold 0..255. The upper bytes say nothing; read the others.
            with Image.open(BytesIO(content) if isinstance(content, bytes) else content, formats=FORMATS) as picture:
                swapped = raw_mode[:-1] + _OTHER_BYTE[raw_mode[-1]]
                picture.tile = [tile._replace(args=_with_raw_mode(tile.args, swapped)) for tile in picture.tile]
                return _from_pillow(picture, minimum_side)
        return decoded
    except (ImageError, FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except UnidentifiedImageError as error:
        raise _unidentified(content, name) from error
    except DECODING_ERRORS as error:
        raise _undecodable(error) from error


def _raw_mode(picture: Image.Image) -> str:
    """How the values of an opened, undecoded picture lie in its file, in Pillow's words ("RGB;16B"), or ""."""
    tiles = getattr(picture, "tile", None)
    if not tiles:
        return ""
    arguments = tiles[0].args
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _with_raw_mode(arguments: Any, raw_mode: str) -> Any:
    """A tile's arguments with another raw mode, which comes first or alone."""
    return (raw_mode, *arguments[1:]) if isinstance(arguments, tuple) else raw_mode


def _unidentified(content: bytes | Path, name: str) -> ImageError:
    """What is said of a file that Pillow does not recognise."""
    if isinstance(content, bytes):
        head = content[:HEAD]
    else:
        with content.open("rb") as file:
            head = file.read(HEAD)
    if found := foreign_format(head):
        return ImageError(
            "unsupported_format",
            f"{name} has the format {found}, which is not read here: save it as JPEG or PNG and try again.",
            found,
        )
    if begins_like_a_picture(head):
        return ImageError("damaged", f"{name} begins like a picture and cannot be opened: copy or export it again.")
    return ImageError(
        "not_an_image", f"{name} is not a picture that can be read: save it as JPEG, PNG or WebP and try again."
    )


def _too_large(width: int | None = None, height: int | None = None) -> ImageError:
    size = "More than" if width is None or height is None else f"{width} x {height} pixels is more than"
    return ImageError(
        "too_large", f"{size} {MAXIMUM_PIXELS // 1_000_000} megapixels: reduce the picture and try again."
    )


def _undecodable(error: Exception) -> ImageError:
    if any(word in str(error).lower() for word in TRUNCATION_WORDS):
        return ImageError("truncated", "The picture breaks off before its end: copy or upload it again.")
    return ImageError("damaged", f"The picture is damaged ({error}): export it again as JPEG or PNG.")


def _from_pillow(picture: Image.Image, minimum_side: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """The upright RGB array of an opened picture, and its full size; decodes it only after its size was accepted."""
    width, height = full = picture.size
    if width * height > MAXIMUM_PIXELS:
        raise _too_large(width, height)
    if width == 0 or height == 0:
        raise ImageError("not_an_image", "The picture has no pixels: choose another.")
    if minimum_side is not None and picture.format != "JPEG" and width * height > MAXIMUM_WHOLE_PIXELS:
        raise ImageError(
            "too_costly", f"{width} x {height} pixels of a {picture.format} file cannot be read in part: send a JPEG."
        )
    if picture.mode == "F":
        raise ImageError(
            "unsupported_mode",
            "A floating-point picture has no fixed brightness range: save it with 8 bits.",
        )
    try:
        if minimum_side is not None and max(full) >= 2 * minimum_side:
            # Only a JPEG that is still undecoded follows; Pillow takes the strongest reduction that leaves this much.
            picture.draft(
                picture.mode, (max(1, width * minimum_side // max(full)), max(1, height * minimum_side // max(full)))
            )
        picture.load()
        factor = _factor(picture.size, minimum_side)
        width, height = (side // factor * factor for side in picture.size)
        pixels = np.empty((height // factor, width // factor, 3), np.uint8)
        rows = max(1, _STRIP // width // factor) * factor
        shift = _shift(picture) if picture.mode.startswith("I") else 0
        for top in range(0, height, rows):
            bottom = min(height, top + rows)
            strip = _strip_to_rgb(picture, picture.crop((0, top, width, bottom)), shift)
            pixels[top // factor : bottom // factor] = _averaged(strip, factor)
    except ImageError:
        raise
    except DECODING_ERRORS as error:
        raise _undecodable(error) from error
    # Asked after decoding: Pillow turns a TIFF itself and then forgets its orientation; a PNG may name it at its end.
    orientation = _orientation(picture)
    return _upright(pixels, orientation), full[::-1] if orientation in ROTATED_ORIENTATIONS else full


def _factor(size: tuple[int, int], minimum_side: int | None) -> int:
    """By how much a picture of this size may be reduced, see `read_reduced`."""
    if minimum_side is None or min(size) < 8:
        return 1
    return max(factor for factor in (1, 2, 4, 8) if factor == 1 or max(size) >= factor * minimum_side)


def _averaged(strip: np.ndarray, factor: int) -> np.ndarray:
    """(h, w, 3) uint8 -> (h / factor, w / factor, 3) uint8, the means of squares."""
    if factor == 1:
        return strip
    height, width, _ = strip.shape
    squares = strip.reshape(height // factor, factor, width // factor, factor, 3)
    return np.rint(squares.mean((1, 3), dtype=np.float32)).astype(np.uint8)


def _orientation(picture: Image.Image) -> int:
    """The EXIF orientation of a decoded picture, 1 where there is none or the EXIF is damaged."""
    try:
        return int(picture.getexif().get(ORIENTATION_TAG, 1))
    except DECODING_ERRORS:
        return 1  # whole pixels and an odd note about the camera: the pixels count


def _shift(picture: Image.Image) -> int:
    """By how many bits the values of a picture of mode "I;16" or "I" are moved to leave eight."""
    tags = getattr(picture, "tag_v2", {})
    if tags.get(_BITS_TAG) == (12,):
        return 4
    # Where sixteen bits hold 0..255 their upper half is empty; and a true one as dark as this would be black anyway.
    return 8 if np.max(picture.getextrema()) > 255 else 0


def _strip_to_rgb(picture: Image.Image, strip: Image.Image, shift: int) -> np.ndarray:
    """(h, w, 3) uint8 of a strip cut from ``picture``, whose mode and transparency decide how it is converted; values
    of more than eight bits are moved down by ``shift``."""
    if strip.mode.startswith("I"):  # "I;16" and its byte orders; "I" is how Pillow widens them in some formats
        return np.repeat((np.clip(np.asarray(strip), 0, 65535) >> shift).astype(np.uint8)[..., None], 3, axis=2)
    if strip.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return _on_white(np.asarray(strip.convert("RGBA")))
    return np.asarray(strip.convert("RGB"))


def _on_white(pixels: np.ndarray) -> np.ndarray:
    """(h, w, 4) uint8 with straight alpha -> (h, w, 3) uint8 on a white ground."""
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undo the eight EXIF orientations (1 is upright; unknown values count as 1)."""
    if orientation in ROTATED_ORIENTATIONS:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _from_array(array: np.ndarray) -> np.ndarray:
    """(h, w), (h, w, 1), (h, w, 3) or (h, w, 4) of a documented type -> (h, w, 3) uint8."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ImageError(
            "unsupported_array", f"An array of shape {array.shape} is not a picture: give (height, width[, 1, 3 or 4])."
        )
    height, width, channels = array.shape
    if height * width > MAXIMUM_PIXELS:
        raise _too_large(width, height)
    if array.dtype == np.uint16:
        array = (array >> (8 if array.max() > 255 else 0)).astype(np.uint8)
    elif array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    elif np.issubdtype(array.dtype, np.floating):
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ImageError("unsupported_array", "Floating-point pictures must lie in 0..1: divide by their maximum.")
        array = np.rint(array * 255).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise ImageError("unsupported_array", f"Values of type {array.dtype} are not supported: convert them to uint8.")
    if channels == 4:
        return _on_white(array)
    return np.ascontiguousarray(np.repeat(array, 3, axis=2) if channels == 1 else array)
