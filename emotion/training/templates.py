"""Renders the Jinja2 templates of the model card and of the evaluation's page."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from emotion.labels import KEYS


def number(value: float | None) -> str:
    """Three digits; a dash for a figure that has no value, as the recall of a class without faces."""
    return "–" if value is None else f"{value:.3f}"


def interval(value: float | None, low: float | None, high: float | None) -> str:
    """A figure with its 95 % interval: "0.809 [0.797, 0.822]"."""
    return f"{number(value)} [{number(low)}, {number(high)}]"


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.globals |= {"number": number, "interval": interval, "KEYS": KEYS}


def render(template: str, **values: object) -> str:
    """The text of a file in ``templates/`` with ``values`` put in; HTML is escaped. Raises jinja2.UndefinedError for a
    value that is missing."""
    return _ENVIRONMENT.get_template(template).render(values)
