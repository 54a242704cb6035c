"""The live mode in a real browser with its fake camera: bars after two clicks, a camera that is closed, words for all
that is in the way.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Playwright, Route, expect

from emotion.station.live.texts import WORDS
from tests.browser.chromium import ARTEFACTS, camera, film
from tests.browser.test_station import LANGUAGES, SECONDS, visitor
from tests.composed import ComposedApp, composed_app

pytestmark = pytest.mark.slow

TABS = {"en": "Live", "ru": "Вживую"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("server"), accounts="/nowhere.json") as composed:
        yield composed


def panel(page: Page) -> Locator:
    return page.locator(".live")


def message(page: Page) -> Locator:
    return page.locator(".live-message")


def open_live(page: Page, url: str, language: str = "en") -> None:
    """Two clicks from the opening of the page."""
    page.goto(url)
    page.get_by_role("tab", name=TABS[language], exact=True).click()
    page.get_by_role("button", name=WORDS[language]["start"]).click()


def tracks(page: Page) -> int:
    """How many pictures the page takes from cameras just now."""
    return int(page.evaluate("document.querySelector('.live video').srcObject?.getTracks().length ?? 0"))


def seen(page: Page, expression: str = "happy") -> None:
    """Waits until the bars show an expression."""
    expect(page.locator(f'.live-bars tr.top[data-key="{expression}"]')).to_be_visible()
    expect(panel(page)).to_have_attribute("data-expression", expression)


def test_two_clicks_from_the_page_to_bars_that_move_several_times_a_second(
    playwright: Playwright, server: ComposedApp, tmp_path: Path
) -> None:
    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 1))) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "/live?" in request.url else None)
        open_live(page, server.url)
        seen(page)
        expect(page.locator(".live-bars tr")).to_have_count(8)
        expect(message(page)).to_have_text(WORDS["en"]["on"])
        expect(page.locator(".live-speed")).to_have_text(
            re.compile(r"^\d\.\d frames a second · \d+ ms each \(server: \d+ ms\)$")
        )
        before = int(panel(page).get_attribute("data-answers") or 0)
        page.wait_for_timeout(4 * SECONDS)
        answers = int(panel(page).get_attribute("data-answers") or 0) - before
        assert 4 <= answers <= 24, "several a second, and no more than an address may send"
        assert len({re.sub(".*station=", "", url) for url in asked}) == 1
        expect(page.locator(".live-summary")).to_contain_text("happy", timeout=20 * SECONDS)
        assert page.evaluate(DRAWN, ".live-marks") > 0, "box and label"
        assert page.evaluate(DRAWN, ".live-timeline") > 0
        page.get_by_role("button", name="Stop").click()
        expect(message(page)).to_have_text(WORDS["en"]["off"])
        assert tracks(page) == 0
        assert page.evaluate(DRAWN, ".live-marks") == 0
        sent = len(asked)
        page.wait_for_timeout(1 * SECONDS)
        assert len(asked) == sent
        expect(page.get_by_role("button", name="Start the camera")).to_be_focused()


# How many points of a canvas are not transparent.
DRAWN = """(selector) => {
  const canvas = document.querySelector(selector), { width, height } = canvas;
  const points = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  return points.filter((value, place) => place % 4 === 3 && value > 200).length;
}"""


def test_the_camera_closes_when_its_tab_is_left_or_the_page_is_hidden(
    playwright: Playwright, server: ComposedApp, tmp_path: Path
) -> None:
    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 1))) as page:
        page.add_init_script(COUNT_CAMERAS)
        open_live(page, server.url)
        seen(page)
        for tab in ("Photograph", "About"):
            assert page.evaluate("openCameras()") == 1
            page.get_by_role("tab", name=tab).click()
            page.wait_for_function("openCameras() === 0")
            if tab == "About":
                page.get_by_role("tab", name="Try it").click()
            page.get_by_role("tab", name="Live").click()
            expect(message(page)).to_have_text(re.compile(f"{WORDS['en']['away']}|{WORDS['en']['off']}"))
            page.get_by_role("button", name="Start the camera").click()
            seen(page)
        page.evaluate(HIDE)
        expect(message(page)).to_have_text(WORDS["en"]["away"])
        assert page.evaluate("openCameras()") == 0


COUNT_CAMERAS = """
  const opened = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    opened.push(...stream.getTracks());
    return stream;
  };
  window.openCameras = () => opened.filter((track) => track.readyState === "live").length;
