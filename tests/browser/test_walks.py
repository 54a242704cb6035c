"""The three whom the pages are for, each from the first look to the end, on a fresh app: how many clicks it takes them,
that nothing moves under their fingers, and that the console stays empty.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
import pytest
from gradio_client import Client
from playwright.sync_api import Locator, Page, Playwright, expect

from emotion.station.live.texts import WORDS
from tests.browser.chromium import camera, film
from tests.browser.test_child_way_in import is_clean, tappable
from tests.browser.test_station import message, visitor, wait_for_frames
from tests.running_app import RunningApp, running_app

pytestmark = pytest.mark.slow
expect.set_options(timeout=60_000)

LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
LOAD_LIMIT = 0.05  # layout shift, https://web.dev/articles/cls: half of what is called good
# Each shift with what moved, so that a failure says what to mend; what answers a click is none, by the definition.
WATCH_SHIFTS = """
  window.shifts = [];
  const moved = ({ node, previousRect: old, currentRect: now }) =>
    `${node?.nodeName} ${node?.textContent?.trim().slice(0, 40)}: ${old.x},${old.y} -> ${now.x},${now.y}`;
  new PerformanceObserver((list) => list.getEntries().filter((entry) => !entry.hadRecentInput).forEach((entry) =>
    window.shifts.push([entry.value, ...entry.sources.map(moved)]))).observe({ type: "layout-shift", buffered: true });
