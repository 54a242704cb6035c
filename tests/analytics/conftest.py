"""What the tests of the lesson store share: real DuckDB files in a folder of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.store.lesson_store import LessonStore
from tests.analytics.examples import make_child, make_lesson


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "lessons.duckdb"


@pytest.fixture
def store(database: Path) -> Iterator[LessonStore]:
    with LessonStore(database) as opened:
        yield opened


@pytest.fixture
def lesson_store(store: LessonStore) -> LessonStore:
    """A store with one open lesson of class 2B and one child in it."""
    store.add_lesson(make_lesson())
    store.put_child(make_child())
    return store
