"""The rehearsal of a Space: its front matter, and the app behind a proxy as the Hub's, in a frame of another site."""

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from gradio_client import Client, handle_file
from packaging.requirements import Requirement
from playwright.sync_api import Browser, FrameLocator, Page, Playwright, expect

from tests.browser.chromium import launch, watch_console
from tests.running_app import ROOT, free_port, running_app
from tests.stations import PICTURE
from tests.test_behind_nginx import NGINX, nginx

HOST = "school-expressions.hf.space"
SPACE = {"SPACE_ID": "school/expressions", "SPACE_HOST": HOST, "EMOTION_SECRET": ""}
# What the Hub's proxy adds, as far as it is documented: the name that was asked for, whence, and by which scheme.
PROXY = (
    "proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_set_header Origin $http_origin; "
    "proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; "
    "proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-Port 443; "
    "client_max_body_size 33m; proxy_buffering off;"
)
HUB_PAGE = (
    "default_type text/html; return 200 '<!doctype html><title>Hub</title>"
    f'<iframe src="https://{HOST}$arg_path" allow="camera" width="1200" height="680"></iframe>\';'
)
slow = pytest.mark.slow
needs_nginx = pytest.mark.skipif(
    not Path(NGINX).exists(), reason=f"needs {NGINX} (Debian: apt-get install nginx-light)"
)


def front_matter() -> dict[str, Any]:
    """The lines between the first two rules of the README, from which the Hub makes a Space."""
    found = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    assert isinstance(found, dict)
    return found


def requirements() -> list[Requirement]:
    """What a Space installs."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line.partition("#")[0].strip()) for line in lines if line.partition("#")[0].strip()]


def test_the_space_is_made_with_the_python_and_the_gradio_that_the_tests_run_on() -> None:
    found = front_matter()
    assert found["sdk"] == "gradio"
    assert (ROOT / found["app_file"]).is_file()
    assert found["python_version"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert found["sdk_version"] == version("gradio")


def test_every_requirement_of_the_space_is_met_by_what_the_tests_run_on() -> None:
    assert len(requirements()) > 10
    for requirement in requirements():
        assert requirement.specifier.contains(version(requirement.name)), requirement
        assert requirement.url is None, "a Space takes packages by name"
    gradio = next(requirement for requirement in requirements() if requirement.name == "gradio")
    assert gradio.specifier.contains(front_matter()["sdk_version"])


def test_what_the_hub_shows_of_the_space_fits_its_limits() -> None:
    """https://huggingface.co/docs/hub/spaces-config-reference"""
    found = front_matter()
    assert len(found["short_description"]) <= 60
    assert {found["colorFrom"], found["colorTo"]} <= {
        "red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"
    }  # fmt: skip
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["sdk_version"])


@dataclass
class Hub:
    """A browser that looks at the Space in the Hub's page. ``address``: of the proxy, for programs."""

    browser: Browser
    address: str

    def open(self, path: str = "/") -> tuple[Page, FrameLocator, list[str]]:
        """The Hub's page with the Space in its frame, and the errors that the page writes to the console."""
        page = self.browser.new_context(ignore_https_errors=True, locale="en").new_page()
        errors = watch_console(page)
        page.goto(f"https://huggingface.co/spaces/school/expressions?path={path}")
        return page, page.frame_locator("iframe"), errors


@dataclass
class Space:
    """The process behind the proxy, which falls asleep and wakes up while the pages stay open."""

    folder: Path
    port: int
    running: ExitStack = field(default_factory=ExitStack)

    def wake(self) -> None:
        """Starts it and waits until it answers."""
        self.running.enter_context(running_app(self.folder, self.port, **SPACE))

    def sleep(self) -> None:
        """Ends it."""
        self.running.close()


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    made = Space(tmp_path_factory.mktemp("space"), free_port())
    with made.running:
        made.wake()
        yield made


@pytest.fixture(scope="module")
def hub(playwright: Playwright, space: Space, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    with (
        nginx(folder / "proxy", f"http://127.0.0.1:{space.port}", PROXY, tls=True) as address,
        nginx(folder / "site", f"http://127.0.0.1:{space.port}", HUB_PAGE, tls=True) as site,
    ):
        there = {HOST: address, "huggingface.co": site}
        rules = ",".join(f"MAP {name} {to.removeprefix('https://')}" for name, to in there.items())
        browser = launch(playwright, f"--host-resolver-rules={rules}")
        yield Hub(browser, address)
        browser.close()


BLOCKED = "api/spaces/by-subdomain"  # Gradio's own page asks the Hub about the Space, which our policy does not allow


@slow
@needs_nginx
def test_in_the_hubs_frame_every_page_works_and_a_lesson_is_played(hub: Hub) -> None:
    page, station, errors = hub.open("/")
    expect(station.get_by_role("tab").first).to_be_visible(timeout=60_000)
    page.close()
    page, teacher, more = hub.open("/teacher/")
    expect(teacher.locator(".tile")).to_have_count(10, timeout=60_000)
    teacher.get_by_role("button", name="Play a lesson, ten times faster").click()
    expect(teacher.get_by_role("button", name="Stop the demonstration")).to_be_visible(timeout=30_000)
    expect(teacher.locator("#status")).to_contain_text("synthetic")
    expect(teacher.locator("#status")).to_contain_text("nothing can be changed")
    for name in ("Child", "Lesson", "Trends", "Report", "Class and lessons", "About the model"):
        teacher.get_by_role("tab", name=name, exact=True).click()
        expect(teacher.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
    page.close()
    assert [line for line in (*errors, *more) if BLOCKED not in line] == []


@slow
@needs_nginx
def test_programs_call_the_space_by_name(hub: Hub) -> None:
    station = Client(hub.address, ssl_verify=False, verbose=False)
    assert station.predict(handle_file(PICTURE), api_name="/predict")[1]["label"] == "happy"
    teacher = Client(hub.address + "/teacher/", ssl_verify=False, verbose=False)
    assert len(teacher.predict("sample", api_name="/class_board")) == 10
    assert teacher.predict("sample", "", api_name="/signals")["signals"]


@slow
@needs_nginx
def test_a_space_that_slept_shows_the_same_after_a_reload(hub: Hub, space: Space) -> None:
    page, teacher, _ = hub.open("/teacher/")
    expect(teacher.locator(".tile")).to_have_count(10, timeout=60_000)
    space.sleep()
    space.wake()
    page.reload()
    expect(teacher.locator(".tile")).to_have_count(10, timeout=60_000)
    page.close()
