"""A word of 120 letters without a blank, wherever somebody can write one: it is broken, and no page grows beyond its
window."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from analytics.store.records import EVENT_KINDS, Correction, Event
from emotion.labels import KEYS, Prediction
from tests.browser.chromium import launch
from tests.running_app import SECRET, RunningApp, running_app

pytestmark = pytest.mark.slow

expect.set_options(timeout=60_000)

SIZES = [(390, 844), (1280, 800)]
TABS = ("Now", "Child", "Lesson", "Trends", "Report", "Class and lessons", "About the model")
WORD = "Донаудампфшиф" * 9 + "фрт"
# What the page shows beyond its right edge: texts with the word, or cut-off pieces of it, whose lines end there, and
# nothing around them that scrolls.
BEYOND = """() => {
  const scrolls = around => around.scrollWidth > around.clientWidth
    && /auto|scroll/.test(getComputedStyle(around).overflowX);
  const found = [], edge = document.documentElement.clientWidth + 1;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const right = Math.max(0, ...Array.from(range.getClientRects(), box => box.width * box.height && box.right));
    const holder = walker.currentNode.parentElement;
    if (right <= edge || !walker.currentNode.data.includes('Донаудампф') || !holder.checkVisibility()) continue;
    let around = holder;
    while (around && !scrolls(around)) around = around.parentElement;
    if (!around || around === document.scrollingElement)
      found.push(`${holder.outerHTML.slice(0, 200)} ends at ${right}`);
  }
  return [document.documentElement.scrollWidth - document.documentElement.clientWidth, found];
}"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with a running lesson in which every text is one long word."""
    folder = tmp_path_factory.mktemp("words")
    assert len(WORD) == 120
    with LessonStore(folder / "lessons.duckdb") as store:
        recorder = LessonRecorder(store, SECRET.encode())
        lesson = recorder.start_lesson(WORD, WORD, 45)
        enrolled = [recorder.enrol(WORD, "parent", "1") for _ in range(6)]
        prediction = Prediction(tuple(0.93 if key == "happy" else 0.01 for key in KEYS), 0.9, "test")
        for code, child in enrolled:
            assert recorder.record(lesson.id, code, None, prediction, 1, WORD, None).recorded
            for kind in (*EVENT_KINDS, "robot_crashed"):
                store.add_event(Event(f"{kind}{code}", lesson.id, child.pseudonym, lesson.started_at, kind, WORD))
            end = lesson.started_at + timedelta(seconds=1)
            store.add_correction(Correction(code, lesson.id, child.pseudonym, lesson.started_at, end, "sad", WORD, end))
    with running_app(folder) as running:
        yield running


def assert_within(page: Any, what: str) -> None:
    wider, beyond = page.evaluate(BEYOND)
    assert beyond == [], what
    assert wider <= 0, what


@pytest.mark.parametrize("size", SIZES, ids=["phone", "laptop"])
def test_no_tab_of_the_teacher_page_is_wider_than_its_window(
    playwright: Any, app: RunningApp, size: tuple[int, int], tmp_path: Path
) -> None:
    browser = launch(playwright)
    page: Page = browser.new_page(locale="en-GB", viewport={"width": size[0], "height": size[1]})
    page.goto(app.url + "/teacher")
    expect(page.locator("#lesson input")).not_to_have_value("")
    for name in TABS:
        tab = page.get_by_role("tab", name=name, exact=True)
        if not tab.is_visible():
            page.locator(".overflow-menu > button").click()
            page.locator(".overflow-dropdown button", has_text=name).click()
        else:
            tab.click()
        page.wait_for_timeout(3000)
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
        assert_within(page, name)
        if name == "Report":
            frame = page.frames[-1]
            for width in (size[0] - 60, 760):  # in the preview, and on paper
                page.locator("iframe.report").evaluate("(frame, width) => { frame.style.width = width + 'px' }", width)
                assert_within(frame, f"report at {width}")
    browser.close()


@pytest.mark.parametrize("size", SIZES, ids=["phone", "laptop"])
def test_the_station_is_not_wider_than_its_window(playwright: Any, app: RunningApp, size: tuple[int, int]) -> None:
    """It shows no text that people type; its own words are short enough."""
    browser = launch(playwright)
    page = browser.new_page(locale="en-GB", viewport={"width": size[0], "height": size[1]})
    page.goto(app.url)
    expect(page.get_by_role("tab").first).to_be_visible()
    for name in ("Try it", "Live", "Photograph", "Lesson", "About"):
        page.get_by_role("tab", name=name, exact=True).click()
        page.wait_for_timeout(1500)
        assert_within(page, "station")
    browser.close()
