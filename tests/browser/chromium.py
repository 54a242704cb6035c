"""Debian's chromium with a fake camera that films a public-domain face."""

from io import BytesIO
from pathlib import Path

import skimage.data
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright

CHROMIUM = "/usr/bin/chromium"
ARTEFACTS = Path(__file__).resolve().parents[2] / ".artefacts"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def film(path: Path, faces: int) -> Path:
    """A film of one second, 640x480, in which ``faces`` astronauts (0, 1 or 2) sit in front of the camera."""
    picture = Image.new("RGB", (640, 480), (120, 130, 140))
    astronaut = Image.fromarray(skimage.data.astronaut()).crop((80, 0, 400, 420))
    for index in range(faces):
        picture.paste(astronaut, (10 + 310 * index if faces > 1 else 160, 60))
    frame = BytesIO()
    picture.save(frame, "JPEG", quality=90)
    path.write_bytes(frame.getvalue() * 5)
    return path


def launch(playwright: Playwright, *more: str) -> Browser:
    """A browser with ``more`` command-line arguments."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *more])


def camera(film_file: Path) -> list[str]:
    """Arguments for a camera that is allowed and films ``film_file``."""
    return [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film_file}",
    ]


def watch_console(page: Page) -> list[str]:
    """Errors that the page writes to the console from now on."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors
