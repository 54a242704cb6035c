"""A child's way into a lesson, in a real browser, where it is not the straight one of test_walks.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from playwright.sync_api import Locator, Page, Playwright, expect

from analytics.words.sentences import child_code_text
from emotion.station.animals import ANIMALS
from tests.browser.chromium import ARTEFACTS, camera, film
from tests.browser.test_station import LANGUAGES, message, visitor, wait_for_frames
from tests.running_app import PreparedLesson, RunningApp, prepare_lesson, running_app

pytestmark = pytest.mark.slow
expect.set_options(timeout=20_000)

Station = tuple[RunningApp, PreparedLesson]


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """One app with a running lesson; each test takes a child of its own."""
    folder = tmp_path_factory.mktemp("way-in")
    lesson = prepare_lesson(folder, children=30)
    with running_app(folder) as app:
        yield app, lesson


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    return camera(film(tmp_path / "camera.mjpeg", 1))


def come_by_link(page: Page, station: Station, child: int) -> None:
    """Opens what the QR codes lead to: both codes are in the address."""
    app, lesson = station
    page.goto(f"{app.url}/?lesson={lesson.lesson.code}&child={lesson.codes[child]}")
    expect(page.locator(".lesson-main")).to_be_visible()


def start(page: Page) -> None:
    """The child's two taps."""
    page.locator("input[name=consent]").check()
    page.locator(".lesson-main").click()


def animal_of(lesson: PreparedLesson, child: int, language: str = "en") -> str:
    return ANIMALS[lesson.codes[child].partition("-")[0]][1 if language == "en" else 2]


def you_are(page: Page) -> Locator:
    return page.locator(".lesson-child p")


def test_a_link_of_the_child_alone_asks_for_the_lesson(
    playwright: Playwright, station: Station, arguments: list[str]
) -> None:
    app, lesson = station
    with visitor(playwright, *arguments, locale="ru-RU") as page:
        page.goto(f"{app.url}/?child={lesson.codes[1].upper()}")
        expect(you_are(page)).to_have_text(f"Ты — {animal_of(lesson, 1, 'ru')}")
        expect(page.get_by_label("Твой код")).to_be_hidden()
        page.get_by_label("Код урока").fill(lesson.lesson.code)
        start(page)
        wait_for_frames(page, 1)


def test_a_child_with_another_one_s_link_types_its_own_code(
    playwright: Playwright, station: Station, arguments: list[str]
) -> None:
    _, lesson = station
    with visitor(playwright, *arguments) as page:
        come_by_link(page, station, 2)
        page.get_by_role("button", name="Not you?").click()
        expect(you_are(page)).to_be_hidden()
        expect(page.get_by_label("Lesson code")).to_have_value(lesson.lesson.code)
        expect(page.get_by_label("Your code")).to_be_focused()
        expect(page.get_by_label("Your code")).to_have_value("")
        page.keyboard.type(child_code_text("ru", lesson.codes[3]))  # as a Russian list has it
        start(page)
        wait_for_frames(page, 1)


def test_codes_of_a_link_that_nobody_knows_can_be_corrected(playwright: Playwright, station: Station) -> None:
    app, lesson = station
    with visitor(playwright) as page:
        page.goto(f"{app.url}/?lesson={lesson.lesson.code}&child=beaver-zzzz")
        start(page)
        expect(message(page)).to_contain_text("I don't know this child's code")
        expect(page.get_by_label("Your code")).to_have_value("beaver-zzzz")
        page.goto(f"{app.url}/?lesson={lesson.lesson.code}&child=unicorn")
        expect(page.get_by_label("Your code")).to_have_value("unicorn")


def test_the_language_changes_the_animal_s_name_and_nothing_else(playwright: Playwright, station: Station) -> None:
    _, lesson = station
    with visitor(playwright) as page:
        come_by_link(page, station, 4)
        page.get_by_role("button", name="RU").click()
        expect(you_are(page)).to_have_text(f"Ты — {animal_of(lesson, 4, 'ru')}")


def tappable(page: Page) -> list[str]:
    """The words on everything that a child could tap or reach with the keyboard."""
    everything = page.locator("a, button, input, select, summary, [role=tab], [tabindex='0']").locator("visible=true")
    return [words.strip() for words in everything.all_inner_texts()]


def test_leaving_asks_first_and_a_reload_goes_on_by_itself(
    playwright: Playwright, station: Station, arguments: list[str]
) -> None:
    app, lesson = station
    with visitor(playwright, *arguments, permissions=["camera"]) as page:
        asked: list[str] = []
        come_by_link(page, station, 6)
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        start(page)
        wait_for_frames(page, 1)
        with page.expect_request("**/observe?**") as frame:  # nobody taps
            page.reload()
        assert f"child={lesson.codes[6]}" in frame.value.url
        assert f"lesson={lesson.lesson.code}" in frame.value.url
        expect(message(page)).to_contain_text("The camera is on")
        assert tappable(page) == ["Pause", "Stop"]
        assert page.url == f"{app.url}/"
        page.get_by_role("button", name="Pause").click()
        page.reload()
        expect(message(page)).to_contain_text("Nothing is recorded now")  # who paused stays so
        page.get_by_role("button", name="Go on").click()
        wait_for_frames(page, 1)
        page.goto("about:blank")
        assert asked == ["beforeunload"] * 3
        page.goto(app.url)  # by a bookmark, say: as after a reload
        wait_for_frames(page, 1)
        page.get_by_role("button", name="Stop").click()
        page.reload()
        expect(page.get_by_role("tab", name="Try it")).to_be_visible()
        assert asked == ["beforeunload"] * 3, "only a lesson is held"


