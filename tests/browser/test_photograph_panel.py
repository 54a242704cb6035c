"""The photograph of Try it in a real browser: chosen, pasted, dropped and taken with the camera; every face can be
tapped, and on a phone what was read stands there without scrolling.
"""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import Locator, Page, Playwright, expect

from emotion.station.live.texts import WORDS as LIVE_WORDS
from emotion.station.photograph.http_routes import EXAMPLES
from emotion.station.photograph.texts import WORDS
from tests.browser.chromium import ARTEFACTS, camera, film, launch
from tests.browser.test_live_panel import COUNT_CAMERAS, HIDE
from tests.browser.test_station import LANGUAGES, visitor
from tests.composed import ComposedApp, composed_app

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("server"), accounts="/nowhere.json") as composed:
        yield composed


def message(page: Page) -> Locator:
    return page.locator(".photo-message")


def example(page: Page, number: int, language: str = "en") -> None:
    page.get_by_role("button", name=WORDS[language]["example"].format(number=number)).click()


def seen(page: Page, expression: str = "happy") -> None:
    """Waits until the bars show an expression."""
    expect(page.locator(f'.photo-bars tr.top[data-key="{expression}"]')).to_be_visible()
    expect(page.locator(".photo")).to_have_attribute("data-expression", expression)


# Gives the page a file as a person does who pastes or drops it.
HAND_OVER = """([kind, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)), given = new DataTransfer();
  given.items.add(new File([bytes], "photograph.jpg", { type: "image/jpeg" }));
  if (kind === "paste") document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: given }));
  else document.querySelector(".photo").dispatchEvent(new DragEvent("drop", { dataTransfer: given, bubbles: true }));
}"""


def test_a_chosen_a_pasted_and_a_dropped_photograph_get_a_mark_and_bars(
    playwright: Playwright, server: ComposedApp, tmp_path: Path
) -> None:
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "astronaut.png")
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "astronaut.tif")
    (tmp_path / "letter.png").write_text("Dear teacher")
    with visitor(playwright) as page:
        page.goto(server.url)
        expect(message(page)).to_have_text(WORDS["en"]["empty"])
        page.set_input_files(".photo input", tmp_path / "astronaut.png")
        seen(page)
        expect(page.locator(".photo-bars tr")).to_have_count(8)
        expect(page.get_by_role("button", name="happy")).to_have_attribute("aria-pressed", "true")
        expect(message(page)).to_contain_text("One face, read in")
        expect(page.locator("#meaning")).to_contain_text("What this does not mean")
        page.get_by_text(WORDS["en"]["details"]).click()
        expect(page.locator(".photo-details pre")).to_contain_text('"landmarks"')
        for kind in ("paste", "drop"):
            example(page, 2)  # a cat
            expect(message(page)).to_have_text(WORDS["en"]["no_face_found"])
            expect(page.locator(".photo-bars tr.top")).to_have_count(0)
            page.evaluate(HAND_OVER, [kind, base64.b64encode(EXAMPLES["astronaut"].read_bytes()).decode()])
            seen(page)
        # A format that the server reads and no browser shows comes back as one that it does.
        page.set_input_files(".photo input", tmp_path / "astronaut.tif")
        expect(page.get_by_alt_text("Your photograph")).to_have_js_property("naturalWidth", 512)
        seen(page)


def test_what_goes_wrong_is_said_and_who_is_sent_away_asks_again(
    playwright: Playwright, server: ComposedApp, tmp_path: Path
) -> None:
    (tmp_path / "letter.png").write_text("Dear teacher")
    browser = launch(playwright)
    page = browser.new_page(locale="en-GB")
    page.goto(server.url)
    answers: list[int] = []
    page.on("response", lambda answer: answers.append(answer.status) if "/photograph?" in answer.url else None)
    page.route("**/photograph?**", lambda route: route.fulfill(status=429, headers={"Retry-After": "1"}), times=1)
    page.set_input_files(".photo input", EXAMPLES["astronaut"])
    seen(page)
    assert answers == [429, 200]
    page.route("**/photograph?**", lambda route: route.abort())
    page.set_input_files(".photo input", EXAMPLES["astronaut"])
    expect(message(page)).to_have_text(WORDS["en"]["connection"])
    page.unroute("**/photograph?**")
    page.set_input_files(".photo input", tmp_path / "letter.png")
    expect(message(page)).to_contain_text("This file is not a picture")
    expect(page.locator(".face-picture img").first).to_be_hidden()
    example(page, 1)
    seen(page)
    browser.close()