"""
HIDE = """() => {
  Object.defineProperty(document, "hidden", { value: true, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_denied_camera_is_said_and_one_more_click_helps(
    playwright: Playwright, server: ComposedApp, tmp_path: Path
) -> None:
    # Without --use-fake-ui-for-media-stream the browser refuses what was not granted.
    arguments = [argument for argument in camera(film(tmp_path / "camera.mjpeg", 1)) if "fake-ui" not in argument]
    with visitor(playwright, *arguments, permissions=[]) as page:
        open_live(page, server.url)
        expect(message(page)).to_have_text(WORDS["en"]["camera_denied"])
        page.context.grant_permissions(["camera"], origin=server.url)
        page.get_by_role("button", name="Start the camera").click()
        seen(page)
        expect(message(page)).to_have_text(WORDS["en"]["on"])


def test_an_empty_chair_and_two_people(playwright: Playwright, server: ComposedApp, tmp_path: Path) -> None:
    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 0))) as page:
        open_live(page, server.url)
        expect(message(page)).to_have_text(WORDS["en"]["no_face"])
        assert page.evaluate(DRAWN, ".live-marks") == 0
    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 2)), locale="ru-RU") as page:
        open_live(page, server.url, "ru")
        expect(message(page)).to_have_text(WORDS["ru"]["more_faces"].format(count=2))


def test_a_lesson_or_a_lost_connection_interrupts_and_it_goes_on_by_itself(
    playwright: Playwright, server: ComposedApp, tmp_path: Path
) -> None:
    reason = {"faces": None, "faces_seen": None, "reason": "lesson_runs", "error": "x"}

    def answer(route: Route) -> None:
        route.fulfill(json=reason)

    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 1))) as page:
        page.route("**/live?**", answer)
        open_live(page, server.url)
        expect(message(page)).to_have_text(WORDS["en"]["lesson_runs"])
        page.unroute("**/live?**")
        seen(page)
        page.route("**/live?**", lambda route: route.fulfill(status=200, body="a proxy speaks"))
        expect(message(page)).to_have_text(WORDS["en"]["connection"])
        page.unroute("**/live?**")
        seen(page)
        expect(message(page)).to_have_text(WORDS["en"]["on"])


def test_never_more_than_one_frame_is_on_its_way(playwright: Playwright, server: ComposedApp, tmp_path: Path) -> None:
    now, most = [0], [0]

    def slow(route: Route) -> None:
        now[0] += 1
        most[0] = max(most[0], now[0])
        time.sleep(0.5)
        now[0] -= 1
        route.continue_()

    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 1))) as page:
        page.route("**/live?**", slow)
        open_live(page, server.url)
        seen(page)
        page.wait_for_timeout(3 * SECONDS)
        page.unroute_all(behavior="wait")
    assert most[0] == 1


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ru", "dark")])
@pytest.mark.parametrize("size", [(1280, 800), (1024, 768), (390, 844)])
def test_it_fits_and_is_kept_as_a_picture(
    playwright: Playwright, server: ComposedApp, tmp_path: Path, language: str, scheme: str, size: tuple[int, int]
) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    name = f"{language}-{scheme}-{size[0]}x{size[1]}.png"
    options = {"color_scheme": scheme, "viewport": {"width": size[0], "height": size[1]}}
    with visitor(
        playwright, *camera(film(tmp_path / "camera.mjpeg", 1)), locale=LANGUAGES[language], **options
    ) as page:
        page.goto(server.url)
        page.get_by_role("tab", name=TABS[language], exact=True).click()
        expect(page.get_by_role("button", name=WORDS[language]["start"])).to_be_visible()
        page.wait_for_timeout(500)
        page.screenshot(path=ARTEFACTS / f"live-off-{name}", full_page=True)
        page.get_by_role("button", name=WORDS[language]["start"]).click()
        seen(page)
        page.wait_for_timeout(7 * SECONDS)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out to the side"
        box = page.locator(".live-bars tr").last.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= size[1], "picture and bars need no scrolling"
        page.screenshot(path=ARTEFACTS / f"live-on-{name}", full_page=True)
