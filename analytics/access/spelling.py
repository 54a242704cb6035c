"""Names that people type in more than one place: when two spellings mean the same, and how a new one is written down.

A class is typed when a lesson is started, when children are enrolled, beside an account and in calls of programs. What
looks alike there must be alike: Cyrillic В and Latin B, one letter or a letter and its accent, kinds of blank and dash.
"""

import re
import unicodedata
from functools import lru_cache

# Letters of other scripts that look like Latin ones in small or in capitals: who types them does not notice that the
# keyboard is switched. Cyrillic first, Greek second; a subset of the confusables of Unicode Technical Standard 39.
LOOK_ALIKES = str.maketrans(
    "авекмнорстухѕјіԛԝһ" + "αβεζηικμνορτυχ",
    "abekmhopctyxsjiqwh" + "abezhikmnoptyx",
)
DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
# Invisible, yet neither blanks nor format characters: fillers that Unicode counts as letters or marks.
INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]")

LONGEST_REMEMBERED = 200  # characters: names have up to 120, and a caller's megabyte is not kept


def fold(name: str) -> str:
    """The same text for all spellings of a name that a reader takes for one: case, forms of Unicode, look-alikes, kinds
    of dash, blanks and invisible characters make no difference. A blank between two digits does: 1 1 is not 11.

    For comparing only: it is not made to be read.
    """
    return _remembered(name) if len(name) <= LONGEST_REMEMBERED else _fold(name)


def _fold(name: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", tidy(name)).casefold())
    folded = re.sub(r"(?<!\d) | (?!\d)", "", tidy(plain).translate(LOOK_ALIKES).translate(DASHES))
    # Without its blank an accent may join the letter before it ("A´"): folded until nothing changes any more.
    return folded if folded == name else _fold(folded)


_remembered = lru_cache(maxsize=4096)(_fold)


def tidy(name: str) -> str:
    """``name`` as it is written down: composed letters, single blanks, none around it, nothing invisible."""
    visible = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    return " ".join(unicodedata.normalize("NFC", INVISIBLE.sub("", visible)).split())
