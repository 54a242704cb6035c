"""A teacher's answer to a support signal: seen, helped, or wrong. Stored as a note of the child's lesson, so that it is
drawn, exported and erased like any other event."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from analytics.signals.support import KINDS
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Event

FEEDBACK = ("seen", "helped", "wrong")
_PREFIX = "signal"


@dataclass(frozen=True, slots=True)
class Feedback:
    """``kind``: of the signal, one of `KINDS`. ``answer``: one of `FEEDBACK`. ``signal``: the signal's id."""

    kind: str
    answer: str
    signal: str


def parse_feedback(detail: str) -> Feedback | None:
    """The answer that a note's detail carries; None for a note that somebody wrote. Programs write notes as well, so
    what looks like an answer and names no kind of signal is an ordinary note."""
    parts = detail.split("/", 3)
    if len(parts) != 4 or parts[0] != _PREFIX or parts[1] not in KINDS or parts[2] not in FEEDBACK:
        return None
    return Feedback(kind=parts[1], answer=parts[2], signal=parts[3])


def store_feedback(store: LessonStore, lesson: str, child: str, answer: Feedback, at: datetime) -> None:
    """Stores an answer. ValueError where it is none of `FEEDBACK`, or its kind none of a signal."""
    if answer.answer not in FEEDBACK:
        raise ValueError(f"the answer {answer.answer!r} is unknown: use one of {', '.join(FEEDBACK)}")
    if answer.kind not in KINDS:
        raise ValueError(f"the kind of signal {answer.kind!r} is unknown: use one of {', '.join(KINDS)}")
    detail = "/".join((_PREFIX, answer.kind, answer.answer, answer.signal))
    store.add_event(Event(id=uuid4().hex, lesson=lesson, child=child, at=at, kind="note", detail=detail))


def feedback_by_signal(store: LessonStore, lesson: str) -> dict[str, str]:
    """Signal id -> the latest answer to it, of a whole lesson."""
    found: dict[str, str] = {}
    for event in sorted(store.events(lesson), key=lambda event: event.at):
        answer = parse_feedback(event.detail) if event.kind == "note" else None
        if answer:
            found[answer.signal] = answer.answer
    return found
