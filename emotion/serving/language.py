"""Which of the two languages a visitor reads."""

import re
from collections.abc import Mapping
from typing import Protocol

from starlette.requests import cookie_parser

LANGUAGES = ("en", "ru")
COOKIE = "language"


class HasHeaders(Protocol):
    """A request, Gradio's or Starlette's."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header values by lower-case name."""


def language_of(request: HasHeaders | None) -> str:
    """``en`` or ``ru``: the visitor's own choice (cookie), else the browser's order of languages, else English."""
    if request is None:
        return LANGUAGES[0]
    chosen = cookie_parser(request.headers.get("cookie") or "").get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return negotiate_language(request.headers.get("accept-language") or "")


def negotiate_language(accept_language: str) -> str:
    """The best of our languages for an Accept-Language header (RFC 9110, 12.5.4); English when it names neither.

    Parts that cannot be read are passed over: the header comes from anybody.
    """
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language[:1000].split(",")):
        found = re.fullmatch(r"\s*([A-Za-z]{1,8})(?:-[\w-]*)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*", part)
        if found and found[1].lower() in LANGUAGES:
            weight = float(found[2] or 1)
            if weight > 0:
                ranked.append((-weight, place, found[1].lower()))
    return min(ranked)[2] if ranked else LANGUAGES[0]
