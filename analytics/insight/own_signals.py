"""What a program on a child's tablet may know of its signals: its own alone, and nothing that names the child, the
lesson or anybody else."""

from typing import Any

from analytics.signals.announcements import Announcement, SignalJournals
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError


class OwnSignals:
    """Answers by the ``owner`` of an admission (`analytics.classroom.recorder.RecordingOutcome`)."""

    def __init__(self, store: LessonStore, journals: SignalJournals) -> None:
        self._store = store
        self._journals = journals

    def __call__(self, owner: str, after: str) -> dict[str, Any]:
        """``signals`` after a cursor, and the next ``cursor``. StoreError where the lesson is gone meanwhile."""
        lesson_id, _, child = owner.partition("/")
        lesson = self._store.find_lesson(lesson_id)
        if lesson is None:
            raise StoreError(f"the lesson {lesson_id} is gone")
        told, cursor = self._journals.since(lesson, after, child)
        return {"signals": [own_json(one) for one in told], "cursor": cursor}


def own_json(told: Announcement) -> dict[str, Any]:
    """An announcement without what a child's tablet must not learn: the pseudonym, and the lesson's id, which speaks
    for the whole class. Without the teacher's sentences too, which are not for a child."""
    signal = told.signal
    return {
        "id": signal.id,
        "change": told.change,
        "known": told.known.isoformat(),
        "kind": signal.kind,
        "start": signal.start.isoformat(),
        "raised": signal.raised.isoformat(),
        "end": signal.end.isoformat() if signal.end else None,
        "strength": round(signal.strength, 3),
        "reason_key": signal.reason_key,
        "evidence": signal.evidence,
        "suggestion_key": signal.suggestion_key,
    }
