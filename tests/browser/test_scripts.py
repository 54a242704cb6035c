"""Script in every text that people can type, looked at in a real browser: it is read, and never run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Correction, Lesson, utc_now
from emotion.labels import Prediction
from tests.browser.chromium import launch, watch_console
from tests.running_app import SECRET, RunningApp, running_app

pytestmark = pytest.mark.slow

expect.set_options(timeout=60_000)

EVIL = "<img src=x onerror=\"hacked=1;alert('evil')\"><script>hacked=1</script>'\"><svg/onload=hacked=1>"
MARKDOWN = "[evil](javascript:hacked=1) {{hacked=1}} ${hacked=1} <a href='javascript:hacked=1'>evil</a>"
TABS = ("Now", "Child", "Lesson", "Trends", "Report", "Class and lessons", "About the model")


@dataclass
class School:
    app: RunningApp
    lesson: Lesson


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder: Path = tmp_path_factory.mktemp("scripts")
    with LessonStore(folder / "lessons.duckdb") as store:
        recorder = LessonRecorder(store, SECRET.encode())
        class_name = f"2B {EVIL}"
        lesson = recorder.start_lesson(EVIL, class_name, 45)
        calm = Prediction((0.01,) * 7 + (0.93,), 0.9, EVIL)
        for _ in range(2):
            code, child = recorder.enrol(class_name, EVIL, EVIL)
            for _ in range(4):
                assert recorder.record(lesson.id, code, None, calm, 1, EVIL, None).recorded
            for kind in ("task_started", "task_failed", "task_solved", "hint", "note", "break"):
                for text in (EVIL, MARKDOWN):
                    recorder.log_event(lesson.id, kind, text, code)
            now = utc_now()
            store.add_correction(Correction(code, lesson.id, child.pseudonym, now, now, "sad", EVIL + MARKDOWN, now))
    with running_app(folder) as app:
        yield School(app, lesson)


@pytest.mark.parametrize("locale", ["en-GB", "ru-RU"])
def test_script_in_titles_classes_tasks_and_notes_is_shown_and_not_run(playwright, school: School, locale: str) -> None:
    browser = launch(playwright)
    page = browser.new_page(locale=locale)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    errors = watch_console(page)
    page.goto(school.app.url + "/teacher")
    expect(page.locator("#lesson input")).not_to_have_value("")
    assert "onerror" in page.locator("#lesson input").input_value(), "the running lesson is the one that is open"
    tabs = page.get_by_role("tab")
    for index in range(tabs.count()):
        tabs.nth(index).click()
        page.wait_for_timeout(2500)
        assert page.evaluate("typeof hacked") == "undefined", tabs.nth(index).inner_text()
        for frame in page.frames:
            assert frame.evaluate("typeof hacked") == "undefined"
        assert page.locator("img[src='x']").count() == 0
        assert page.locator("a[href^='javascript']").count() == 0
    assert tabs.count() == len(TABS)
    assert dialogs == []
    assert errors == []
    browser.close()


@pytest.mark.parametrize(
    "where", ["/?lesson={}", "/?lesson=abc&child={}", "/teacher/?__theme={}", "/teacher/login?next={}", "/{}"]
)
def test_script_in_an_address_is_not_run(playwright, school: School, where: str) -> None:
    browser = launch(playwright)
    page = browser.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(school.app.url + where.format(quote(EVIL)))
    page.wait_for_timeout(3000)
    assert page.evaluate("typeof hacked") == "undefined"
    assert page.locator("img[src='x']").count() == 0
    assert dialogs == []
    browser.close()
