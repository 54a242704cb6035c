"""HTML that people read comes from Jinja2 templates, in the folder ``templates`` of the wing that shows it."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def templates_in(folder: Path) -> Environment:
    """The templates of ``folder``. Values are escaped; one that a template names and nobody gave raises."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
