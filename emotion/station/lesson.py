"""The Lesson tab: a form, the camera and the child's messages. All of it runs in the browser, see static/lesson.js."""

from pathlib import Path

import gradio as gr

from emotion.station.texts import LESSON_KEYS, TEXTS, say

STATIC = Path(__file__).resolve().parent / "static"


def build_lesson(frames_per_second: float, retention_days: int) -> None:
    """Put the panel into the present Blocks. ``frames_per_second`` is where a station begins, 0.2 to 5."""
    texts = {language: {key: say(language, key, days=retention_days) for key in LESSON_KEYS} for language in TEXTS}
    gr.HTML(
        html_template=(STATIC / "lesson.html").read_text(encoding="utf-8"),
        js_on_load=(STATIC / "lesson.js").read_text(encoding="utf-8"),
        elem_id="lesson-panel",
        texts=texts,  # these two reach the script as its `props`
        frames_per_second=frames_per_second,
    )
