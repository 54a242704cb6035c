"""The charts are pure functions: what they must carry whatever the lesson."""

from datetime import UTC, datetime, timedelta
from html import unescape

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.charts.decimation import MAXIMUM_POINTS, decimate, decimated_rows
from analytics.charts.heat_map import SCALE, HeatMap, heat_html, heat_table, valence_colour
from analytics.charts.marks import NOTE_COLOUR, SIGNAL_COLOURS
from analytics.charts.style import STACK_ORDER, broken, valence_axis
from analytics.charts.timeline import timeline_figure, timeline_table
from analytics.insight.timeline import ChildTimeline
from analytics.signals.episodes import episodes
from analytics.signals.smoothing import smooth
from analytics.signals.support import Signal
from analytics.store.records import Correction, Event, Lesson
from emotion.labels import COLOURS, KEYS, NAMES, Emotion

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def timeline_of(seconds: int, absent: range = range(0), title: str = "Loops", synthetic: bool = False) -> ChildTimeline:
    """A lesson at 1 Hz that turns from neutral to happy and back, with no face in ``absent``."""
    times = [START + timedelta(seconds=second) for second in range(seconds)]
    happy = 0.5 + 0.4 * np.sin(np.arange(seconds) / 20)
    rows = np.full((seconds, len(KEYS)), 0.1 / 6)
    rows[:, Emotion.HAPPY] = 0.9 * happy
    rows[:, Emotion.NEUTRAL] = 0.9 * (1 - happy)
    table = pd.DataFrame(rows, columns=list(KEYS))
    table.loc[list(absent), :] = np.nan
    table.insert(0, "at", pd.to_datetime(times))
    table["face_quality"] = 0.9
    lesson = Lesson("lesson-1", "abc234", title, "2B", START, 45.0, times[-1], synthetic)
    smoothed = smooth(table)
    return ChildTimeline(
        lesson=lesson,
        child="c" * 20,
        animal="fox",
        smoothed=smoothed,
        episodes=episodes(smoothed),
        events=[Event("e1", "lesson-1", None, START + timedelta(seconds=30), "task_failed", "task 4")],
        corrections=[],
    )


@given(text=st.text(max_size=2500), width=st.integers(5, 60), lines=st.integers(1, 8))
def test_a_text_is_broken_into_lines_however_long_its_words_are(text: str, width: int, lines: int) -> None:
    found = broken(text, width, lines).split("<br>")
    assert len(found) <= lines
    assert all(len(unescape(line)) <= width for line in found)


def test_a_long_word_stays_inside_the_chart() -> None:
    """Plotly breaks no line: what is written beside a mark is short, and what the pointer shows has lines."""
    word = "x" * 120
    timeline = timeline_of(120, title=word)
    timeline.events.append(Event("e2", "lesson-1", None, START, "note", word))
    timeline.corrections.append(Correction("c1", "lesson-1", "c" * 20, START, START, "", word, START))
    figure = timeline_figure(timeline, "en")
    texts = [figure.layout.title.text]
    for trace in figure.data:
        if trace.name in ("note", "teacher's notes"):
            texts += [*trace.text, *trace.customdata]
    assert sum("xxx" in text for text in texts) == 5
    assert not any("x" * 61 in text for text in texts)
    assert "2026-03-02" in figure.layout.title.text, "the date is kept"


def traces(figure: object, name: str) -> list[object]:
    return [trace for trace in figure.data if trace.name == name]  # type: ignore[attr-defined]


def test_every_expression_is_one_stacked_trace_in_its_own_colour() -> None:
    figure = timeline_figure(timeline_of(120), "en")
    stacked = [trace for trace in figure.data if trace.type == "scatter" and trace.stackgroup]
    assert [trace.name for trace in stacked] == [NAMES["en"][emotion] for emotion in STACK_ORDER]
    assert [trace.line.color for trace in stacked] == [COLOURS[emotion] for emotion in STACK_ORDER]


