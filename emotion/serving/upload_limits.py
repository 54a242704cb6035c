"""Limits of uploads: what may come, how much of it may lie there, and for how long."""

import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gradio.route_utils
import gradio.routes
from gradio.route_utils import FileUploadProgress, GradioMultiPartParser
from python_multipart.exceptions import FormParserError
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request

from emotion.serving.addresses import network_of
from emotion.serving.language import language_of
from emotion.serving.periodic import periodically
from emotion.serving.texts import say

KEEP_SECONDS = 120.0  # after which a photograph is removed
IDENTIFIER_CHARACTERS = 64  # of an upload whose progress is asked for
MOST_FOLLOWED = 1000  # uploads whose progress is known
MOST_FILES = 16  # of one upload; each keeps a folder, and folders are swept one by one


def keep_uploads_apart() -> None:
    """Let Gradio put each uploaded file into a folder of its own inside the one it serves from.

    By itself it names the folder by the file's content, as it does for the examples of a page: a program that sends an
    example's picture would own the example with it, and two that send the same picture at a time would own one file.
    To be called before a page is mounted; a second call changes nothing.
    """
    gradio.routes.upload_fn = _upload_apart  # type: ignore[assignment]
    gradio.route_utils.GradioMultiPartParser = _FewFiles  # type: ignore[misc]
    if not isinstance(gradio.routes.file_upload_statuses, _FewUploads):
        gradio.routes.file_upload_statuses = _FewUploads()


class _FewUploads(FileUploadProgress):
    """How far uploads are: Gradio's, which would remember every identifier that anybody names."""

    def track(self, upload_id: str) -> None:
        """Follow an upload; the longest known are forgotten."""
        super().track(upload_id)
        for known in (self._statuses, self._signals):
            while len(known) > MOST_FOLLOWED:
                del known[next(iter(known))]

    async def is_tracked(self, upload_id: str) -> bool:
        """Wait until an upload has begun; of one that does not, nothing is left."""
        if len(upload_id) > IDENTIFIER_CHARACTERS:
            raise TimeoutError
        try:
            return bool(await super().is_tracked(upload_id))
        finally:
            if upload_id not in self._statuses:
                self._signals.pop(upload_id, None)


class _FewFiles(GradioMultiPartParser):
    """Gradio's parser, which would take a thousand files and fields."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options | {"max_files": MOST_FILES, "max_fields": 0})


async def _upload_apart(request: Request, folder: str, *more: Any, **options: Any) -> Any:
    """Gradio's `upload_fn` into a folder of its own, of which nothing is left if the upload breaks off or holds what
    was not asked for. Raises HTTPException for that, and where there is no room."""
    language, announced = language_of(request), request.headers.get("content-length", "")
    if not announced.isdigit():
        raise HTTPException(411, say(language, "error_no_length"))
    client = network_of(request.client.host if request.client else "")
    if not QUOTA.has_room(client, int(announced)):
        raise HTTPException(503, say(language, "error_no_room"), {"Retry-After": str(int(KEEP_SECONDS))})
    own = Path(folder) / secrets.token_hex(16)
    with QUOTA.upload(own, client, int(announced)):
        try:
            answer = await gradio.route_utils.upload_fn(request, str(own), *more, **options)
            if {str(file) for file in own.rglob("*") if file.is_file()} != set(map(str, answer[0])):
                raise TypeError
        except BaseException as error:
            shutil.rmtree(own, ignore_errors=True)
            # The parser's, Gradio's for a text where a file is expected, and ours.
            if isinstance(error, FormParserError | TypeError) or (
                isinstance(error, MultiPartException) and "maximum allowed size" not in error.message
            ):
                raise HTTPException(400, say(language, "error_upload_fields", most=MOST_FILES)) from error
            if isinstance(error, ClientDisconnect):
                raise HTTPException(499) from error
            raise
    return answer


@dataclass
class UploadQuota:
    """How many uploads and bytes may lie in the folder of uploads at a time, in all and for each client."""

    most_bytes: int = 256_000_000
    most_bytes_of_a_client: int = 128_000_000
    most_uploads: int = 4096
    most_uploads_of_a_client: int = 2048  # a program may show seventeen photographs a second
    clients: dict[Path, str] = field(default_factory=dict)
    sizes: dict[Path, int] = field(default_factory=dict)  # bytes, announced ones while an upload arrives
    arriving: set[Path] = field(default_factory=set)

    def has_room(self, client: str, size: int) -> bool:
        """Whether ``size`` bytes more of ``client`` are taken; the first file is, whatever its size."""
        self.clients = {own: whose for own, whose in self.clients.items() if own in self.arriving or own.is_dir()}
        self.sizes = {own: self.sizes[own] for own in self.clients}
        of_client = [self.sizes[own] for own, whose in self.clients.items() if whose == client]
        total = sum(self.sizes.values())
        if len(self.clients) >= self.most_uploads or len(of_client) >= self.most_uploads_of_a_client:
            return False
        return (not total or size + total <= self.most_bytes) and (
            not of_client or size + sum(of_client) <= self.most_bytes_of_a_client
        )

    @contextmanager
    def upload(self, own: Path, client: str, size: int) -> Iterator[None]:
        """Counts an upload of ``size`` bytes into the folder ``own``, from now until that is gone."""
        self.clients[own], self.sizes[own] = client, size
        self.arriving.add(own)
        try:
            yield
        finally:
            self.arriving.remove(own)
            self.sizes[own] = _size(own)


QUOTA = UploadQuota()


def periodic_sweep(folder: Path, seconds: float = KEEP_SECONDS) -> AbstractContextManager[None]:
    """A context in which whatever has lain in ``folder`` for ``seconds`` is removed, at most an eighth of it later.

    What lies there at the beginning is the pages' own and stays. Gradio removes by itself only what it has on a list.
    """
    kept = {file for file in folder.rglob("*") if file.is_file()}
    return periodically("uploads", seconds / 8, partial(sweep, folder, kept, seconds))


def sweep(folder: Path, kept: Collection[Path], seconds: float) -> None:
    """Removes the files of ``folder`` that are not ``kept`` and were written ``seconds`` ago, and empty folders."""
    oldest = time.time() - seconds
    for path in sorted(folder.rglob("*"), reverse=True):  # what is inside comes first
        with suppress(FileNotFoundError):  # others remove files as well
            if path.is_dir() and not path.is_symlink():
                if path.stat().st_ctime < oldest and not any(path.iterdir()):
                    path.rmdir()
            elif path not in kept and path.lstat().st_ctime < oldest:
                path.unlink()


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += file.stat().st_size if file.is_file() else 0
    return total
