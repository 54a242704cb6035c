"""What end-to-end tests share; as a conftest it also makes `running_app` importable from the folders below."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"
# What is driven in real time beside other processes (servers, browsers, attackers) is tried a second time: a machine
# that stood still for a moment is no fault. A fault that is there fails both times; a second try is in the summary.
REAL_TIME_FOLDERS = {"attacks", "browser"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives slow tests, and those in `REAL_TIME_FOLDERS`, their second try."""
    for item in items:
        if item.get_closest_marker("slow") or REAL_TIME_FOLDERS & set(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """The browser's driver; skips where there is no chromium. It keeps an event loop, hence not one for the session."""
    if not shutil.which(CHROMIUM):
        pytest.skip(f"needs {CHROMIUM} (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        yield driver
