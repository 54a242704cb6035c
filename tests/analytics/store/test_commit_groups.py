"""What arrives together is committed together; nobody who writes alone waits for others."""

import threading
import time

from analytics.store.lesson_store import LessonStore
from analytics.store.writer import GROUP_SECONDS
from tests.analytics.examples import make_observation


def count_commits(store: LessonStore) -> list[int]:
    """A list that grows by each commit of observations: how many callers it answered."""
    sizes: list[int] = []
    merge = store._writer._merge

    def counting(cursor, payloads):  # type: ignore[no-untyped-def]
        sizes.append(len(payloads))
        return merge(cursor, payloads)

    store._writer._merge = counting
    return sizes


def test_under_load_a_commit_takes_what_arrives_in_a_twentieth_of_a_second(lesson_store: LessonStore) -> None:
    sizes = count_commits(lesson_store)

    def child(number: int) -> None:  # a frame every tenth of a second
        for frame in range(10):
            assert lesson_store.add_observations([make_observation(100 * number + frame)]) == 1
            time.sleep(0.1)

    threads = [threading.Thread(target=child, args=(number,)) for number in range(16)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sizes) == len(lesson_store.observations("lesson-1")) == 160
    # Where one comes alone the next does not wait: half as many again, instead of a commit for nearly each of the 160.
    assert len(sizes) <= 1.5 * (time.monotonic() - began) / GROUP_SECONDS + 10


def test_who_writes_alone_does_not_wait(lesson_store: LessonStore) -> None:
    began = time.monotonic()
    for number in range(40):
        lesson_store.add_observations([make_observation(number)])
    assert time.monotonic() - began < 40 * GROUP_SECONDS / 2


def test_an_event_does_not_wait_for_frames(lesson_store: LessonStore) -> None:
    stopped = threading.Event()
    seconds: list[float] = []

    def child(number: int) -> None:
        frame = 0
        while not stopped.is_set():
            frame += 1
            lesson_store.add_observations([make_observation(10_000 * number + frame)])

    threads = [threading.Thread(target=child, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        began = time.monotonic()
        lesson_store._writer.run(lambda cursor: cursor.execute("SELECT 1"))
        seconds.append(time.monotonic() - began)
        time.sleep(0.01 + number * 0.002)
    stopped.set()
    for thread in threads:
        thread.join()
    assert sorted(seconds)[len(seconds) // 2] < GROUP_SECONDS
