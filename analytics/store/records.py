"""The plain values that go into and come out of the lesson store, the checks that a value passes before it is stored,
and how lessons and children are read from their rows.
"""

import hashlib
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from emotion.labels import KEYS

SUM_TOLERANCE = 1e-3  # float32 softmax of eight classes is off by less than 1e-6; half precision by less than 1e-3
MAXIMUM_TEXT = (
    2000  # characters of a title, detail or note: a page of text, and a bound on what a hostile client can store
)
MOST_FACES = 255  # what the one byte of `faces_seen` holds; it stands for so many and more
EVENT_KINDS = ("task_started", "task_solved", "task_failed", "hint", "break", "note")
OTHER_KIND = re.compile(r"(?!task_)[a-z][a-z0-9_]{0,39}")  # of a learning environment: a word of its own

MAXIMUM_PLAN = 366 * 24 * 60.0  # minutes: every lesson has an end that a calendar can hold
# A lesson that nobody ends goes on this long after its planned end, then closes itself.
OVERTIME = timedelta(minutes=15)

SAMPLE_CLASS = "Sample class"  # of the synthetic lesson that every teacher can look at

# What is selected of a row; times leave the database as microseconds since 1970, whole numbers in every zone.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LESSON_COLUMNS = (
    "id, code, title, class_name, epoch_us(started_at), planned_minutes, epoch_us(ended_at), synthetic, teacher"
)
CHILD_COLUMNS = (
    "pseudonym, class_name, animal, consent_version, consent_role, epoch_us(consent_given_at), "
    "epoch_us(consent_expires_at), epoch_us(consent_withdrawn_at), epoch_us(calibration_consent_at)"
)


class StoreError(RuntimeError):
    """The store could not do what was asked. The message says what, with which file, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson. ``ended_at`` is None while it runs; ``synthetic`` lessons were made up by a program and are shown
    as such. ``teacher``: the account that started it, "" where nobody knows; it counts the lessons that a teacher has
    open, and gives no rights.
    """

    id: str
    code: str
    title: str
    class_name: str
    started_at: datetime
    planned_minutes: float
    ended_at: datetime | None = None
    synthetic: bool = False
    teacher: str = ""

    def __post_init__(self) -> None:
        _require_text("id", self.id)
        _require_text("code", self.code)
        _require_text("title", self.title, empty=True)
        _require_text("class_name", self.class_name)
        _require_aware("started_at", self.started_at)
        if self.ended_at is not None:
            _require_aware("ended_at", self.ended_at)
        if not 0 < self.planned_minutes <= MAXIMUM_PLAN:  # false for NaN too
            raise ValueError(f"planned_minutes is {self.planned_minutes}: give a number from 0 to {MAXIMUM_PLAN:.0f}")

    @property
    def planned_end(self) -> datetime:
        """When the lesson should be over."""
        return self.started_at + timedelta(minutes=self.planned_minutes)


@dataclass(frozen=True, slots=True)
class Consent:
    """That somebody (a role, not a name) agreed to version ``version`` of the consent text, from when until when."""

    version: str
    role: str
    given_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None = None

    def __post_init__(self) -> None:
        _require_text("version", self.version)
        _require_text("role", self.role)
        _require_aware("given_at", self.given_at)
        _require_aware("expires_at", self.expires_at)
        if self.withdrawn_at is not None:
            _require_aware("withdrawn_at", self.withdrawn_at)

    def holds_at(self, now: datetime) -> bool:
        """Whether recording is allowed at present: not expired, not withdrawn. A withdrawal holds for all times, so a
        frame taken before it that arrives after it is refused too; and what is on file was given, even where the
        clock was set back since."""
        return self.withdrawn_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Child:
    """A child as the store knows it: a pseudonym, the class, the animal that stands for it in the class, and
    consent. ``calibration_consent``: since when the network may be fitted to its face, by a consent of its own; None:
    it may not.
    """

    pseudonym: str
    class_name: str
    animal: str
    consent: Consent | None = None
    calibration_consent: datetime | None = None

    def __post_init__(self) -> None:
        _require_text("pseudonym", self.pseudonym)
        _require_text("class_name", self.class_name)
        _require_text("animal", self.animal)
        if self.calibration_consent is not None:
            _require_aware("calibration_consent", self.calibration_consent)

    def may_be_calibrated(self, now: datetime) -> bool:
        """Whether the network may be fitted to its face at present, and read it so: both consents hold."""
        return self.calibration_consent is not None and self.consent is not None and self.consent.holds_at(now)


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame of one child. ``lesson``: its id. ``child``: the pseudonym. ``probabilities``: eight values in the
    order of `emotion.labels.KEYS`, or None where no face was seen. ``face_quality``: 0 to 1, None without a face.
    ``faces_seen``: 0 or more, stored as `MOST_FACES` where there were more than that.
    """

    id: str
    lesson: str
    child: str
    at: datetime
    probabilities: tuple[float, ...] | None
    face_quality: float | None
    faces_seen: int
    source: str
    model: str

    def __post_init__(self) -> None:
        _require_text("id", self.id)
        _require_text("lesson", self.lesson)
        _require_text("child", self.child)
        _require_aware("at", self.at)
        _require_text("source", self.source, empty=True)
        _require_text("model", self.model, empty=True)
        if self.probabilities is not None:
            _require_distribution(self.probabilities)
        if self.face_quality is not None and not 0 <= self.face_quality <= 1:
            raise ValueError(f"face_quality is {self.face_quality}: it must lie between 0 and 1, or be None")
        if self.faces_seen < 0:
            raise ValueError(f"faces_seen is {self.faces_seen}: it must be 0 or more")

    @property
    def fingerprint(self) -> int:
        """The first 64 bits of SHA-256 over child and id: what makes a repeated observation recognisable within its
        lesson.

        Stored instead of the id, which saves 24 bytes and more of each row. With n rows in a lesson two different ids
        meet with a probability of about n²/2 / 2⁶⁴: 2e-10 for a class of 30 at one frame a second for 45 minutes. The
        child is part of it, so nobody can keep another child's frame out by using its id first.
        """
        return int.from_bytes(hashlib.sha256(f"{self.child}\0{self.id}".encode()).digest()[:8], "big")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a lesson: to one child, or (``child`` None) to the whole class."""

    id: str
    lesson: str
    child: str | None
    at: datetime
    kind: str
    detail: str = ""

    def __post_init__(self) -> None:
        _require_text("id", self.id)
        _require_text("lesson", self.lesson)
        if self.child is not None:
            _require_text("child", self.child)
        _require_aware("at", self.at)
        _require_text("detail", self.detail, empty=True)
        if self.kind not in EVENT_KINDS and not OTHER_KIND.fullmatch(self.kind):
            raise ValueError(
                f"event kind {self.kind[:40]!r} is unknown: use one of {', '.join(EVENT_KINDS)}, or a word of your "
                "own in small letters that does not begin with task_"
            )


