"""The heat map children x time of a lesson as inline SVG: colour and a sign for valence, a pattern for absence, each
cell a button."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

import numpy as np
import pandas as pd

from analytics.insight.timeline import episodes, smooth_class
from analytics.signals.support import Signal
from analytics.words.sentences import animal_name, signed, state_name, time_of_day
from analytics.words.texts import say

COLUMNS = 48  # at most: wide enough to hit with a finger at 1024 pixels
SHORTEST_CELL = timedelta(seconds=30)
STRONG = 0.15  # valence beyond which a cell carries a sign; smoothed means of a minute rarely leave +-0.5
# From unpleasant to pleasant, without red and green: C. Brewer's PuOr, safe for the common kinds of colour blindness.
SCALE = ((-0.45, "#b35806"), (-0.25, "#e08214"), (-STRONG, "#fdb863"), (-0.05, "#f7e3c4"), (0.05, "#e4e4ea"),
         (STRONG, "#cfcbe3"), (0.25, "#b2abd2"), (0.45, "#8073ac"), (2.0, "#542788"))  # fmt: skip
NAME_WIDTH, ROW, CELL, TOP = 110, 26, 20, 26


@dataclass(frozen=True, slots=True)
class HeatMap:
    """``cells``: (children, columns) mean valence, NaN where there was no face. ``states``: the leading state of each
    cell, or ""."""

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


def colour_of(valence: float) -> str:
    """The colour of a mean valence."""
    return next(colour for limit, colour in SCALE if valence <= limit)


def sign_of(valence: float) -> str:
    """A sign that says the same without colour."""
    return "−" if valence <= -STRONG else "+" if valence >= STRONG else ""


def heat_table(heat: HeatMap, language: str, zone: str) -> pd.DataFrame:
    """The same as a table, for who cannot see the map: a row per stretch, a column per child, the leading expression
    and the mean valence in each cell."""
    columns: dict[str, list[str]] = {say(language, "time"): [time_of_day(start, zone)[:5] for start in heat.starts]}
    for row, (_, animal) in enumerate(heat.children):
        columns[animal_name(language, animal)] = [
            _cell_words(float(value), state, language)
            for value, state in zip(heat.cells[row], heat.states[row], strict=True)
        ]
    return pd.DataFrame(columns)


def _cell_words(value: float, state: str, language: str) -> str:
    if np.isnan(value):
        return say(language, "heat_legend_away")
    name = state_name(language, state) if state else say(language, "heat_legend_middle")
    return f"{name} {signed(language, value, 2)}"


def heat_html(heat: HeatMap, signals: list[Signal], language: str, zone: str) -> str:
    """The map with a legend. Cells and names open the child's timeline at that place."""
    if not heat.children:
        return f'<div class="teacher"><p class="note">{escape(say(language, "nothing_yet"))}</p></div>'
    cell = max(CELL, 960 // max(1, len(heat.starts)))
    width = NAME_WIDTH + cell * len(heat.starts) + 4
    height = TOP + ROW * len(heat.children) + 6
    flagged: dict[str, list[Signal]] = {}
    for signal in signals:
        flagged.setdefault(signal.child, []).append(signal)
    parts = [_axis(heat, cell, zone)]
    for row, (child, animal) in enumerate(heat.children):
        top = TOP + row * ROW
        name = animal_name(language, animal)
        opening = escape(say(language, "open_child", animal=name))
        parts.append(
            f'<g data-act="open" data-child="{escape(child)}" tabindex="0" role="button" aria-label="{opening}">'
            f'<rect x="0" y="{top}" width="{NAME_WIDTH - 6}" height="{ROW}" fill="transparent"/>'
            f'<text x="{NAME_WIDTH - 10}" y="{top + 17}" text-anchor="end" font-size="14" '
            f'font-weight="600">{escape(name)}</text></g>'
        )
        for column, start in enumerate(heat.starts):
            parts.append(_cell(heat, row, column, start, cell, top, name, child, language, zone))
        for signal in flagged.get(child, []):
            parts.append(_flag(signal, heat, cell, top))
    words = escape(say(language, "heat_title"))
    return (
        f'<div class="teacher"><div class="scroll"><svg class="heat" viewBox="0 0 {width} {height}" role="group" '
        f'aria-label="{words}">'
        f"{_patterns()}{''.join(parts)}</svg></div>{_legend(language)}</div>"
    )


def _axis(heat: HeatMap, cell: int, zone: str) -> str:
    every = max(1, round(len(heat.starts) / 8))
    return "".join(
        f'<text x="{NAME_WIDTH + column * cell}" y="16" font-size="12">{time_of_day(start, zone)[:5]}</text>'
        for column, start in enumerate(heat.starts)
        if column % every == 0
    )


def _cell(
    heat: HeatMap,
    row: int,
    column: int,
    start: datetime,
    cell: int,
    top: int,
    name: str,
    child: str,
    language: str,
    zone: str,
) -> str:
    value, state = float(heat.cells[row, column]), heat.states[row][column]
    time = time_of_day(start, zone)
    if np.isnan(value):
        words, fill, sign = say(language, "heat_cell_away", animal=name, time=time), "url(#absent)", ""
    else:
        shown_state = state_name(language, state) if state else say(language, "heat_legend_middle")
        words = say(language, "heat_cell", animal=name, time=time, state=shown_state, valence=f"{value:+.2f}")
        fill, sign = colour_of(value), sign_of(value)
    left = NAME_WIDTH + column * cell
    text = (
        f'<text x="{left + cell / 2:g}" y="{top + 18}" text-anchor="middle" font-size="15" font-weight="700" '
        'class="sign" '
        f'style="fill:{"#fff" if abs(value) > 0.25 else "#222"}">{sign}</text>'
        if sign
        else ""
    )
    return (
        f'<g data-act="open" data-child="{escape(child)}" data-at="{escape(start.isoformat())}">'
        f"<title>{escape(words)}</title>"
        f'<rect x="{left}" y="{top + 1}" width="{cell - 1}" height="{ROW - 2}" fill="{fill}"/>{text}</g>'
    )


def _flag(signal: Signal, heat: HeatMap, cell: int, top: int) -> str:
    """A frame around the cells in which a signal lasted."""
    start = (signal.start - heat.starts[0]) / heat.step
    end = ((signal.end or heat.starts[-1] + heat.step) - heat.starts[0]) / heat.step
    left = NAME_WIDTH + int(start) * cell
    right = NAME_WIDTH + min(len(heat.starts), int(end) + 1) * cell
    return (
        f'<rect class="flag {escape(signal.kind)}" x="{left}" y="{top + 1}" width="{max(cell, right - left) - 1}" '
        f'height="{ROW - 2}" '
        'fill="none" stroke="currentColor" stroke-width="2.5" rx="3" pointer-events="none"/>'
    )


def _patterns() -> str:
    return (
        '<defs><pattern id="absent" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<line x1="0" y1="0" x2="0" y2="6" stroke="#8a8f98" stroke-width="1.6"/></pattern></defs>'
    )


def _legend(language: str) -> str:
    boxes = [
        (colour_of(-0.3), "−", "#fff", "heat_legend_low"),
        (colour_of(0.0), "", "#222", "heat_legend_middle"),
        (colour_of(0.3), "+", "#fff", "heat_legend_high"),
    ]
    parts = [
        f'<span><svg viewBox="0 0 22 16" aria-hidden="true"><rect width="22" height="16" fill="{colour}"/>'
        f'<text x="11" y="13" text-anchor="middle" font-size="14" font-weight="700" style="fill:{ink}">{sign}</text>'
        "</svg>"
        f"{escape(say(language, key))}</span>"
        for colour, sign, ink, key in boxes
    ]
    parts.append(
        '<span><svg viewBox="0 0 22 16" aria-hidden="true"><rect width="22" height="16" fill="url(#absent)" '
        'stroke="#8a8f98"/></svg>'
        f"{escape(say(language, 'heat_legend_away'))}</span>"
    )
    parts.append(
        '<span><svg viewBox="0 0 22 16" aria-hidden="true"><rect x="1.5" y="1.5" width="19" height="13" rx="3" '
        'fill="none" '
        f'stroke="currentColor" stroke-width="2.5"/></svg>{escape(say(language, "heat_legend_signal"))}</span>'
    )
    return f'<div class="legend">{"".join(parts)}</div>'
