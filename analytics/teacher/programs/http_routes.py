"""The teacher's half of the interface for programs. Each route calls the handler of a named endpoint; what is allowed
is decided before (`analytics.access.login`) and below (`analytics.teacher.class_view`).
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Protocol

import gradio as gr
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import Response
from fastapi.security import HTTPBearer
from gradio.context import LocalContext

from analytics.store.records import StoreError
from analytics.teacher.context import TeacherContext
from analytics.teacher.endpoints import consent_json, lesson_json, teacher_handlers
from analytics.teacher.programs.bodies import ChangedConsent, ErasedChild, NewChild, NewLesson
from analytics.teacher.programs.refusals import add_refusals
from analytics.words.user_errors import UserError

BEARER = HTTPBearer(auto_error=False, description="A token: python -m analytics.access.accounts token add NAME")

THREADS, MOST_WAITING = 6, 64  # of calls at a time; Gradio runs four of each endpoint

ClassName = Annotated[str, Query(description="Of one class; left out: of all that the caller sees")]
Language = Annotated[str, Query(description="en or ru; left out: by Accept-Language")]
After = Annotated[str, Query(description="The cursor of the answer before; left out: from the beginning")]


class Streams(Protocol):
    """Answers streams of server-sent events; handed in from outside."""

    async def answer(
        self,
        request: Request,
        owner: str,
        poll: Callable[[str], Awaitable[dict[str, Any]]],
        after: str,
        refusals: type[Exception] | tuple[type[Exception], ...],
    ) -> Response:
        """A stream for ``owner`` of what ``poll`` answers after a cursor, first after ``after``."""


def add_teacher_routes(api: FastAPI, context: TeacherContext, streams: Streams) -> None:
    """Put the routes, and the answers to what they refuse, on ``api``."""
    handlers, served = teacher_handlers(context), _Calls()
    add_refusals(api, context.language_of)
    router = APIRouter(dependencies=[Depends(BEARER)])

    @router.get("/lessons", summary="The lessons, the newest first")
    async def list_lessons(request: Request, class_name: ClassName = "") -> dict[str, Any]:
        """Those of the caller's classes, each with lesson (its id), code, title, class_name, started_at, minutes,
        ended_at (null while it runs), synthetic (the sample)."""
        return {"lessons": await served(handlers["list_lessons"], request, class_name)}

    @router.post("/lessons", summary="Start a lesson", status_code=201)
    async def start_lesson(request: Request, lesson: NewLesson) -> dict[str, Any]:
        """Starts it now. Answers the lesson: its id for this interface, its code for the tablets."""
        return await served(handlers["start_lesson"], request, lesson.title, lesson.class_name, lesson.minutes)

    @router.get("/lessons/{lesson}", summary="A lesson")
    async def find_lesson(request: Request, lesson: str) -> dict[str, Any]:
        """By its id or code."""
        return await served(lambda request: lesson_json(context.lesson(lesson)), request)

    @router.post("/lessons/{lesson}/end", summary="End a lesson")
    async def end_lesson(request: Request, lesson: str) -> dict[str, Any]:
        """Ends it now; one that has ended stays as it is. Answers the lesson."""
        return await served(handlers["end_lesson"], request, lesson)

    @router.get("/lessons/{lesson}/board", summary="How the children are just now")
    async def board(request: Request, lesson: str) -> dict[str, Any]:
        """A row for each child: child, animal, state (an expression, away, or silent), since, seconds, signal,
        sparkline, two_tablets."""
        return {"children": await served(handlers["class_board"], request, lesson)}

    @router.get("/lessons/{lesson}/signals", summary="Support signals")
    async def signals(request: Request, lesson: str, after: After = "") -> dict[str, Any]:
        """In the order in which they became known: poll with the cursor of the answer before. Each has id, child,
        animal, kind, change since that cursor (raised, changed, ended, withdrawn), known, start, raised, end, strength,
        reason and suggestion with their keys, evidence. After a start of the app all come anew with the same ids."""
        return await served(handlers["signals"], request, lesson, after)

    @router.get("/lessons/{lesson}/signals/stream", summary="Support signals, as they come", response_class=Response)
    async def stream(request: Request, lesson: str, after: After = "") -> Response:
        """As signals, each answer that has some as a server-sent event whose id is the cursor; within a second of the
        frame. Ends after a minute: connect again with Last-Event-ID, as an EventSource does."""

        async def poll(cursor: str) -> dict[str, Any]:
            return await served(handlers["signals"], request, lesson, cursor)

        found = await served(lambda request: context.lesson(lesson).id, request)  # however it was spelled
        owner = f"teacher {request.scope.get('teacher')} {found}"
        return await streams.answer(request, owner, poll, after, (UserError, StoreError))

    @router.get("/lessons/{lesson}/timeline", summary="One child's lesson, frame by frame")
    async def timeline(
        request: Request,
        lesson: str,
        child: Annotated[str, Query(description="The child's code or pseudonym")],
        language: Language = "",
        figure: Annotated[bool, Query(description="Whether to draw it: plot, a Plotly figure as JSON")] = False,
    ) -> dict[str, Any]:
        """headers and data, a row for each frame: at, the eight probabilities, valence, arousal (null where no face was
        seen), face."""
        drawn, table = await served(handlers["timeline"], request, lesson, child, language)
        return table | ({"plot": drawn["plot"]} if figure else {})

    @router.get("/lessons/{lesson}/summary", summary="The whole lesson")
    async def summary(request: Request, lesson: str, language: Language = "") -> dict[str, Any]:
        """lesson, heat (children, starts of the stretches, mean valence), tasks (a table), signals, moments."""
        return await served(handlers["lesson_summary"], request, lesson, language)

    @router.get("/children", summary="The children of a class")
    async def children(request: Request, class_name: Annotated[str, Query()]) -> dict[str, Any]:
        """Each with child (pseudonym), animal, class_name, given (whether consent is on file), expires_at; no codes:
        they are stored nowhere."""
        return await served(
            lambda request: {"children": [*map(consent_json, context.store.children(class_name))]}, request
        )

    @router.post("/children", summary="Enrol a child", status_code=201)
    async def enrol(request: Request, child: NewChild) -> dict[str, Any]:
        """A new child of a class whose parents have agreed. Answers child (pseudonym), animal, class_name, given,
        expires_at, and code, which is told this once."""
        return await served(handlers["set_consent"], request, "", child.class_name, True, child.role, child.days)

    @router.post("/children/consent", summary="Give or withdraw consent")
    async def consent(request: Request, change: ChangedConsent) -> dict[str, Any]:
        """Of a child on file; from the next frame on. Answers child, animal, class_name, given, expires_at; after a
        withdrawal message offers the erasure."""
        asked = (change.child, change.class_name, change.given, change.role, change.days, change.purpose)
        return await served(handlers["set_consent"], request, *asked)

    @router.post("/children/erase", summary="Erase a child")
    async def erase(request: Request, child: ErasedChild) -> dict[str, Any]:
        """Erases everything that is stored of a child: there is no way back. Answers child, rows, steps_left (0 when it
        is in no file any more), message."""
        return await served(handlers["erase_child"], request, child.child, child.class_name)

    api.include_router(router)


class _Calls:
    """Calls of handlers in threads of their own: who asks for many summaries at once does not keep frames waiting."""

    def __init__(self) -> None:
        self.threads = CapacityLimiter(THREADS)

    async def __call__(self, handler: Callable[..., Any], request: Request, *arguments: Any) -> Any:
        """What a handler of an endpoint answers to ``request``. `UserError` where too many calls wait already."""
        if self.threads.statistics().tasks_waiting >= MOST_WAITING:
            raise UserError("error_busy")
        return await to_thread.run_sync(partial(_served, handler, request, *arguments), limiter=self.threads)


def _served(handler: Callable[..., Any], request: Request, *arguments: Any) -> Any:
    """The caller is known to what the handler reads and writes as that of a call through Gradio."""
    asked = gr.Request(request, username=request.scope.get("teacher"))
    token = LocalContext.request.set(asked)
    try:
        return handler(*arguments, request=asked)
    finally:
        LocalContext.request.reset(token)
