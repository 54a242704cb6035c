"""What all charts share: colours, fonts, the order of the expressions, titles, and times in Plotly's form."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from html import escape as html_escape
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.words.sentences import signed_number, time_zone
from analytics.words.texts import say
from emotion.labels import Emotion

TEXT_COLOUR = "#73787f"  # contrast at least 4.4:1 on white and on the page's dark ground
GRID_COLOUR = "rgba(128,128,128,0.25)"
# Clock times along an axis: with seconds where the ticks are less than a minute apart, or they would repeat one time.
CLOCK_TICKS = [
    {"dtickrange": [None, 999], "value": "%H:%M:%S.%L"},
    {"dtickrange": [1000, 59_999], "value": "%H:%M:%S"},
    {"dtickrange": [60_000, None], "value": "%H:%M"},
]
SHORTEST_AXIS = timedelta(minutes=1)  # of time: a shorter one would show a few seconds as if they were a lesson
FONT = "'IBM Plex Sans', ui-sans-serif, system-ui, sans-serif"  # of the page, which brings it
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
# How far a valence axis reaches from zero: means of seconds and of lessons rarely come near 1, and on an axis of +-1
# they would all be the line at zero. In steps, so that the axis of a running lesson stays where it is.
VALENCE_REACHES = (0.3, 0.5, 0.75, 1.0)
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


def valence_axis(values: Iterable[float | None], language: str) -> dict[str, Any]:
    """An axis on which ``values`` of valence vary visibly, zero in the middle; its ends in words and numbers."""
    largest = max((abs(value) for value in values if value is not None and not np.isnan(value)), default=0.0)
    reach = next(reach for reach in VALENCE_REACHES if min(largest, 1.0) <= reach)
    digits = 2 if reach == 0.75 else 1
    return {
        "range": [-1.5 * reach, 1.2 * reach],  # room between the lowest word and the time axis
        "fixedrange": True,
        "automargin": True,
        "tickvals": [-reach, 0, reach],
        "ticktext": [
            f"{say(language, 'valence_unpleasant')}<br>{signed_number(language, -reach, digits)}",
            "0",
            f"{say(language, 'valence_pleasant')}<br>{signed_number(language, reach, digits)}",
        ],
        "gridcolor": GRID_COLOUR,
        "zeroline": True,
        "zerolinecolor": "rgba(128,128,128,0.6)",
    }


def common_layout(height: int, language: str) -> dict[str, Any]:
    """The layout of every chart: transparent ground, readable text, room for labels, decimal mark of ``language``."""
    return {
        "height": height,
        "margin": {"l": 24, "r": 16, "t": 70, "b": 10},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": TEXT_COLOUR},
        "separators": ",\u00a0" if language == "ru" else ".,",
    }


def chart_title(text: str, language: str, synthetic: bool, below: str = "") -> dict[str, Any]:
    """A title at the left, with ``below`` on a second line: each fits on a phone. HTML, escaped by the caller. A
    synthetic lesson is always called so."""
    lines = [f"<b>{text}</b>"]
    lines += [f"<span style='font-size:12px'>{below}</span>"] * bool(below)
    lines += [f"<span style='font-size:12px'><i>{say(language, 'synthetic')}</i></span>"] * synthetic
    label = "<br>".join(lines)
    return {
        "text": label, "font": {"size": 15}, "x": 0, "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top",
        "pad": {"t": 10},
    }  # fmt: skip


def heading(text: str, y: float) -> dict[str, Any]:
    """An annotation above a part of a chart, at the height ``y`` of the paper: what its axis shows. A title beside the
    axis would take a quarter of a phone's width."""
    return {
        "text": text, "xref": "paper", "yref": "paper", "x": 0, "y": y, "xanchor": "left", "yanchor": "bottom",
        "showarrow": False,
    }  # fmt: skip


def annotate_empty(figure: go.Figure, text: str) -> go.Figure:
    """Writes ``text`` into the middle of an empty chart, without the axes that would measure nothing; returns it."""
    figure.update_xaxes(visible=False, rangeslider_visible=False).update_yaxes(visible=False)
    lines = "<br>".join(wrap(escape(text), 34))  # as wide as a phone shows
    return figure.add_annotation(
        text=lines, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5, font={"size": 14}
    )
