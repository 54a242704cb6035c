"""Tells by the first bytes of a file which format it has: to name one that cannot be read, and to know damage from
something that is no picture."""

# Of an ISO base media file (ISO/IEC 14496-12), the four letters behind "ftyp" say what it holds.
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"),
    b"crx ": "CR3",
    **dict.fromkeys((b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"M4V ", b"3gp4", b"3gp5", b"qt  "), "MP4"),
}

_FOREIGN = (
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "PSD"),
    (b"%PDF", "PDF"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"FUJIFILMCCD-RAW", "RAF"),
    (b"IIRO", "ORF"),
    (b"IIU\x00", "RW2"),
    (b"\x1a\x45\xdf\xa3", "WebM"),
    (b"PK\x03\x04", "ZIP"),
)

# Formats that are read: a file that begins so and cannot be opened is damaged.
_READABLE = (
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*",
)  # fmt: skip

HEAD = 512  # bytes that are enough to tell


def foreign_format(head: bytes) -> str | None:
    """The name of a format that is none of ours, by the first `HEAD` bytes of a file; None where it is not known."""
    if head[4:8] == b"ftyp":
        # The major brand, or one of the compatible ones: a picture of several kinds names them all.
        end = min(int.from_bytes(head[:4], "big"), len(head))
        brands = [head[8:12], *(head[place : place + 4] for place in range(16, end, 4))]
        return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI"
    for beginning, name in _FOREIGN:
        if head.startswith(beginning):
            return name
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml")) and b"<svg" in text:
        return "SVG"
    return "HTML" if text.startswith((b"<!doctype html", b"<html")) else None


def begins_like_a_picture(head: bytes) -> bool:
    """Whether a file begins as one of the formats that are read."""
    return head.startswith(_READABLE) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
