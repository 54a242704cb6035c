"""Takes out of a picture file what is not its pixels: one odd comment must not cost the picture.

Used only where a file could not be decoded as it is. What says how the picture is to be shown (orientation,
transparency, the colour model) stays as long as it is well formed.
"""

import zlib
from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
# Bytes of a PNG's transparency by its colour type (grey, RGB, palette); other types have an alpha channel instead.
_PNG_TRANSPARENCY = {0: range(2, 3), 2: range(6, 7), 3: range(1, 257)}
_XMP = b"XML:com.adobe.xmp\0\0"  # uncompressed, as the XMP specification wants it; may hold the orientation
_XMP_BYTES = 1_000_000  # Pillow's own limit for a text

_JPEG = b"\xff\xd8"
_JPEG_END = b"\xff\xd9"
_ADOBE_BYTES = 12  # of a whole APP14 segment, whose last byte is the colour model

_WEBP_ALPHA, _WEBP_EXIF = 0x10, 0x08  # flags of VP8X, https://developers.google.com/speed/webp/docs/riff_container


def without_side_data(content: bytes) -> bytes | None:
    """The same picture with its pixels and little else; None where ``content`` is no whole PNG, JPEG or WebP."""
    if content.startswith(_PNG):
        return _PNG + b"".join(_png_chunks(content))
    if content.startswith(_JPEG):
        return _jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    return None


def jpeg_endings(content: bytes) -> tuple[bytes, bytes] | None:
    """A JPEG file that breaks off, ended in two ways; None for other files, and for one that lacks whole scans.

    The decoder fills what is missing, so ending it is no proof. But if every pixel is there, what follows changes
    nothing: the two decode alike only where no more than the end mark is missing.
    """
    if not content.startswith(_JPEG) or not _has_every_scan(content):
        return None
    body = content.rstrip(b"\xff")  # half of the end mark, or of something whose other half is missing
    # Data for whatever may be missing: within an interval, and after each of the restart marks (ITU-T T.81, B.2.1).
    filling = b"".join(b"\x55\xaa\x0f\xc3" * 8 + bytes([0xFF, 0xD0 + number]) for number in range(8))
    return body + _JPEG_END, body + filling + _JPEG_END


def _png_chunks(content: bytes) -> Iterator[bytes]:
    """The chunks to keep, each with length and checksum (PNG specification, 5.3), and an end mark."""
    place, colour_type = len(_PNG), -1
    while place + 12 <= len(content):
        length, kind = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        end = place + 12 + length
        if not kind.isalpha() or (end > len(content) and kind != b"IDAT"):
            # A length that is wrong: go on where the pixels begin.
            place = content.find(b"IDAT", place + 5) - 4
            if place < 0:
                break
            continue
        whole = content[place:end]
        body, checksum = whole[8 : 8 + length], whole[8 + length :]
        if kind == b"IHDR" and length >= 10:
            colour_type = body[9]
        sound = zlib.crc32(kind + body).to_bytes(4, "big") == checksum
        if kind == b"IEND":
            break
        if kind in _PNG_CRITICAL or (sound and _png_wanted(kind, body, colour_type)):
            yield whole
        place = end
    yield bytes(4) + b"IEND" + zlib.crc32(b"IEND").to_bytes(4, "big")


def _png_wanted(kind: bytes, body: bytes, colour_type: int) -> bool:
    if kind == b"tRNS":
        return len(body) in _PNG_TRANSPARENCY.get(colour_type, ())
    return kind == b"eXIf" or (kind == b"iTXt" and body.startswith(_XMP) and len(body) <= _XMP_BYTES)


def _jpeg(content: bytes) -> bytes | None:
    """Without application segments and comments, but for EXIF and XMP (APP1) and Adobe's colour model (APP14)."""
    kept, place = [content[:2]], 2
    while place + 4 <= len(content) and content[place] == 0xFF:
        mark = content[place + 1]
        if mark == 0xDA:  # the first scan: pixels from here on
            return b"".join(kept) + content[place:]
        end = place + 2 + int.from_bytes(content[place + 2 : place + 4], "big")
        application = 0xE0 <= mark <= 0xEF or mark == 0xFE
        if not application or mark == 0xE1 or (mark == 0xEE and end - place - 4 >= _ADOBE_BYTES):
            kept.append(content[place:end])
        place = end
    return None


def _has_every_scan(content: bytes) -> bool:
    """Whether the scans of a JPEG file bring every coefficient of every component to its last bit (ITU-T T.81, G.1)."""
    missing: dict[int, set[int]] = {}
    place = 2
    while (place := content.find(b"\xff", place)) >= 0 and place + 4 <= len(content):
        mark, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4], "big")
        body = content[place + 4 : place + 2 + length]
        if mark in (0x00, 0xFF) or 0xD0 <= mark <= 0xD9:  # pixels, filling and marks without a length
            place += 1 if mark == 0xFF else 2
            continue
        if mark in (0xC0, 0xC1, 0xC2) and len(body) >= 6:
            missing = {component: set(range(64)) for component in body[6::3]}
        elif mark == 0xDA and body and len(body) == length - 2 == 2 * body[0] + 4:
            first, last, bits = body[-3:]
            if bits & 0x0F == 0:
                for component in body[1:-3:2]:
                    missing.get(component, set()).difference_update(range(first, last + 1))
        place += 2 + length
    return bool(missing) and not any(missing.values())


def _webp(content: bytes) -> bytes | None:
    """The still picture with its transparency and EXIF, in a container whose length is right."""
    chunks: dict[bytes, bytes] = {}
    place = 12
    while place + 8 <= len(content):
        kind, length = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        body = content[place + 8 : place + 8 + length]
        if len(body) == length:
            chunks.setdefault(kind, body)
        place += 8 + length + length % 2
    if not chunks.keys() & {b"VP8 ", b"VP8L"}:
        return None
    if b"VP8X" in chunks and len(chunks[b"VP8X"]) == 10:
        flags = chunks[b"VP8X"][0] & _WEBP_ALPHA | (_WEBP_EXIF if b"EXIF" in chunks else 0)
        chunks[b"VP8X"] = bytes([flags]) + chunks[b"VP8X"][1:]
    kept = [(kind, chunks[kind]) for kind in (b"VP8X", b"ALPH", b"VP8 ", b"VP8L", b"EXIF") if kind in chunks]
    body = b"WEBP" + b"".join(k + len(b).to_bytes(4, "little") + b + bytes(len(b) % 2) for k, b in kept)
    return b"RIFF" + len(body).to_bytes(4, "little") + body
