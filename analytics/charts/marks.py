"""The marks above a child's curves, each kind in a lane of its own: episodes, the teacher's notes, events, signals.

Marks differ by shape or pattern and by words; colour only repeats the difference.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import plotly.graph_objects as go

from analytics.charts.style import broken, escape, shortened
from analytics.insight.timeline import ChildTimeline
from analytics.signals.support import Signal
from analytics.words.sentences import (
    TASK_EVENTS,
    correction_text,
    detail_text,
    event_kind,
    event_text,
    reason_text,
    signal_state,
    task_text,
)
from analytics.words.texts import duration, expression_name, say
from emotion.labels import COLOURS, KEYS, Emotion

LANES = ("episodes", "corrections", "events", "signals")  # from bottom to top
LANE_COUNT = len(LANES)
AWAY_COLOUR = "rgba(128,128,128,0.35)"
NOTE_COLOUR = "#8a5a3c"
PATTERNS: dict[str, str] = {  # of the episodes' bands: an expression can be told without its colour
    "surprise": ".",
    "disgust": "-",
    "sad": "\\",
    "angry": "x",
    "fear": "+",
    "happy": "",
    "contempt": "|",
    "neutral": "",
    "away": "/",
}
OTHER = "other"
EVENT_SYMBOLS = {
    "task_started": "triangle-right",
    "task_solved": "circle",
    "task_failed": "x",
    "hint": "diamond",
    "break": "square",
    "note": "hexagon2",
    OTHER: "star-diamond",  # a program's own words
}
EVENT_COLOURS = {
    "task_started": "#8a8f98",
    "task_solved": "#2e7d32",
    "task_failed": "#c62828",
    "hint": "#1565c0",
    "break": "#6a6f78",
    "note": NOTE_COLOUR,
    OTHER: "#6a6f78",
}
SIGNAL_COLOURS = {
    "distressed": "#c62828",
    "struggling": "#d9480f",
    "unpleasant": "#b7791f",
    "tired": "#8250a8",
    "away": "#6a6f78",
    "delighted": "#2e7d32",
}
SIGNAL_SYMBOLS = {
    "distressed": "star-triangle-down",
    "struggling": "triangle-down",
    "unpleasant": "diamond",
    "tired": "hourglass",
    "away": "x-thin-open",
    "delighted": "star",
}
EARLY, LATE = 0.08, 0.85  # of the lesson: the words of a mark before or after would be cut off by the chart's edge
LABEL_ROOM = 0.075  # of the lesson's length that a label needs, about 75 of 1000 pixels
LETTER, CHART_WIDTH = 6.6, 950.0  # pixels: what a band needs to carry its word; else pattern, colour and hover tell it

LocalTimes = Callable[[Sequence[datetime]], list[str]]


def lane_names(language: str) -> list[str]:
    """The names of the lanes from bottom to top."""
    return [say(language, lane) for lane in LANES]


def mark_traces(
    timeline: ChildTimeline, signals: Sequence[Signal], language: str, local: LocalTimes
) -> Iterator[go.Scatter | go.Bar]:
    """The traces of all lanes, on the third y axis. ``local`` turns aware times into the chart's wall-clock times."""
    length = max(1.0, _length(timeline))
    yield from _bands(timeline, language, local, length)
    yield from _corrections(timeline, language, local)
    yield from _events(timeline, language, local, length)
    if signals:
        yield _signals(timeline, signals, language, local)


def _ages(timeline: ChildTimeline, moments: Sequence[datetime]) -> list[float]:
    """Where in the lesson moments lie: 0 at its start, 1 at its end."""
    length = max(1.0, _length(timeline))
    return [(moment - timeline.lesson.started_at).total_seconds() / length for moment in moments]


def _side(age: float) -> str:
    """On which side of a mark its words stand, so that they stay inside the chart."""
    return "right" if age < EARLY else "left" if age > LATE else "center"


def _length(timeline: ChildTimeline) -> float:
    end = timeline.lesson.ended_at
    if end is None:
        end = max((episode.end for episode in timeline.episodes), default=timeline.lesson.started_at)
    return (end - timeline.lesson.started_at).total_seconds()


def _bands(timeline: ChildTimeline, language: str, local: LocalTimes, length: float) -> Iterator[go.Bar]:
    for state in (*KEYS, "away"):
        spans = [episode for episode in timeline.episodes if episode.state == state]
        if not spans:
            continue
        name = expression_name(language, state)
        room = (LETTER * len(name) + 8) / CHART_WIDTH
        ends = local([episode.end for episode in spans])
        yield go.Bar(
            orientation="h",
            base=local([episode.start for episode in spans]),
            x=[1000.0 * episode.seconds for episode in spans],
            y=[0.5] * len(spans),
            width=0.8,
            xaxis="x2",
            yaxis="y3",
            name=name,
            legendgroup=state,
            showlegend=False,
            marker={
                "color": COLOURS[Emotion[state.upper()]] if state in KEYS else AWAY_COLOUR,
                "opacity": 0.75,
                "line": {"width": 0},
                "pattern": {"shape": PATTERNS[state], "fgcolor": "rgba(20,20,20,0.55)", "size": 6, "solidity": 0.2},
            },
            text=[name if episode.seconds / length >= room else "" for episode in spans],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            insidetextfont={"color": "#111111", "size": 11},
            constraintext="none",
            customdata=[
                [end[11:19], duration(language, episode.seconds)] for end, episode in zip(ends, spans, strict=True)
            ],
            hovertemplate=f"<b>{name}</b><br>%{{base|%H:%M:%S}} – %{{customdata[0]}}<br>"
            "%{customdata[1]}<extra></extra>",
        )


