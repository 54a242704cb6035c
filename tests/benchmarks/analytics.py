"""How long the teacher's questions take, with one lesson and with a school year in the file, while a lesson is
recorded.

    python -m tests.benchmarks.analytics                    one lesson, 1 million rows, a school year (20 million)
    python -m tests.benchmarks.analytics --rows 81000       one size only

Lessons of 30 children, 45 minutes, one frame a second (81,000 rows) are generated inside DuckDB, ten classes in turn.
Then 30 stations record into one more lesson, which is 20 minutes old, through `LessonStore.add_observations`, one row
a second each, while every question is asked again and again. Prints a table and keeps it as JSON with the other
results.
"""

import argparse
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from analytics.charts.child import child_lessons
from analytics.insight.lesson_summary import lesson_summary
from analytics.insight.timeline import child_timeline, class_board
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, Lesson, Observation
from analytics.teacher.export import FORMATS, export_lesson
from tests.benchmarks.bench import keep, percentiles, show

CHILDREN = 30
SECONDS = 45 * 60
LESSON_ROWS = CHILDREN * SECONDS
CLASSES = 10
TASKS = 6
SIZES = (LESSON_ROWS, 1_000_000, 20_000_000)
LIVE_SECONDS = 20 * 60
REPEATS = 30

# Peaked distributions as a classifier gives them, an expression lasting a minute; one frame in ten without a face;
# stations that send at any moment of their second.
GENERATE = """
INSERT INTO observation
WITH frames AS (
    SELECT i // {children} AS second, i % {children} AS child, random() < 0.1 AS absent,
           [pow(random(), 6) / 2
            + CASE WHEN hash(i % {children}, i // {children} // 60) % 8 = key THEN 1 ELSE 1e-4 END
            FOR key IN range(8)] AS raw
    FROM range({rows}) AS frame(i)
), scaled AS (SELECT *, list_sum(raw) AS total FROM frames)
SELECT $lesson, $first_child + child, $start::TIMESTAMPTZ + to_microseconds(((second + random()) * 1e6)::BIGINT),
       (random() * 1.8e19)::UBIGINT,
       {probabilities},
       CASE WHEN absent THEN NULL ELSE 0.5 + random() / 2 END, CASE WHEN absent THEN 0 ELSE 1 END, 'webcam',
       CASE WHEN absent THEN '' ELSE 'resnet152-1' END
FROM scaled
"""

# Every task is started by the class; a fifth of the children fail it, the others solve it.
GENERATE_EVENTS = """
INSERT INTO event
WITH parts AS (
    SELECT task, part, part = {children} AS class,
           task * {span} + CASE WHEN class THEN 0 ELSE 60 + 7 * part END AS second
    FROM range({tasks}) AS tasks(task), range({children} + 1) AS parts(part)
)
SELECT uuid()::VARCHAR, $1, CASE WHEN class THEN NULL ELSE $2 + part END,
       $3::TIMESTAMPTZ + to_microseconds((second * 1e6)::BIGINT),
       CASE WHEN class THEN 'task_started' WHEN (part + task) % 5 = 0 THEN 'task_failed' ELSE 'task_solved' END,
       'task ' || (task + 1)
FROM parts
"""


def class_name(index: int) -> str:
    return f"class {index}"


def pseudonym(index: int, child: int) -> str:
    return f"{index:04d}{child:016d}"


def add_lesson(store: LessonStore, number: int, start: datetime, seconds: int, ended: bool) -> Lesson:
    """Generates one lesson of class ``number`` % CLASSES inside DuckDB."""
    index = number % CLASSES
    end = start + timedelta(seconds=seconds) if ended else None
    lesson = Lesson(f"lesson-{number}", f"code-{number}", f"Lesson {number}", class_name(index), start, 45, end)
    store.add_lesson(lesson)
    if not store.children(lesson.class_name):
        for child in range(CHILDREN):
            store.put_child(Child(pseudonym(index, child), lesson.class_name, f"animal {child}"))
    values = ", ".join(f"CASE WHEN absent THEN NULL ELSE raw[{place}] / total END" for place in range(1, 9))
    with store.database.cursor() as cursor:
        lesson_number, first_child = cursor.execute(
            "SELECT (SELECT number FROM lesson WHERE id = ?), (SELECT min(number) FROM child WHERE class_name = ?)",
            [lesson.id, lesson.class_name],
        ).fetchall()[0]
        cursor.execute(
            GENERATE.format(children=CHILDREN, rows=CHILDREN * seconds, probabilities=values),
            {"lesson": lesson_number, "first_child": first_child, "start": start},
        )
        cursor.execute(
            GENERATE_EVENTS.format(children=CHILDREN, tasks=TASKS, span=seconds / TASKS),
            [lesson_number, first_child, start],
        )
    return lesson


