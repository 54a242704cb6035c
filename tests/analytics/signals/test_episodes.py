"""Episodes: stable spans of a leading expression, and of absence."""

from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.signals.episodes import AWAY, SHORTEST, Episode, episodes, utc_datetime
from analytics.signals.smoothing import smooth
from emotion.labels import KEYS, Emotion


def reading(state: str | None) -> tuple[float, ...]:
    """Nine tenths of one expression; NaN without a face."""
    if state is None:
        return (np.nan,) * len(KEYS)
    row = np.full(len(KEYS), 0.1 / 7)
    row[Emotion[state.upper()]] = 0.9
    return tuple(row)


def found(states: list[str | None], seconds: list[float] | None = None) -> list[Episode]:
    frame = pd.DataFrame([reading(state) for state in states], columns=list(KEYS))
    times = np.array(seconds if seconds is not None else range(len(states)), dtype=float)
    frame.insert(
        0, "at", pd.to_datetime((times * 1e6).astype(np.int64), unit="us", utc=True).astype("datetime64[us, UTC]")
    )
    frame["face_quality"] = np.where(frame["neutral"].isna(), np.nan, 1.0)
    return episodes(smooth(frame))


def test_a_lasting_change_is_one_new_episode() -> None:
    spans = found(["neutral"] * 60 + ["happy"] * 60)
    assert [span.state for span in spans] == ["neutral", "happy"]
    assert 60 <= spans[1].start.timestamp() <= 72  # one half-life and the margin later
    assert spans[1].end == utc_datetime(120)


def test_one_misread_frame_does_not_flicker() -> None:
    spans = found(["neutral"] * 30 + ["angry"] + ["neutral"] * 30)
    assert [span.state for span in spans] == ["neutral"]


def test_two_expressions_in_turn_do_not_flicker() -> None:
    spans = found(["sad", "neutral"] * 60)
    assert len(spans) == 1


def test_frames_without_a_face_for_five_seconds_are_away() -> None:
    spans = found(["neutral"] * 20 + [None] * 30 + ["neutral"] * 20)
    assert [span.state for span in spans] == ["neutral", AWAY, "neutral"]
    assert spans[1] == Episode(utc_datetime(20), utc_datetime(50), AWAY, 1.0)


def test_a_glance_away_is_no_episode() -> None:
    assert [span.state for span in found(["neutral"] * 20 + [None] * 3 + ["neutral"] * 20)] == ["neutral"]


def test_where_no_frame_arrived_there_is_no_episode() -> None:
    seconds = [*range(20), *range(80, 100)]
    spans = found(["neutral"] * 40, [float(second) for second in seconds])
    assert [(span.start, span.end) for span in spans] == [
        (utc_datetime(0), utc_datetime(20)),
        (utc_datetime(80), utc_datetime(100)),
    ]


def test_a_lost_connection_splits_an_absence() -> None:
    seconds = [*range(10), *range(60, 70)]
    spans = found([None] * 20, [float(second) for second in seconds])
    assert [(span.state, span.seconds) for span in spans] == [(AWAY, 10.0), (AWAY, 10.0)]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["neutral", "happy", "sad", None]), min_size=1, max_size=80))
def test_episodes_are_in_order_and_never_overlap(states: list[str | None]) -> None:
    spans = found(list(states))
    assert all(first.end <= second.start for first, second in pairwise(spans))
    assert all(span.end > span.start and 0 <= span.strength <= 1 for span in spans)
    touching = [pair for pair in pairwise(spans) if pair[0].end == pair[1].start]
    assert all(first.state != second.state for first, second in touching)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["neutral", "happy", "sad"]), min_size=20, max_size=80))
def test_expressions_shorter_than_the_minimum_are_given_to_their_neighbours(states: list[str]) -> None:
    assert all(span.seconds >= SHORTEST for span in found(list(states)))
