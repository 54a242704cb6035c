"""A class of fewer than five children: figures that say much about each child carry a caution or are left out."""

from markupsafe import Markup

from analytics.words.templates import render
from analytics.words.texts import say

SMALL_GROUP = 5  # children


def is_small(children: int) -> bool:
    """Whether so few ``children`` were seen that a figure of the class says much about each."""
    return 0 < children < SMALL_GROUP


def group_note(children: int, hidden: bool, language: str) -> Markup:
    """A caution that the group is small, or, with ``hidden``, that its figures are left out; empty for other groups."""
    if not is_small(children):
        return Markup()
    key = "small_group_hidden" if hidden else "small_group"
    return render("teacher/note.html", language, kind="note caution", words=say(language, key))
