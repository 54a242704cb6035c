"""Takes a frame and its fields out of a body in memory: Starlette's own reading of forms would put it on a disk."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from emotion.station.observing import CODE_CHARACTERS, RefusedError
from emotion.station.texts import say

# A form has one file and up to four short fields; whoever sends more parts means something else.
MOST_PARTS = 16
HEADER_CHARACTERS = 1000  # of a content type, which names a boundary of at most seventy
# No picture begins so, and a program that wraps the picture is told what to send instead.
_WRAPPED = ("application/json", "text/html", "application/xml")


def read_form(body: bytes, content_type: str, language: str) -> tuple[bytes, dict[str, str]]:
    """The picture in ``body`` and the fields beside it; a body that is no form is the picture itself.

    Raises `RefusedError` for a form without a file, with several, or cut off, and for a picture wrapped in text.
    """
    if len(content_type) > HEADER_CHARACTERS:
        raise _refused(language)
    kind, options = _options(content_type)
    if kind in _WRAPPED or body.startswith(b"data:"):
        raise _refused(language)
    if kind != "multipart/form-data":
        return body, {}
    parts = _parts(body, options.get("boundary", "").encode("latin-1", "replace"), language)
    files = [content for _, is_file, content in parts if is_file]
    if len(files) != 1 or not files[0]:
        raise _refused(language)
    fields = {
        name: content.decode("utf-8", "replace")
        for name, is_file, content in parts
        if not is_file and len(content) <= 4 * CODE_CHARACTERS
    }
    return files[0], fields


def _options(header: str) -> tuple[str, dict[str, str]]:
    """The value of a header in small letters, and its options by name: ``form-data; name=image``."""
    value, options = parse_options_header(header.encode("latin-1", "replace"))
    return value.decode("latin-1"), {
        name.decode("latin-1").lower(): option.decode("utf-8", "replace") for name, option in options.items()
    }


def _parts(body: bytes, boundary: bytes, language: str) -> list[tuple[str, bool, bytes]]:
    """(name, whether it is a file, content) of each part of a form that is complete."""
    parts: list[tuple[str, bool, bytes]] = []
    headers: dict[str, str] = {}
    name, value, content = bytearray(), bytearray(), bytearray()
    ended = False

    def part_begins() -> None:
        headers.clear()
        content.clear()
        if len(parts) >= MOST_PARTS:
            raise _refused(language)

    def header_ends() -> None:
        headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        name.clear()
        value.clear()

    def part_ends() -> None:
        disposition = headers.get("content-disposition", "")
        _, options = _options(disposition)
        typed = headers.get("content-type", "").startswith(("image/", "application/octet-stream"))
        named = "filename" in options or "filename*=" in disposition  # so requests says a name that is not ASCII
        field = options.get("name", "")
        parts.append((field, typed or named or field == "image", bytes(content)))

    def form_ends() -> None:
        nonlocal ended
        ended = True

    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": part_begins,
                "on_header_field": lambda data, start, end: name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: value.extend(data[start:end]),
                "on_header_end": header_ends,
                "on_part_data": lambda data, start, end: content.extend(data[start:end]),
                "on_part_end": part_ends,
                "on_end": form_ends,
            },
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise _refused(language) from error
    if not ended:
        raise _refused(language)
    return parts


def _refused(language: str) -> RefusedError:
    return RefusedError("bad_form", say(language, "error_bad_form"), 415)
