"""Charts that compare a child's lessons: the distribution of expressions beside earlier lessons, and trends."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.charts.style import (
    GRID_COLOUR,
    STACK_ORDER,
    VALENCE_COLOUR,
    annotate_empty,
    chart_title,
    common_layout,
    escape,
    valence_axis,
)
from analytics.signals.smoothing import affect_of
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson
from analytics.words.sentences import animal_name, date_text
from analytics.words.texts import expression_name, say
from emotion.labels import COLOURS, KEYS, Emotion

EARLIER_LESSONS = 20  # how far back the comparison and the trends look: about half a school year of weekly lessons
LEAST_SECONDS = 60  # a lesson in which a child was seen for less says nothing of it
CAUTION_BELOW = 8  # lessons; below that the page warns of reading too much into them
BLOCK = 60.0  # seconds per block of the block bootstrap: far longer than an expression lasts
RESAMPLES = 500
MEASURES = ("valence", "expressiveness", "face")


@dataclass(frozen=True, slots=True)
class LessonStatistics:
    """Statistics of one lesson of one child. ``shares``: (8,) mean probabilities while a face was seen. ``means`` and
    ``intervals`` (95 percent) of each of `MEASURES`."""

    lesson: Lesson
    shares: np.ndarray
    means: dict[str, float]
    intervals: dict[str, tuple[float, float]]


def child_lessons(
    store: LessonStore, class_name: str, child: str, until: Lesson | None = None
) -> list[LessonStatistics]:
    """The child's last lessons up to ``until``, oldest first: at most `EARLIER_LESSONS`, without those in which its
    face was seen for less than `LEAST_SECONDS`.

    Intervals are 95 percent block bootstrap percentiles within the lesson (blocks of a minute: neighbouring seconds
    are not independent; H. R. Künsch, Annals of Statistics 17 (1989) 1217-1241), seeded, so the same data give the
    same bars.
    """
    found: list[LessonStatistics] = []
    lessons = [lesson for lesson in store.lessons(class_name) if until is None or lesson.started_at <= until.started_at]
    for first in range(0, len(lessons), EARLIER_LESSONS):
        part = lessons[first : first + EARLIER_LESSONS]
        rows = store.observations_of(child, [lesson.id for lesson in part])
        shares = (lesson_statistics(lesson, rows[lesson.id]) for lesson in part)
        found.extend(share for share in shares if share)
        if len(found) >= EARLIER_LESSONS:
            break
    del found[EARLIER_LESSONS:]
    return found[::-1]


def lesson_statistics(lesson: Lesson, rows: pd.DataFrame) -> LessonStatistics | None:
    """The statistics of a lesson from a child's observations in it, ``rows``; None where the child was hardly seen."""
    probabilities = rows[list(KEYS)].to_numpy(dtype=np.float64)
    face = ~np.isnan(probabilities[:, 0])
    if face.sum() < 2 or _seen_seconds(rows, face) < LEAST_SECONDS:
        return None
    valence = np.where(face, affect_of(probabilities)[:, 0], np.nan)
    expressive = 1.0 - probabilities[:, Emotion.NEUTRAL]
    columns = np.column_stack([valence, expressive, face.astype(np.float64)])
    elapsed = (rows["at"] - rows["at"].iloc[0]).dt.total_seconds().to_numpy()
    blocks = (elapsed // BLOCK).astype(np.int64)
    sums = np.zeros((blocks.max() + 1, len(MEASURES)))
    counts = np.zeros_like(sums)
    np.add.at(sums, blocks, np.nan_to_num(columns))
    np.add.at(counts, blocks, (~np.isnan(columns)).astype(np.float64))
    chosen = np.random.default_rng(0).integers(0, len(sums), (RESAMPLES, len(sums)))
    totals = np.maximum(counts[chosen].sum(axis=1), 1.0)
    low, high = np.percentile(sums[chosen].sum(axis=1) / totals, [2.5, 97.5], axis=0)
    means = np.nanmean(columns, axis=0)
    return LessonStatistics(
        lesson,
        probabilities[face].mean(axis=0),
        dict(zip(MEASURES, means.tolist(), strict=True)),
        {name: (float(low[index]), float(high[index])) for index, name in enumerate(MEASURES)},
    )


def _seen_seconds(rows: pd.DataFrame, face: np.ndarray) -> float:
    steps = rows["at"].diff().dt.total_seconds().to_numpy()
    return float(np.nansum(np.clip(steps[face], 0, 5.0)))


def _this_and_earlier(
    store: LessonStore, lesson: Lesson, child: str
) -> tuple[LessonStatistics | None, list[LessonStatistics]]:
    shares = child_lessons(store, lesson.class_name, child, lesson)
    this = next((share for share in shares if share.lesson.id == lesson.id), None)
    return this, [share for share in shares if share.lesson.id != lesson.id]


def distribution_table(store: LessonStore, lesson: Lesson, child: str, language: str) -> pd.DataFrame:
    """Per expression: percent of the time in this lesson, and lowest, mean and highest of the earlier ones."""
    this, earlier = _this_and_earlier(store, lesson, child)
    table = pd.DataFrame(
        {say(language, "expression"): [expression_name(language, emotion.key) for emotion in STACK_ORDER]}
    )
    order = [int(emotion) for emotion in STACK_ORDER]
    if this:
        table[f"{say(language, 'this_lesson')}, %"] = (100 * this.shares[order]).round().astype(int)
    if earlier:
        spread = 100 * np.array([share.shares for share in earlier])[:, order]
        table[f"{say(language, 'earlier_lessons')}, %"] = spread.mean(axis=0).round().astype(int)
        table[f"{say(language, 'lowest')}, %"] = spread.min(axis=0).round().astype(int)
        table[f"{say(language, 'highest')}, %"] = spread.max(axis=0).round().astype(int)
    return table


def comparison_text(store: LessonStore, lesson: Lesson, child: str, language: str) -> str:
    """Sentences for the table: which expressions were seen more, or less, than in every earlier lesson, by a whole
    percent at least."""
    this, earlier = _this_and_earlier(store, lesson, child)
    lead = say(language, "share_of_time_table")
    if this is None or not earlier:
        return lead
    spread = np.round(100 * np.array([share.shares for share in earlier]))
    own = np.round(100 * this.shares)
    sentences = [lead]
    for key, beyond in (("more_than_ever", own > spread.max(axis=0)), ("less_than_ever", own < spread.min(axis=0))):
        names = [expression_name(language, emotion.key) for emotion in STACK_ORDER if beyond[emotion]]
        if names:
            sentences.append(say(language, key, names=", ".join(names), count=len(earlier)))
    if len(sentences) == 1:
        sentences.append(say(language, "as_ever", count=len(earlier)))
    return " ".join(sentences)


def distribution_figure(store: LessonStore, lesson: Lesson, child: str, language: str) -> go.Figure:
    """A bar for each expression of this lesson, its name beside it; on each a line from the lowest to the
    highest of the child's earlier lessons, with their mean."""
    this, earlier = _this_and_earlier(store, lesson, child)
    names = [expression_name(language, emotion.key) for emotion in STACK_ORDER]
    order = [int(emotion) for emotion in STACK_ORDER]
    figure = go.Figure()
    if this:
        values = this.shares[order]
        names = [f"{name} {value:.0%}" for name, value in zip(names, values, strict=True)]
        figure.add_bar(
            orientation="h",
            y=names,
            x=values.round(4),
            marker={"color": [COLOURS[emotion] for emotion in STACK_ORDER], "opacity": 0.85},
            name=say(language, "this_lesson"),
            hovertemplate="%{y}<extra></extra>",
        )
    if earlier:
        spread = np.array([share.shares for share in earlier])[:, order]
        mean = spread.mean(axis=0)
        figure.add_scatter(
            y=names,
            x=mean.round(4),
            mode="markers",
            marker={"symbol": "diamond-open", "size": 9, "color": "#56708f", "line": {"width": 2}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (spread.max(axis=0) - mean).round(4),
                "arrayminus": (mean - spread.min(axis=0)).round(4),
                "color": "#56708f",
                "thickness": 2,
                "width": 6,
            },
            name=f"{say(language, 'earlier_lessons')} ({len(earlier)})",
            hovertemplate="%{x:.0%}<extra>" + say(language, "earlier_lessons") + "</extra>",
        )
    figure.update_layout(
        **common_layout(320, language),
        title=chart_title(
            say(language, "distribution_title"), language, lesson.synthetic, say(language, "share_of_time")
        ),
        uirevision=f"{lesson.id}/{child}",
        legend={"orientation": "h", "y": -0.12, "x": 0},
        xaxis={"rangemode": "tozero", "tickformat": ".0%", "fixedrange": True, "gridcolor": GRID_COLOUR},
        yaxis={"fixedrange": True, "automargin": True, "ticksuffix": "  "},
    )
    return figure if this else annotate_empty(figure, say(language, "nothing_yet"))


def trends_figure(shares: list[LessonStatistics], animal: str, measure: str, language: str, zone: str) -> go.Figure:
    """A measure from lesson to lesson with its interval. Lessons stand side by side in order, not on a calendar."""
    figure = go.Figure()
    names = [
        f"{index}. {date_text(language, share.lesson.started_at, zone)}" for index, share in enumerate(shares, start=1)
    ]
    means = np.array([share.means[measure] for share in shares])
    bounds = np.array([share.intervals[measure] for share in shares]).reshape(-1, 2)
    figure.add_scatter(
        x=names,
        y=means.round(3),
        mode="lines+markers",
        line={"width": 1.5, "dash": "dot", "color": VALENCE_COLOUR},
        marker={"size": 10, "color": VALENCE_COLOUR},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": (bounds[:, 1] - means).round(3),
            "arrayminus": (means - bounds[:, 0]).round(3),
            "thickness": 2,
            "width": 8,
            "color": VALENCE_COLOUR,
        },
        name=say(language, "trend_interval"),
        hovertemplate="%{x}<br>%{y:.2f}<extra></extra>",
    )
    synthetic = any(share.lesson.synthetic for share in shares)
    name = say(language, "trend_title", animal=animal_name(language, animal))
    if measure == "valence":
        axis = valence_axis(bounds.ravel(), language)
    else:
        highest = min(1.0, 1.15 * bounds.max(initial=0.1))
        axis = {"range": [0, highest], "tickformat": ".0%", "fixedrange": True, "gridcolor": GRID_COLOUR}
    figure.update_layout(
        **common_layout(380, language),
        title=chart_title(escape(name), language, synthetic, say(language, f"measure_{measure}")),
        uirevision=f"{animal}/{measure}",
        showlegend=True,
        legend={"orientation": "h", "y": 0, "yref": "container", "yanchor": "bottom", "x": 0},
        xaxis={"type": "category", "automargin": True, "fixedrange": True, "gridcolor": GRID_COLOUR},
        yaxis={"automargin": True, **axis},
    )
    return figure if shares else annotate_empty(figure, say(language, "nothing_yet"))


def trends_table(shares: list[LessonStatistics], measure: str, language: str, zone: str) -> pd.DataFrame:
    """The chart of `trends_figure` as a table."""
    return pd.DataFrame(
        {
            say(language, "date"): [date_text(language, share.lesson.started_at, zone) for share in shares],
            say(language, "mean"): [round(share.means[measure], 2) for share in shares],
            say(language, "interval_low"): [round(share.intervals[measure][0], 2) for share in shares],
            say(language, "interval_high"): [round(share.intervals[measure][1], 2) for share in shares],
        }
    )
