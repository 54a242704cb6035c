"""The panel of the game "show me a face". All of it runs in the browser, see static/calibration.js."""

from pathlib import Path

import gradio as gr

from emotion.station.calibration.texts import SHARED_KEYS, WORDS
from emotion.station.texts import say

FOLDER = Path(__file__).resolve().parent
STATIC = FOLDER / "static"
DRAWINGS = FOLDER / "drawings"
SCRIPTS = ("camera.js", "rounds.js", "screen.js", "calibration.js")  # one scope: the later use what the earlier define


def build_calibration() -> None:
    """Put the panel into the present Blocks. It shows itself only where the page's address names a calibration."""
    texts = {language: words | {key: say(language, key) for key in SHARED_KEYS} for language, words in WORDS.items()}
    gr.HTML(
        html_template=f"<style>{_read('calibration.css')}</style>{_read('calibration.html')}",
        js_on_load="\n".join(_read(name) for name in SCRIPTS),
        elem_id="calibration-panel",
        texts=texts,  # these two reach the script as its `props`
        drawings={drawing.stem: drawing.read_text(encoding="utf-8") for drawing in sorted(DRAWINGS.glob("*.svg"))},
    )


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
