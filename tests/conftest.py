"""What end-to-end tests share; as a conftest it also makes `running_app` importable from the folders below."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """The browser's driver; skips where there is no chromium. It keeps an event loop, hence not one for the session."""
    if not shutil.which(CHROMIUM):
        pytest.skip(f"needs {CHROMIUM} (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        yield driver
