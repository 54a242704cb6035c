"""The copy in a private data set of the Hub, against a server of our own that speaks its protocol."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.store import housekeeping
from analytics.store.housekeeping import Housekeeper
from analytics.store.hub_backup import FILE_NAME, HubBackup
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError
from tests.analytics.examples import make_child, make_observation
from tests.analytics.store.hub_dataset import DATASET, HubDataset, hub_dataset

FOX = "f0" * 10


@pytest.fixture
def hub() -> Iterator[HubDataset]:
    with hub_dataset() as state:
        yield state


@pytest.fixture
def class_store(lesson_store: LessonStore) -> LessonStore:
    lesson_store.put_child(make_child(FOX, "bear"))
    lesson_store.add_observations([make_observation(second, FOX) for second in range(50)])
    return lesson_store


def test_what_was_uploaded_comes_back_where_the_disk_is_empty(
    hub: HubDataset, class_store: LessonStore, tmp_path: Path
) -> None:
    HubBackup(DATASET, hub.url).upload(class_store)
    elsewhere = tmp_path / "new disk" / "lessons.duckdb"
    HubBackup(DATASET, hub.url).fetch_if_missing(elsewhere)
    with LessonStore(elsewhere) as store:
        assert len(store.observations("lesson-1", FOX)) == 50
        HubBackup(DATASET, hub.url).upload(store)  # goes on where the other one stopped


def test_a_data_set_that_everybody_can_read_gets_nothing(hub: HubDataset, class_store: LessonStore) -> None:
    hub.private = False
    with pytest.raises(StoreError, match="not private"):
        HubBackup(DATASET, hub.url).upload(class_store)
    assert not [request for request in hub.asked if request.startswith("POST")]


def test_an_erased_child_is_gone_from_the_copy_and_from_its_history_after_the_next_round(
    hub: HubDataset, class_store: LessonStore
) -> None:
    housekeeper = Housekeeper(class_store, 100_000, HubBackup(DATASET, hub.url).upload)
    housekeeper.tick()
    assert FOX.encode() in hub.revisions[-1][FILE_NAME]
    uploads = len(hub.asked)
    housekeeper.tick()
    assert len(hub.asked) == uploads  # nothing to do
    class_store.erase_child(FOX, "teacher")
    housekeeper.tick()
    (files,) = hub.revisions
    assert FOX.encode() not in files[FILE_NAME]


def test_an_empty_database_does_not_replace_the_copy_of_another(
    hub: HubDataset, class_store: LessonStore, tmp_path: Path
) -> None:
    HubBackup(DATASET, hub.url).upload(class_store)
    with (
        LessonStore(tmp_path / "fresh.duckdb") as fresh,
        pytest.raises(StoreError, match="copy of another database"),
    ):
        HubBackup(DATASET, hub.url).upload(fresh)
    assert FOX.encode() in hub.revisions[-1][FILE_NAME]


def test_a_first_start_has_nothing_to_fetch_and_begins_empty(hub: HubDataset, tmp_path: Path) -> None:
    HubBackup(DATASET, hub.url).fetch_if_missing(tmp_path / "lessons.duckdb")
    assert not (tmp_path / "lessons.duckdb").exists()


def test_a_hub_out_of_reach_stops_the_start_and_not_the_housekeeping(class_store: LessonStore, tmp_path: Path) -> None:
    nowhere = HubBackup(DATASET, "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="HF_TOKEN"):
        nowhere.fetch_if_missing(tmp_path / "missing.duckdb")
    with pytest.raises(StoreError, match="HF_TOKEN"):
        nowhere.upload(class_store)
    assert not list(tmp_path.glob("tmp*"))


def test_a_stop_does_not_wait_for_a_network_that_hangs(class_store: LessonStore, monkeypatch) -> None:
    monkeypatch.setattr(housekeeping, "STOP_TIMEOUT", 0.2)
    monkeypatch.setattr(housekeeping, "TICK", 0.01)
    begun, let_go = threading.Event(), threading.Event()

    def hang(_: LessonStore) -> None:
        begun.set()
        let_go.wait(60)

    housekeeper = Housekeeper(class_store, 100_000, hang)
    housekeeper.start()
    assert begun.wait(60)
    housekeeper.stop()
    assert housekeeper._thread.is_alive(), "it was left behind"
    let_go.set()
    housekeeper._thread.join()


def test_nothing_is_uploaded_where_no_data_set_is_named(class_store: LessonStore, hub: HubDataset) -> None:
    Housekeeper(class_store, 100_000).tick()
    assert hub.asked == []
