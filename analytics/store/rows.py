"""Rows of the database as records; times leave it as microseconds since 1970, whole numbers in every zone."""

from datetime import UTC, datetime, timedelta
from typing import Any

from analytics.store.records import Child, Consent, Lesson

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LESSON_COLUMNS = (
    "id, code, title, class_name, epoch_us(started_at), planned_minutes, epoch_us(ended_at), synthetic, teacher"
)
CHILD_COLUMNS = (
    "pseudonym, class_name, animal, consent_version, consent_role, epoch_us(consent_given_at), "
    "epoch_us(consent_expires_at), "
    "epoch_us(consent_withdrawn_at)"
)


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
    return Child(row[0], row[1], row[2], consent)


def _time_or_none(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else time_of(microseconds)