"""


class Hand:
    """Does what a person does with a page, and counts it."""

    def __init__(self) -> None:
        self.actions = 0

    def click(self, place: Locator) -> None:
        self.actions += 1
        place.click()

    def write(self, place: Locator, words: str) -> None:
        self.actions += 1
        place.fill(words)
        place.blur()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """As after the first start: only the sample is there."""
    with running_app(tmp_path_factory.mktemp("walks")) as running:
        yield running


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    return camera(film(tmp_path / "camera.mjpeg", 1))


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=name, exact=True).first


def shifted(page: Page) -> list[list[object]]:
    """The layout shifts since the page was opened or this was asked last: how much, and what moved."""
    return list(page.evaluate("shifts.splice(0)"))


def assert_calm_load(page: Page) -> None:
    """What was there before the rest came has not moved."""
    page.wait_for_timeout(1500)
    found = shifted(page)
    assert sum(float(str(value)) for value, *_ in found) <= LOAD_LIMIT, found


def read_qr(place: Locator) -> str:
    """The address in a drawing on the screen, as a tablet's camera reads it."""
    picture = cv2.imdecode(np.frombuffer(place.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    address, *_ = cv2.QRCodeDetector().detectAndDecode(picture)
    return str(address)


def test_a_visitor_sees_its_own_face_a_child_s_timeline_and_a_lesson_that_is_played(
    playwright: Playwright, app: RunningApp, arguments: list[str]
) -> None:
    with visitor(playwright, *arguments, viewport=LAPTOP) as page:
        page.add_init_script(WATCH_SHIFTS)
        page.goto(app.url)
        assert_calm_load(page)
        hand = Hand()
        hand.click(tab(page, "Live"))
        hand.click(page.get_by_role("button", name=WORDS["en"]["start"]))
        expect(page.locator(".live-bars tr.top")).to_be_visible()
        assert hand.actions <= 2
        expect(page.locator(".live-summary")).to_contain_text("%")
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("link", name="Teacher").click()
        expect(page.locator(".tile")).to_have_count(10)
        assert_calm_load(page)
        tab(page, "Child").click()
        chart = page.locator(".js-plotly-plot:visible").first
        expect(chart).to_be_visible()
        assert chart.evaluate("chart => chart.data.length") >= 8, "an area for each expression"
        tab(page, "Now").click()
        page.get_by_role("button", name="Play a lesson, ten times faster").click()
        expect(page.get_by_text("No child was observed")).to_be_visible()
        expect(page.locator("#status")).to_contain_text("synthetic")
        page.wait_for_timeout(2500)
        shifted(page)
        before = page.locator(".beside").inner_text()
        page.wait_for_timeout(6000)
        assert page.locator(".beside").inner_text() != before, "it is played"
        assert shifted(page) == []
        page.get_by_role("button", name="Stop the demonstration").click()
        expect(page.locator("#status")).not_to_contain_text("played")


def test_a_child_comes_by_its_link_reloads_and_stops(
    playwright: Playwright, app: RunningApp, arguments: list[str]
) -> None:
    teacher = Client(app.url + "/teacher/", verbose=False)
    started = teacher.predict("Loops", "4C", 45, api_name="/start_lesson")
    code = teacher.predict("", "4C", True, api_name="/set_consent")["code"]
    with visitor(playwright, *arguments, permissions=["camera"], viewport=PHONE) as page:
        asked: list[str] = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        page.goto(f"{app.url}/?lesson={started['code']}&child={code}")
        expect(page.locator(".lesson-main")).to_be_visible()
        assert page.url == f"{app.url}/", "who looks over the shoulder reads no code"
        expect(page.get_by_label("Your code")).to_be_hidden()
        hand = Hand()
        hand.click(page.get_by_label("I understand"))
        hand.click(page.get_by_role("button", name="Start"))
        wait_for_frames(page, 2)
        assert hand.actions <= 2
        expect(message(page)).to_contain_text("The camera is on")
        assert tappable(page) == ["Pause", "Stop"]
        with page.expect_request("**/observe?**") as frame:  # nobody taps
            page.reload()
        assert f"child={code}" in frame.value.url
        assert asked == ["beforeunload"]
        page.get_by_role("button", name="Stop").click()
        expect(message(page)).to_contain_text("You stopped")
        expect(page.get_by_role("link", name="Teacher")).to_be_visible()
        lesson = teacher.predict(started["lesson"], api_name="/end_lesson")
        assert lesson["ended_at"]
        is_clean(page, started["code"], code)


def test_a_teacher_gives_a_lesson_with_one_child(playwright: Playwright, app: RunningApp, arguments: list[str]) -> None:
    with (
        visitor(playwright, viewport=LAPTOP, device_scale_factor=3) as page,
        visitor(playwright, *arguments, viewport=PHONE) as tablet,
    ):
        page.add_init_script(WATCH_SHIFTS)
        page.goto(app.url + "/teacher/")
        expect(page.locator(".tile").first).to_be_visible()
        hand, class_name = Hand(), f"2{uuid.uuid4().hex[:4]}"  # of this try alone
        hand.click(tab(page, "Class and lessons"))
        hand.write(page.get_by_label("Class", exact=True).last, class_name)
        hand.write(page.get_by_label("How many children"), "1")
        hand.click(page.get_by_label("Signed consent"))
        hand.click(page.get_by_role("button", name="Enrol and show the codes"))
        hand.click(page.get_by_role("button", name="Start a lesson with them"))
        square = page.locator(".codes .on-screen")
        expect(square).to_be_visible()
        address = read_qr(square)
        codes = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
        tablet.goto(address)
        taps = Hand()
        taps.click(tablet.get_by_label("I understand"))
        taps.click(tablet.get_by_role("button", name="Start"))
        wait_for_frames(tablet, 2)
        assert hand.actions <= 6
        assert taps.actions <= 2

        page.get_by_role("button", name="Close").click()
        page.get_by_role("button", name="Yes, close the list").click()
        tab(page, "Now").click()
        expect(page.locator(".tile")).to_have_count(1)
        expect(page.locator(".tile")).to_contain_text("happy")
        station = Client(app.url, verbose=False)
        page.wait_for_timeout(1000)
        shifted(page)
        for _ in range(3):
            at = datetime.now(UTC).isoformat()
            station.predict(codes["lesson"], "task_failed", "4", codes["child"], at, api_name="/log_event")
        expect(page.locator(".attention")).to_have_count(1)
        expect(page.locator(".tile")).to_contain_text("failed ×3")
        page.get_by_role("button", name="Seen").click()
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("button", name="Helped").click()
        expect(page.locator(".attention")).to_contain_text("You have helped")
        assert shifted(page) == []

        page.get_by_role("button", name="End the lesson").click()
        page.get_by_role("button", name="Yes, stop all tablets").click()
        expect(page.locator("#board")).to_contain_text("Answered: 1 (helped 1)")
        expect(message(tablet)).to_contain_text("The lesson is over")
        hand = Hand()
        hand.click(tab(page, "Report"))
        expect(page.frame_locator("iframe.report").get_by_role("heading").first).to_be_visible()
        page.locator("iframe.report").evaluate("sheet => { sheet.contentWindow.print = () => { window.printed = 1 } }")
        hand.click(page.get_by_role("button", name="Print"))
        assert page.evaluate("window.printed") == 1
        assert hand.actions <= 2
