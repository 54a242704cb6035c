"""Pure functions from a child's timeline to a Plotly figure and to the table that says the same.

Figures have a transparent ground and middle-grey text, so that they can be read on light and dark pages; the teacher
page
sharpens the text by CSS. Times on the axis are wall-clock times of ``zone`` (Plotly knows no zones).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from textwrap import wrap
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from analytics.marks import LANE_COUNT, escape, lane_names, mark_traces
from analytics.signals import Signal
from analytics.texts import expression_name, say
from analytics.timeline import ChildTimeline
from analytics.words import animal_name, date_text, lesson_title, zone_of
from emotion.labels import COLOURS, KEYS, Emotion

MAXIMUM_POINTS = 2000  # per trace, whatever the length of the lesson: about two for each pixel of a wide screen
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
NEUTRAL_FILL = "rgba(153,153,153,0.45)"  # its own colour, paler: calm is the ground, not the message
VALENCE_COLOUR = "#56708f"
FOCUS = timedelta(seconds=150)  # on both sides of a moment that a teacher jumps to
HOVER_LEAST = 0.05  # an expression below five percent is not named in the hover text


def local(times: pd.Series | Sequence[datetime], zone: str) -> list[str]:
    """Aware times -> "2026-09-01T10:15:00.000" in ``zone``, as Plotly wants them."""
    stamps = pd.DatetimeIndex(pd.to_datetime(times, utc=True)).tz_convert(zone_of(zone)).tz_localize(None)
    answer: list[str] = np.datetime_as_string(stamps.to_numpy(dtype="datetime64[ms]"), unit="ms").tolist()
    return answer


def decimate(values: npt.NDArray[np.float64], limit: int) -> npt.NDArray[np.int64]:
    """Indices, at most ``limit`` (2 or more), that keep the lowest and the highest value of each stretch of equal
    length.

    ``values``: (n,) without NaN. Extremes survive, so no peak vanishes from a long lesson; the first and last index
    are kept.
    The min/max half of "MinMaxLTTB" (J. Van Der Donckt and others, IEEE VIS 2023), which is what one sees of it.
    """
    count = len(values)
    if count <= limit:
        return np.arange(count)
    borders = np.linspace(0, count, max(2, limit) // 2, dtype=np.int64)  # one stretch fewer: room for both ends
    kept = {0, count - 1}
    for start, end in pairwise(borders):
        kept.add(int(start + values[start:end].argmin()))
        kept.add(int(start + values[start:end].argmax()))
    return np.array(sorted(kept))


def drawn_rows(smoothed: pd.DataFrame, limit: int = MAXIMUM_POINTS) -> pd.DataFrame:
    """The rows that a chart draws: those with a face, decimated, with a row of NaN on both sides of every break of
    the curve.

    ``smoothed``: as `analytics.smoothing.smooth` answers it. Answers ``at``, the eight keys, ``valence`` and
    ``arousal``; at most
    ``limit`` rows. Where a lesson has so many breaks that they alone would fill the limit, the shortest segments are
    left out.
    """
    columns = ["at", *KEYS, "valence", "arousal"]
    seen = smoothed[smoothed["face"]]
    if seen.empty:
        return seen[columns].reset_index(drop=True)
    sizes = seen["segment"].value_counts()
    if len(sizes) > limit // 8:
        kept_segments = sizes.sort_values(ascending=False, kind="stable").index[: limit // 8]
        seen = seen[seen["segment"].isin(kept_segments)]
        sizes = seen["segment"].value_counts()
    room = limit - 4 * len(sizes)
    pieces: list[pd.DataFrame] = []
    millisecond = pd.Timedelta(milliseconds=1)
    for _, segment in seen.groupby("segment", sort=True):
        share = max(2, int(room * len(segment) / len(seen)))
        chosen = segment.iloc[decimate(segment["valence"].to_numpy(dtype=np.float64), share)][columns]
        edges = chosen.iloc[[0, -1]].copy()
        edges.loc[:, columns[1:]] = np.nan
        edges["at"] = [chosen["at"].iloc[0] - millisecond, chosen["at"].iloc[-1] + millisecond]
        pieces.extend([edges.iloc[:1], chosen, edges.iloc[1:]])
    return pd.concat(pieces, ignore_index=True)


def timeline_figure(
    timeline: ChildTimeline,
    language: str,
    zone: str = "UTC",
    signals: Sequence[Signal] = (),
    focus: datetime | None = None,
) -> go.Figure:
    """One child's lesson: lanes of signals, events, notes and episodes; the stacked expressions; valence; a range
    slider.

    ``zone``: of the reader (IANA). ``focus``: a moment to zoom in to (`FOCUS` around it). Gaps are breaks: nothing is
    drawn there.
    """
    figure = go.Figure()
    rows = drawn_rows(timeline.smoothed)
    times = local(rows["at"], zone)
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
    for trace in mark_traces(timeline, signals, language, lambda moments: local(moments, zone)):
        figure.add_trace(trace)
    span = lesson_span(timeline)
    view = (focus - FOCUS, focus + FOCUS) if focus else span
    revision = f"{timeline.lesson.id}/{timeline.child}/{focus or ''}"
    _lay_out(figure, language, local(span, zone), local(view, zone), revision)
    lesson = say(
        language,
        "lesson_of",
        title=lesson_title(language, timeline.lesson),
        date=date_text(timeline.lesson.started_at, language, zone),
    )
    title = f"<b>{escape(animal_name(language, timeline.animal))}</b> · {escape(lesson)}"
    figure.update_layout(title=chart_title(title, language, timeline.lesson.synthetic))
    return empty_note(figure, say(language, "nothing_yet")) if rows.empty else figure


def lesson_span(timeline: ChildTimeline) -> tuple[datetime, datetime]:
    """What the time axis shows: from the start to the end of the lesson, or to the last observation while it runs."""
    start = timeline.lesson.started_at
    if timeline.lesson.ended_at:
        return start, timeline.lesson.ended_at
    if timeline.smoothed.empty:
        return start, start + pd.Timedelta(minutes=timeline.lesson.planned_minutes)
    return start, max(pd.Timestamp(timeline.smoothed["at"].iloc[-1]).to_pydatetime(), start + pd.Timedelta(minutes=1))


def timeline_table(timeline: ChildTimeline) -> pd.DataFrame:
    """The timeline as a table: ``at`` (ISO 8601, UTC), the eight keys, ``valence``, ``arousal`` (None where no face),
    ``face``."""
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
        texts.append("<br>".join([*lines, f"{valence} {mood:+.2f}"]))
    return texts


def plain_layout(height: int, language: str) -> dict[str, Any]:
    """What all charts share: no ground of their own, readable text, room for labels."""
    return {
        "height": height,
        "margin": {"l": 92, "r": 16, "t": 44, "b": 10},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": TEXT_COLOUR},
        "separators": ",\u00a0" if language == "ru" else ".,",
    }


def chart_title(text: str, language: str, synthetic: bool) -> dict[str, Any]:
    """A title at the left (``text``: escaped or our own); made-up data is always called so."""
    label = f"{text} · <i>{say(language, 'synthetic')}</i>" if synthetic else text
    return {"text": label, "font": {"size": 15}, "x": 0, "xanchor": "left", "y": 0.985, "yanchor": "top"}


def empty_note(figure: go.Figure, words: str) -> go.Figure:
    """Says in the middle of an empty chart what to do."""
    lines = "<br>".join(wrap(escape(words), 70))
    return figure.add_annotation(
        text=lines, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5, font={"size": 14}
    )


def _lay_out(figure: go.Figure, language: str, span: list[str], view: list[str], revision: str) -> None:
    grid = {"gridcolor": GRID_COLOUR, "zeroline": False}
    lanes = lane_names(language)
    figure.update_layout(
        **plain_layout(680, language),
        uirevision=revision,  # a new version of the same child's chart keeps zoom and hidden classes
        hovermode="closest",
        hoverdistance=40,
        spikedistance=-1,
        dragmode="zoom",
        barmode="overlay",
        bargap=0,
        legend={"orientation": "h", "y": -0.26, "yanchor": "top", "x": 0, "traceorder": "normal", "font": {"size": 12}},
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
            "domain": [0.31, 0.66],
            "range": [0, 1],
            "fixedrange": True,
            "tickformat": ".0%",
            "title": {"text": say(language, "probability_axis"), "standoff": 6},
            **grid,
        },
        yaxis2={
            "domain": [0.0, 0.27],
            "range": [-1.15, 1.15],  # room between the lowest word and the time axis
            "fixedrange": True,
            "tickvals": [-1, 0, 1],
            "ticktext": [say(language, "valence_unpleasant"), "0", say(language, "valence_pleasant")],
            "gridcolor": GRID_COLOUR,
            "zeroline": True,
            "zerolinecolor": "rgba(128,128,128,0.6)",
            "title": {"text": say(language, "valence_axis"), "standoff": 6},
        },
        yaxis3={
            "domain": [0.68, 1.0],
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