def _corrections(timeline: ChildTimeline, language: str, local: LocalTimes) -> Iterator[go.Bar]:
    notes = timeline.corrections
    if not notes:
        return
    words = [correction_text(language, note.label, note.note) for note in notes]
    yield go.Bar(
        orientation="h",
        base=local([note.start for note in notes]),
        x=[max(1000.0, 1000.0 * (item.end - item.start).total_seconds()) for item in notes],
        y=[1.5] * len(words),
        width=0.6,
        xaxis="x2",
        yaxis="y3",
        name=say(language, "corrections"),
        showlegend=False,
        marker={"color": "rgba(138,90,60,0.25)", "line": {"color": NOTE_COLOUR, "width": 1.5}},
        text=[escape(shortened(word, 24)) for word in words],
        # Outside stands to the right of the bar; late in a lesson the words end with it.
        textposition=["outside" if age < LATE else "inside" for age in _ages(timeline, [item.start for item in notes])],
        insidetextanchor="end",
        textangle=0,
        constraintext="none",
        customdata=[broken(word) for word in words],
        hovertemplate="%{base|%H:%M:%S}<br>%{customdata}<extra></extra>",
        cliponaxis=False,
    )


def _events(timeline: ChildTimeline, language: str, local: LocalTimes, length: float) -> Iterator[go.Scatter]:
    events = sorted(timeline.events, key=lambda event: event.at)
    if not events:
        return
    moments = local([event.at for event in events])
    words = [event_text(language, event.kind, event.detail) for event in events]
    ages = _ages(timeline, [event.at for event in events])
    labels = _room_for_labels(ages, [event.kind for event in events])
    stalks: list[str | None] = []
    for moment in moments:
        stalks.extend([moment, moment, None])
    yield go.Scatter(  # a thin line carries the moment down into the curves
        x=stalks,
        y=[0.0, 1.0, None] * len(moments),
        mode="lines",
        line={"width": 1, "dash": "dot", "color": "rgba(110,115,125,0.8)"},
        hoverinfo="skip",
        showlegend=False,
        name=say(language, "events"),
    )
    shown = [event.kind if event.kind in EVENT_SYMBOLS else OTHER for event in events]
    for kind in EVENT_SYMBOLS:  # a trace per kind, so that the legend explains the shapes
        chosen = [index for index, of_event in enumerate(shown) if of_event == kind]
        if not chosen:
            continue
        yield go.Scatter(
            x=[moments[index] for index in chosen],
            y=[2.4 if labels[index] == "bottom" else 2.6 for index in chosen],
            xaxis="x2",
            yaxis="y3",
            mode="markers+text",
            marker={
                "symbol": EVENT_SYMBOLS[kind],
                "color": EVENT_COLOURS[kind],
                "size": 10,
                "line": {"width": 1, "color": "rgba(255,255,255,0.8)"},
            },
            text=[
                escape(_short(events[index].kind, events[index].detail, words[index], language))
                if labels[index]
                else ""
                for index in chosen
            ],
            textposition=[f"{labels[index] or 'top'} {_side(ages[index])}" for index in chosen],
            textfont={"size": 10},
            customdata=[broken(words[index]) for index in chosen],
            hovertemplate="<b>%{x|%H:%M:%S}</b><br>%{customdata}<extra></extra>",
            name=say(language, f"kind_{kind}"),
            cliponaxis=False,
        )


def _short(kind: str, detail: str, words: str, language: str) -> str:
    """The few letters that fit beside a marker: the marker's shape says the rest."""
    named = task_text if kind in TASK_EVENTS else detail_text
    text = words if kind == "note" else named(language, detail) or event_kind(language, kind)
    return shortened(text, 14)


def _room_for_labels(ages: Sequence[float], kinds: Sequence[str]) -> list[str]:
    """Where each label goes ("top", "bottom" or "" for none), failures first, so that no two cover each other."""
    placed: dict[str, list[float]] = {"top": [], "bottom": []}
    answer = [""] * len(ages)
    order = sorted(
        range(len(ages)), key=lambda index: (kinds[index] != "task_failed", kinds[index] == "task_started", index)
    )
    for index in order:
        for place, taken in placed.items():
            if all(abs(ages[index] - other) >= LABEL_ROOM for other in taken):
                taken.append(ages[index])
                answer[index] = place
                break
    return answer


def _signals(timeline: ChildTimeline, signals: Sequence[Signal], language: str, local: LocalTimes) -> go.Scatter:
    running = timeline.lesson.ended_at is None
    names = [signal_state(language, signal, running) for signal in signals]
    return go.Scatter(
        x=local([signal.start for signal in signals]),
        y=[3.35] * len(signals),
        xaxis="x2",
        yaxis="y3",
        mode="markers+text",
        marker={
            "symbol": [SIGNAL_SYMBOLS[signal.kind] for signal in signals],
            "color": [SIGNAL_COLOURS[signal.kind] for signal in signals],
            "size": 13,
            "line": {"width": 1.5, "color": "rgba(255,255,255,0.85)"},
        },
        text=names,
        textposition=[f"top {_side(age)}" for age in _ages(timeline, [signal.start for signal in signals])],
        textfont={"size": 11},
        customdata=[broken(reason_text(language, signal)) for signal in signals],
        hovertemplate="<b>%{x|%H:%M:%S} %{text}</b><br>%{customdata}<extra></extra>",
        showlegend=False,
        name=say(language, "signals"),
        cliponaxis=False,
    )
