"""A process that records as a lesson does, for the tests that kill it: prints the number of each row that was
acknowledged.

    python writing_process.py DATABASE FIRST      threads write rows FIRST, FIRST + 1, … until the process is killed
"""

import itertools
import sys
import threading
from pathlib import Path

from analytics.store.lesson_store import LessonStore
from tests.analytics.examples import make_child, make_lesson, make_observation

THREADS = 4


def main() -> None:
    store = LessonStore(Path(sys.argv[1]))
    if store.find_lesson("lesson-1") is None:
        store.add_lesson(make_lesson())
        store.put_child(make_child())
    numbers = itertools.count(int(sys.argv[2]))

    def write() -> None:
        for number in numbers:
            store.add_observations([make_observation(number, identity=str(number))])
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()

    threads = [threading.Thread(target=write, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
