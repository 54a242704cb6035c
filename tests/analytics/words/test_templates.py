"""Templates escape what they are given and take nothing that is missing; few places make HTML without one."""

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from analytics.words.templates import ENVIRONMENT, render

ANALYTICS = Path(__file__).resolve().parents[3] / "analytics"
# Drawings are made of numbers; the style sheet of reports is a file of ours.
MAKES_HTML = {
    "charts/report_drawing.py",
    "charts/sparkline.py",
    "teacher/station_links.py",
    "teacher/report.py",
    "words/templates.py",
}
TRUSTS_TEXT = {"charts/icons.html"}  # its pictures stand in the template itself


def test_text_is_escaped_and_html_is_not_escaped_again() -> None:
    assert '<p class="note">&lt;b&gt;</p>' in render("teacher/note.html", "en", kind="note", words="<b>")
    assert "<b></p>" in render("teacher/note.html", "en", kind="note", words=Markup("<b>"))


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="words"):
        render("teacher/note.html", "en", kind="note")


def test_every_template_is_used() -> None:
    sources = [path.read_text(encoding="utf-8") for path in ANALYTICS.rglob("*") if path.suffix in (".py", ".html")]
    assert [name for name in ENVIRONMENT.list_templates() if not any(f'"{name}"' in text for text in sources)] == []


def test_few_places_decide_that_a_text_is_html() -> None:
    modules = {path for path in ANALYTICS.rglob("*.py") if re.search(r"Markup\([^)]", path.read_text(encoding="utf-8"))}
    assert {path.relative_to(ANALYTICS).as_posix() for path in modules} == MAKES_HTML
    names = [
        name for name in ENVIRONMENT.list_templates() if "safe" in ENVIRONMENT.loader.get_source(ENVIRONMENT, name)[0]
    ]
    assert set(names) == TRUSTS_TEXT