def test_where_the_camera_has_to_be_asked_for_one_button_goes_on(
    playwright: Playwright, station: Station, arguments: list[str]
) -> None:
    with visitor(playwright, *arguments) as page:
        # As in Safari, which allows a camera until the page is loaded again.
        page.add_init_script("Permissions.prototype.query = async () => ({ state: 'prompt' })")
        come_by_link(page, station, 7)
        start(page)
        wait_for_frames(page, 1)
        page.reload()
        expect(message(page)).to_contain_text("You are back!")
        assert tappable(page) == ["Go on", "Stop"]
        page.get_by_role("button", name="Go on").click()
        wait_for_frames(page, 1)


def kept_by_browser(page: Page) -> str:
    return str(page.evaluate("JSON.stringify([sessionStorage, localStorage, document.cookie, location.href])"))


def is_clean(page: Page, *codes: str) -> None:
    """Nothing of the child is on the page or in the browser, now and after a reload."""
    for _ in range(2):
        expect(page.get_by_label("Lesson code")).to_have_value("")
        expect(page.get_by_label("Your code")).to_have_value("")
        expect(page.get_by_label("I understand")).not_to_be_checked()
        expect(you_are(page)).to_be_hidden()
        for code in codes:
            assert code not in kept_by_browser(page)
        page.reload()
        page.get_by_role("tab", name="Lesson").click()


def test_another_child_s_link_on_a_recording_tablet_is_the_other_child_s(
    playwright: Playwright, station: Station, arguments: list[str]
) -> None:
    _, lesson = station
    with visitor(playwright, *arguments, permissions=["camera"]) as page:
        come_by_link(page, station, 9)
        start(page)
        wait_for_frames(page, 1)
        come_by_link(page, station, 10)
        expect(you_are(page)).to_have_text(f"You are {animal_of(lesson, 10)}")
        expect(page.get_by_label("I understand")).not_to_be_checked()
        assert lesson.codes[9] not in kept_by_browser(page)


@pytest.mark.parametrize("reloading", [False, True])
def test_a_lesson_that_has_ended_leaves_nothing_either(
    playwright: Playwright, tmp_path: Path, arguments: list[str], reloading: bool
) -> None:
    lesson = prepare_lesson(tmp_path, children=1)
    with running_app(tmp_path) as app, visitor(playwright, *arguments, permissions=["camera"]) as page:
        come_by_link(page, (app, lesson), 0)
        start(page)
        wait_for_frames(page, 1)
        if reloading:  # it ends while the page is away
            page.goto("about:blank")
        Client(app.url + "/teacher/", verbose=False).predict(lesson.lesson.code, api_name="/end_lesson")
        if reloading:
            page.goto(app.url)
        expect(message(page)).to_contain_text("The lesson is over")
        is_clean(page, lesson.lesson.code, *lesson.codes)


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ru", "dark")])
@pytest.mark.parametrize("size", [(1024, 768), (768, 1024), (390, 844)])
def test_the_way_in_fits_and_is_kept_as_a_picture(
    playwright: Playwright, station: Station, arguments: list[str], language: str, scheme: str, size: tuple[int, int]
) -> None:
    child = 20 + 3 * (language == "ru") + [1024, 768, 390].index(size[0])
    name = f"{language}-{scheme}-{size[0]}x{size[1]}.png"
    ARTEFACTS.mkdir(exist_ok=True)
    options = {"color_scheme": scheme, "viewport": {"width": size[0], "height": size[1]}}
    with visitor(playwright, *arguments, locale=LANGUAGES[language], **options) as page:
        come_by_link(page, station, child)
        animal = page.locator(".lesson-animal")
        expect(animal).to_be_visible()
        # In a picture or, on a device without one, as a word: never as the box of a missing character.
        assert animal.text_content() in (animal_of(station[1], child, language), ANIMALS[animal_key(station, child)][0])
        assert animal.evaluate("place => place.scrollWidth <= place.clientWidth"), "the word fits into its circle"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out to the side"
        page.screenshot(path=ARTEFACTS / f"child-form-{name}")
        start(page)
        wait_for_frames(page, 2)
        page.screenshot(path=ARTEFACTS / f"child-recording-{name}")


def animal_key(station: Station, child: int) -> str:
    return station[1].codes[child].partition("-")[0]
