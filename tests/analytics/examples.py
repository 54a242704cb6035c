"""Plain examples of what the lesson store keeps."""

import uuid
from datetime import UTC, datetime, timedelta

from analytics.store.records import Child, Consent, Lesson, Observation

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HAPPY = (0.02, 0.01, 0.03, 0.01, 0.01, 0.7, 0.02, 0.2)


def make_lesson(identity: str = "lesson-1", code: str = "abc234", **changes: object) -> Lesson:
    values: dict[str, object] = {
        "id": identity,
        "code": code,
        "title": "Loops",
        "class_name": "2B",
        "started_at": START,
        "planned_minutes": 45.0,
    }
    return Lesson(**(values | changes))  # type: ignore[arg-type]


def make_child(pseudonym: str = "c" * 20, animal: str = "fox", class_name: str = "2B") -> Child:
    return Child(pseudonym, class_name, animal, Consent("1", "parent", START, START + timedelta(days=365)))


def make_observation(
    second: float = 0.0,
    child: str = "c" * 20,
    lesson: str = "lesson-1",
    probabilities: tuple[float, ...] | None = HAPPY,
    identity: str | None = None,
) -> Observation:
    return Observation(
        id=identity or uuid.uuid4().hex,
        lesson=lesson,
        child=child,
        at=START + timedelta(seconds=second),
        probabilities=probabilities,
        face_quality=None if probabilities is None else 0.8,
        faces_seen=0 if probabilities is None else 1,
        source="webcam",
        model="model-1",
    )
