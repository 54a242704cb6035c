"""The station page in a real browser: a lesson is recorded, and a child is told what is wrong."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gradio_client import Client
from playwright.sync_api import Page, Playwright, expect

from tests.browser.chromium import ARTEFACTS, camera, film, launch, watch_console
from tests.running_app import PreparedLesson, RunningApp, free_port, prepare_lesson, recorded_rows, running_app

pytestmark = pytest.mark.slow

SECONDS = 1000
expect.set_options(timeout=20 * SECONDS)
LANGUAGES = {"en": "en-GB", "ru": "ru-RU"}


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningApp, PreparedLesson]]:
    """One app with a running lesson, for the tests that only look."""
    folder = tmp_path_factory.mktemp("station")
    lesson = prepare_lesson(folder, children=20)
    with running_app(folder) as app:
        yield app, lesson


@contextmanager
def visitor(playwright: Playwright, *arguments: str, locale: str = "en-GB", **options: object) -> Iterator[Page]:
    """A page of a new browser; the test fails if the console shows an error."""
    browser = launch(playwright, *arguments)
    page = browser.new_context(locale=locale, **options).new_page()
    page.set_default_timeout(20 * SECONDS)
    errors = watch_console(page)
    yield page
    browser.close()
    assert errors == []


def open_lesson(page: Page, url: str, lesson: str, child: str) -> None:
    """Fill in the form of the Lesson tab and start."""
    page.goto(url)
    page.get_by_role("tab", name="Lesson").click()
    page.get_by_label("Lesson code").fill(lesson)
    page.get_by_label("Your code").fill(child)
    page.get_by_label("I understand").check()
    page.get_by_role("button", name="Start").click()


def message(page: Page):
    """What the lesson panel tells the child."""
    return page.locator(".lesson-message")


def wait_for_frames(page: Page, count: int) -> None:
    """Until ``count`` more frames were answered."""
    for _ in range(count):
        with page.expect_response("**/observe?**") as answer:
            pass
        assert answer.value.json()["recorded"]


def test_a_lesson_with_the_webcam_is_recorded(playwright, tmp_path):
    lesson = prepare_lesson(tmp_path)
    with running_app(tmp_path) as app, visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 1))) as page:
        open_lesson(page, app.url, lesson.lesson.code, lesson.codes[0].upper())
        expect(message(page)).to_have_text("The camera is on. Have fun!")
        wait_for_frames(page, 4)
        # The child sees a lamp, not scores.
        assert not any(word in page.locator(".lesson").inner_text() for word in ("happy", "%", "neutral"))
        page.get_by_role("button", name="Pause").click()
        expect(message(page)).to_contain_text("Pause")
        page.get_by_role("button", name="Go on").click()
        wait_for_frames(page, 2)
        page.get_by_role("button", name="Stop").click()
        expect(message(page)).to_contain_text("You stopped")
        app.stop()
    assert recorded_rows(tmp_path, lesson.lesson.id) >= 6


def test_never_more_than_one_frame_is_on_its_way(playwright, station):
    app, lesson = station
    on_the_way: list[int] = [0, 0]

    with visitor(playwright, *camera(film(Path(app.log).parent / "one.mjpeg", 1))) as page:

        def slow(route):
            on_the_way[0] += 1
            on_the_way[1] = max(on_the_way)
            time.sleep(0.7)
            on_the_way[0] -= 1
            route.continue_()

        page.goto(app.url)
        page.route("**/observe?**", slow)
        page.get_by_role("tab", name="Lesson").click()
        page.get_by_text("For the teacher").click()
        page.get_by_label("Frames a second").select_option("5")
        open_fields(page, lesson.lesson.code, lesson.codes[1])
        wait_for_frames(page, 4)
        page.unroute_all(behavior="wait")
    assert on_the_way[1] == 1


def open_fields(page: Page, lesson: str, child: str) -> None:
    """The form of a Lesson tab that is open already."""
    page.get_by_label("Lesson code").fill(lesson)
    page.get_by_label("Your code").fill(child)
    page.get_by_label("I understand").check()
    page.get_by_role("button", name="Start").click()


def test_the_connection_is_lost_and_comes_back(playwright, tmp_path):
    lesson, port = prepare_lesson(tmp_path), free_port()
    browser = launch(playwright, *camera(film(tmp_path / "camera.mjpeg", 1)))
    page = browser.new_page(locale="en-GB")
    with running_app(tmp_path, port) as app:
        open_lesson(page, app.url, lesson.lesson.code, lesson.codes[0])
        expect(message(page)).to_contain_text("The camera is on")
        wait_for_frames(page, 2)
        app.stop()
    expect(message(page)).to_contain_text("The connection is lost", timeout=20 * SECONDS)
    before = recorded_rows(tmp_path, lesson.lesson.id)
    with running_app(tmp_path, port) as app:
        # Nobody touches the page: it goes on by itself.
        expect(message(page)).to_contain_text("The camera is on", timeout=20 * SECONDS)
        wait_for_frames(page, 2)
        browser.close()
        app.stop()
    assert before >= 2
    assert recorded_rows(tmp_path, lesson.lesson.id) >= before + 2


def test_a_denied_camera_is_said_and_recording_begins_when_it_is_allowed(playwright, station, tmp_path):
    app, lesson = station
    # Without --use-fake-ui-for-media-stream the browser refuses what was not granted.
    arguments = [argument for argument in camera(film(tmp_path / "camera.mjpeg", 1)) if "fake-ui" not in argument]
    with visitor(playwright, *arguments, permissions=[]) as page:
        open_lesson(page, app.url, lesson.lesson.code, lesson.codes[2])
        expect(message(page)).to_contain_text("The camera is not allowed")
        page.context.grant_permissions(["camera"], origin=app.url)
        page.get_by_role("button", name="Ask for the camera again").click()
        expect(message(page)).to_contain_text("The camera is on")
        wait_for_frames(page, 1)


def test_an_empty_chair_is_noticed_after_ten_seconds(playwright, station, tmp_path):
    app, lesson = station
    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 0))) as page:
        open_lesson(page, app.url, lesson.lesson.code, lesson.codes[3])
        expect(message(page)).to_contain_text("The camera is on")
        wait_for_frames(page, 3)
        expect(message(page)).to_contain_text("The camera is on")
        expect(message(page)).to_contain_text("I can't see your face", timeout=15 * SECONDS)


def test_a_second_face_is_noticed(playwright, station, tmp_path):
    app, lesson = station
    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 2))) as page:
        open_lesson(page, app.url, lesson.lesson.code, lesson.codes[4])
        expect(message(page)).to_contain_text("I see two faces")


def test_a_lesson_that_the_teacher_ends_is_over_and_withdrawn_consent_stops_recording(playwright, tmp_path):
    lesson = prepare_lesson(tmp_path, children=2)
    first, second = lesson.codes
    with running_app(tmp_path) as app, visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 1))) as page:
        teacher = Client(app.url + "/teacher/", verbose=False)
        open_lesson(page, app.url, lesson.lesson.code, first)
        wait_for_frames(page, 2)
        teacher.predict(first, lesson.lesson.class_name, False, api_name="/set_consent")
        expect(message(page)).to_contain_text("I have no permission for you yet")
        page.get_by_role("button", name="Stop").click()
        open_lesson(page, app.url, lesson.lesson.code, second)
        wait_for_frames(page, 2)
        teacher.predict(lesson.lesson.code, api_name="/end_lesson")
        expect(message(page)).to_contain_text("lesson is over")


def test_nothing_starts_without_codes_and_consent(playwright, station):
    app, lesson = station
    with visitor(playwright) as page:
        page.goto(app.url)
        page.get_by_role("tab", name="Lesson").click()
        page.get_by_role("button", name="Start").click()
        expect(message(page)).to_contain_text("type the lesson code")
        page.get_by_label("Lesson code").fill(lesson.lesson.code)
        page.get_by_label("Your code").fill(lesson.codes[5])
        page.keyboard.press("Enter")
        expect(message(page)).to_contain_text("tick the box")


@pytest.mark.parametrize(("wrong", "words"), [("lesson", "lesson code"), ("child", "child's code")])
def test_a_wrong_code_can_be_corrected(playwright, station, wrong, words, tmp_path):
    app, lesson = station
    own = lesson.codes[6 if wrong == "lesson" else 11]
    codes = {"lesson": lesson.lesson.code, "child": own, wrong: "zzzzzz"}
    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 1))) as page:
        open_lesson(page, app.url, codes["lesson"], codes["child"])
        expect(message(page)).to_contain_text(f"I don't know this {words}")
        open_fields(page, lesson.lesson.code, own)
        expect(message(page)).to_contain_text("The camera is on")


def test_the_language_can_be_switched(playwright, station):
    with visitor(playwright) as page:
        page.goto(station[0].url)
        expect(page.get_by_role("heading", name="Expression station")).to_be_visible()
        page.get_by_role("button", name="RU").click()
        expect(page.get_by_role("heading", name="Станция выражений лица")).to_be_visible()
        assert page.locator("html").get_attribute("lang") == "ru"
        page.get_by_role("tab", name="Урок").click()
        expect(page.get_by_role("button", name="Начать")).to_be_visible()


def test_the_page_asks_no_other_server(playwright, station):
    with visitor(playwright) as page:
        strangers = []
        page.on("request", lambda request: strangers.append(request.url))
        page.goto(station[0].url)
        page.get_by_role("tab", name="Lesson").click()
        expect(page.get_by_role("button", name="Start")).to_be_visible()
        assert [url for url in strangers if not url.startswith((station[0].url, "data:", "blob:"))] == []


def test_a_second_tablet_with_the_same_code_is_asked_and_the_teacher_is_told(playwright, tmp_path):
    lesson = prepare_lesson(tmp_path)
    code, arguments = lesson.codes[0], camera(film(tmp_path / "camera.mjpeg", 1))
    with (
        running_app(tmp_path) as app,
        visitor(playwright, *arguments) as first,
        visitor(playwright, *arguments) as second,
    ):
        teacher = Client(app.url + "/teacher/", verbose=False)

        open_lesson(first, app.url, lesson.lesson.code, code)
        wait_for_frames(first, 2)
        first.reload()
        wait_for_frames(first, 1)  # the same tablet, loaded again, is not asked
        open_lesson(second, app.url, lesson.lesson.code, code.upper())
        expect(message(second)).to_contain_text("Somebody uses your code on another tablet")
        board = teacher.predict(lesson.lesson.id, api_name="/class_board")
        assert [row["state"] != "silent" for row in board if row["two_tablets"]] == [True]
        wait_for_frames(first, 2)
        sent = []
        second.on("request", lambda request: sent.append(request.url) if "/observe?" in request.url else None)
        second.wait_for_timeout(4 * SECONDS)
        assert sent == [], "who is asked sends no picture"
        second.get_by_role("button", name="I am here").click()
        wait_for_frames(second, 2)
        expect(message(second)).to_contain_text("The camera is on")
        expect(message(first)).to_contain_text("Somebody uses your code on another tablet")
        page = first.context.new_page()
        page.goto(app.url + "/teacher/")
        expect(page.locator("#board")).to_contain_text("the code was entered on a second tablet")


def test_a_browser_without_time_outs_for_signals_takes_part(playwright, station, tmp_path):
    app, lesson = station
    with visitor(playwright, *camera(film(tmp_path / "camera.mjpeg", 1))) as page:
        page.add_init_script("delete AbortSignal.timeout; delete window.sessionStorage")  # as in Safari 15
        open_lesson(page, app.url, lesson.lesson.code, lesson.codes[8])
        wait_for_frames(page, 2)
        expect(message(page)).to_contain_text("The camera is on")


@pytest.mark.parametrize("feature", ["window.AbortController", "HTMLCanvasElement.prototype.toBlob",
                                     "MediaDevices.prototype.getUserMedia"])  # fmt: skip
def test_a_browser_that_lacks_a_feature_is_called_too_old_and_the_console_names_it(
    playwright, station, tmp_path, feature
):
    app, lesson = station
    browser = launch(playwright, *camera(film(tmp_path / "camera.mjpeg", 1)))
    page = browser.new_page(locale="en-GB")
    errors = watch_console(page)
    page.goto(app.url)
    page.add_init_script(f"delete {feature}")
    open_lesson(page, app.url, lesson.lesson.code, lesson.codes[9])
    expect(message(page)).to_contain_text("This browser is too old")
    assert any(feature.rpartition(".")[2] in error for error in errors)
    browser.close()


def test_a_fault_of_the_page_is_not_told_as_a_lost_connection_and_is_logged(playwright, station, tmp_path):
    app, lesson = station
    browser = launch(playwright, *camera(film(tmp_path / "camera.mjpeg", 1)))
    page = browser.new_page(locale="en-GB")
    errors = watch_console(page)
    page.add_init_script("HTMLCanvasElement.prototype.toBlob = (give) => give(null)")
    open_lesson(page, app.url, lesson.lesson.code, lesson.codes[10])
    expect(message(page)).to_contain_text("Something on this page went wrong")
    assert any("the canvas gave no JPEG" in error for error in errors)
    browser.close()


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (1024, 768)])
def test_each_tab_fits_and_is_kept_as_a_picture(playwright, station, tmp_path, language, scheme, size):
    app, lesson = station
    own = 12 + 4 * (language == "ru") + 2 * (scheme == "dark") + (size[0] == 1024)  # no two with one code at a time
    name = f"{language}-{scheme}-{size[0]}x{size[1]}.png"
    ARTEFACTS.mkdir(exist_ok=True)
    options = {"color_scheme": scheme, "viewport": {"width": size[0], "height": size[1]}}
    arguments = camera(film(tmp_path / "camera.mjpeg", 1))
    with visitor(playwright, *arguments, locale=LANGUAGES[language], **options) as page:
        page.goto(app.url)
        page.get_by_role("button", name={"en": "Example 3", "ru": "Пример 3"}[language]).click()
        expect(page.locator(".photo-bars tr.top")).to_be_visible()
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out to the side"
        page.screenshot(path=ARTEFACTS / f"station-try-{name}", full_page=True)
        page.get_by_role("tab", name={"en": "Lesson", "ru": "Урок"}[language]).click()
        page.screenshot(path=ARTEFACTS / f"station-form-{name}", full_page=True)
        page.locator("input[name=lesson]").fill(lesson.lesson.code)
        page.locator("input[name=child]").fill(lesson.codes[own])
        page.locator("input[name=consent]").check()
        page.locator(".lesson-main").click()
        wait_for_frames(page, 2)
        assert page.locator(".lesson-message").bounding_box()["y"] + 40 < size[1], "the message needs no scrolling"
        page.screenshot(path=ARTEFACTS / f"station-live-{name}", full_page=True)
        page.locator(".lesson button[name=stop]").click()
        page.get_by_role("tab", name={"en": "About", "ru": "О программе"}[language]).click()
        page.screenshot(path=ARTEFACTS / f"station-about-{name}", full_page=True)
