"""A seeded, clearly labelled synthetic lesson, so that no page is ever empty and every page can be tried without a
child.

Ten children and one story that a teacher should find within a minute: the fox fails task 4 twice, struggles for three
and a half minutes until a hint comes, and then solves it. Beside it the bear tires, the wolf is away, some are
delighted now and then, and nothing happens to the others. Four shorter lessons of the weeks before give the trends
something to show.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from analytics.simulation.child import (
    AWAY,
    DELIGHTED,
    PROFILES,
    STRUGGLING,
    TIRED,
    Profile,
    Readings,
    StateSpan,
    simulate_child,
)
from analytics.simulation.person import typical_person
from analytics.store.lesson_store import LessonStore
from analytics.store.records import SAMPLE_CLASS, Child, Event, Lesson, Observation

SAMPLE_ID = "sample"
SAMPLE_MODEL = "synthetic"
STARTED_AT = datetime(2026, 9, 15, 7, 0, tzinfo=UTC)
MINUTES = 25.0
EARLIER_MINUTES = 12.0
EARLIER_INTERVAL = 2.0  # seconds: the earlier lessons are there for their averages, half as many rows will do
EARLIER_LESSONS = 4
SEED = 20260920

CALM, LIVELY, SERIOUS, SHY, RESTLESS = PROFILES


@dataclass(frozen=True, slots=True)
class SampleChild:
    """One child of the sample. ``task_events``: (minute, kind of event, detail)."""

    animal: str
    profile: Profile
    spans: tuple[StateSpan, ...]
    task_events: tuple[tuple[float, str, str], ...]


def _span(kind: str, start: float, end: float) -> StateSpan:
    return StateSpan(kind, start * 60, end * 60)


def _solved(*minutes: float) -> tuple[tuple[float, str, str], ...]:
    return tuple((minute, "task_solved", f"task {number}") for number, minute in enumerate(minutes, start=1))


# Minutes since the start at which the class begins tasks 1 to 5.
TASKS = (0.3, 4.5, 9.0, 13.5, 19.6)

# The robot is home: what the board of a lesson that is over shows, which is the first that anybody sees of the page.
LAST_JOY = _span(DELIGHTED, 24.4, MINUTES)

SAMPLE_CHILDREN: tuple[SampleChild, ...] = (
    SampleChild("badger", RESTLESS, (), _solved(3.9, 8.6, 12.1, 18.0, 24.1)),
    SampleChild("bear", CALM, (_span(TIRED, 12.0, MINUTES),), _solved(3.2, 7.4, 12.4, 18.9)),
    SampleChild("deer", LIVELY, (_span(DELIGHTED, 2.95, 3.6), LAST_JOY), _solved(2.9, 6.8, 11.7, 16.9, 23.1)),
    SampleChild(
        "fox",
        CALM,
        (_span(STRUGGLING, 15.1, 18.6),),
        (
            *_solved(3.0, 7.9, 12.0),
            (14.6, "task_failed", "task 4"),
            (15.0, "task_failed", "task 4"),
            (18.2, "hint", "task 4"),
            (19.2, "task_solved", "task 4"),
            (23.4, "task_solved", "task 5"),
        ),
    ),
    SampleChild(
        "hare",
        CALM,
        (_span(DELIGHTED, 12.7, 13.5), _span(DELIGHTED, 22.8, 23.5), LAST_JOY),
        _solved(3.4, 8.0, 12.65, 17.2, 22.75),
    ),
    SampleChild("hedgehog", SHY, (), _solved(3.8, 8.3, 12.5, 17.8, 24.0)),
    SampleChild("otter", LIVELY, (_span(DELIGHTED, 6.15, 6.7), LAST_JOY), _solved(2.7, 6.1, 10.9, 16.0, 21.9)),
    SampleChild(
        "owl", SERIOUS, (), (*_solved(3.1, 7.2, 11.4), (15.9, "task_failed", "task 4"), (17.4, "task_solved", "task 4"))
    ),
    SampleChild("squirrel", CALM, (LAST_JOY,), _solved(3.3, 7.0, 11.9, 17.1, 22.6)),
    SampleChild(
        "wolf", CALM, (_span(AWAY, 7.8, 10.9), _span(AWAY, 24.8, MINUTES)), _solved(3.5, 7.6, 13.0, 18.3, 24.3)
    ),
)


def ensure_sample_lesson(store: LessonStore) -> Lesson:
    """The sample lesson, made on the first call. Calling again, also after an interrupted call, changes nothing that
    is there."""
    existing = store.find_lesson(SAMPLE_ID)
    if existing is not None and existing.ended_at is not None:
        return existing
    for child in SAMPLE_CHILDREN:
        if store.find_child(pseudonym_of(child)) is None:
            store.put_child(Child(pseudonym_of(child), SAMPLE_CLASS, child.animal, None))
    for weeks in range(EARLIER_LESSONS, 0, -1):
        _add_earlier_lesson(store, weeks)
    return _add_main_lesson(store)


def pseudonym_of(child: SampleChild) -> str:
    """Sample children never had a code, so their pseudonym is made of their animal."""
    return f"{SAMPLE_ID}-{child.animal}"


def is_sample_child(child: Child) -> bool:
    """Whether a child was made up: the pseudonyms of measured ones are hexadecimal digits."""
    return child.pseudonym.startswith(f"{SAMPLE_ID}-")


def _add_main_lesson(store: LessonStore) -> Lesson:
    _add_if_missing(
        store, Lesson(SAMPLE_ID, SAMPLE_ID, "Loops with the robot", SAMPLE_CLASS, STARTED_AT, MINUTES, None, True)
    )
    rows: list[Observation] = []
    for child, readings in sample_readings():
        rows.extend(observations_of(readings, SAMPLE_ID, child, STARTED_AT))
    store.add_observations(rows)
    for event in sample_events(SAMPLE_ID):
        store.add_event(event)
    return store.end_lesson(SAMPLE_ID, STARTED_AT + timedelta(minutes=MINUTES))


def _add_earlier_lesson(store: LessonStore, weeks: int) -> None:
    """A lesson without incidents but for the fox, who finds the lessons harder from week to week."""
    rng = np.random.default_rng(SEED + weeks)
    lesson_id, started_at = f"{SAMPLE_ID}-{EARLIER_LESSONS + 1 - weeks}", STARTED_AT - timedelta(weeks=weeks)
    title = f"First steps {EARLIER_LESSONS + 1 - weeks}"
    _add_if_missing(store, Lesson(lesson_id, lesson_id, title, SAMPLE_CLASS, started_at, EARLIER_MINUTES, None, True))
    rows: list[Observation] = []
    for child in SAMPLE_CHILDREN:
        hard = _span(STRUGGLING, 6.0, 6.0 + 0.5 * (EARLIER_LESSONS - weeks))
        readings = simulate_child(
            rng,
            child.profile,
            (hard,) if child.animal == "fox" else (),
            EARLIER_MINUTES * 60,
            typical_person(),
            interval=EARLIER_INTERVAL,
        )
        rows.extend(observations_of(readings, lesson_id, pseudonym_of(child), started_at))
    store.add_observations(rows)
    store.end_lesson(lesson_id, started_at + timedelta(minutes=EARLIER_MINUTES))


def _add_if_missing(store: LessonStore, lesson: Lesson) -> None:
    if store.find_lesson(lesson.id) is None:
        store.add_lesson(lesson)


def observations_of(readings: Readings, lesson_id: str, child: str, started_at: datetime) -> Iterator[Observation]:
    """The readings of one child as rows of a lesson. ``started_at``: aware."""
    probabilities = readings.probabilities.tolist()
    for index, second in enumerate(readings.seconds.tolist()):
        seen = readings.truth[index] >= 0
        yield Observation(
            id=f"{child}-{index}",
            lesson=lesson_id,
            child=child,
            at=started_at + timedelta(seconds=second),
            probabilities=tuple(probabilities[index]) if seen else None,
            face_quality=float(readings.quality[index]) if seen else None,
            faces_seen=1 if seen else 0,
            source="simulation",
            model=SAMPLE_MODEL,
        )


def sample_readings() -> Iterator[tuple[str, Readings]]:
    """(Pseudonym, readings) of every child of the main lesson, always the same."""
    rng = np.random.default_rng(SEED)
    for child in SAMPLE_CHILDREN:
        yield pseudonym_of(child), simulate_child(rng, child.profile, child.spans, MINUTES * 60, typical_person())


def sample_events(lesson_id: str) -> Iterator[Event]:
    """What happens in the main lesson, as events of ``lesson_id``."""
    for number, minute in enumerate(TASKS, start=1):
        at = STARTED_AT + timedelta(minutes=minute)
        yield Event(f"task-{number}", lesson_id, None, at, "task_started", f"task {number}")
    for child in SAMPLE_CHILDREN:
        for number, (minute, kind, detail) in enumerate(child.task_events):
            at = STARTED_AT + timedelta(minutes=minute)
            yield Event(f"{child.animal}-{number}", lesson_id, pseudonym_of(child), at, kind, detail)
