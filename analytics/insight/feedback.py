"""What a teacher says to a support signal: seen, helped, or wrong. Kept as a note of the child's lesson, so that it
is drawn, exported
and erased like any other event."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from analytics.store.lesson_store import LessonStore
from analytics.store.records import Event

ANSWERS = ("seen", "helped", "wrong")
_PREFIX = "signal"


@dataclass(frozen=True, slots=True)
class Answer:
    """``kind``: of the signal. ``answer``: one of `ANSWERS`. ``signal``: the signal's id."""

    kind: str
    answer: str
    signal: str


def read_answer(detail: str) -> Answer | None:
    """The answer that a note's detail carries; None for a note that somebody wrote."""
    parts = detail.split("/", 3)
    if len(parts) != 4 or parts[0] != _PREFIX or parts[2] not in ANSWERS:
        return None
    return Answer(kind=parts[1], answer=parts[2], signal=parts[3])


def put_answer(store: LessonStore, lesson: str, child: str, answer: Answer, at: datetime) -> None:
    """Stores an answer. ValueError where it is none of `ANSWERS`."""
    if answer.answer not in ANSWERS:
        raise ValueError(f"the answer {answer.answer!r} is unknown: use one of {', '.join(ANSWERS)}")
    detail = "/".join((_PREFIX, answer.kind, answer.answer, answer.signal))
    store.add_event(Event(id=uuid4().hex, lesson=lesson, child=child, at=at, kind="note", detail=detail))


def answers(store: LessonStore, lesson: str) -> dict[str, str]:
    """Signal id -> the latest answer to it, of a whole lesson."""
    found: dict[str, str] = {}
    for event in sorted(store.events(lesson), key=lambda event: event.at):
        answer = read_answer(event.detail) if event.kind == "note" else None
        if answer:
            found[answer.signal] = answer.answer
    return found
