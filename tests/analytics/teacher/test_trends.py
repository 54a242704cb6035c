"""What the tab "Trends" says in words of a child's lessons."""

from dataclasses import replace

import pytest

from analytics.charts.child import LessonStatistics, child_lessons
from analytics.simulation.sample import SAMPLE_ID, ensure_sample_lesson
from analytics.store.lesson_store import LessonStore
from analytics.teacher.tabs.trends import slope_html


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    with LessonStore(tmp_path_factory.mktemp("trends") / "lessons.duckdb") as store:
        lesson = ensure_sample_lesson(store)
        child = store.observations(SAMPLE_ID)["child"].iloc[0]
        yield child_lessons(store, lesson.class_name, child)[-1]


def course(share: LessonStatistics, step: float) -> list[LessonStatistics]:
    """Six lessons whose valence and face time change by ``step`` each."""
    return [replace(share, means={"valence": step * index, "face": step * index}) for index in range(6)]


def test_a_steady_rise_is_told_with_its_interval(share):
    words = slope_html(course(share, 0.04), "valence", "en")
    assert "rises by about 0.040" in words
    assert "+0.040 to +0.040" in words


def test_a_fall_of_a_share_is_told_in_points_of_percent(share):
    words = slope_html(course(share, -0.04), "face", "ru")
    assert "падает примерно на 4,0 п. п." in words


def test_a_flat_course_is_called_neither_rise_nor_fall(share):
    assert "zero included" in slope_html(course(share, 0.0), "valence", "en")


def test_few_lessons_are_told_how_many_it_takes_and_one_says_nothing(share):
    assert "from 5 lessons on" in slope_html([share] * 3, "valence", "en")
    assert slope_html([share], "valence", "en") == ""
