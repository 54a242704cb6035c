"""The timeline of a child as a drawing for paper: episodes, stacked expressions, valence, events. Inline SVG."""

from collections.abc import Callable
from datetime import datetime, timedelta
from html import escape

import numpy as np
import pandas as pd
from markupsafe import Markup

from analytics.charts.decimation import decimated_rows
from analytics.charts.style import STACK_ORDER, shortened
from analytics.charts.timeline import lesson_span
from analytics.insight.timeline import ChildTimeline
from analytics.signals.episodes import AWAY
from analytics.words.sentences import event_text, time_of_day
from analytics.words.texts import expression_name, say
from emotion.labels import COLOURS, Emotion

WIDTH, LEFT = 1000, 96
BAND_TOP, BAND = 46, 24
STACK_TOP, STACK = 80, 170
VALENCE_TOP, VALENCE = 266, 80
HEIGHT = 372
POINTS = 600  # paper shows no more
LETTER, LABEL_GAP = 6.4, 8  # units of a letter of an event's words, and between two of them
MOST_LETTERS = 28

Position = Callable[[datetime], float]  # a time -> its horizontal position


def timeline_drawing(timeline: ChildTimeline, language: str, zone: str) -> Markup:
    """The whole lesson of a child in 1000 x 372 units."""
    start, end = lesson_span(timeline)
    seconds = max(1.0, (end - start).total_seconds())

    def x_of(moment: datetime) -> float:
        return LEFT + (WIDTH - LEFT - 6) * (moment - start).total_seconds() / seconds

    rows = decimated_rows(timeline.smoothed, POINTS)
    parts = [_axes(timeline, language, zone, x_of)]
    if not rows.empty:
        positions = np.array([x_of(moment.to_pydatetime()) for moment in rows["at"]])
        parts.append(_areas(rows, positions))
        parts.append(_valence(rows, positions))
    parts.append(_bands(timeline, language, x_of))
    parts.append(_events(timeline, language, x_of))
    title = escape(say(language, "report_drawing"))
    return Markup(
        f'<svg class="drawing" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{"".join(parts)}</svg>'
    )


def _runs(rows: pd.DataFrame) -> list[np.ndarray]:
    seen = np.flatnonzero(rows["valence"].notna().to_numpy())
    return [run for run in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1) if len(run) > 1]


def _areas(rows: pd.DataFrame, positions: np.ndarray) -> str:
    values = rows[[emotion.key for emotion in STACK_ORDER]].to_numpy(dtype=np.float64)
    levels = np.column_stack([np.zeros(len(values)), np.cumsum(values, axis=1)])
    parts = []
    for run in _runs(rows):
        for index, emotion in enumerate(STACK_ORDER):
            low = STACK_TOP + STACK * (1 - levels[run, index])
            high = STACK_TOP + STACK * (1 - levels[run, index + 1])
            points = [f"{x:.1f},{y:.1f}" for x, y in zip(positions[run], high, strict=True)]
            points += [f"{x:.1f},{y:.1f}" for x, y in zip(positions[run][::-1], low[::-1], strict=True)]
            opacity = 0.45 if emotion is Emotion.NEUTRAL else 1
            parts.append(f'<polygon points="{" ".join(points)}" fill="{COLOURS[emotion]}" fill-opacity="{opacity}"/>')
    return "".join(parts)


def _valence(rows: pd.DataFrame, positions: np.ndarray) -> str:
    values = rows["valence"].to_numpy(dtype=np.float64)
    lines = []
    for run in _runs(rows):
        heights = VALENCE_TOP + VALENCE * (1 - values[run]) / 2
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(positions[run], heights, strict=True))
        lines.append(f'<polyline points="{points}" fill="none" stroke="#34495e" stroke-width="1.6"/>')
    return "".join(lines)


def _bands(timeline: ChildTimeline, language: str, x_of: Position) -> str:
    parts = []
    for episode in timeline.episodes:
        left, right = x_of(episode.start), x_of(episode.end)
        width = max(1.0, right - left)
        name = expression_name(language, episode.state)
        fill = "url(#away)" if episode.state == AWAY else COLOURS[Emotion[episode.state.upper()]]
        parts.append(
            f'<rect x="{left:.1f}" y="{BAND_TOP}" width="{width:.1f}" height="{BAND}" fill="{fill}" fill-opacity=".7"/>'
        )
        if width > 7.2 * len(name):
            parts.append(
                f'<text x="{left + width / 2:.1f}" y="{BAND_TOP + 16}" text-anchor="middle" '
                f'font-size="11">{escape(name)}</text>'
            )
    return "".join(parts)


def _events(timeline: ChildTimeline, language: str, x_of: Position) -> str:
    parts = []
    free = {16: 0.0, 32: 0.0}  # from where each of two lines is free
    own = [event for event in timeline.events if event.kind != "task_started" or event.child]
    for event in sorted(own, key=lambda event: event.at):
        at = x_of(event.at)
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{BAND_TOP - 6}" y2="{VALENCE_TOP + VALENCE}" class="stalk"/>'
        )
        words = shortened(event_text(language, event.kind, event.detail), MOST_LETTERS)
        width = LETTER * len(words)
        is_last = at + width / 2 > WIDTH  # written up to the edge, whatever the printer's font is like
        left = WIDTH - width if is_last else at - width / 2
        line = next((line for line, start in free.items() if left >= start), None)
        if line is not None:
            free[line] = left + width + LABEL_GAP
            place = f'x="{WIDTH - 2}" text-anchor="end"' if is_last else f'x="{at:.1f}" text-anchor="middle"'
            parts.append(f'<text {place} y="{line}" font-size="11">{escape(words)}</text>')
    return "".join(parts)


def _axes(timeline: ChildTimeline, language: str, zone: str, x_of: Position) -> str:
    start, end = lesson_span(timeline)
    texts = [
        (BAND_TOP + 16, "episodes"),
        (STACK_TOP + STACK // 2, "probability_axis_short"),
        (VALENCE_TOP + 10, "valence_pleasant"),
        (VALENCE_TOP + VALENCE, "valence_unpleasant"),
    ]
    parts = [
        f'<text x="{LEFT - 8}" y="{y}" text-anchor="end" font-size="11">{escape(say(language, key))}</text>'
        for y, key in texts
    ]
    middle = VALENCE_TOP + VALENCE / 2
    parts.append(f'<line x1="{LEFT}" x2="{WIDTH - 6}" y1="{middle}" y2="{middle}" class="stalk"/>')
    digits = 5 if end - start >= timedelta(minutes=6) else 8  # a short lesson would show one minute several times
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        moment = start + share * (end - start)
        x = x_of(moment)
        anchor = "end" if share == 1.0 else "middle"
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}" font-size="11">'
            f"{time_of_day(moment, zone)[:digits]}</text>"
        )
    parts.append(
        '<defs><pattern id="away" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<line x1="0" y1="0" x2="0" y2="6" stroke="#777" stroke-width="1.5"/></pattern></defs>'
    )
    return "".join(parts)
