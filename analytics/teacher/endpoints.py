"""The named endpoints of the teacher page: what other programs call through gradio_client. Each docstring documents
its endpoint."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from inspect import signature
from typing import Any

import gradio as gr
import pandas as pd

from analytics.charts.timeline import timeline_figure, timeline_table
from analytics.insight.lesson_summary import lesson_summary as summarise
from analytics.insight.timeline import child_timeline, class_board
from analytics.signals.announcements import Announcement, SignalJournals
from analytics.signals.support import Signal
from analytics.simulation.demonstration import speed_of
from analytics.store.records import Child, Lesson
from analytics.teacher.arguments import check_texts
from analytics.teacher.calibration_endpoints import add_calibration_api
from analytics.teacher.calibrations import set_calibration_consent
from analytics.teacher.context import (
    TeacherContext,
    UserError,
    as_gradio_error,
    check_language,
    check_name,
    check_number,
)
from analytics.teacher.small_groups import is_small
from analytics.teacher.tabs.child import save_correction
from analytics.teacher.tabs.classes import LONGEST_CONSENT, LONGEST_LESSON, enrol_children
from analytics.teacher.tabs.lesson import child_tasks_json, lesson_moments, tasks_table
from analytics.words.sentences import animal_name, erasing_text, reason_text, suggestion_text
from analytics.words.texts import say

PURPOSES = ("recording", "calibration")  # of a consent


def lesson_json(lesson: Lesson) -> dict[str, Any]:
    """A lesson as the endpoints tell it."""
    return {
        "lesson": lesson.id,
        "code": lesson.code,
        "title": lesson.title,
        "class_name": lesson.class_name,
        "started_at": lesson.started_at.isoformat(),
        "minutes": lesson.planned_minutes,
        "ended_at": lesson.ended_at.isoformat() if lesson.ended_at else None,
        "synthetic": lesson.synthetic,
    }


def announcement_json(told: Announcement, animal: str, language: str, running: bool) -> dict[str, Any]:
    """What became known of a signal, and the signal."""
    return {
        **signal_json(told.signal, animal, language, running),
        "change": told.change,
        "known": told.known.isoformat(),
    }


def signal_json(signal: Signal, animal: str, language: str, running: bool) -> dict[str, Any]:
    """A signal as the endpoints tell it, with its sentences in ``language``."""
    return {
        "id": signal.id,
        "lesson": signal.lesson,
        "child": signal.child,
        "animal": animal,
        "kind": signal.kind,
        "start": signal.start.isoformat(),
        "raised": signal.raised.isoformat(),
        "end": signal.end.isoformat() if signal.end else None,
        "strength": round(signal.strength, 3),
        "reason_key": signal.reason_key,
        "evidence": signal.evidence,
        "suggestion_key": signal.suggestion_key,
        "reason": reason_text(language, signal),
        "suggestion": suggestion_text(language, signal, running),
    }


def table_json(table: pd.DataFrame) -> dict[str, Any]:
    """A table as ``headers`` and ``data`` (a list per row), as Gradio's own data frames travel."""
    return {"headers": [str(name) for name in table.columns], "data": table.astype(object).to_numpy().tolist()}


def parse_time(text: str) -> datetime:
    """ISO 8601 with a zone. `UserError` where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise UserError("error_time", value=str(text)[:40]) from None
    if found.tzinfo is None:
        raise UserError("error_time", value=str(text)[:40])
    return found


def consent_json(child: Child) -> dict[str, Any]:
    """What may be told of a child's consent."""
    consent = child.consent
    return {
        "child": child.pseudonym,
        "animal": child.animal,
        "class_name": child.class_name,
        "given": consent is not None and consent.withdrawn_at is None,
        "expires_at": consent.expires_at.isoformat() if consent else None,
    }