def test_a_gap_is_a_break_in_every_curve_and_never_a_line_across() -> None:
    figure = timeline_figure(timeline_of(120, absent=range(40, 70)), "en")
    for trace in (figure.data[0], *traces(figure, "valence")):
        drawn = [(x, y) for x, y in zip(trace.x, trace.y, strict=True) if y is not None]
        assert None in list(trace.y)
        assert not [x for x, _ in drawn if "09:00:40" <= x[11:19] <= "09:01:09"]


@pytest.mark.parametrize("absent", [range(0), range(0, 4500, 20)])
def test_no_trace_has_more_than_the_limit_of_points(absent: range) -> None:
    figure = timeline_figure(timeline_of(4500, absent), "en")
    assert max(len(trace.x) for trace in figure.data if trace.x is not None) <= MAXIMUM_POINTS


def test_many_breaks_do_not_exceed_the_limit() -> None:
    absent = [second for second in range(5000) if second % 16 > 7]
    timeline = timeline_of(5000, absent)  # type: ignore[arg-type]
    assert len(decimated_rows(timeline.smoothed)) <= MAXIMUM_POINTS


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=500), st.integers(2, 100))
def test_decimation_keeps_ends_and_extremes_within_the_limit(values: list[float], limit: int) -> None:
    array = np.array(values)
    kept = decimate(array, limit)
    assert list(kept) == sorted(set(kept.tolist()))
    assert len(kept) <= max(limit, 4)
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    if limit >= 4:
        assert array[kept].min() == array.min()
        assert array[kept].max() == array.max()


def test_times_stand_on_the_readers_clock() -> None:
    assert timeline_figure(timeline_of(60), "en", "Asia/Yekaterinburg").data[0].x[1].startswith("2026-03-02T14:00:00")
    assert timeline_figure(timeline_of(60), "en", "Nowhere/Town").data[0].x[1].startswith("2026-03-02T09:00:00")


def test_zoom_survives_a_refresh_and_the_ground_is_transparent() -> None:
    layout = timeline_figure(timeline_of(60), "en").layout
    assert layout.uirevision == "lesson-1/cccccccccccccccccccc/"
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert layout.xaxis.rangeslider.visible


def test_a_synthetic_lesson_is_called_so_on_the_chart() -> None:
    assert "synthetic sample" in timeline_figure(timeline_of(60, synthetic=True), "en").layout.title.text
    assert "искусственный пример" in timeline_figure(timeline_of(60, synthetic=True), "ru").layout.title.text
    assert "synthetic" not in timeline_figure(timeline_of(60), "en").layout.title.text


def test_what_a_teacher_typed_stays_text() -> None:
    timeline = timeline_of(60, title="<b>x</b><script>")
    note = Correction("k", "lesson-1", "c" * 20, START, START + timedelta(seconds=9), "happy", "<a href=x>", START)
    timeline.corrections.append(note)
    text = timeline_figure(timeline, "en").to_json()
    assert "<script" not in text
    assert "\\u003cscript" not in text
    assert "<a href" not in text


def test_events_and_signals_are_marked_in_words_and_shapes() -> None:
    signal = Signal(
        id="s1",
        lesson="lesson-1",
        child="c" * 20,
        kind="struggling",
        start=START + timedelta(seconds=40),
        raised=START + timedelta(seconds=50),
        end=None,
        strength=0.8,
        reason_key="struggling_after_failure",
        evidence={"task": "task 4", "failures": 2, "seconds": 20, "percent": 60, "usual_percent": 20},
        suggestion_key="hint",
    )
    figure = timeline_figure(timeline_of(120), "ru", signals=[signal])
    event = traces(figure, "не вышло")[0]
    assert event.marker.symbol == "x"  # type: ignore[attr-defined]
    assert event.customdata[0] == "задание 4: не вышло"  # type: ignore[attr-defined]
    pin = traces(figure, "сигналы")[0]
    assert "Задание 4: дважды не вышло" in pin.customdata[0]  # type: ignore[attr-defined]


