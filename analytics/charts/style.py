"""What all charts share: colours, fonts, the order of the expressions, titles, and times in Plotly's form."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from html import escape as html_escape
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.words.sentences import time_zone
from analytics.words.texts import say
from emotion.labels import Emotion

TEXT_COLOUR = "#73787f"  # contrast at least 4.4:1 on white and on the page's dark ground
GRID_COLOUR = "rgba(128,128,128,0.25)"
# Clock times along an axis: with seconds where the ticks are less than a minute apart, or they would repeat one time.
CLOCK_TICKS = [
    {"dtickrange": [None, 59_999], "value": "%H:%M:%S"},
    {"dtickrange": [60_000, None], "value": "%H:%M"},
]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
STACK_ORDER = (  # calm at the bottom, pleasant next, so that what a teacher looks for rises from the top
    Emotion.NEUTRAL,
    Emotion.HAPPY,
    Emotion.SURPRISE,
    Emotion.CONTEMPT,
    Emotion.DISGUST,
    Emotion.ANGRY,
    Emotion.FEAR,
    Emotion.SAD,
)
VALENCE_COLOUR = "#56708f"
escape = partial(html_escape, quote=False)  # Plotly reads a little HTML in its texts: what was typed must stay text


def broken(text: str, width: int = 60, lines: int = 8) -> str:
    """A text of anybody's as Plotly shows it: escaped, in at most ``lines`` lines of ``width`` letters, because Plotly
    breaks none, however long a word is."""
    return "<br>".join(escape(line) for line in wrap(text, width, max_lines=lines, placeholder="…"))


def shortened(text: str, letters: int) -> str:
    """At most ``letters`` of a text, the last of them "…" where some are left out."""
    return text if len(text) <= letters else text[: letters - 1] + "…"


def local_times(times: pd.Series | Sequence[datetime], zone: str) -> list[str]:
    """Aware times -> "2026-09-01T10:15:00.000" in ``zone``, the form that Plotly reads."""
    stamps = pd.DatetimeIndex(pd.to_datetime(times, utc=True)).tz_convert(time_zone(zone)).tz_localize(None)
    answer: list[str] = np.datetime_as_string(stamps.to_numpy(dtype="datetime64[ms]"), unit="ms").tolist()
    return answer


def common_layout(height: int, language: str) -> dict[str, Any]:
    """The layout of every chart: transparent ground, readable text, room for labels, decimal mark of ``language``."""
    return {
        "height": height,
        "margin": {"l": 92, "r": 16, "t": 44, "b": 10},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": TEXT_COLOUR},
        "separators": ",\u00a0" if language == "ru" else ".,",
    }


def chart_title(text: str, language: str, synthetic: bool) -> dict[str, Any]:
    """A title at the left. ``text``: HTML, escaped by the caller. A synthetic lesson is always called so."""
    label = f"{text} · <i>{say(language, 'synthetic')}</i>" if synthetic else text
    return {"text": label, "font": {"size": 15}, "x": 0, "xanchor": "left", "y": 0.985, "yanchor": "top"}


def annotate_empty(figure: go.Figure, text: str) -> go.Figure:
    """Writes ``text`` into the middle of an empty chart, and returns the chart."""
    lines = "<br>".join(wrap(escape(text), 70))
    return figure.add_annotation(
        text=lines, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5, font={"size": 14}
    )
