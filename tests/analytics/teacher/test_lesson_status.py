"""The line over the teacher's tabs: how long the lesson goes on, and when one that nobody ends closes itself."""

from datetime import timedelta

import pytest

from analytics.store.records import utc_now
from analytics.teacher.page import status_html
from tests.analytics.examples import make_lesson


@pytest.mark.parametrize(
    ("minutes_ago", "english", "russian"),
    [
        (5, "left", "осталось"),
        (50, "closes by itself in", "закроется само через"),
        (70, "closes by itself in 0 s", "закроется само через 0"),
    ],
)
def test_a_lesson_over_its_time_says_when_it_closes_itself(minutes_ago: float, english: str, russian: str) -> None:
    lesson = make_lesson(started_at=utc_now() - timedelta(minutes=minutes_ago))
    assert english in status_html(lesson, "en", utc_now())
    assert russian in status_html(lesson, "ru", utc_now())
    assert ("0 s left" in status_html(lesson, "en", utc_now())) is False
