"""A backup knows nothing of what was withdrawn or erased after it: a restore plays that into it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analytics.store.kept_copies import copies_of
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, Consent, Lesson, Observation, StoreError
from analytics.store.recovery import restore
from analytics.store.revocations import Revocations, fingerprint

BEGAN = datetime(2026, 9, 1, 8, tzinfo=UTC)
NAMES = ("fox", "owl", "hare")


def consent(given_at: datetime = BEGAN, withdrawn_at: datetime | None = None) -> Consent:
    return Consent("1", "parent", given_at, given_at + timedelta(days=300), withdrawn_at)


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup on a disk of its own, of a class with three children and one lesson."""
    with LessonStore(tmp_path / "app" / "lessons.duckdb") as store:
        store.add_lesson(Lesson("l", "AAAA", "Robots", "2B", BEGAN, 45))
        for name in NAMES:
            store.put_child(Child(f"pseudonym-{name}", "2B", name, consent()))
            store.add_observations(
                [
                    Observation(f"{name}{i}", "l", f"pseudonym-{name}", BEGAN, None, None, 0, "test", "m")
                    for i in range(5)
                ]
            )
        return Path(shutil.copy(store.backup(), tmp_path / "usb-stick.duckdb"))


def database(tmp_path: Path) -> Path:
    return tmp_path / "app" / "lessons.duckdb"


def test_a_child_erased_since_the_backup_stays_erased(tmp_path: Path, backup: Path) -> None:
    with LessonStore(database(tmp_path)) as store:
        assert store.erase_child("pseudonym-fox", "teacher").steps_left == 0
    restore(backup, database(tmp_path))
    with LessonStore(database(tmp_path)) as store:
        assert store.find_child("pseudonym-fox") is None
        assert set(store.observations("l")["child"]) == {"pseudonym-owl", "pseudonym-hare"}
        assert ("replayed", "1 erasures, 0 withdrawals of consent") in [
            (entry.action, entry.detail) for entry in store.audit_entries()
        ]
    assert b"pseudonym-fox" not in database(tmp_path).read_bytes(), "nor do its bytes"


def test_a_consent_withdrawn_since_the_backup_stays_withdrawn(tmp_path: Path, backup: Path) -> None:
    at = BEGAN + timedelta(days=2)
    with LessonStore(database(tmp_path)) as store:
        store.put_child(Child("pseudonym-owl", "2B", "owl", consent(withdrawn_at=at)))
    restore(backup, database(tmp_path))
    with LessonStore(database(tmp_path)) as store:
        owl, hare = store.find_child("pseudonym-owl"), store.find_child("pseudonym-hare")
        assert owl is not None
        assert hare is not None
        assert owl.consent == consent(withdrawn_at=at)
        assert hare.consent == consent()
        assert len(store.observations("l")) == 15, "withdrawing erases nothing"


def test_it_holds_where_the_present_database_is_lost(tmp_path: Path, backup: Path) -> None:
    with LessonStore(database(tmp_path)) as store:
        store.erase_child("pseudonym-fox", "teacher")
    database(tmp_path).unlink()
    restore(backup, database(tmp_path))
    with LessonStore(database(tmp_path)) as store:
        assert store.find_child("pseudonym-fox") is None


def test_who_agreed_anew_after_it_keeps_that(tmp_path: Path, backup: Path) -> None:
    withdrawn, anew = BEGAN + timedelta(days=2), BEGAN + timedelta(days=3)
    with LessonStore(database(tmp_path)) as store:
        store.put_child(Child("pseudonym-owl", "2B", "owl", consent(withdrawn_at=withdrawn)))
        store.put_child(Child("pseudonym-owl", "2B", "owl", consent(anew)))
        later = shutil.copy(store.backup(), tmp_path / "later.duckdb")
    restore(Path(later), database(tmp_path))
    with LessonStore(database(tmp_path)) as store:
        owl = store.find_child("pseudonym-owl")
        assert owl is not None
        assert owl.consent == consent(anew)
    restore(backup, database(tmp_path))
    with LessonStore(database(tmp_path)) as store:
        owl = store.find_child("pseudonym-owl")
        assert owl is not None
        assert owl.consent is not None
        assert owl.consent.withdrawn_at == withdrawn, "the older backup knows nothing of the new consent"


def test_the_list_names_nobody_and_is_for_its_owner_alone(tmp_path: Path, backup: Path) -> None:
    with LessonStore(database(tmp_path)) as store:
        store.erase_child("pseudonym-fox", "teacher")
        store.put_child(Child("pseudonym-owl", "2B", "owl", consent(withdrawn_at=BEGAN)))
        store.put_child(Child("pseudonym-owl", "2B", "owl", consent(withdrawn_at=BEGAN)))
    path = Revocations(database(tmp_path)).path
    text = path.read_text()
    assert "pseudonym" not in text
    assert text.count(fingerprint("pseudonym-fox")) == text.count(fingerprint("pseudonym-owl")) == 1
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"{}\n", b"[" * 100_000, b'{"child": "a", "what": "erased", "at": "x"}']
)
def test_a_list_that_cannot_be_read_stops_the_restore_and_changes_nothing(
    tmp_path: Path, backup: Path, content: bytes
) -> None:
    before = database(tmp_path).read_bytes()
    Revocations(database(tmp_path)).path.write_bytes(content)
    with pytest.raises(StoreError, match="put it back as it was, or delete it"):
        restore(backup, database(tmp_path))
    assert database(tmp_path).read_bytes() == before


def test_a_withdrawal_that_cannot_be_written_down_is_not_made(tmp_path: Path, backup: Path) -> None:
    with LessonStore(database(tmp_path)) as store:
        Revocations(database(tmp_path)).path.mkdir()
        with pytest.raises(StoreError, match="what a backup must not bring back"):
            store.put_child(Child("pseudonym-owl", "2B", "owl", consent(withdrawn_at=BEGAN)))
        assert store.erase_child("pseudonym-fox", "teacher").steps_left, "it is tried again"
        owl = store.find_child("pseudonym-owl")
        assert owl is not None
        assert owl.consent == consent()
        assert store.find_child("pseudonym-fox") is not None


def test_files_kept_aside_are_on_the_list_that_erasing_walks(tmp_path: Path, backup: Path) -> None:
    kept = restore(backup, database(tmp_path))
    assert kept is not None
    assert kept in copies_of([database(tmp_path)])
    with LessonStore(database(tmp_path)) as store:
        assert store.erase_child("pseudonym-fox", "teacher").steps_left == 0
    assert b"pseudonym-fox" not in kept.read_bytes()