def test_an_empty_lesson_says_what_to_do() -> None:
    timeline = timeline_of(10, absent=range(10))
    words = next(note.text for note in timeline_figure(timeline, "en").layout.annotations if "<br>" in note.text)
    assert "station page" in words.replace("<br>", " ")
    assert max(map(len, words.split("<br>"))) <= 34, "no line is wider than a phone"


@pytest.mark.parametrize(
    ("values", "reach"), [([], 0.3), ([-0.31, 0.1], 0.5), ([float("nan"), 0.2], 0.3), ([-1.0], 1.0)]
)
def test_an_axis_of_valence_shows_how_it_varied(values: list[float], reach: float) -> None:
    axis = valence_axis(values, "ru")
    assert axis["tickvals"] == [-reach, 0, reach]
    assert axis["ticktext"][0].startswith("неприятное<br>−")
    assert "." not in "".join(axis["ticktext"])


def test_a_lesson_of_seconds_has_no_time_twice_on_its_axis() -> None:
    first, last = timeline_figure(timeline_of(5), "en").layout.xaxis.range
    assert pd.Timestamp(last) - pd.Timestamp(first) == timedelta(minutes=1)


def test_words_at_the_edges_of_a_chart_stay_inside() -> None:
    timeline = timeline_of(600)
    for second in (0, 300, 595):
        at = START + timedelta(seconds=second)
        timeline.corrections.append(Correction(f"c{second}", "lesson-1", "c" * 20, at, at, "", "a long note", at))
        timeline.events.append(Event(f"h{second}", "lesson-1", None, at, "hint", "task 4"))
    figure = timeline_figure(timeline, "en")
    assert traces(figure, "hint")[0].textposition == ("bottom right", "top center", "top left")  # type: ignore[attr-defined]
    notes = traces(figure, "teacher's notes")[0]
    assert notes.textposition == ("outside", "outside", "inside")  # type: ignore[attr-defined]
    assert notes.insidetextanchor == "end"  # type: ignore[attr-defined]


def test_one_colour_means_one_thing() -> None:
    """Joy is pleasant and sadness is not, in every chart; what is said of a child has a colour of its own."""
    assert valence_colour(0.4) == COLOURS[Emotion.HAPPY]
    assert valence_colour(-0.4) == COLOURS[Emotion.SAD]
    others = {*SIGNAL_COLOURS.values(), NOTE_COLOUR}
    assert len(others) == len(SIGNAL_COLOURS) + 1
    assert not others & {*COLOURS.values(), *(colour for _, colour in SCALE)}


def test_a_russian_reader_sees_decimal_commas_in_the_heat_map() -> None:
    heat = HeatMap([("c", "fox")], [START], timedelta(minutes=1), np.array([[0.12]]), [["happy"]])
    assert "валентность +0,12" in heat_html(heat, [], "ru", "UTC")


def test_columns_of_half_a_minute_carry_their_seconds() -> None:
    starts = [START + timedelta(seconds=30 * column) for column in range(4)]
    heat = HeatMap([("c", "fox")], starts, timedelta(seconds=30), np.zeros((1, 4)), [["happy"] * 4])
    times = list(heat_table(heat, "en", "UTC")["time"])
    assert times == ["09:00:00", "09:00:30", "09:01:00", "09:01:30"]
    assert all(f">{time}<" in heat_html(heat, [], "en", "UTC") for time in times)


def test_the_table_says_the_same_as_the_curves() -> None:
    timeline = timeline_of(60, absent=range(20, 40))
    table = timeline_table(timeline)
    assert list(table.columns) == ["at", *KEYS, "valence", "arousal", "face"]
    assert table.loc[25, "face"] == np.False_
    assert table.loc[25, "happy"] is None
    assert sum(table.loc[5, list(KEYS)]) == pytest.approx(1, abs=1e-3)
    assert table.loc[0, "at"] == "2026-03-02T09:00:00+00:00"
