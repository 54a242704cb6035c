"""HTML from Jinja2 templates. Every value is escaped, and the words come in the reader's language.

A template is named with its wing: "teacher/now.html" is the file analytics/teacher/templates/now.html. Every template
may call `SENTENCES` without their first argument, the language. What it is not given is an error, never an empty place.
"""

from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from analytics.words import sentences, texts
from emotion.labels import COLOURS

SENTENCES = (
    texts.decimal, texts.duration, texts.expression_name, texts.say,
    sentences.animal_name, sentences.class_title, sentences.date_time_text, sentences.lesson_title,
    sentences.played_text,
    sentences.reason_text, sentences.signal_state, sentences.signal_time_text, sentences.suggestion_text,
    sentences.task_text,
)  # fmt: skip
FOLDERS = Path(__file__).parents[1].glob("*/templates")
ENVIRONMENT = Environment(
    loader=PrefixLoader({folder.parent.name: FileSystemLoader(folder) for folder in FOLDERS}),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,  # the class board is rendered every two seconds: no look at the files each time
)
ENVIRONMENT.globals["colours"] = {emotion.key: colour for emotion, colour in COLOURS.items()}
ENVIRONMENT.globals["time_of_day"] = sentences.time_of_day


def render(template: str, language: str, **values: object) -> Markup:
    """The template filled with ``values``, as HTML that another template takes without escaping it again.

    Raises jinja2.TemplateNotFound, and jinja2.UndefinedError for a value that is missing.
    """
    words = {function.__name__: partial(function, language) for function in SENTENCES}
    return Markup(ENVIRONMENT.get_template(template).render(words, language=language, **values))
