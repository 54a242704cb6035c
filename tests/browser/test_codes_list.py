"""The printed list of codes, in a real browser: large codes, each with its QR code, fifteen to a page."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

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


@pytest.mark.parametrize(("children", "pages"), [(15, 1), (16, 2)])
def test_the_list_holds_fifteen_children_a_page(
    playwright: Playwright, tmp_path: Path, children: int, pages: int
) -> None:
    with running_app(tmp_path) as app, visitor(playwright, viewport={"width": 1280, "height": 900}) as page:
        page.goto(app.url + "/teacher/")
        page.get_by_role("tab", name="Class and lessons").click()
        page.get_by_label("Class", exact=True).last.fill("2B")
        page.get_by_label("How many children").fill(str(children))
        page.get_by_label("Signed consent").check()
        page.get_by_role("button", name="Enrol and show the codes").click()
        expect(page.locator(".codes td.qr svg")).to_have_count(children)
        code = page.locator(".codes td.code").first
        assert "monospace" in code.evaluate("cell => getComputedStyle(cell).fontFamily")
        assert code.evaluate("cell => parseFloat(getComputedStyle(cell).fontSize)") >= 20
        assert printed_pages(page) == pages
