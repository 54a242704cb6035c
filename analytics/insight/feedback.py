"""A teacher's answer to a support signal: seen, helped, or wrong, and what takes it back. Stored as a note of the
child's lesson, so that it is drawn, exported and erased like any other event.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from analytics.signals.support import DELIGHTED, KINDS
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Event

FEEDBACK = ("seen", "helped", "wrong")
UNDONE = "undone"  # takes the answer before it back
_PREFIX = "signal"


@dataclass(frozen=True, slots=True)
class Feedback:
    """``kind``: of the signal, one of `KINDS`. ``answer``: one of `FEEDBACK`, or `UNDONE`. ``signal``: its id."""

    kind: str
    answer: str
    signal: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The latest answer to a signal, one of `FEEDBACK`, and when it was given."""

    answer: str
    at: datetime


def answers_to(kind: str) -> tuple[str, ...]:
    """The answers that a kind of signal has: nobody helps a child that is delighted."""
    return tuple(answer for answer in FEEDBACK if not (kind == DELIGHTED and answer == "helped"))


def parse_feedback(detail: str) -> Feedback | None:
    """The answer that a note's detail carries; None for a note that somebody wrote. Programs write notes as well, so
    what looks like an answer and names no kind of signal is an ordinary note."""
    parts = detail.split("/", 3)
    if len(parts) != 4 or parts[0] != _PREFIX or parts[1] not in KINDS or parts[2] not in (*FEEDBACK, UNDONE):
        return None
    return Feedback(kind=parts[1], answer=parts[2], signal=parts[3])


def store_feedback(store: LessonStore, lesson: str, child: str, answer: Feedback, at: datetime) -> None:
    """Stores an answer. ValueError where it is none of `answers_to` its kind, or its kind none of a signal."""
    if answer.kind not in KINDS:
        raise ValueError(f"the kind of signal {answer.kind!r} is unknown: use one of {', '.join(KINDS)}")
    possible = (*answers_to(answer.kind), UNDONE)
    if answer.answer not in possible:
        raise ValueError(f"the answer {answer.answer!r} is unknown: use one of {', '.join(possible)}")
    detail = "/".join((_PREFIX, answer.kind, answer.answer, answer.signal))
    store.add_event(Event(id=uuid4().hex, lesson=lesson, child=child, at=at, kind="note", detail=detail))


def feedback_by_signal(store: LessonStore, lesson: str) -> dict[str, Answer]:
    """Signal id -> the latest answer to it, of a whole lesson; without those that were taken back."""
    found: dict[str, Answer] = {}
    for event in sorted(store.events(lesson), key=lambda event: event.at):
        answer = parse_feedback(event.detail) if event.kind == "note" else None
        if answer:
            found[answer.signal] = Answer(answer.answer, event.at)
    return {signal: answer for signal, answer in found.items() if answer.answer != UNDONE}
