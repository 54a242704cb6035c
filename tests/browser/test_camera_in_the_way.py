"""A camera that is denied, missing, busy, asked for over an insecure address or taken away: the photograph, the live
mode and the lesson say so, in our words and no library's.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from emotion.station.live.texts import WORDS
from emotion.station.texts import TEXTS
from tests.browser.chromium import camera, film
from tests.browser.test_station import LANGUAGES, visitor
from tests.composed import ComposedApp, composed_app

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("server"), accounts="/nowhere.json") as composed:
        yield composed


def start_lesson(page: Page, language: str) -> None:
    """Take part in a lesson of which the server knows nothing: it is the tablet that is tried."""
    page.route("**/admission?**", lambda route: route.fulfill(json={"admitted": True}))
    page.route("**/observe?**", lambda route: route.fulfill(json={"recorded": True, "faces_seen": 1}))
    page.get_by_role("tab", name={"en": "Lesson", "ru": "Урок"}[language]).click()
    page.locator("input[name=lesson]").fill("lesson")
    page.locator("input[name=child]").fill("fox-4k7p")
    page.locator("input[name=consent]").check()
    page.locator(".lesson-main").click()


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize(
    ("script", "key"),
    [
        ("", "camera_missing"),
        ("throw new DOMException('in use', 'NotReadableError')", "camera_busy"),
        ("throw new DOMException('no', 'NotAllowedError')", "camera_denied"),
        ("insecure", "camera_insecure"),
    ],
)
def test_what_is_in_the_way_is_said_in_our_own_words(
    playwright: Playwright, server: ComposedApp, script: str, key: str, language: str
) -> None:
    with visitor(playwright, locale=LANGUAGES[language]) as page:
        if script == "insecure":
            page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
        elif script:
            page.add_init_script(f"navigator.mediaDevices.getUserMedia = async () => {{ {script} }}")
        page.goto(server.url)
        page.get_by_role("button", name=WORDS[language]["start"]).click()
        expect(page.locator(".photo-message")).to_have_text(WORDS[language][key])
        expect(page.get_by_role("button", name=WORDS[language]["start"])).to_be_focused()
        page.get_by_role("tab", name={"en": "Live", "ru": "Вживую"}[language], exact=True).click()
        page.get_by_role("button", name=WORDS[language]["start"]).click()
        expect(page.locator(".live-message")).to_have_text(WORDS[language][key])
        expect(page.get_by_role("button", name=WORDS[language]["start"])).to_be_visible()
        start_lesson(page, language)
        expect(page.locator(".lesson-message")).to_have_text(TEXTS[language][key])
        page.locator("button[name=stop]:visible").click()


def test_a_camera_that_is_taken_away_is_told_and_one_that_comes_back_is_used(
    playwright: Playwright, server: ComposedApp, tmp_path: Path
) -> None:
    gone = "panel => { const [track] = panel.querySelector('video').srcObject.getTracks(); track.stop();"
    gone += " track.dispatchEvent(new Event('ended')) }"
    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 1))) as page:
        page.goto(server.url)
        for name in ("photo", "live"):
            if name == "live":
                page.get_by_role("tab", name="Live", exact=True).click()
            for again in (False, True):
                page.get_by_role("button", name="Start the camera").click()
                page.wait_for_function(f"document.querySelector('.{name} video').videoWidth > 0")
                page.locator(f".{name}").evaluate(gone)
                expect(page.locator(f".{name}-message")).to_have_text(WORDS["en"]["camera_lost"])
                assert not again or page.get_by_role("button", name="Start the camera").is_visible()
        start_lesson(page, "en")
        expect(page.locator(".lesson-message")).to_have_text(TEXTS["en"]["recording"])
        page.evaluate(UNPLUG)
        page.locator(".lesson").evaluate(gone)
        expect(page.locator(".lesson-message")).to_have_text(TEXTS["en"]["camera_missing"])
        page.evaluate("delete navigator.mediaDevices.getUserMedia")
        page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
        expect(page.locator(".lesson-message")).to_have_text(TEXTS["en"]["recording"])
        page.locator("button[name=stop]:visible").click()


UNPLUG = """() => {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("none", "NotFoundError") };
}"""
