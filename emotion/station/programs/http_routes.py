"""The station's half of the interface for programs: frames, events, a lesson's state, one child's own signals.

Who has a lesson's and a child's code may record for that child and read its signals, nothing else.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from emotion.serving.language import language_of
from emotion.serving.programs.event_streams import EventStreams
from emotion.station.form_body import read_form
from emotion.station.frame_intake import FrameIntake
from emotion.station.http_routes import client_address, read_body
from emotion.station.observing import EVENT_KINDS, FRAME_BYTES, RefusedError, read_identifier
from emotion.station.programs.own_signals import OwnSignals, SignalsOfChild
from emotion.station.texts import say

EXAMPLE = Path(__file__).parent / "static" / "example.html"
# Of what is an ordinary state of a lesson elsewhere, and an answer: to a program it is a refusal like any other.
STATES = {
    "no_consent": 403,
    "before_consent": 403,
    "recording_disabled": 403,
    "other_tablet": 409,
    "lesson_ended": 409,
    "replaced": 409,
}

LessonCode = Annotated[str, Query(description="The lesson's code")]
ChildCode = Annotated[str, Query(description="The child's code")]
LONGEST_AGE = 24 * 3600.0  # seconds: a lesson is no longer
AGE = "Seconds that have passed since then, instead of at: for a tablet whose clock may be off"
After = Annotated[str, Query(description="The cursor of the answer before; left out: from the beginning")]


class NewEvent(BaseModel):
    """Something that happened in a lesson."""

    lesson: str = Field(description="The lesson's code; its id for an event of the whole class")
    kind: str = Field(description=f"One of {', '.join(EVENT_KINDS)}; or a word of your own, such as robot_crashed")
    detail: str = Field("", description="Up to 500 characters, no names; of a task its name")
    child: str | None = Field(None, description="The child's code; left out: the whole class")
    at: str | None = Field(None, description="ISO 8601 with a zone; left out: now")
    age: float | None = Field(None, ge=0, le=LONGEST_AGE, description=AGE)
    id: str | None = Field(None, description="Makes a repeated call harmless")


def add_station_routes(
    api: FastAPI,
    intake: FrameIntake,
    signals_of: SignalsOfChild | None,
    streams: EventStreams,
    is_teacher: Any,
    now: Callable[[], datetime],
) -> None:
    """Put the routes on ``api``. ``signals_of``: None where nothing is recorded. ``is_teacher``: whether a request may
    speak of the whole class by the lesson's code alone. ``now``: the clock that dates what is recorded."""
    own = OwnSignals(intake, signals_of)

    def dated(at: str | None, age: float | None, language: str) -> str | None:
        if age is None:
            return at
        if at:
            raise RefusedError("two_times", say(language, "error_two_times"))
        return (now() - timedelta(seconds=age)).isoformat()

    @api.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> JSONResponse:
        headers = {"Retry-After": str(round(error.retry_after) + 1)} if error.retry_after else None
        return JSONResponse({"reason": error.reason, "error": str(error)}, error.status, headers)

    @api.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> JSONResponse:
        return JSONResponse({"reason": "gone", "error": ""}, 499)

    @api.post("/station/observe", summary="Send a frame", openapi_extra=_frame_body())
    async def observe(
        request: Request,
        lesson: LessonCode = "",
        child: ChildCode = "",
        at: Annotated[str | None, Query(description="ISO 8601 with a zone; left out: now")] = None,
        age: Annotated[float | None, Query(ge=0, le=LONGEST_AGE, description=AGE)] = None,
        id: Annotated[str | None, Query(description="Makes a repeated call harmless")] = None,
        station: Annotated[str | None, Query(description="Names the tablet: one at a time records for a child")] = None,
        program: Annotated[str | None, Query(description="The sender's own name and version, stored as source")] = None,
    ) -> dict[str, Any]:
        """Reads the expression in one frame of a child and records it; the frame is dropped. The body is a JPEG
        (640x480 is enough, 2 MB at most), or a form with one file and the arguments as fields; 6 a second at most.
        Answers recorded, expression (null without a face), probabilities, face (box, quality), faces_seen. Reasons of
        refusals: unknown_lesson, unknown_child, no_consent, before_consent, lesson_ended, other_tablet, replaced (a
        newer frame of the child came first), busy."""
        language = language_of(request)
        body = await read_body(request, FRAME_BYTES, language)
        image, fields = read_form(body, request.headers.get("content-type", ""), language)
        lesson, child = lesson or fields.get("lesson", ""), child or fields.get("child", "")
        at = dated(at or fields.get("at"), age, language)
        id, station = id or fields.get("id"), station or fields.get("station")
        client, named = client_address(request), read_identifier(program or fields.get("program"), language)
        source = f"api:{named}" if named else "api"
        return _served(await intake.observe(lesson, child, image, at, id, source, client, language, station))

    @api.post("/station/events", summary="Log an event")
    async def log_event(request: Request, event: NewEvent) -> dict[str, Any]:
        """Records what happened in a lesson, for one child or for the class. Of a child 60 at once, then 15 a minute.
        Answers recorded and id. Reasons of refusals: unknown_lesson, unknown_child, bad_event, no_consent,
        lesson_ended, in_future, before_lesson, class_event (the code is for one child), other_event (the id is
        another one's), busy."""
        language, client, teacher = language_of(request), client_address(request), bool(is_teacher(request))
        answer = await intake.log_event(
            event.lesson,
            event.kind,
            event.detail,
            event.child,
            dated(event.at, event.age, language),
            event.id,
            client,
            language,
            teacher,
        )
        return _served(answer)

    @api.get("/station/lesson", summary="The state of a lesson")
    async def lesson_status(request: Request, lesson: LessonCode) -> dict[str, Any]:
        """Whether it is open, its title, and the seconds left of its planned time."""
        return await intake.lesson_status(lesson, client_address(request), language_of(request))

    @api.get("/station/signals", summary="One child's own signals")
    async def own_signals(request: Request, lesson: LessonCode, child: ChildCode, after: After = "") -> dict[str, Any]:
        """The signals of the child whose code is given, of nobody else, while the lesson runs: for the program on its
        tablet, which may offer a break, the teacher, a hint or the assistant. Answers signals (id, change since the
        cursor: raised, changed, ended, withdrawn; known, kind, start, raised, end, strength, reason_key, evidence,
        suggestion_key) and cursor. Do not show the kind or the reason to the child."""
        return await own.since(lesson, child, after, client_address(request), language_of(request))

    @api.get("/station/signals/stream", summary="One child's own signals, as they come", response_class=Response)
    async def stream(request: Request, lesson: LessonCode, child: ChildCode, after: After = "") -> Response:
        """As /station/signals, each answer that has signals as a server-sent event whose id is the cursor; within a
        second of the frame. Ends after a minute: connect again with Last-Event-ID, as an EventSource does."""
        client, language = client_address(request), language_of(request)

        async def poll(cursor: str) -> dict[str, Any]:
            return await own.since(lesson, child, cursor, client, language)

        owner = "child " + " ".join(intake.observer.plain_codes(lesson, child))
        return await streams.answer(request, owner, poll, after, RefusedError)

    @api.get("/station/example", include_in_schema=False)
    async def example() -> FileResponse:
        return FileResponse(EXAMPLE, media_type="text/html")


def _served(answer: dict[str, Any]) -> dict[str, Any]:
    """``answer`` if something was recorded. Raises `RefusedError`."""
    if answer["recorded"]:
        return answer
    reason = str(answer["reason"])
    raise RefusedError(reason, str(answer["message"]), STATES[reason])


def _frame_body() -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    form = {"schema": {"type": "object", "properties": {"image": {"type": "string", "format": "binary"}}}}
    return {"requestBody": {"required": True, "content": {"image/jpeg": binary, "multipart/form-data": form}}}