def test_every_face_can_be_tapped_and_asked_where_the_network_looked(
    playwright: Playwright, server: ComposedApp
) -> None:
    with visitor(playwright) as page:
        page.goto(server.url)
        example(page, 3)
        seen(page)
        expect(message(page)).to_contain_text("2 faces")
        marks = page.locator(".photo-faces button")
        marks.nth(1).click()
        expect(marks.nth(1)).to_have_attribute("aria-pressed", "true")
        expect(marks.nth(0)).to_have_attribute("aria-pressed", "false")
        marks.nth(0).press("Enter")
        expect(marks.nth(0)).to_have_attribute("aria-pressed", "true")
        picture = page.get_by_alt_text("Your photograph")
        plain = picture.get_attribute("src") or ""
        page.get_by_role("button", name=WORDS["en"]["explain"]).click()
        expect(page.locator(".photo-legend")).to_be_visible()
        assert (picture.get_attribute("src") or "").startswith("data:image/jpeg;base64,")
        page.get_by_role("button", name=WORDS["en"]["back"]).click()
        expect(page.locator(".photo-legend")).to_be_hidden()
        assert plain.startswith("blob:")
        assert (picture.get_attribute("src") or "").startswith("blob:")


def test_a_photograph_is_taken_with_the_camera_which_is_closed_then(
    playwright: Playwright, server: ComposedApp, tmp_path: Path
) -> None:
    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 1))) as page:
        page.add_init_script(COUNT_CAMERAS)
        page.goto(server.url)
        page.get_by_role("button", name="Start the camera").click()
        take = page.get_by_role("button", name=WORDS["en"]["take"])
        expect(take).to_be_focused()
        assert page.evaluate("openCameras()") == 1
        take.click()
        seen(page)
        assert page.evaluate("openCameras()") == 0
        # A tablet that is turned: the picture stands upright.
        page.get_by_role("button", name="Start the camera").click()
        expect(take).to_be_focused()
        page.evaluate(TURN)
        assert page.locator(".photo .face-picture").evaluate("it => it.style.getPropertyValue('--shape')") == "0.75"
        with page.expect_response("**/photograph?**") as answer:
            take.click()
        assert (answer.value.json()["width"], answer.value.json()["height"]) == (360, 480)
        # Another tab of the page, a page that nobody sees, and Stop close it too.
        for leave in ("tab", "hide"):
            page.get_by_role("button", name="Start the camera").click()
            expect(take).to_be_focused()
            if leave == "tab":
                page.get_by_role("tab", name="About").click()
                page.wait_for_function("openCameras() === 0")
                page.get_by_role("tab", name="Try it").click()
            else:
                page.evaluate(HIDE)
            expect(message(page)).to_have_text(LIVE_WORDS["en"]["away"])
            assert page.evaluate("openCameras()") == 0


TURN = """() => {
  const video = document.querySelector(".photo video");
  Object.defineProperties(video, { videoWidth: { value: 360 }, videoHeight: { value: 480 } });
  video.dispatchEvent(new Event("resize"));
}"""


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ru", "dark")])
@pytest.mark.parametrize("size", [(1280, 800), (1024, 768), (768, 1024), (390, 844)])
def test_what_was_read_stands_there_without_scrolling(
    playwright: Playwright, server: ComposedApp, language: str, scheme: str, size: tuple[int, int]
) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    options = {"color_scheme": scheme, "viewport": {"width": size[0], "height": size[1]}}
    with visitor(playwright, locale=LANGUAGES[language], **options) as page:
        page.goto(server.url)
        example(page, 3, language)
        seen(page)
        ink = page.locator(".photo-faces span").first.evaluate("it => getComputedStyle(it).color")
        assert ink == "rgb(0, 0, 0)", "black on orange, also on a dark page"
        for place in (page.locator(".photo .face-picture"), page.locator(".photo-bars tr").last):
            box = place.bounding_box()
            assert box is not None
            assert 0 <= box["y"] <= box["y"] + box["height"] <= size[1]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out to the side"
        page.screenshot(path=ARTEFACTS / f"photograph-{language}-{scheme}-{size[0]}x{size[1]}.png")