def endpoint_adder(context: TeacherContext) -> Callable[[Callable[..., Any]], None]:
    """Puts a handler into the page that is being built, as an endpoint under its own name: what it is given is checked,
    and what it raises is said in the caller's language."""

    def endpoint(handler: Callable[..., Any]) -> None:
        parameters = signature(handler)

        @wraps(handler)
        def guarded(*arguments: Any, **named: Any) -> Any:
            try:
                positional, by_name = check_texts(parameters, arguments, named)
                return handler(*positional, **by_name)
            except Exception as error:
                raise as_gradio_error(error, language_in(arguments, named)) from error

        def language_in(arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
            request = next((value for value in (*arguments, *named.values()) if isinstance(value, gr.Request)), None)
            given = [value for value in (*arguments, *named.values()) if value in ("en", "ru")]
            return given[0] if given else context.language_of(request)

        gr.api(guarded, api_name=handler.__name__, concurrency_limit=4)

    return endpoint


def teacher_handlers(context: TeacherContext) -> dict[str, Callable[..., Any]]:
    """What the endpoints do, by their names; the plain routes call the same."""
    journals = context.journals or SignalJournals(context.store)
    played = SignalJournals(context.store)  # of lessons that are in no database

    def start_lesson(title: str, class_name: str, minutes: float, request: gr.Request) -> dict:
        """Starts a lesson now. ``title`` and ``class_name``: 1 to 120 characters; ``minutes``: 1 to 240.

        Answers ``lesson`` (its id), ``code`` (what children enter on the station page), and the rest of the lesson.
        """
        language = context.language_of(request)
        lesson = context.recorder.start_lesson(
            check_name("title", title, language),
            check_name("class_name", class_name, language),
            check_number("minutes_label", minutes, 1, LONGEST_LESSON, language),
        )
        return lesson_json(lesson)

    def end_lesson(lesson: str, request: gr.Request) -> dict:
        """Ends a lesson (id or code) now; stations stop recording. One that has ended stays as it is. Answers the
        lesson."""
        return lesson_json(context.recorder.end_lesson(context.lesson(lesson).id))

    def list_lessons(class_name: str = "", request: gr.Request = None) -> list:  # type: ignore[assignment]
        """The lessons of a class, or all of them, the newest first. The sample lesson has ``synthetic`` true."""
        return [lesson_json(lesson) for lesson in context.store.lessons(class_name.strip() or None)]

    def timeline(lesson: str, child: str, language: str = "", request: gr.Request = None) -> tuple[dict, dict]:  # type: ignore[assignment]
        """One child's lesson. ``child``: code or pseudonym; ``language``: en or ru, by default the caller's.

        Answers a Plotly figure (``type`` "plotly", ``plot`` its JSON: `plotly.io.from_json` reads it) with times in
        UTC, and the same
        as a table (``headers``, ``data``): at, eight probabilities, valence, arousal (null where no face was seen),
        face.
        """
        spoken = check_language(language, context.language_of(request))
        found = context.lesson(lesson)
        known = context.child(found.id, child)
        curves = child_timeline(context.store, found.id, known.pseudonym)
        signals = [signal for signal in context.signals(found) if signal.child == known.pseudonym]
        figure = timeline_figure(curves, spoken, "UTC", signals)
        return {"type": "plotly", "plot": figure.to_json()}, table_json(timeline_table(curves))

    def class_board_endpoint(lesson: str, request: gr.Request) -> list:
        """A row per child of the lesson's class: child, animal, state (one of the eight expressions, away, or silent
        where no frame came
        lately), since, seconds, signal (the kind that lasts now, or null), sparkline (valence, oldest first, null
        without a face), two_tablets (whether a second tablet tried the code in the last minute)."""
        found = context.lesson(lesson)
        contested = context.recorder.contested(found)
        return [
            {
                "child": row.child,
                "animal": row.animal,
                "state": row.state,
                "since": row.since.isoformat(),
                "seconds": round(row.seconds, 1),
                "signal": row.signal,
                "sparkline": [None if value is None else round(value, 3) for value in row.sparkline],
                "two_tablets": row.child in contested,
            }
            for row in class_board(context.store, found.id, context.now(found))
        ]

    def lesson_summary(lesson: str, language: str = "", request: gr.Request = None) -> dict:  # type: ignore[assignment]
        """The whole lesson: ``lesson``; ``heat`` (children, starts of the stretches, mean valence of each, null
        without a face);
        ``tasks`` (a table); ``child_tasks`` (child, animal, task, started, seconds, attempts, failures, solved: the
        time, or null); ``signals``; ``moments`` (at, child, kind, words). ``language``: en or ru, by default the
        caller's."""
        spoken = check_language(language, context.language_of(request))
        found = context.lesson(lesson)
        summary = summarise(context.store, found.id)
        signals = context.signals(found)
        names = context.animals(found)
        if context.hides_small_groups and is_small(len(summary.children)):
            raise UserError("small_group_hidden")
        heat = context.heat_map(found)
        return {
            "lesson": lesson_json(found),
            "heat": {
                "children": [
                    {"child": child, "animal": animal_name(spoken, animal)} for child, animal in heat.children
                ],
                "starts": [start.isoformat() for start in heat.starts],
                "valence": [
                    [None if value != value else round(float(value), 3) for value in row] for row in heat.cells
                ],
            },
            "tasks": table_json(tasks_table(summary, spoken)),
            "child_tasks": child_tasks_json(summary, names, spoken),
            "signals": [
                signal_json(signal, names.get(signal.child, ""), spoken, found.ended_at is None) for signal in signals
            ],
            "moments": [
                {"at": moment.at.isoformat(), "child": moment.child, "kind": moment.kind, "words": moment.words}
                for moment in lesson_moments(context, found, signals, spoken)
            ],
        }

    def signals(lesson: str, after: str = "", request: gr.Request = None) -> dict:  # type: ignore[assignment]
        """Support signals in the order in which they became known: poll with the ``cursor`` of the answer before,
        first with "".

        Answers ``signals`` (id, child, animal, kind, start, raised, end, strength, reason, suggestion and their keys;
        ``change`` since that cursor: raised, changed, ended, or withdrawn where later frames show that there was none;
        ``known``: when that became known) and ``cursor``. Each comes once for each change, also one that a late frame
        raised in the past. After a start of the app all are told anew, with the ids that they had.
        """
        found = context.lesson(lesson)
        told, cursor = (journals if speed_of(found.id) is None else played).since(found, parse_cursor(after))
        names, language = context.animals(found), context.language_of(request)
        return {
            "signals": [
                announcement_json(one, names.get(one.signal.child, ""), language, found.ended_at is None)
                for one in told
            ],
            "cursor": cursor,
        }

    def annotate(
        lesson: str,
        child: str,
        from_: str,
        to: str,
        label: str = "",
        note: str = "",
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> dict:
        """A teacher's own label (one of the eight expressions, or "") and note for a span of a child's lesson.

        ``child``: code or pseudonym; ``from_`` and ``to``: ISO 8601 with a zone, within the lesson. Answers ``id``.
        """
        found = context.lesson(lesson)
        known = context.child(found.id, child)
        begin, finish = parse_time(from_), parse_time(to)
        return {"id": save_correction(context, found, known.pseudonym, begin, finish, label.strip(), note.strip())}

    def set_consent(
        child: str = "",
        class_name: str = "",
        given: bool = True,
        role: str = "parent",
        days: float = 365,
        purpose: str = "recording",
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> dict:
        """Puts consent on file (``given``), or withdraws it. An empty ``child`` enrols a new child of ``class_name``
        and answers its fresh
        ``code``, which is shown this once and stored nowhere; else ``child`` is a code (with its class) or a pseudonym.

        ``role``: who agreed, for example parent, never a name; ``days``: how long it is valid. ``purpose``: recording,
        or calibration for a child on file, which has a consent of its own: that the network is fitted to its face, as
        long as the one to record it; to withdraw it deletes what was taught.
        Answers child, animal, class_name, given, expires_at, and code where one was made; after a withdrawal
        ``message`` offers the erasure.
        """
        language = context.language_of(request)
        valid = check_number("roster_days", days, 1, LONGEST_CONSENT, language)
        who = check_name("roster_role", role, language)
        if purpose not in PURPOSES:
            raise UserError("error_purpose", value=purpose[:40])
        if purpose == "calibration":
            changed = set_calibration_consent(context, context.child(class_name, child), given, who)
            given = changed.calibration_consent is not None
            answer = {**consent_json(changed), "given": given, "code": None}
            name = animal_name(language, changed.animal)
            return (
                answer if given else answer | {"message": say(language, "calibration_consent_withdrawn", animal=name)}
            )
        if not child.strip():
            if not given:
                raise UserError("error_child", child="")
            name = check_name("class_name", class_name, language)
            ((code, enrolled),) = enrol_children(context, name, 1, who, valid)
            return {**consent_json(enrolled), "code": code}
        known = context.child(class_name, child)
        changed = context.recorder.set_consent(
            known.pseudonym, given, known.class_name, who, context.consent_version, valid
        )
        answer = {**consent_json(changed), "code": None}
        if not given:
            word = say(language, "erase_word")
            name = animal_name(language, changed.animal)
            offered = say(language, "erasure_offered", animal=name, word=word)
            answer["message"] = f"{offered} {say(language, 'erasure_call')}"
        return answer

    def erase_child(child: str, class_name: str = "", request: gr.Request = None) -> dict:  # type: ignore[assignment]
        """Erases everything that is stored of a child (pseudonym, or code with its class): there is no way back.

        Answers ``rows``, and ``steps_left``: 0 when the child is in no file any more. What could not be done at once (a
        full disk, a copy on the Hub) is tried again by itself; ``message`` says what that is, and a second call how far
        it is then."""
        known = context.erasable(class_name, child)
        rows, steps = context.erase(known, "api")
        message = erasing_text(context.language_of(request), steps) if steps else ""
        return {"child": known.pseudonym, "rows": rows, "steps_left": len(steps), "message": message}

    class_board_endpoint.__name__ = "class_board"
    handlers: tuple[Callable[..., Any], ...] = (
        start_lesson, end_lesson, list_lessons, timeline, class_board_endpoint, lesson_summary, signals, annotate,
        set_consent, erase_child,
    )  # fmt: skip
    return {handler.__name__: handler for handler in handlers}


def add_teacher_api(context: TeacherContext) -> None:
    """Adds the endpoints to the page that is being built."""
    endpoint = endpoint_adder(context)
    for handler in teacher_handlers(context).values():
        endpoint(handler)
    if context.calibrator is not None:
        add_calibration_api(context, endpoint)
    add_export(context)


def add_export(context: TeacherContext) -> None:
    """The endpoints that answer a file: Gradio hands files to clients through a component only."""
    lesson, kind, file = gr.Textbox(visible=False), gr.Textbox(visible=False), gr.File(visible=False)

    def export_lesson(lesson: str, format: str, request: gr.Request) -> str:
        """The rows of a lesson as a file with a data dictionary. ``format``: csv, parquet or json.

        A CSV is for an English spreadsheet (commas between cells, decimal points); for a caller whose Accept-Language
        is ru for a Russian one (semicolons, decimal commas). README.txt beside it has the lines that read it."""
        language = context.language_of(request)
        try:
            return str(context.export(context.lesson(lesson), format, "api", language))
        except Exception as error:
            raise as_gradio_error(error, language) from error

    def export_child(child: str, class_name: str, request: gr.Request) -> str:
        """All that is held about a child (pseudonym, or code with its class) as one JSON file that explains itself:
        consents, lessons, observations, events, corrections, and what was taught of its face. For its parents, who may
        ask for it."""
        language = context.language_of(request)
        try:
            return str(context.export_child(context.child(class_name, child), "api", language))
        except Exception as error:
            raise as_gradio_error(error, language) from error

    for handler, inputs in ((export_lesson, [lesson, kind]), (export_child, [lesson, kind])):
        gr.Button(visible=False).click(
            handler, inputs, file, api_name=handler.__name__, show_progress="hidden", concurrency_limit=2
        )


def parse_cursor(text: str) -> str:
    """A cursor as `analytics.signals.announcements` makes it, or "". `UserError` for anything else."""
    digits, dash, name = text.partition("-")
    if text and not (dash and name and digits.isascii() and digits.isdigit() and len(digits) == 17):
        raise UserError("error_cursor", value=text[:40])
    return text
