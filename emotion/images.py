"""Reads a picture from whatever a caller has (file, bytes, PIL image, array) into one plain RGB array, or says why not.

Nothing is decoded before its size is known, so a small file that unpacks to gigabytes is refused for free.
"""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

# What today's largest phone cameras make. Decoding one needs 350 MB, and 480 MB if it has to be turned.
MAXIMUM_PIXELS = 50_000_000
ORIENTATION_TAG = 0x0112  # EXIF 2.32, table 4: how the camera was held
ROTATED_ORIENTATIONS = (5, 6, 7, 8)  # its values for a camera that was held on its side

ImageSource = Image.Image | np.ndarray | str | Path | bytes

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
    struct.error,
    zlib.error,
)

_STRIP = 1_000_000  # pixels converted at a time: conversion then needs a few megabytes besides source and result


class ImageError(ValueError):
    """A picture that cannot be used. The message names the cause and the remedy; ``key`` is stable, for translation.

    Keys: ``not_found``, ``unreadable`` (file system), ``not_an_image``, ``truncated``, ``damaged``, ``too_large``,
    ``unsupported_mode`` (pixel formats without a defined brightness range), ``unsupported_array``.
    """

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def read_image(source: ImageSource) -> np.ndarray:
    """Return the picture as (height, width, 3) uint8 RGB, upright according to its EXIF orientation, at full size.

    Of an animation the first frame is read; transparency is laid on white; 16-bit values keep their upper eight bits;
    grey, palette and CMYK pictures become RGB. Arrays may be (h, w), (h, w, 1), (h, w, 3) RGB or (h, w, 4) RGBA of
    uint8, uint16, bool or floats in 0..1. Raises `ImageError` for everything else, and for more than `MAXIMUM_PIXELS`.
    """
    return read_reduced(source, None)[0]


def read_reduced(source: ImageSource, minimum_side: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """As `read_image`, but of a JPEG file only as many pixels as are needed; and the full (width, height), upright.

    A JPEG whose longer side has at least twice, four or eight times ``minimum_side`` pixels is decoded at a half, a
    quarter or an eighth of its size, by leaving out the finest waves of each block: cheaper than decoding all and
    averaging. None: everything is needed.
    """
    if isinstance(source, np.ndarray):
        pixels = _from_array(source)
        return pixels, (pixels.shape[1], pixels.shape[0])
    if isinstance(source, Image.Image):
        return _from_pillow(source, minimum_side)
    if not isinstance(source, (str, Path, bytes)):
        raise ImageError(
            "not_an_image", f"A {type(source).__name__} is not a picture: give a file, bytes, a PIL image or an array."
        )
    content: BytesIO | Path
    if isinstance(source, bytes):
        content, name = BytesIO(source), f"{len(source):,} bytes of data"
    else:
        content = Path(source)
        name = content.name
    try:
        with Image.open(content, formats=FORMATS) as picture:
            return _from_pillow(picture, minimum_side)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except FileNotFoundError as error:
        raise ImageError("not_found", f"There is no file {name}: check the path.") from error
    except (PermissionError, IsADirectoryError) as error:
        raise ImageError("unreadable", f"{name} cannot be read ({error.strerror}): check its permissions.") from error
    except UnidentifiedImageError as error:
        raise ImageError(
            "not_an_image", f"{name} is not a picture that can be read: save it as JPEG, PNG or WebP and try again."
        ) from error
    except DECODING_ERRORS as error:
        raise _undecodable(error) from error


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
    if picture.mode == "F":
        raise ImageError(
            "unsupported_mode",
            "A floating-point picture has no fixed brightness range: save it with 8 bits.",
        )
    try:
        orientation = picture.getexif().get(ORIENTATION_TAG, 1)
        if minimum_side is not None and max(full) >= 2 * minimum_side:
            # Only a JPEG that is still undecoded follows; Pillow takes the strongest reduction that leaves this much.
            picture.draft(
                picture.mode, (max(1, width * minimum_side // max(full)), max(1, height * minimum_side // max(full)))
            )
            width, height = picture.size
        picture.load()
        pixels = np.empty((height, width, 3), np.uint8)
        rows = max(1, _STRIP // width)
        for top in range(0, height, rows):
            bottom = min(height, top + rows)
            pixels[top:bottom] = _strip_to_rgb(picture, picture.crop((0, top, width, bottom)))
    except ImageError:
        raise
    except DECODING_ERRORS as error:
        raise _undecodable(error) from error
    return _upright(pixels, orientation), full[::-1] if orientation in ROTATED_ORIENTATIONS else full


def _strip_to_rgb(picture: Image.Image, strip: Image.Image) -> np.ndarray:
    """(h, w, 3) uint8 of a strip cut from ``picture``, whose mode and transparency decide how it is converted."""
    if strip.mode.startswith("I"):  # "I;16" and its byte orders; "I" is how Pillow widens them in some formats
        return np.repeat((np.clip(np.asarray(strip), 0, 65535) >> 8).astype(np.uint8)[..., None], 3, axis=2)
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
        array = (array >> 8).astype(np.uint8)
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
