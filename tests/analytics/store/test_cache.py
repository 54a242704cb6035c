"""Cached lookups are never older than the last change."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from analytics.store.cache import QueryCache
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child
from tests.analytics.examples import START, make_child, make_lesson, make_observation


@pytest.fixture
def reads(store: LessonStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements with which the store reads the database."""
    seen: list[str] = []
    read = store._read
    monkeypatch.setattr(store, "_read", lambda sql, parameters: seen.append(sql) or read(sql, parameters))
    return seen


def test_a_class_that_sends_frames_is_looked_up_once(store: LessonStore, reads: list[str]) -> None:
    store.add_lesson(make_lesson())
    store.put_child(make_child())
    for second in range(5):
        assert store.find_lesson("lesson-1") == make_lesson()
        assert store.find_child(make_child().pseudonym) == make_child()
        store.add_observations([make_observation(second)])
    assert len(reads) == 2


def test_the_end_of_a_lesson_and_a_withdrawn_consent_are_seen_at_once(store: LessonStore) -> None:
    store.add_lesson(make_lesson())
    store.put_child(make_child())
    known = store.find_child(make_child().pseudonym)
    assert known is not None
    assert known.consent is not None
    assert store.find_lesson("lesson-1") == make_lesson()

    end = START + timedelta(minutes=40)
    store.end_lesson("lesson-1", end)
    withdrawn = replace(known, consent=replace(known.consent, withdrawn_at=end))
    store.put_child(withdrawn)
    assert store.find_lesson("lesson-1") == make_lesson(ended_at=end)
    assert store.find_child(known.pseudonym) == withdrawn


def test_an_erased_child_is_not_remembered(store: LessonStore) -> None:
    store.put_child(make_child())
    assert store.find_child(make_child().pseudonym) is not None
    store.erase_child(make_child().pseudonym, "teacher")
    assert store.find_child(make_child().pseudonym) is None


def test_guesses_do_not_fill_the_memory(store: LessonStore) -> None:
    for number in range(50):
        assert store.find_child(f"guess {number}") is None
    assert store._children._known == {}


def test_what_was_read_while_it_changed_is_not_kept(store: LessonStore) -> None:
    store.put_child(make_child())
    cache: QueryCache[Child] = QueryCache(store.database)

    def read_and_be_overtaken() -> Child:
        found = make_child()
        store.put_child(replace(found, animal="owl"))
        return found

    assert cache.get("key", read_and_be_overtaken) == make_child()
    assert cache.get("key", lambda: None) is None


def test_a_reader_never_sees_a_consent_that_was_withdrawn_before_it_asked(store: LessonStore) -> None:
    """Eight readers beside one who changes: what is answered is at least as new as the last change before asking."""
    store.put_child(make_child())
    known = store.find_child(make_child().pseudonym)
    assert known is not None
    assert known.consent is not None
    committed = 0
    stopped = threading.Event()
    stale: list[tuple[int, str]] = []

    def look() -> None:
        while not stopped.is_set():
            before = committed
            found = store.find_child(make_child().pseudonym)
            assert found is not None
            assert found.consent is not None
            if int(found.consent.version.removeprefix("v")) < before:
                stale.append((before, found.consent.version))

    readers = [threading.Thread(target=look) for _ in range(8)]
    store.put_child(replace(known, consent=replace(known.consent, version="v0")))
    for reader in readers:
        reader.start()
    for number in range(1, 150):
        store.put_child(replace(known, consent=replace(known.consent, version=f"v{number}")))
        committed = number
    stopped.set()
    for reader in readers:
        reader.join()
    assert stale == []
