"""The panel of the game "show me a face". All of it runs in the browser, see static/calibration.js."""

from pathlib import Path

import gradio as gr

from emotion.station.calibration.texts import SHARED_KEYS, WORDS
from emotion.station.lesson import STATIC as SHARED
from emotion.station.texts import say

FOLDER = Path(__file__).resolve().parent
STATIC = FOLDER / "static"
DRAWINGS = FOLDER / "drawings"
# One scope: the later use what the earlier define.
SCRIPTS = (SHARED / "camera.js", *(STATIC / name for name in ("rounds.js", "screen.js", "calibration.js")))


def build_calibration() -> None:
    """Put the panel into the present Blocks. It shows itself only where the page's address names a calibration."""
    texts = {language: words | {key: say(language, key) for key in SHARED_KEYS} for language, words in WORDS.items()}
    gr.HTML(
        html_template=f"<style>{_read('calibration.css')}</style>{_read('calibration.html')}",
        js_on_load="\n".join(script.read_text(encoding="utf-8") for script in SCRIPTS),
        elem_id="calibration-panel",
        texts=texts,  # these two reach the script as its `props`
        drawings={drawing.stem: drawing.read_text(encoding="utf-8") for drawing in sorted(DRAWINGS.glob("*.svg"))},
    )


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
