"""Copies of exports, for the two minutes in which a browser or a program fetches them: their names, their room, and who
may fetch them: the teacher for whom they were made.
"""

import hashlib
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from gradio.utils import get_upload_folder
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from analytics.store.records import Lesson
from analytics.words.sentences import class_title, lesson_title, time_zone
from analytics.words.texts import say

COPY_SECONDS = 120  # how long the copy of an export may lie in Gradio's folder
# The folder is in memory where it can be. The largest lesson there is (30 children, 4 hours) makes 152 MB of JSON.
MOST_BYTES = 500_000_000
# A random part, and one that tells teachers apart. In an address nothing else looks like it.
FOLDER_NAME = re.compile(r"[0-9a-f]{32}-([0-9a-f]{16})", re.IGNORECASE)
# Of a title in a file name; names have 255 bytes, of which a Cyrillic letter takes two, and some letters four.
LONGEST_PART, LONGEST_PART_BYTES = 40, 80


def downloads_folder() -> Path:
    """The folder of exports that are being fetched. It is inside the folder that Gradio serves from, so that Gradio
    makes no copy of its own and deletes them after `COPY_SECONDS`."""
    folder = Path(get_upload_folder()) / "exports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


class DownloadsMiddleware:
    """ASGI middleware: 404 and a sentence for whoever asks for a copy that was made for another teacher. The teacher
    who asks stands in ``scope["teacher"]``. ``language_of``: of a visitor."""

    def __init__(self, app: ASGIApp, language_of: Callable[[Any], str]) -> None:
        self.app = app
        self.language_of = language_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or may_fetch(scope["path"], scope.get("teacher") or ""):
            await self.app(scope, receive, send)
            return
        words = say(self.language_of(HTTPConnection(scope)), "error_download")
        await JSONResponse({"error": words}, 404)(scope, receive, send)


def may_fetch(path: str, teacher: str) -> bool:
    """Whether ``path`` names no copy, or one that was made for ``teacher``. Its folder must be named to reach it, so
    the text alone is looked at, whatever links or letter case a file system knows."""
    return all(owner.lower() == _owner(teacher) for owner in FOLDER_NAME.findall(path))


def hand_out(file: Path, name: str, teacher: str) -> Path:
    """A copy of ``file`` under ``name`` for ``teacher``. The oldest copies make room where all together would pass
    `MOST_BYTES`. OSError where it cannot be written."""
    with new_download(name, teacher, file.stat().st_size) as copy:
        shutil.copyfile(file, copy)
    return copy


@contextmanager
def new_download(name: str, teacher: str, size: int = 0) -> Iterator[Path]:
    """Where a file under ``name`` is to be written within the block for ``teacher``: in a folder of its own whose name
    nobody can guess. ``size``: bytes for which room is made. Nothing is left of what cannot be written."""
    _make_room(max(0, MOST_BYTES - size))
    own = downloads_folder() / f"{uuid4().hex}-{_owner(teacher)}"
    own.mkdir(mode=0o700)
    try:
        yield own / name
    except BaseException:
        _remove(own)
        raise


def remove_downloads() -> None:
    """Takes all copies away."""
    _make_room(0)


def download_name(lesson: Lesson, suffix: str, language: str, zone: str) -> str:
    """What a person reads in the list of downloads: "lesson-2026-03-02-1015-Loops-with-the-robot-2B.csv.zip"."""
    start = lesson.started_at.astimezone(time_zone(zone))
    parts = [
        _file_name_part(text) for text in (lesson_title(language, lesson), class_title(language, lesson.class_name))
    ]
    return "-".join([say(language, "export_name"), f"{start:%Y-%m-%d-%H%M}", *filter(None, parts)]) + suffix


def _owner(teacher: str) -> str:
    return hashlib.sha256(teacher.encode()).hexdigest()[:16]


def _file_name_part(text: str) -> str:
    """Letters and digits of any script, with hyphens for all between them: valid on every system, and no path."""
    part = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", text))[:LONGEST_PART]
    return part.encode()[:LONGEST_PART_BYTES].decode(errors="ignore").strip("-")


def _make_room(bytes_left: int) -> None:
    """Takes the oldest copies away until the others have ``bytes_left`` at most, and folders whose copy Gradio took."""
    copies = [(own.stat().st_mtime, own, sum(file.stat().st_size for file in own.iterdir())) for own in _folders()]
    total = sum(size for _, _, size in copies)
    for _, own, size in sorted(copies):
        if size == 0 or total > bytes_left:
            _remove(own)
            total -= size


def _folders() -> list[Path]:
    return list(downloads_folder().iterdir())


def _remove(own: Path) -> None:
    for file in own.iterdir():
        file.unlink(missing_ok=True)  # Gradio takes them away as well
    own.rmdir()
