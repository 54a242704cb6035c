"""The teacher page in a real browser, behind the same server: the timeline is drawn, and nothing complains."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import launch, watch_console
from tests.running_app import RunningApp, running_app

pytestmark = pytest.mark.slow

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """A fresh app: only the sample lesson is there."""
    with running_app(tmp_path_factory.mktemp("teacher")) as running:
        yield running


@pytest.mark.parametrize(("locale", "tab"), [("en-GB", "Child"), ("ru-RU", "Ребёнок")])
def test_the_timeline_of_a_child_is_drawn_from_the_first_start_on(playwright, app, locale, tab):
    browser = launch(playwright)
    page = browser.new_page(locale=locale)
    errors = watch_console(page)
    page.goto(app.url + "/teacher")
    expect(page.locator("#lesson input")).not_to_have_value("")
    page.get_by_role("tab", name=tab, exact=True).click()
    chart = page.locator(".js-plotly-plot:visible").first
    expect(chart).to_be_visible()
    assert chart.evaluate("chart => chart.data.length") >= 8, "an area for each expression"
    browser.close()
    assert errors == []
