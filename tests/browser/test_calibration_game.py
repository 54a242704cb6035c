"""The game "show me a face" in a real browser with its fake camera: from the teacher's link to the next lesson."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, Playwright, expect

from analytics.words.sentences import animal_name
from emotion.station.calibration.texts import WORDS
from tests.browser.chromium import ARTEFACTS, camera
from tests.browser.test_station import visitor
from tests.calibrations import MORE_MOODS, Child, child_with_link, picture
from tests.composed import ComposedApp, composed_app

pytestmark = pytest.mark.slow

FRAME_BYTES = 150_000  # of each picture of a film, whatever it shows: a film may be overwritten while it is played
SKIPPED = ("disgust", "contempt")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("server"), accounts="/nowhere.json") as composed:
        yield composed


@pytest.fixture
def child(server: ComposedApp) -> Child:
    return child_with_link(server)


def show_mood(file: Path, mood: str) -> None:
    """Overwrites the camera's film in its place: the browser has mapped it into its memory."""
    content = b""
    for place in range(5):
        frame, missing = picture(place, mood), 0
        while (missing := FRAME_BYTES - len(frame)) > 0:  # comments, of at most 65,533 bytes each
            length = min(missing, 60_000) if missing - min(missing, 60_000) >= 5 or missing <= 60_000 else 50_000
            frame = frame[:2] + b"\xff\xfe" + (length - 2).to_bytes(2, "big") + b" " * (length - 4) + frame[2:]
        content += frame
    with file.open("r+b" if file.exists() else "wb") as film:
        film.write(content)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    file = tmp_path / "moods.mjpeg"
    show_mood(file, "neutral")
    return file


def panel(page: Page) -> Locator:
    return page.locator("section.calibration")


def press(page: Page, name: str) -> None:
    page.locator(f'.calibration button[name="{name}"]').click()


def in_state(page: Page, *states: str) -> str:
    """Waits for one of these states of the game, and tells which."""
    expect(panel(page)).to_have_attribute("data-state", re.compile("|".join(states)))
    return str(panel(page).get_attribute("data-state"))


def play_burst(page: Page, film: Path) -> str:
    """One prompt: skipped, or shown and found good. Answers its expression."""
    label = str(panel(page).get_attribute("data-label"))
    if label in SKIPPED:
        press(page, "skip")
        return label
    show_mood(film, label)
    page.wait_for_timeout(400)  # until the film's new pictures are on the screen
    press(page, "ready")
    while in_state(page, "review", "failed") == "failed":
        press(page, "retry")
    press(page, "good")
    return label


def test_the_whole_game_is_played_and_the_next_lesson_reads_by_it(
    playwright: Playwright, child: Child, film: Path
) -> None:
    seen: list[str] = []
    with visitor(playwright, *camera(film)) as page:
        page.goto(f"{child.server.url}/?calibration={child.link}")
        in_state(page, "welcome")
        assert child.link not in page.url
        press(page, "start")
        while in_state(page, "prompt", "thanks") == "prompt":
            before = panel(page).get_attribute("data-label"), len(seen)
            seen.append(play_burst(page, film))
            expect(panel(page)).not_to_have_attribute("data-state", re.compile("saving|review|taking|counting"))
            assert before[1] < 40
        expect(panel(page)).to_contain_text(WORDS["en"]["thanks_enough"])
        expect(panel(page)).to_have_attribute("data-camera", "off")
    taken = child.server.store.calibrations.frames(child.pseudonym)
    assert {frame.label for frame in taken} == set(MORE_MOODS)
    assert len({frame.burst for frame in taken}) == 18
    found = child.server.store.calibrations.find(child.pseudonym)
    assert found is not None
    assert found.adopted, found
    lesson = child.server.recorder.start_lesson("Loops", child.class_name, 45)
    query = {"lesson": lesson.code, "child": child.code}
    httpx.post(f"{child.server.url}/observe", params=query, content=picture(), timeout=60)
    assert "+own-" in child.server.store.observations(lesson.id)["model"].iloc[-1]


def test_a_burst_is_taken_again_and_a_reload_goes_on(playwright: Playwright, child: Child, film: Path) -> None:
    with visitor(playwright, *camera(film)) as page:
        page.goto(f"{child.server.url}/?calibration={child.link}")
        in_state(page, "welcome")
        press(page, "start")
        in_state(page, "prompt")
        press(page, "ready")
        in_state(page, "review")
        press(page, "redo")
        in_state(page, "prompt")
        for _ in range(100):  # the game goes on while the server is told
            if not (left := child.server.store.calibrations.frames(child.pseudonym)):
                break
            page.wait_for_timeout(100)
        assert left == []
        assert panel(page).get_attribute("data-label") == "neutral"
        play_burst(page, film)
        in_state(page, "prompt")
        page.reload()
        in_state(page, "welcome")
        press(page, "start")
        in_state(page, "prompt")
        assert panel(page).get_attribute("data-label") == "happy"


def test_a_link_that_nobody_made_is_told_in_words_for_a_child(playwright: Playwright, server: ComposedApp) -> None:
    with visitor(playwright, locale="ru-RU") as page:
        page.goto(f"{server.url}/?calibration=aaaaaaaaaa")
        in_state(page, "closed")
        expect(page.locator(".calibration-message")).to_have_text(WORDS["ru"]["unknown_code"])


def test_without_a_link_the_page_is_as_it_was(playwright: Playwright, server: ComposedApp) -> None:
    with visitor(playwright) as page:
        page.goto(server.url)
        page.get_by_role("tab", name="Lesson").click()
        expect(panel(page)).to_be_hidden()


def test_the_teacher_makes_the_link_and_sees_what_it_brought(playwright: Playwright, child: Child) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    with visitor(playwright, viewport={"width": 1280, "height": 900}) as page:
        page.goto(f"{child.server.url}/teacher/")
        page.get_by_role("tab", name="Class and lessons").click()
        page.get_by_label("Class").last.fill(child.class_name)
        page.get_by_label("Class").last.blur()
        known = child.server.store.find_child(child.pseudonym)
        assert known is not None
        name = animal_name("en", known.animal)
        expect(page.get_by_role("cell", name=name, exact=True)).to_be_visible()
        page.wait_for_timeout(1000)  # the choice of children comes with the table
        page.get_by_label("Child", exact=True).last.click()
        page.get_by_role("option", name=name, exact=True).click()
        page.get_by_role("button", name="This child's own face").last.click()
        page.get_by_role("button", name="Link to the game").click()
        link = page.locator(".calibration-link a")
        expect(link).to_have_attribute("href", re.compile(rf"^{child.server.url}/\?calibration=[a-z0-9]{{10}}$"))
        expect(page.locator(".calibration-link svg")).to_be_visible()
        page.screenshot(path=ARTEFACTS / "teacher-calibration-link.png", full_page=True)
        address = str(link.get_attribute("href"))
    code = address.partition("=")[2]
    assert httpx.post(f"{child.server.url}/teach/state", params={"code": code}).json()["open"]
    assert not httpx.post(f"{child.server.url}/teach/state", params={"code": child.link}).json()["open"], "it has ended"
