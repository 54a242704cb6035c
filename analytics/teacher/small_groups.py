"""Figures of a class of fewer than five children say much of each: such views carry a caution, or are left out."""

from markupsafe import Markup

from analytics.words.templates import render
from analytics.words.texts import say

SMALL_GROUP = 5  # children


def is_small(children: int) -> bool:
    """Whether ``children``, who were seen, are too few for a figure of the class."""
    return 0 < children < SMALL_GROUP


def group_note(children: int, hidden: bool, language: str) -> Markup:
    """The caution of a view as HTML: that the group is small, or why there is nothing; empty for other groups."""
    if not is_small(children):
        return Markup()
    key = "small_group_hidden" if hidden else "small_group"
    return render("teacher/note.html", language, kind="note caution", words=say(language, key))
