"""Enrolling a class in a real browser: the list of codes that is shown once, over everything else, until it is printed;
and a lesson for a class that has no children."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, TimeoutError, expect

from tests.browser.test_station import visitor
from tests.running_app import running_app

pytestmark = pytest.mark.slow
expect.set_options(timeout=20_000)
TAKE_OVER_PRINTING = """() => {
  const append = document.body.append.bind(document.body);
  document.body.append = (sheet) => { append(sheet); sheet.contentWindow.print = () => {}; };
}"""


def printed_pages(page: Page) -> int:
    """How many pages the list takes on paper."""
    page.evaluate(TAKE_OVER_PRINTING)
    page.get_by_role("button", name="Print the list").click()
    sheet = page.context.new_page()
    sheet.set_content(page.evaluate("[...document.querySelectorAll('iframe')].at(-1).contentDocument.body.outerHTML"))
    style = "[...document.querySelectorAll('iframe')].at(-1).contentDocument.querySelector('style').textContent"
    sheet.add_style_tag(content=page.evaluate(style))
    content = sheet.pdf(prefer_css_page_size=True)
    sheet.close()
    return len(re.findall(rb"/Type\s*/Page\b", content))


def enrol(page: Page, children: int, class_name: str = "2B") -> None:
    """New children of a class, whose codes are shown."""
    page.get_by_role("tab", name="Class and lessons").click()
    page.get_by_label("Class", exact=True).last.fill(class_name)
    page.get_by_label("Class", exact=True).last.blur()
    page.get_by_label("How many children").fill(str(children))
    page.get_by_label("Signed consent").check()
    page.get_by_role("button", name="Enrol and show the codes").dblclick()
    expect(page.locator(".codes tbody tr")).to_have_count(children)


@pytest.mark.parametrize(("children", "pages"), [(15, 1), (16, 2)])
def test_the_list_holds_fifteen_children_a_page(
    playwright: Playwright, tmp_path: Path, children: int, pages: int
) -> None:
    with running_app(tmp_path) as app, visitor(playwright, viewport={"width": 1280, "height": 900}) as page:
        page.goto(app.url + "/teacher/")
        enrol(page, children)
        expect(page.locator(".codes td.qr svg")).to_have_count(children)
        code = page.locator(".codes td.code").first
        assert "monospace" in code.evaluate("cell => getComputedStyle(cell).fontFamily")
        assert code.evaluate("cell => parseFloat(getComputedStyle(cell).fontSize)") >= 20
        assert printed_pages(page) == pages


def test_codes_stay_until_who_enrolled_says_that_they_are_printed(playwright: Playwright, tmp_path: Path) -> None:
    with running_app(tmp_path) as app, visitor(playwright, viewport={"width": 1280, "height": 800}) as page:
        page.goto(app.url + "/teacher/")
        enrol(page, 3)  # by a double click
        dialog, questions = page.get_by_role("dialog"), []
        with pytest.raises(TimeoutError):  # the bar with the languages lies behind it
            page.get_by_role("button", name="RU").click(timeout=2000)
        page.on("dialog", lambda question: (questions.append(question.type), question.dismiss()))
        page.evaluate("() => { setTimeout(() => location.reload()) }")
        page.wait_for_timeout(1000)
        assert questions == ["beforeunload"]
        for _ in range(3):
            page.keyboard.press("Escape")
        expect(dialog.get_by_text("cannot be shown again")).to_be_visible()
        dialog.get_by_role("button", name="Back to the list").click()
        dialog.get_by_role("button", name="Close").click()
        dialog.get_by_role("button", name="Yes, close the list").click()
        expect(dialog).to_have_count(0)
        expect(page.locator(".codes")).to_have_count(0)
        expect(page.get_by_text("until 20", exact=False)).to_have_count(3)


def test_a_lesson_for_a_class_without_children_says_so_before_it_starts(playwright: Playwright, tmp_path: Path) -> None:
    with running_app(tmp_path) as app, visitor(playwright) as page:
        page.goto(app.url + "/teacher/")
        page.get_by_role("tab", name="Class and lessons").click()
        page.get_by_role("textbox", name="Title").fill("Loops")
        page.get_by_label("Class", exact=True).first.fill("4D")
        page.get_by_label("Class", exact=True).first.blur()
        page.get_by_role("button", name="Start the lesson").click()
        expect(page.get_by_text("No child is enrolled in class “4D” yet")).to_be_visible()
        page.get_by_role("button", name="Not yet").click()
        expect(page.get_by_role("button", name="Start the lesson")).to_be_visible()
        page.get_by_role("button", name="Start the lesson").click()
        page.get_by_role("button", name="Start without children").click()
        expect(page.locator("#status .code")).to_be_visible()
