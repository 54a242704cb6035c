"""A long lesson on a real server: does anything grow? Stations at one frame a second, the teacher's board open.

    python -m tests.benchmarks.soak [--minutes 30] [--stations 30] [--runtime auto]

Every second the server's process is looked at, every minute becomes a row: resident memory, threads, file handles,
cores used, latency of the answered frames, what was answered, replaced, refused. Below it the slopes (least squares
over the minutes after the first, which fills caches), what they would come to in a school day, and the memory some
seconds after the lesson, with the board closed: what the board needs for the lesson's rows is given back. Run it on an
idle machine.
"""

import argparse
import asyncio
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.benchmarks.bench import frame, jpeg, keep, percentiles, show
from tests.benchmarks.classroom import FRAMES, Tally, Watch, child, first_answer, look_at_board
from tests.running_app import RunningApp, prepare_lesson, recorded_rows, running_app

SCHOOL_DAY = 6 * 60  # minutes
AFTERWARDS = 15  # seconds
SAMPLES = ("resident MB", "threads", "handles", "cores used", "p50 ms", "p95 ms")


@dataclass
class Look(Watch):
    """The server's process every second, threads and open files too."""

    threads: list[int] = field(default_factory=list)
    handles: list[int] = field(default_factory=list)

    def look(self, pid: int) -> None:
        """Notes the process as it is now."""
        super().look(pid)
        status = Path(f"/proc/{pid}/status").read_text()
        self.threads.append(int(status.partition("Threads:")[2].split()[0]))
        self.handles.append(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))


@dataclass(frozen=True)
class Soaked:
    """``rows``: one per minute. ``slopes``: growth per minute of `SAMPLES`, by name. ``missing``: rows that were
    acknowledged and are not in the database. ``afterwards``: resident MB, `AFTERWARDS` seconds after the lesson.
    """

    rows: list[dict[str, float]]
    slopes: dict[str, float]
    board_errors: list[str]
    missing: int
    afterwards: float


async def lesson_by_minutes(
    app: RunningApp, lesson: str, codes: tuple[str, ...], minutes: int
) -> tuple[list[dict[str, float]], int]:
    """The clients of `classroom` all the time; -> a row per minute, and how many frames were acknowledged."""
    tally, frames = Tally(), [jpeg(frame(seed)) for seed in range(FRAMES)]
    end = time.monotonic() + 60 * minutes
    clients = [
        asyncio.create_task(child(number, code, lesson, app.url, frames, end, tally))
        for number, code in enumerate(codes)
    ]
    rows: list[dict[str, float]] = []
    answered = replaced = failed = 0
    for minute in range(1, minutes + 1):
        watch, until = Look(), end - 60 * (minutes - minute)
        while time.monotonic() < until:
            watch.look(app.process.pid)
            await asyncio.sleep(1)
        times = tally.seconds[answered:]
        latency = percentiles(times) if times else {"p50": float("nan"), "p95": float("nan")}
        rows.append(
            {
                "minute": minute,
                "resident MB": round(float(np.mean(watch.resident)) / 1e6, 1),
                "threads": max(watch.threads),
                "handles": max(watch.handles),
                "cores used": round((watch.processor[-1] - watch.processor[0]) / max(1, len(watch.processor) - 1), 2),
                "p50 ms": latency["p50"],
                "p95 ms": latency["p95"],
                "answered": len(times),
                "replaced": tally.replaced.total() - replaced,
                "failed": tally.failures.total() - failed,
            }
        )
        print(rows[-1], flush=True)
        answered, replaced, failed = len(tally.seconds), tally.replaced.total(), tally.failures.total()
    await asyncio.gather(*clients)
    for reason, count in tally.failures.items():
        print(f"failed {count}: {reason}")
    return rows, len(tally.seconds)


def slopes(rows: list[dict[str, float]]) -> dict[str, float]:
    """Growth per minute of each of `SAMPLES` after the first minute; NaN with fewer than two minutes left."""
    later = rows[1:]
    minutes = np.array([row["minute"] for row in later], float)
    found = {}
    for name in SAMPLES:
        values = np.array([row[name] for row in later], float)
        found[name] = float(np.polyfit(minutes, values, 1)[0]) if len(later) > 1 else float("nan")
    return found


def soak(stations: int, minutes: int, environment: dict[str, str]) -> Soaked:
    """A lesson of ``minutes`` with ``stations`` on a fresh server and database."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared = prepare_lesson(folder, children=stations, minutes=minutes + 15)
        lesson = prepared.lesson.id
        with running_app(folder, **environment) as app:
            first_answer(app, lesson, prepared.codes[0])
            stopped, board, errors = threading.Event(), [], []
            teacher = threading.Thread(target=look_at_board, args=(app.url, lesson, stopped, board, errors))
            teacher.start()
            try:
                rows, acknowledged = asyncio.run(lesson_by_minutes(app, lesson, prepared.codes, minutes))
            finally:
                stopped.set()
                teacher.join()
            time.sleep(AFTERWARDS)
            watch = Watch()
            watch.look(app.process.pid)
            assert app.stop() == 0
        missing = acknowledged + 1 - recorded_rows(folder, lesson)
    return Soaked(rows, slopes(rows), errors, missing, round(watch.resident[0] / 1e6, 1))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--stations", type=int, default=30)
    parser.add_argument("--runtime", default="auto")
    arguments = parser.parse_args()
    found = soak(arguments.stations, arguments.minutes, {"EMOTION_RUNTIME": arguments.runtime})
    show(f"{arguments.stations} stations at one frame a second, runtime {arguments.runtime}", found.rows)
    growth = [
        {"what": name, "per minute": round(slope, 4), "in a school day": round(slope * SCHOOL_DAY, 1)}
        for name, slope in found.slopes.items()
    ]
    show("Growth after the first minute", growth)
    print(f"Acknowledged rows that are not in the database: {found.missing}; errors of the board: {found.board_errors}")
    print(f"{AFTERWARDS} s after the lesson, the board closed: {found.afterwards} MB")
    keep(
        "soak",
        stations=arguments.stations,
        minutes=arguments.minutes,
        rows=found.rows,
        growth=growth,
        missing=found.missing,
        board_errors=found.board_errors,
        afterwards=found.afterwards,
    )


if __name__ == "__main__":
    main()
