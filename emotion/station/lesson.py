"""The Lesson tab: a form, the camera and the child's messages. All of it runs in the browser, see static/lesson.js."""

from pathlib import Path

import gradio as gr

from emotion.station.animals import ANIMALS
from emotion.station.texts import LESSON_KEYS, TEXTS, say

STATIC = Path(__file__).resolve().parent / "static"
SCRIPTS = ("camera.js", "animal.js", "memory.js", "lesson.js")  # one scope: the later use what the earlier define
OPENING_SCRIPT = (STATIC / "opening.js").read_text(encoding="utf-8")


def build_lesson(frames_per_second: float, retention_days: int) -> None:
    """Put the panel into the present Blocks. ``frames_per_second`` is where a station begins, 0.2 to 5."""
    texts = {language: {key: say(language, key, days=retention_days) for key in LESSON_KEYS} for language in TEXTS}
    animals = {
        key: {"picture": picture, "names": {"en": english, "ru": russian}}
        for key, (picture, english, russian) in ANIMALS.items()
    }
    gr.HTML(
        html_template=(STATIC / "lesson.html").read_text(encoding="utf-8"),
        js_on_load="\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS),
        elem_id="lesson-panel",
        texts=texts,  # these three reach the script as its `props`
        animals=animals,
        frames_per_second=frames_per_second,
    )