@dataclass(frozen=True, slots=True)
class Correction:
    """A teacher's own label or note for a span of a child's lesson; ``at`` is when it was written."""

    id: str
    lesson: str
    child: str
    start: datetime
    end: datetime
    label: str
    note: str
    at: datetime

    def __post_init__(self) -> None:
        _require_text("id", self.id)
        _require_text("lesson", self.lesson)
        _require_text("child", self.child)
        _require_text("note", self.note, empty=True)
        for name in ("start", "end", "at"):
            _require_aware(name, getattr(self, name))
        if self.end < self.start:
            raise ValueError(f"the span ends ({self.end.isoformat()}) before it starts ({self.start.isoformat()})")
        if self.label and self.label not in KEYS:
            raise ValueError(f"label {self.label[:40]!r} is unknown: use one of {', '.join(KEYS)}, or leave it empty")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who exported, erased or changed consent, and when."""

    at: datetime
    actor: str
    action: str
    detail: str


def closing_time(lesson: Lesson) -> datetime:
    """When a lesson that nobody ends closes itself."""
    return lesson.planned_end + OVERTIME


def utc_now() -> datetime:
    """The present, aware and in UTC."""
    return datetime.now(UTC)


def storable(value: object) -> object:
    """A parameter of a query. Half a surrogate pair, which no database can hold, becomes the replacement character,
    so that looking for it finds nothing.
    """
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value


def _require_text(name: str, value: str, empty: bool = False) -> None:
    if not isinstance(value, str) or (not value and not empty):
        raise ValueError(f"{name} is {value!r}: give a text that is not empty")
    if len(value) > MAXIMUM_TEXT:
        raise ValueError(f"{name} has {len(value)} characters: at most {MAXIMUM_TEXT} are stored")
    if "\0" in value or (not value.isprintable() and any(0xD800 <= ord(letter) < 0xE000 for letter in value)):
        raise ValueError(f"{name} contains a zero character or half a surrogate pair: send valid Unicode text")


def _require_aware(name: str, value: datetime) -> None:
    if value.tzinfo is None or value.utcoffset() is None:
        raise ValueError(
            f"{name} is {value.isoformat()} without a time zone: give an aware datetime, for example in UTC"
        )


def _require_distribution(values: tuple[float, ...]) -> None:
    if len(values) != len(KEYS):
        raise ValueError(f"{len(values)} probabilities: there must be {len(KEYS)}, in the order {', '.join(KEYS)}")
    for key, value in zip(KEYS, values, strict=True):
        if not 0 <= value <= 1 + SUM_TOLERANCE:  # false for NaN too
            raise ValueError(f"the probability of {key} is {value}: it must lie between 0 and 1")
    if abs(math.fsum(values) - 1) > SUM_TOLERANCE:
        raise ValueError(f"the probabilities sum to {math.fsum(values):.6f}: they must sum to 1")


def time_of(microseconds: int) -> datetime:
    """Microseconds since 1970 -> aware UTC datetime."""
    return EPOCH + timedelta(microseconds=microseconds)


def lesson_of(row: tuple[Any, ...]) -> Lesson:
    """A row of `LESSON_COLUMNS`."""
    return Lesson(row[0], row[1], row[2], row[3], time_of(row[4]), row[5], _time_or_none(row[6]), row[7], row[8])


def child_of(row: tuple[Any, ...]) -> Child:
    """A row of `CHILD_COLUMNS`."""
    consent = None
    if row[3] is not None:
        consent = Consent(row[3], row[4], time_of(row[5]), time_of(row[6]), _time_or_none(row[7]))
    return Child(row[0], row[1], row[2], consent, _time_or_none(row[8]))


def _time_or_none(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else time_of(microseconds)
