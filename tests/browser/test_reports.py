"""Reports on paper: what a teacher prints, or hands to parents, is one page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.classroom.recorder import LessonRecorder
from analytics.simulation.sample import SAMPLE_ID, ensure_sample_lesson
from analytics.store.lesson_store import LessonStore
from analytics.teacher.context import TeacherContext
from analytics.teacher.report import child_report, lesson_report
from tests.browser.chromium import launch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeacherContext]:
    with LessonStore(tmp_path_factory.mktemp("reports") / "lessons.duckdb") as store:
        ensure_sample_lesson(store)
        yield TeacherContext(store, LessonRecorder(store, b"s" * 32), lambda _request: "en", "1", None)


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("child", ["", "sample-fox", "sample-bear"], ids=["lesson", "fox", "bear"])
def test_a_report_is_one_page_of_a4(
    playwright, context: TeacherContext, tmp_path: Path, child: str, language: str
) -> None:
    lesson = context.lesson(SAMPLE_ID)
    html = (
        child_report(context, lesson, child, language, "UTC")
        if child
        else lesson_report(context, lesson, language, "UTC")
    )
    browser = launch(playwright)
    page = browser.new_page()
    page.set_content(html)
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    browser.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
