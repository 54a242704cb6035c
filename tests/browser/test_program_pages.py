"""The interface for programs in a real browser: the page to copy for tablets, the description, other sites' pages."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Playwright, expect

from tests.browser.chromium import ARTEFACTS, launch, watch_console
from tests.composed import ComposedApp, Taught, composed_app
from tests.stations import PICTURE

pytestmark = pytest.mark.slow

PATIENCE = 60_000
SIZES: dict[str, Any] = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


class EmptyPage(BaseHTTPRequestHandler):
    """Any page of another site: what a script does there is up to the test."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>elsewhere</title><link rel='icon' href='data:,'>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def other_site() -> Iterator[int]:
    """A web server beside the app; its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as site:
        thread = threading.Thread(target=site.serve_forever, daemon=True)
        thread.start()
        yield site.server_port
        site.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    with other_site() as port:
        yield port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, site: int) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("server"), allowed_origins=f"http://localhost:{site}") as composed:
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


# PiktoMir's page: records a frame of its child, fails a task three times, and waits for its signal.
LESSON_OF_ANOTHER_SITE = """async ({api, codes, frame}) => {
    const post = async (path, body) => {
        const answer = await fetch(api + path, {method: "POST", body: body,
            headers: {"Content-Type": body instanceof Blob ? "image/jpeg" : "application/json"}});
        return answer.json();
    };
    const said = new Promise((done, failed) => {
        const stream = new EventSource(api + "/station/signals/stream?" + new URLSearchParams(codes));
        stream.onmessage = (event) => { stream.close(); done(JSON.parse(event.data).signals[0].kind); };
        setTimeout(() => failed(new Error("no signal")), 60000);
    });
    const picture = new Blob([Uint8Array.from(atob(frame), (letter) => letter.charCodeAt(0))]);
    const seen = await post("/station/observe?" + new URLSearchParams(codes), picture);
    for (let time = 0; time < 3; time++)
        await post("/station/events", JSON.stringify({...codes, kind: "task_failed", detail: "4"}));
    return [seen.expression, await said];
}"""
# What it would need a token for, and what a stranger's page tries.
OUTCOMES = """async ({api, codes}) => {
    const outcome = async (path, options) => {
        try {
            const answer = await fetch(api + path, options);
            return (await answer.json()).reason || answer.status;
        } catch { return "hidden"; }
    };
    const headers = {"Content-Type": "application/json"};
    const event = {method: "POST", headers, body: JSON.stringify({...codes, kind: "note", detail: "elsewhere"})};
    return {
        lessons: await outcome("/lessons"),
        cookies: await outcome("/station/lesson?lesson=" + codes.lesson, {credentials: "include"}),
        token: await outcome("/lessons", {headers: {Authorization: "Bearer piktomir-wrong"}}),
        station: await outcome("/station/lesson?lesson=" + codes.lesson),
        written: await outcome("/station/events", event),
    };
}"""


def test_a_page_of_a_named_site_records_its_child_and_hears_its_signals(
    playwright: Playwright, server: ComposedApp, anna: Taught, site: int
) -> None:
    browser = launch(playwright)
    try:
        page = browser.new_page()
        errors = watch_console(page)
        page.goto(f"http://localhost:{site}/")
        codes = {"lesson": anna.lesson.code, "child": anna.codes[2]}
        told = {"api": f"{server.url}/api/v1", "codes": codes, "frame": base64.b64encode(PICTURE.read_bytes()).decode()}
        assert page.evaluate(LESSON_OF_ANOTHER_SITE, told) == ["happy", "struggling"]
        assert errors == []
        wanted = {"lessons": "hidden", "cookies": "hidden", "token": "bad_token", "station": 200, "written": 200}
        assert page.evaluate(OUTCOMES, told) == wanted
        page.set_content(f'<iframe src="{server.url}/" allow="camera" width="1000" height="700"></iframe>')
        expect(page.frame_locator("iframe").get_by_role("tab").first).to_be_visible(timeout=PATIENCE)
    finally:
        browser.close()


def test_a_page_of_any_other_site_reads_nothing_and_changes_nothing(
    playwright: Playwright, server: ComposedApp, anna: Taught, site: int
) -> None:
    browser = launch(playwright)
    try:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{site}/")
        codes = {"lesson": anna.lesson.code, "child": anna.codes[2]}
        events = len(server.store.events(anna.lesson.id))
        outcomes = page.evaluate(OUTCOMES, {"api": f"{server.url}/api/v1", "codes": codes})
        assert outcomes == dict.fromkeys(("lessons", "cookies", "token", "station", "written"), "hidden")
        assert len(server.store.events(anna.lesson.id)) == events
        page.set_content(f'<iframe src="{server.url}/" width="1000" height="700"></iframe>')
        page.wait_for_timeout(2000)
        assert all("127.0.0.1" not in frame.url or str(site) in frame.url for frame in page.frames)
    finally:
        browser.close()
