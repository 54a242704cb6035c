"""The mood of the class: right from the first frame on, whatever part of a lesson there is."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.charts.mood import MOOD_STEP, class_mood, mood_figure, mood_table
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Observation
from tests.analytics.examples import HAPPY, START, make_child, make_lesson, make_observation


@pytest.mark.parametrize("seconds", [0.0, 4.0, 9.9, 10.0, 15.0, 19.9])
@pytest.mark.parametrize("face", [True, False])
def test_the_first_seconds_of_a_lesson_have_a_mood_or_none(
    lesson_store: LessonStore, seconds: float, face: bool
) -> None:
    lesson_store.add_observations([make_observation(seconds, probabilities=HAPPY if face else None)])
    now = START + timedelta(seconds=seconds, milliseconds=1)
    rows = class_mood(lesson_store, make_lesson(), now)
    assert rows["children"].sum() == (1 if face and seconds < 10 else 0), "an unfinished step is not told yet"
    assert mood_figure(lesson_store, make_lesson(), now, "en", "UTC").data
    assert len(mood_table(lesson_store, make_lesson(), now, "ru", "UTC")) == 1


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    frames=st.lists(st.tuples(st.integers(0, 600), st.sampled_from(["a", "b", "c"]), st.booleans()), max_size=12),
    now=st.integers(0, 700),
)
def test_each_finished_step_counts_the_children_that_were_seen_in_it(
    tmp_path_factory: pytest.TempPathFactory, frames: list[tuple[int, str, bool]], now: int
) -> None:
    folder: Path = tmp_path_factory.mktemp("mood")
    with LessonStore(folder / "lessons.duckdb") as store:
        store.add_lesson(make_lesson())
        for letter, animal in zip("abc", ("fox", "bear", "owl"), strict=True):
            store.put_child(make_child(letter * 20, animal))
        observations: list[Observation] = [
            make_observation(second, letter * 20, probabilities=HAPPY if face else None)
            for second, letter, face in frames
        ]
        store.add_observations(observations)
        moment = START + timedelta(seconds=now)
        rows = class_mood(store, make_lesson(), moment)
    start = max(START, moment - timedelta(minutes=10))
    for step, children, middle in zip(rows["at"], rows["children"], rows["middle"], strict=True):
        seen = {row.child for row in observations if row.probabilities and step <= row.at < step + MOOD_STEP}
        assert start <= step
        assert children == len({child for child in seen if step + MOOD_STEP <= moment or step == START})
        assert np.isnan(middle) == (children == 0)