class Recording:
    """30 stations that record one row a second each, as context manager; ``seconds`` holds how long each row took."""

    def __init__(self, store: LessonStore, lesson: Lesson, index: int) -> None:
        self._store, self._lesson, self._index = store, lesson, index
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._station, args=(child,)) for child in range(CHILDREN)]
        self.seconds: list[float] = []

    def __enter__(self) -> "Recording":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _station(self, child: int) -> None:
        due = time.monotonic() + child / CHILDREN
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += 1.0
            probabilities = (0.1, 0.05, 0.05, 0.05, 0.05, 0.3, 0.1, 0.3)
            row = Observation(
                uuid.uuid4().hex,
                self._lesson.id,
                pseudonym(self._index, child),
                datetime.now(UTC),
                probabilities,
                0.8,
                1,
                "webcam",
                "resnet152-1",
            )
            begun = time.perf_counter()
            self._store.add_observations([row])
            self.seconds.append(time.perf_counter() - begun)


def timed(call: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each of ``repeats`` calls, after one that is not counted."""
    call()
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return seconds


def measure(store: LessonStore, rows: int, count: int, repeats: int) -> dict[str, Any]:
    """Records and asks at the present size of the file."""
    now = datetime.now(UTC)
    with store.database.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    size = store.path.stat().st_size
    live = add_lesson(
        store, 10_000 + rows // 1000 * CLASSES, now - timedelta(seconds=LIVE_SECONDS), LIVE_SECONDS, ended=False
    )
    past = f"lesson-{(count - 1) // CLASSES * CLASSES}"  # the newest finished lesson of class 0
    child = pseudonym(0, 3)
    questions: dict[str, Callable[[], object]] = {
        "timeline of a child": lambda: child_timeline(store, past, child),
        "timeline of a child, live": lambda: child_timeline(store, live.id, child),
        "class board, live": lambda: class_board(store, live.id, datetime.now(UTC)),
        "lesson summary": lambda: lesson_summary(store, past),
        "trends of a child": lambda: child_lessons(store, class_name(0), child),
        **{f"export {name}": lambda name=name: export_lesson(store, past, name, "benchmark") for name in FORMATS},
    }
    answers = {}
    with Recording(store, live, 0) as recording:
        time.sleep(2)
        for name, question in questions.items():
            answers[name] = percentiles(timed(question, 3 if name.startswith("export") else repeats))
    answers["record one row"] = percentiles(recording.seconds)
    store.end_lesson(live.id, datetime.now(UTC))
    return {"rows": rows, "bytes": size, "megabytes_per_million_rows": size / rows, "milliseconds": answers}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES), help="sizes of the file, ascending")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="how often each question is asked")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder, LessonStore(Path(folder) / "lessons.duckdb") as store:
        count = 0
        for rows in sorted(options.rows):
            while count * LESSON_ROWS < rows:
                start = datetime.now(UTC) - timedelta(days=300) + timedelta(hours=count)
                add_lesson(store, count, start, SECONDS, ended=True)
                count += 1
            result = measure(store, count * LESSON_ROWS, count, options.repeats)
            results.append(result)
            title = f"{result['rows']:,} rows, {result['megabytes_per_million_rows']:.1f} MB per million (milliseconds)"
            show(title, [{"question": name} | values for name, values in result["milliseconds"].items()])
    keep("analytics", results=results)


if __name__ == "__main__":
    main()
