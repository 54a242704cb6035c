"""The summary of a lesson: without tasks, without rows, and with quartiles as numpy has them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analytics.insight.lesson_summary import _quartiles, lesson_summary
from analytics.insight.task_effects import frames_of_children
from analytics.signals.episodes import class_episodes
from analytics.signals.smoothing import smooth_class
from analytics.store.lesson_store import LessonStore
from tests.analytics.examples import make_observation


def test_a_lesson_without_tasks_has_a_summary_without_tasks(lesson_store: LessonStore) -> None:
    lesson_store.add_observations([make_observation(second) for second in range(30)])
    summary = lesson_summary(lesson_store, "lesson-1")
    assert summary.tasks == []
    assert [child.animal for child in summary.children] == ["fox"]


def test_an_empty_lesson_has_an_empty_summary(lesson_store: LessonStore) -> None:
    summary = lesson_summary(lesson_store, "lesson-1")
    assert (summary.children, summary.tasks, summary.signals) == ([], [], [])
    assert summary.course.empty
    nothing = lesson_store.observations("lesson-1")
    assert list(frames_of_children(nothing)) == []
    assert class_episodes(smooth_class(nothing)) == {}


@given(values=arrays(np.float64, (7, 5), elements=st.floats(-1, 1) | st.just(np.nan)))
def test_quartiles_are_those_of_numpy(values: np.ndarray) -> None:
    seen = ~np.isnan(values).all(axis=0)
    present = (~np.isnan(values)).sum(axis=0)[seen]
    expected = np.nanquantile(values[:, seen], [0.25, 0.75], axis=0).T if seen.any() else np.zeros((0, 2))
    np.testing.assert_allclose(_quartiles(values[:, seen], present), expected, atol=1e-12)
