"""A child's timeline as a Plotly figure and as a table.

Figures have a transparent ground and middle-grey text, so that they can be read on light and dark pages; the teacher
page sharpens the text by CSS. Times on the axis are wall-clock times of ``zone`` (Plotly knows no zones).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.charts.decimation import decimated_rows
from analytics.charts.marks import LANE_COUNT, lane_names, mark_traces
from analytics.charts.style import (
    CLOCK_TICKS,
    GRID_COLOUR,
    SHORTEST_AXIS,
    STACK_ORDER,
    TEXT_COLOUR,
    VALENCE_COLOUR,
    annotate_empty,
    chart_title,
    common_layout,
    escape,
    heading,
    local_times,
    shortened,
    valence_axis,
)
from analytics.insight.timeline import ChildTimeline
from analytics.signals.support import Signal
from analytics.words.sentences import animal_name, date_text, lesson_title, signed_number
from analytics.words.texts import expression_name, say
from emotion.labels import COLOURS, KEYS, Emotion

NEUTRAL_FILL = "rgba(153,153,153,0.45)"  # its own colour, paler: calm is the ground, not the message
FOCUS = timedelta(seconds=150)  # on both sides of a moment that a teacher jumps to
HOVER_LEAST = 0.05  # an expression below five percent is not named in the hover text
LONGEST_TITLE = 30  # letters of a lesson's title in the chart's


def timeline_figure(
    timeline: ChildTimeline,
    language: str,
    zone: str = "UTC",
    signals: Sequence[Signal] = (),
    focus: datetime | None = None,
) -> go.Figure:
    """One child's lesson: lanes of signals, events, notes and episodes; the stacked expressions; valence; a range
    slider. Curves break where no face was seen.

    ``zone``: of the reader (IANA). ``focus``: a moment to zoom in to, with `FOCUS` on both sides.
    """
    figure = go.Figure()
    rows = decimated_rows(timeline.smoothed)
    times = local_times(rows["at"], zone)
    for emotion in STACK_ORDER:
        figure.add_scatter(
            x=times,
            y=_numbers(rows[emotion.key]),
            name=expression_name(language, emotion.key),
            stackgroup="expressions",
            mode="lines",
            line={"width": 0, "color": COLOURS[emotion]},
            fillcolor=NEUTRAL_FILL if emotion is Emotion.NEUTRAL else COLOURS[emotion],
            hoverinfo="skip",
            legendgroup=emotion.key,
        )
    figure.add_scatter(  # one invisible line carries the words of the hover, or eight boxes would cover the chart
        x=times,
        y=[None if np.isnan(value) else 1.0 for value in rows["valence"]],
        customdata=_hover_texts(rows, language),
        mode="lines",
        line={"width": 0},
        showlegend=False,
        hovertemplate="<b>%{x|%H:%M:%S}</b><br>%{customdata}<extra></extra>",
        name=say(language, "probability_axis"),
    )
    figure.add_scatter(
        x=times,
        y=_numbers(rows["valence"]),
        name=say(language, "valence"),
        yaxis="y2",
        mode="lines",
        connectgaps=False,
        line={"width": 2, "color": VALENCE_COLOUR},
        hovertemplate="%{x|%H:%M:%S}<br>" + say(language, "valence") + " %{y:.2f}<extra></extra>",
    )
    for trace in mark_traces(timeline, signals, language, lambda moments: local_times(moments, zone)):
        figure.add_trace(trace)
    for moment in local_times([at for at, _ in timeline.layers[1:]], zone):
        figure.add_vline(x=moment, line={"width": 1.5, "dash": "dot", "color": TEXT_COLOUR})
    span = lesson_span(timeline)
    view = (focus - FOCUS, focus + FOCUS) if focus else span
    revision = f"{timeline.lesson.id}/{timeline.child}/{focus or ''}"
    valence = valence_axis(rows["valence"], language)
    _lay_out(figure, language, local_times(span, zone), local_times(view, zone), valence, revision)
    name, date = lesson_title(language, timeline.lesson), date_text(language, timeline.lesson.started_at, zone)
    # The whole title stands above the tabs; here it keeps to the width of a phone, between the name and the date.
    lesson = escape(say(language, "lesson_of", title=shortened(name, LONGEST_TITLE), date=date))
    animal = escape(animal_name(language, timeline.animal))
    figure.update_layout(title=chart_title(animal, language, timeline.lesson.synthetic, lesson))
    return annotate_empty(figure, say(language, "nothing_yet")) if rows.empty else figure


def lesson_span(timeline: ChildTimeline) -> tuple[datetime, datetime]:
    """The range of the time axis: from the start to the end of the lesson, or to the last observation while it runs."""
    start = timeline.lesson.started_at
    if timeline.lesson.ended_at:
        return start, max(timeline.lesson.ended_at, start + SHORTEST_AXIS)
    if timeline.smoothed.empty:
        return start, start + pd.Timedelta(minutes=timeline.lesson.planned_minutes)
    return start, max(pd.Timestamp(timeline.smoothed["at"].iloc[-1]).to_pydatetime(), start + SHORTEST_AXIS)


def timeline_table(timeline: ChildTimeline) -> pd.DataFrame:
    """The timeline as a table: ``at`` (ISO 8601, UTC), the eight keys, ``valence`` and ``arousal`` (None where no face
    was seen), ``face``."""
    smoothed = timeline.smoothed
    table = pd.DataFrame({"at": [moment.isoformat() for moment in pd.to_datetime(smoothed["at"], utc=True)]})
    for column in (*KEYS, "valence", "arousal"):
        values = smoothed[column].to_numpy(dtype=np.float64).round(4)
        table[column] = pd.Series([None if np.isnan(value) else float(value) for value in values], dtype=object)
    table["face"] = smoothed["face"].to_numpy(dtype=bool)
    return table


def _numbers(values: pd.Series) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 3) for value in values]


def _hover_texts(rows: pd.DataFrame, language: str) -> list[str]:
    names = {key: expression_name(language, key) for key in KEYS}
    valence = say(language, "valence")
    texts = []
    for values, mood in zip(rows[list(KEYS)].to_numpy(dtype=np.float64), rows["valence"], strict=True):
        if np.isnan(mood):
            texts.append("")
            continue
        order = [index for index in np.argsort(-values) if values[index] >= HOVER_LEAST]
        lines = [f"{names[KEYS[index]]} {values[index]:.0%}" for index in order]
        texts.append("<br>".join([*lines, f"{valence} {signed_number(language, mood, 2)}"]))
    return texts


def _lay_out(
    figure: go.Figure, language: str, span: list[str], view: list[str], valence: dict[str, Any], revision: str
) -> None:
    grid = {"gridcolor": GRID_COLOUR, "zeroline": False}
    lanes = lane_names(language)
    figure.update_layout(
        **common_layout(680, language),
        uirevision=revision,  # a new version of the same child's chart keeps zoom and hidden classes
        hovermode="closest",
        hoverdistance=40,
        spikedistance=-1,
        dragmode="zoom",
        barmode="overlay",
        bargap=0,
        legend={
            "orientation": "h",
            "y": -0.26,
            "yanchor": "top",
            "x": 0,
            "traceorder": "normal",
            "font": {"size": 10},
            "entrywidth": 57,  # pixels: as wide as the longest word, so that a phone has two columns
        },
        annotations=[heading(say(language, "probability_axis"), 0.655), heading(say(language, "valence_axis"), 0.255)],
        xaxis={
            "type": "date",
            "range": view,
            "tickformatstops": CLOCK_TICKS,
            "hoverformat": "%H:%M:%S",
            "anchor": "y2",
            "rangeslider": {
                "visible": True,
                "range": span,
                "thickness": 0.06,
                "borderwidth": 0,
                "bgcolor": "rgba(128,128,128,0.12)",
            },
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikedash": "dot",
            "spikecolor": TEXT_COLOUR,
            "spikesnap": "cursor",
            **grid,
        },
        xaxis2={  # of the lanes: an axis of its own keeps them out of the slider
            "type": "date",
            "matches": "x",
            "anchor": "y3",
            "showticklabels": False,
            **grid,
        },
        yaxis={
            "domain": [0.31, 0.65],
            "range": [0, 1],
            "fixedrange": True,
            "tickformat": ".0%",
            "automargin": True,
            **grid,
        },
        yaxis2={"domain": [0.0, 0.25], **valence},
        yaxis3={
            "domain": [0.7, 1.0],
            "automargin": True,
            "anchor": "x2",
            "range": [0, LANE_COUNT],
            "fixedrange": True,
            "tickvals": [lane + 0.5 for lane in range(LANE_COUNT)],
            "ticktext": lanes,
            "ticks": "",
            "showgrid": False,
            "zeroline": False,
        },
    )
