"""The mood of the class over the last ten minutes, as a chart and as a table."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.charts.style import (
    CLOCK_TICKS,
    GRID_COLOUR,
    SHORTEST_AXIS,
    VALENCE_COLOUR,
    annotate_empty,
    chart_title,
    common_layout,
    local_times,
    valence_axis,
)
from analytics.signals.smoothing import smooth_class
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson
from analytics.words.sentences import time_of_day
from analytics.words.texts import say

MOOD_WINDOW = timedelta(minutes=10)
MOOD_STEP = timedelta(seconds=10)


def class_mood(store: LessonStore, lesson: Lesson, now: datetime) -> pd.DataFrame:
    """The valence of the class in the ten minutes before ``now``, a row every ten seconds.

    Columns: ``at``; ``middle``, ``low`` and ``high``, the median and the quartiles of the children whose face was seen,
    NaN where there was none; ``children``, how many were seen."""
    start = max(lesson.started_at, now - MOOD_WINDOW)
    smoothed = smooth_class(store.observations(lesson.id, since=start, until=now))
    bins = pd.date_range(start, max(now, start + MOOD_STEP), freq=MOOD_STEP, tz="UTC")[:-1]
    answer = pd.DataFrame({"at": bins, "middle": np.nan, "low": np.nan, "high": np.nan, "children": 0})
    if smoothed.empty:
        return answer
    seen = smoothed[smoothed["face"]].copy()
    seen["bin"] = ((seen["at"] - start) // MOOD_STEP).astype(int)
    seen = seen[seen["bin"] < len(bins)]  # the step that is not over yet is left out
    if seen.empty:  # pandas makes no columns of the quartiles of nothing
        return answer
    means = seen.groupby(["bin", "child"])["valence"].mean().groupby("bin")
    quartiles = means.quantile([0.25, 0.5, 0.75]).unstack()
    answer.loc[quartiles.index, ["low", "middle", "high"]] = quartiles.to_numpy()
    answer.loc[quartiles.index, "children"] = means.size().to_numpy()
    return answer


def mood_figure(store: LessonStore, lesson: Lesson, now: datetime, language: str, zone: str) -> go.Figure:
    """The class mood as a chart: the median as a line, the range between the quartiles as a band."""
    rows = class_mood(store, lesson, now)
    times, start = local_times(rows["at"], zone), rows["at"].iloc[0]
    figure = go.Figure()
    for first, end in _stretches(rows["middle"].notna().to_numpy()):
        part = rows.iloc[first:end]
        figure.add_scatter(
            x=[*times[first:end], *reversed(times[first:end])],
            y=[*part["high"].round(3), *part["low"].round(3)[::-1]],
            fill="toself",
            fillcolor="rgba(86,112,143,0.22)",
            line={"width": 0},
            hoverinfo="skip",
            name=say(language, "mood_range"),
            legendgroup="range",
            showlegend=first == 0 or not figure.data,
        )
    figure.add_scatter(
        x=times,
        y=[None if np.isnan(value) else round(float(value), 3) for value in rows["middle"]],
        customdata=rows["children"],
        mode="lines",
        line={"width": 2.5, "color": VALENCE_COLOUR},
        name=say(language, "mood_median"),
        hovertemplate="%{x|%H:%M:%S}<br>" + say(language, "valence") + " %{y:+.2f}<extra></extra>",
    )
    figure.update_layout(
        **common_layout(230, language),
        title=chart_title(say(language, "mood_title"), language, lesson.synthetic),
        margin_t=44,  # its title has one line
        uirevision=lesson.id,
        hovermode="x",
        legend={"orientation": "h", "y": -0.18, "x": 0},
        xaxis={
            "type": "date",
            "range": local_times([start, max(now, start + SHORTEST_AXIS)], zone),
            "tickformatstops": CLOCK_TICKS,
            "gridcolor": GRID_COLOUR,
            "fixedrange": True,
        },
        yaxis=valence_axis(rows[["low", "middle", "high"]].to_numpy().ravel(), language),
    )
    return figure if rows["children"].any() else annotate_empty(figure, say(language, "nothing_yet"))


def mood_table(store: LessonStore, lesson: Lesson, now: datetime, language: str, zone: str) -> pd.DataFrame:
    """The class mood as a table, minute by minute."""
    rows = class_mood(store, lesson, now).iloc[::6]
    return pd.DataFrame(
        {
            say(language, "time"): [time_of_day(at.to_pydatetime(), zone) for at in rows["at"]],
            say(language, "mood_median"): rows["middle"].round(2).to_numpy(),
            say(language, "interval_low"): rows["low"].round(2).to_numpy(),
            say(language, "interval_high"): rows["high"].round(2).to_numpy(),
            say(language, "children_count"): rows["children"].to_numpy(),
        }
    )


def _stretches(flags: np.ndarray) -> Sequence[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
