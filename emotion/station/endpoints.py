"""The named endpoints of a lesson for other programs: `observe`, `log_event`, `lesson_status`; and `teach`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from emotion.serving.uploads import take_file
from emotion.station.calibration.teaching import Teaching
from emotion.station.frame_intake import FrameIntake
from emotion.station.http_routes import client_address
from emotion.station.observing import FRAME_BYTES, RefusedError
from emotion.station.texts import say

# Waiting costs nothing and the intake keeps its own order, so Gradio need not hold callers back one by one.
CONCURRENCY = 64


def add_endpoints(
    intake: FrameIntake,
    teaching: Teaching,
    language_of: Callable[[gr.Request], str],
    uploads: set[str],
    is_teacher: Callable[[Any], bool] = lambda _: False,
) -> None:
    """Put the four endpoints into the present Blocks, whose uploaded files are ``uploads``. ``is_teacher``: whether a
    request may speak of the whole class by the lesson's code alone."""

    async def taken(image: object, language: str) -> bytes:
        """An uploaded file of this page, which is gone afterwards."""
        path = image.get("path") if isinstance(image, dict) else None
        if not path or path not in uploads:  # an example of the page, say: what is taken is deleted
            raise RefusedError("no_image", say(language, "error_no_image"))
        uploads.discard(path)  # at once: another call with the same file must not meet it half taken
        return await run_in_threadpool(_take, Path(path), language)

    async def observe(
        lesson: str,
        child: str,
        image: gr.FileData,
        at: str | None = None,
        id: str | None = None,
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> dict:
        """Reads the expression in one frame of a child and records it in a running lesson; the frame is dropped.

        lesson: id or code. child: the child's code. image: a file, 640x480 JPEG is enough. at: ISO 8601 with a zone,
        the present if left out. id: makes a repeated call harmless. Returns recorded, expression, probabilities, face,
        faces_seen; where nothing was recorded reason (no_consent, before_consent, lesson_ended, replaced,
        recording_disabled), message.
        """
        language = language_of(request)
        try:
            frame = await taken(image, language)
            return await intake.observe(lesson, child, frame, at, id, "api", client_address(request), language)
        except RefusedError as error:
            raise gr.Error(str(error), print_exception=False) from error

    async def log_event(
        lesson: str,
        kind: str,
        detail: str,
        child: str | None = None,
        at: str | None = None,
        id: str | None = None,
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> dict:
        """Records what happened in a lesson, for one child or (child left out) for the class. Returns recorded and id.

        kind: task_started, task_solved, task_failed, hint, break or note. detail: up to 500 characters, no names. For
        the class lesson is its id, which the teacher page's endpoints tell; its code is for one child.
        """
        language, client = language_of(request), client_address(request)
        try:
            of_teacher = is_teacher(request.request)
            return await intake.log_event(lesson, kind, detail, child, at, id, client, language, of_teacher)
        except RefusedError as error:
            raise gr.Error(str(error), print_exception=False) from error

    async def lesson_status(lesson: str, request: gr.Request = None) -> dict:  # type: ignore[assignment]
        """Tells of a lesson whether it is open, its title, and the seconds left of its planned time."""
        try:
            return await intake.lesson_status(lesson, client_address(request), language_of(request))
        except RefusedError as error:
            raise gr.Error(str(error), print_exception=False) from error

    async def teach(
        child: str,
        label: str,
        burst: int,
        image: gr.FileData,
        id: str | None = None,
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> dict:
        """Teaches the network one child's own face, outside of lessons: keeps 2,048 numbers of a picture, not itself.

        child: the code of a link that the teacher page's calibration_link makes, valid for an hour. label: the
        expression shown, one of the eight. burst: a whole number, one for pictures of one moment (up to five). image: a
        file, 640x480 JPEG is enough. id: makes a repeated call harmless. Returns kept and frames (of the burst), or
        reason (no_face, second_face, too_far, too_dark, blurred, turned_away, burst_full) and message. fit_child of the
        teacher page makes use of it.
        """
        language = language_of(request)
        try:
            frame = await taken(image, language)
            return await teaching.teach(child, label, burst, frame, id, client_address(request), language)
        except RefusedError as error:
            raise gr.Error(str(error), print_exception=False) from error

    options: dict[str, Any] = {"concurrency_limit": CONCURRENCY}
    gr.api(observe, api_name="observe", **options)
    gr.api(log_event, api_name="log_event", **options)
    gr.api(lesson_status, api_name="lesson_status", **options)
    gr.api(teach, api_name="teach", **options)


def _take(path: Path, language: str) -> bytes:
    """The bytes of an uploaded frame; the file is gone afterwards: a picture of a child does not stay on a disk."""
    frame = take_file(path, FRAME_BYTES)
    if frame is None:
        raise RefusedError("too_large", say(language, "error_too_large", limit=FRAME_BYTES // 1_000_000), 413)
    return frame
