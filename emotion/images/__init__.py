"""Reading a picture safely: whatever a caller has becomes one plain RGB array, or a sentence says why not."""

from emotion.images.reading import (
    ERROR_KEYS,
    MAXIMUM_PIXELS,
    ORIENTATION_TAG,
    DecodedImage,
    ImageError,
    ImageSource,
    read_image,
    read_reduced,
    shown_name,
)

__all__ = [
    "ERROR_KEYS",
    "MAXIMUM_PIXELS",
    "ORIENTATION_TAG",
    "DecodedImage",
    "ImageError",
    "ImageSource",
    "read_image",
    "read_reduced",
    "shown_name",
]
