"""The heat map of a lesson, children by time, as inline SVG: colour and a sign for valence, a pattern for absence. Each
cell is a button."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from markupsafe import Markup

from analytics.signals.episodes import episodes
from analytics.signals.smoothing import smooth_class
from analytics.signals.support import Signal
from analytics.words.sentences import animal_name, signed_number, time_of_day
from analytics.words.templates import render
from analytics.words.texts import expression_name, say
from emotion.labels import COLOURS, Emotion

COLUMNS = 48  # at most: wide enough to hit with a finger at 1024 pixels
SHORTEST_CELL = timedelta(seconds=30)
STRONG = 0.15  # valence beyond which a cell carries a sign; smoothed means of a minute rarely leave +-0.5
# From unpleasant to pleasant between the colours that sadness and joy have in every chart (Okabe and Ito): one colour
# means one thing, and these two are told apart with the common kinds of colour blindness.
SCALE = ((-0.45, "#004d7a"), (-0.25, COLOURS[Emotion.SAD]), (-STRONG, "#7fb4d6"), (-0.05, "#d3e4ef"), (0.05, "#ececec"),
         (STRONG, "#f8ead0"), (0.25, "#f3cd7c"), (0.45, COLOURS[Emotion.HAPPY]), (2.0, "#c98800"))  # fmt: skip
NAME_WIDTH, ROW_HEIGHT, CELL_WIDTH, TOP = 110, 26, 20, 26  # units of the drawing; a cell at least


@dataclass(frozen=True, slots=True)
class HeatMap:
    """``cells``: (children, columns) mean valence, NaN where there was no face. ``states``: the state that fills most
    of each cell, "" where nothing was recorded. ``starts``: of the columns; ``step``: the time that a column spans."""

    children: list[tuple[str, str]]  # pseudonym, animal
    starts: list[datetime]
    step: timedelta
    cells: np.ndarray
    states: list[list[str]]


def heat_map(observations: pd.DataFrame, animals: Mapping[str, str], start: datetime, end: datetime) -> HeatMap:
    """The mean valence of every child of a lesson from ``start`` to ``end`` in at most `COLUMNS` stretches of equal
    length.

    ``observations``: as `LessonStore.observations` answers them; ``animals``: pseudonym -> animal, as the rows are
    named.
    """
    length = max(end - start, timedelta(minutes=1))
    step = max(SHORTEST_CELL, timedelta(seconds=np.ceil(length.total_seconds() / COLUMNS / 30) * 30))
    count = int(np.ceil(length / step))
    smoothed = smooth_class(observations)
    curves = dict(iter(smoothed.groupby("child", sort=False))) if not smoothed.empty else {}
    order = sorted(set(animals) & set(curves) or set(animals), key=animals.__getitem__)
    cells = np.full((len(order), count), np.nan)
    states: list[list[str]] = []
    for row, child in enumerate(order):
        labels = [""] * count
        if child in curves:
            curve = curves[child]
            seen = curve[curve["face"]]
            columns = ((seen["at"] - start) // step).to_numpy().astype(np.int64)
            inside = (columns >= 0) & (columns < count)
            means = seen["valence"][inside].groupby(columns[inside]).mean()
            cells[row, means.index.to_numpy()] = means.to_numpy()
            labels = _leading_states(curve, start, step, count)
        states.append(labels)
    starts = [start + column * step for column in range(count)]
    return HeatMap([(child, animals[child]) for child in order], starts, step, cells, states)


def _leading_states(curve: pd.DataFrame, start: datetime, step: timedelta, count: int) -> list[str]:
    spent: list[dict[str, float]] = [{} for _ in range(count)]
    for episode in episodes(curve):
        first, last = int((episode.start - start) / step), int((episode.end - start) / step)
        for column in range(max(first, 0), min(last, count - 1) + 1):
            left, right = start + column * step, start + (column + 1) * step
            seconds = (min(episode.end, right) - max(episode.start, left)).total_seconds()
            spent[column][episode.state] = spent[column].get(episode.state, 0.0) + seconds
    return [max(states, key=states.__getitem__) if states else "" for states in spent]


def valence_colour(valence: float) -> str:
    """The colour of a mean valence, -1..1."""
    return next(colour for limit, colour in SCALE if valence <= limit)


def valence_sign(valence: float) -> str:
    """The sign of a mean valence for who cannot tell the colours: "−", "+", or "" near zero."""
    return "−" if valence <= -STRONG else "+" if valence >= STRONG else ""


def valence_ink(valence: float) -> str:
    """The colour of a sign on `valence_colour`."""
    return "#fff" if valence <= -0.25 else "#222"


def heat_table(heat: HeatMap, language: str, zone: str) -> pd.DataFrame:
    """The heat map as a table for screen readers: a row per column of the map, a column per child, the leading
    expression and the mean valence in each cell."""
    columns: dict[str, list[str]] = {say(language, "time"): _times(heat, zone)}
    for row, (_, animal) in enumerate(heat.children):
        columns[animal_name(language, animal)] = [
            _cell_words(float(value), state, language)
            for value, state in zip(heat.cells[row], heat.states[row], strict=True)
        ]
    return pd.DataFrame(columns)


def _times(heat: HeatMap, zone: str) -> list[str]:
    """The times of the columns: with seconds where two columns would have the same without."""
    times = [time_of_day(start, zone) for start in heat.starts]
    return times if heat.step < timedelta(minutes=1) else [time[:5] for time in times]


def _cell_words(value: float, state: str, language: str) -> str:
    if np.isnan(value):
        return say(language, "heat_legend_away")
    return f"{_state_name(state, language)} {signed_number(language, value, 2)}"


def _state_name(state: str, language: str) -> str:
    return expression_name(language, state) if state else say(language, "heat_legend_middle")


def heat_html(heat: HeatMap, signals: Sequence[Signal], language: str, zone: str) -> Markup:
    """The map with a legend. Cells and names open the child's timeline at that place; an outline surrounds the cells
    in which a signal lasted."""
    rows = []
    for row, (child, animal) in enumerate(heat.children):
        name = animal_name(language, animal)
        cells = [
            _cell(name, start, float(value), state, language, zone)
            for start, value, state in zip(heat.starts, heat.cells[row], heat.states[row], strict=True)
        ]
        outlines = [(signal.kind, *_columns_of(signal, heat)) for signal in signals if signal.child == child]
        rows.append((child, name, cells, outlines))
    return render(
        "charts/heat_map.html",
        language,
        rows=rows,
        times=_times(heat, zone),
        left=NAME_WIDTH,
        top=TOP,
        width=max(CELL_WIDTH, 960 // len(heat.starts)),
        height=ROW_HEIGHT,
        valence_colour=valence_colour,
        valence_ink=valence_ink,
    )


def _cell(name: str, start: datetime, value: float, state: str, language: str, zone: str) -> dict[str, str]:
    time = time_of_day(start, zone)
    if np.isnan(value):
        words = say(language, "heat_cell_away", animal=name, time=time)
        return {"start": start.isoformat(), "words": words, "fill": "url(#absent)", "sign": ""}
    valence = signed_number(language, value, 2)
    words = say(language, "heat_cell", animal=name, time=time, state=_state_name(state, language), valence=valence)
    shown = {"words": words, "fill": valence_colour(value), "sign": valence_sign(value), "ink": valence_ink(value)}
    return {"start": start.isoformat(), **shown}


def _columns_of(signal: Signal, heat: HeatMap) -> tuple[int, int]:
    """The first column in which a signal lasted, and how many there are."""
    first, last = ((moment - heat.starts[0]) // heat.step for moment in (signal.start, signal.end or heat.starts[-1]))
    return first, max(1, min(last, len(heat.starts) - 1) - first + 1)
