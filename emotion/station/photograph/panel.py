"""The panel of the photograph. All of it but the reading runs in the browser, see static/photograph.js."""

from pathlib import Path

import gradio as gr

from emotion.labels import COLOURS, NAMES, Emotion
from emotion.station.lesson import STATIC as SHARED
from emotion.station.live.panel import STATIC as LIVE
from emotion.station.live.texts import WORDS as LIVE_WORDS
from emotion.station.photograph.http_routes import EXAMPLES
from emotion.station.photograph.texts import ANSWERS, SHARED_KEYS, WORDS

STATIC = Path(__file__).resolve().parent / "static"
# One scope: the later use what the earlier define.
SCRIPTS = (SHARED / "camera.js", LIVE / "bars.js", LIVE / "overlay.js", STATIC / "photograph.js")


def build_photograph(low_quality: float, most_bytes: int) -> None:
    """Put the panel into the present Blocks. ``low_quality``: below it the page says that the bars are less reliable;
    ``most_bytes``: of a photograph."""
    megabytes = most_bytes // 1_000_000
    texts = {
        language: {key: text for key, text in words.items() if not key.startswith(ANSWERS)}
        | {key: LIVE_WORDS[language][key] for key in SHARED_KEYS}
        | {"too_large": words["too_large"].format(limit=megabytes)}
        for language, words in WORDS.items()
    }
    styles = (SHARED / "face_panel.css", STATIC / "photograph.css")
    style = "\n".join(path.read_text(encoding="utf-8") for path in styles)
    markup = (STATIC / "photograph.html").read_text(encoding="utf-8")
    gr.HTML(
        html_template=f"<style>{style}</style>{markup}",
        js_on_load="\n".join(script.read_text(encoding="utf-8") for script in SCRIPTS),
        elem_id="photograph-panel",
        texts=texts,  # these reach the script as its `props`
        names={language: {emotion.key: name for emotion, name in names.items()} for language, names in NAMES.items()},
        colours={emotion.key: COLOURS[emotion] for emotion in Emotion},
        examples=list(EXAMPLES),
        low_quality=low_quality,
        most_bytes=most_bytes,
    )
