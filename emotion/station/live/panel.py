"""The panel of the live mode. All of it runs in the browser, see static/live.js."""

from pathlib import Path

import gradio as gr

from emotion.labels import COLOURS, NAMES, Emotion
from emotion.station.lesson import STATIC as SHARED
from emotion.station.live.texts import ANSWERS, WORDS

STATIC = Path(__file__).resolve().parent / "static"
# One scope: the later use what the earlier define.
SCRIPTS = (SHARED / "camera.js", *(STATIC / name for name in ("bars.js", "overlay.js", "timeline.js", "live.js")))


def build_live(low_quality: float) -> None:
    """Put the panel into the present Blocks. ``low_quality``: below it the page says that the bars are less
    reliable."""
    texts = {
        language: {key: text for key, text in words.items() if not key.startswith(ANSWERS)}
        for language, words in WORDS.items()
    }
    files = (SHARED / "face_panel.css", STATIC / "live.css", STATIC / "live.html")
    shared, style, markup = (path.read_text(encoding="utf-8") for path in files)
    gr.HTML(
        html_template=f"<style>{shared}{style}</style>{markup}",
        js_on_load="\n".join(script.read_text(encoding="utf-8") for script in SCRIPTS),
        elem_id="live-panel",
        texts=texts,  # these reach the script as its `props`
        names={language: {emotion.key: name for emotion, name in names.items()} for language, names in NAMES.items()},
        colours={emotion.key: COLOURS[emotion] for emotion in Emotion},
        low_quality=low_quality,
    )
