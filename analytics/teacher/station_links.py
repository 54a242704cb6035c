"""Addresses of the station page with a code in them, and the QR codes by which a tablet's camera reads them."""

from io import BytesIO
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit, urlunsplit

import segno
from markupsafe import Markup

ADDRESS_CHARACTERS = 300
TEACHER_FOLDER = "/teacher"


def station_address(place: str, **codes: str) -> str:
    """The address of the station page with ``codes`` (``lesson``, ``child``, ``calibration``), seen from the teacher's
    page at ``place``; relative where that is no web address."""
    question = urlencode(codes)
    try:
        parts = urlsplit(place[:ADDRESS_CHARACTERS])
    except ValueError:
        return f"../?{question}"
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return f"../?{question}"
    folder = parts.path.rstrip("/").removesuffix(TEACHER_FOLDER)
    return urlunsplit((parts.scheme, parts.netloc, f"{folder}/", question, ""))


def is_web_address(address: str) -> bool:
    """Whether a camera can open it: what `station_address` gives where it knows the page's own address."""
    return address.startswith(("http://", "https://"))


def leads_elsewhere(address: str) -> bool:
    """Whether another device finds this server at ``address``: "localhost" is each device's name for itself."""
    if not is_web_address(address):
        return False
    host = urlsplit(address).hostname or ""
    try:
        return not (ip_address(host).is_loopback or ip_address(host).is_unspecified)
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")


def qr_code(address: str) -> Markup:
    """A drawing of ``address``: dark on light in both themes, with the margin that the standard asks for, since many
    cameras read no inverted code."""
    drawn = BytesIO()
    code = segno.make(address, error="m", micro=False)  # cameras of tablets read no Micro QR
    code.save(drawn, kind="svg", scale=6, border=4, light="white", xmldecl=False, omitsize=True)
    return Markup(drawn.getvalue().decode())
