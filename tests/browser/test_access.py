"""Every page for whoever reads it with a keyboard, a screen reader or poor eyes: axe finds nothing serious, in the
light and in the dark; tabs obey the arrow keys; what is written anew leaves the focus where it was.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Playwright, expect

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Event, utc_now
from emotion.labels import KEYS, Prediction
from tests.browser.chromium import launch
from tests.browser.test_codes_list import enrol
from tests.running_app import SECRET, RunningApp, running_app

pytestmark = pytest.mark.slow
expect.set_options(timeout=60_000)

TABS = {
    "/teacher/": ("Now", "Child", "Lesson", "Trends", "Report", "Class and lessons", "About the model"),
    "/": ("Try it", "Live", "Photograph", "Lesson", "About"),
}
READY = {"/teacher/": ".tile", "/": ".photo-examples img"}  # what stands there when a page is complete


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with a running lesson, in which a child failed a task three times."""
    folder: Path = tmp_path_factory.mktemp("access")
    with LessonStore(folder / "lessons.duckdb") as store:
        recorder = LessonRecorder(store, SECRET.encode())
        lesson = recorder.start_lesson("Loops", "2B", 45)
        prediction = Prediction(tuple(0.93 if key == "neutral" else 0.01 for key in KEYS), 0.9, "test")
        for number in range(6):
            code, child = recorder.enrol("2B", "parent", "1")
            assert recorder.record(lesson.id, code, None, prediction, 1, "test", None).recorded
            for failure in range(3 if number == 0 else 0):
                at = utc_now() - timedelta(milliseconds=failure)
                store.add_event(Event(f"f{failure}", lesson.id, child.pseudonym, at, "task_failed", "4"))
    with running_app(folder) as running:
        yield running


# Before the others: they start lessons, and Now opens with the newest.
def test_arrow_keys_move_between_tabs_and_what_is_written_anew_keeps_the_focus(
    playwright: Playwright, app: RunningApp
) -> None:
    browser = launch(playwright)
    page = browser.new_page(locale="en-GB", viewport={"width": 1280, "height": 800})
    page.goto(app.url + "/teacher/")
    tile, tab = page.locator(".tile").first, page.get_by_role("tab")
    expect(tile).to_be_visible()
    tab.filter(has_text="Now").last.focus()
    for key, name in (
        ("ArrowLeft", "About the model"),
        ("ArrowRight", "Now"),
        ("ArrowRight", "Child"),
        ("Home", "Now"),
    ):
        page.keyboard.press(key)
        chosen = page.locator('[role="tab"][aria-selected="true"]').last
        expect(chosen).to_have_text(name)
        expect(chosen).to_be_focused()
    # The board is written anew, as it is when a child's state changes.
    tile.focus()
    page.locator("#board").evaluate(
        "board => { const all = board.querySelector('.tiles'); all.outerHTML = all.outerHTML }"
    )
    expect(page.locator(".tile").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator('[role="tab"][aria-selected="true"]').last).to_have_text("Child")
    expect(page.locator('[role="tab"][aria-selected="true"]').last).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Seen").first.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    browser.close()


GRAVE = ("serious", "critical")


def serious(page: Page) -> list[str]:
    """What axe finds grave: the rule and the first of the places."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{item['id']}: {item['nodes'][0]['html'][:200]}" for item in found if item["impact"] in GRAVE]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", list(TABS), ids=["teacher", "station"])
def test_axe_finds_nothing_serious(playwright: Playwright, app: RunningApp, path: str, scheme: str) -> None:
    browser = launch(playwright)
    page = browser.new_page(locale="en-GB", viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page.goto(app.url + path)
    expect(page.locator(READY[path]).first).to_be_visible()
    found = {}
    for name in TABS[path]:
        page.get_by_role("tab", name=name, exact=True).first.click()
        page.wait_for_timeout(1500)
        found[name] = serious(page)
        if name == "Now":
            page.get_by_role("button", name="Show to the class").click()
            expect(page.get_by_role("dialog")).to_be_visible()
            found["code on the wall"] = serious(page)
            page.get_by_role("button", name="Close").click()
            expect(page.get_by_role("dialog")).to_have_count(0)
        if name == "Class and lessons":
            enrol(page, 2, f"3{scheme}")
            for step in ("codes", "codes of a lesson"):
                found[step] = serious(page)
                if step == "codes":
                    page.get_by_role("button", name="Start a lesson with them").click()
                    expect(page.locator(".codes .on-paper")).to_have_count(2)
            page.get_by_role("button", name="Close").click()
            found["leaving the codes"] = serious(page)
            page.get_by_role("button", name="Yes, close the list").click()
            expect(page.get_by_role("dialog")).to_have_count(0)
    assert {name: places for name, places in found.items() if places} == {}
    browser.close()


def test_every_chart_has_its_table_and_a_button_that_saves_it(playwright: Playwright, app: RunningApp) -> None:
    browser = launch(playwright)
    page = browser.new_page(locale="ru-RU", viewport={"width": 1280, "height": 800})
    page.goto(app.url + "/teacher/")
    for name, charts in (("Сейчас", 1), ("Ребёнок", 2), ("Динамика", 1)):
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.locator(".js-plotly-plot:visible")).to_have_count(charts)
        expect(page.get_by_role("button", name="Сохранить картинкой")).to_have_count(charts)
        expect(page.get_by_role("button", name="таблицей")).to_have_count(charts)
        assert page.locator(".modebar-container:visible").count() == 0, "Plotly's own toolbar is English"
    with page.expect_download() as saved:
        page.get_by_role("button", name="Сохранить картинкой").click()
    assert saved.value.suggested_filename.endswith(".png")
    browser.close()
