"""The two pages of the interface for programs in a real browser: the one to copy for tablets, and the description."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Playwright, expect

from tests.browser.chromium import ARTEFACTS, launch, watch_console
from tests.composed import ComposedApp, Taught, composed_app

pytestmark = pytest.mark.slow

PATIENCE = 60_000
SIZES: dict[str, Any] = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("server")) as composed:
        yield composed


@pytest.fixture
def anna(server: ComposedApp) -> Taught:
    return server.taught["anna"]


def fail_thrice(server: ComposedApp, taught: Taught, child: int) -> None:
    event = {"lesson": taught.lesson.code, "child": taught.codes[child], "kind": "task_failed", "detail": "4"}
    for _ in range(3):
        assert httpx.post(f"{server.url}/api/v1/station/events", json=event, timeout=60).status_code == 200


def test_the_example_shows_a_child_its_hint_and_the_end_of_the_lesson(
    playwright: Playwright, server: ComposedApp, anna: Taught
) -> None:
    browser = launch(playwright)
    try:
        page = browser.new_page(viewport=SIZES["phone"], locale="en-US")
        errors = watch_console(page)
        page.goto(f"{server.url}/api/v1/station/example#lesson={anna.lesson.code}&child={anna.codes[0]}")
        expect(page.get_by_role("status")).to_have_text("Let's play!")
        assert page.url == f"{server.url}/api/v1/station/example", "the codes are gone from the address"
        fail_thrice(server, anna, child=1)
        fail_thrice(server, anna, child=0)
        expect(page.get_by_role("status")).to_have_text("Look, here is a hint!", timeout=PATIENCE)
        page.screenshot(path=ARTEFACTS / "example-hint.png")
        page.get_by_role("button", name="OK").click()
        expect(page.get_by_role("status")).to_have_text("Let's play!")
        assert errors == []
    finally:
        browser.close()


def test_the_example_speaks_russian_and_asks_for_codes_that_are_right(
    playwright: Playwright, server: ComposedApp, anna: Taught
) -> None:
    browser = launch(playwright)
    try:
        page = browser.new_page(viewport=SIZES["phone"], locale="ru-RU", color_scheme="dark")
        page.goto(f"{server.url}/api/v1/station/example#lesson={anna.lesson.code}&child=fox-aaaa")
        expect(page.get_by_role("status")).to_have_text("Спроси коды у учителя.", timeout=PATIENCE)
    finally:
        browser.close()


def test_the_example_is_no_longer_than_a_page() -> None:
    example = Path(__file__).resolve().parents[2] / "emotion/station/programs/static/example.html"
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_description_can_be_read_without_anything_from_elsewhere(
    playwright: Playwright, server: ComposedApp, size: str, scheme: Any
) -> None:
    browser = launch(playwright)
    try:
        page = browser.new_page(viewport=SIZES[size], color_scheme=scheme)
        errors, asked = watch_console(page), []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.url}/api/v1/")
        expect(page.get_by_text("/api/v1/lessons/{lesson}/signals/stream")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.screenshot(path=ARTEFACTS / f"description-{size}-{scheme}.png")
        assert [url for url in asked if not url.endswith(("/api/v1/", "/favicon.ico"))] == []
        assert errors == []
    finally:
        browser.close()
