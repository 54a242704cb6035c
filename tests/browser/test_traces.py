"""What a browser keeps of a link with codes: the fields are filled in, and the address is forgotten."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.browser.chromium import ARGUMENTS, CHROMIUM, watch_console
from tests.browser.test_access import serious
from tests.composed import PASSWORD, account_variable
from tests.running_app import PreparedLesson, RunningApp, prepare_lesson, running_app

pytestmark = pytest.mark.slow
expect.set_options(timeout=20_000)
CHAIN_END = 0x20000000  # Chromium's ui/base/page_transition_types.h


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningApp, PreparedLesson]]:
    folder = tmp_path_factory.mktemp("traces")
    lesson = prepare_lesson(folder)
    with running_app(folder) as app:
        yield app, lesson


@pytest.fixture
def profile(playwright: Playwright, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser that keeps its history, as a tablet's does."""
    context = playwright.chromium.launch_persistent_context(
        tmp_path / "profile", executable_path=CHROMIUM, args=ARGUMENTS, locale="en-GB"
    )
    yield context
    context.close()


def open_with_codes(page: Page, app: RunningApp, lesson: PreparedLesson, page_path: str) -> None:
    page.goto(f"{app.url}{page_path}?lesson={lesson.lesson.code}&child={lesson.codes[0]}&__theme=light#here")


def test_a_link_fills_in_the_code_and_leaves_it_in_no_history(
    profile: BrowserContext, station: tuple[RunningApp, PreparedLesson], tmp_path: Path
) -> None:
    app, lesson = station
    page = profile.new_page()
    errors, code = watch_console(page), lesson.lesson.code
    open_with_codes(page, app, lesson, "/")
    assert page.url == f"{app.url}/?__theme=light#here", "at once, and nothing else of the address is lost"
    page.get_by_role("tab", name="Lesson").click()
    expect(page.get_by_label("Lesson code")).to_have_value(code)
    page.get_by_role("button", name="RU").click()
    page.get_by_role("tab", name="Урок").click()
    expect(page.get_by_label("Код урока")).to_have_value(code)
    expect(page.get_by_label("Твой код")).to_have_value(lesson.codes[0])
    assert code not in (kept := page.evaluate("JSON.stringify(sessionStorage)"))
    assert lesson.codes[0] not in kept
    page.goto(app.url + "/healthz")
    page.go_back()
    assert "lesson" not in page.url
    assert errors == []
    profile.close()
    kept = history(tmp_path / "profile")
    assert any(app.url in address for address in kept), "the browser keeps a history"
    assert [address for address in kept if code in address or lesson.codes[0] in address] == []


def test_the_teacher_s_pages_forget_them_too(profile: BrowserContext, tmp_path: Path) -> None:
    lesson = prepare_lesson(tmp_path)
    with running_app(tmp_path, EMOTION_ACCOUNTS=account_variable({"anna": "2B"})) as app:
        page = profile.new_page()
        open_with_codes(page, app, lesson, "/teacher/login")
        assert page.url == f"{app.url}/teacher/login?__theme=light#here"
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert serious(page) == [], "who reads it with a screen reader or poor eyes"
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("tab", name="Now")).to_be_visible()
        open_with_codes(page, app, lesson, "/teacher/")
        assert page.url == f"{app.url}/teacher/?__theme=light#here"


def history(profile: Path) -> list[str]:
    """The addresses that Chromium's history shows: those of visits that are the end of their chain of redirects."""
    with sqlite3.connect(profile / "Default" / "History") as database:
        query = "SELECT url FROM urls WHERE NOT hidden AND id IN (SELECT url FROM visits WHERE transition & ?)"
        return [address for (address,) in database.execute(query, (CHAIN_END,))]
