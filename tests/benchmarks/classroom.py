"""A real server and a class of real clients over HTTP: one 640x480 JPEG frame a second from each, the board open.

    python -m tests.benchmarks.classroom [--seconds 60] [--clients 10 30 60] [--runtime auto] [--input-size 224]

For each number of clients a fresh server process and database; more than thirty are several classes at once.
Reported: answered, replaced, failed, percentiles from frame sent to row committed (the answer comes after the commit),
CPU and memory of the server. Run it on an idle machine; the clients take their share of the same cores.
"""

import argparse
import asyncio
import os
import tempfile
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from gradio_client import Client

from tests.benchmarks.bench import frame, jpeg, keep, percentiles, show
from tests.benchmarks.sizes import checkpoint_at
from tests.running_app import RunningApp, prepare_lesson, recorded_rows, running_app

CLASS = 30  # children of one class, as a school fills them
FRAMES = 24  # different pictures that the clients take turns with
BOARD_SECONDS = 2.0  # between two looks of the teacher's page
PATIENCE = 30.0  # seconds after which a request counts as failed


@dataclass
class Tally:
    """What the clients saw. ``replaced`` counts by child."""

    seconds: list[float] = field(default_factory=list)
    replaced: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    sent: int = 0


@dataclass
class Watch:
    """The server process every second: resident bytes, and the processor seconds that it used in all."""

    resident: list[int] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def look(self, pid: int) -> None:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        self.resident.append(pages * os.sysconf("SC_PAGE_SIZE"))
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        self.processor.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))


async def child(number: int, code: str, lesson: str, url: str, frames: list[bytes], end: float, tally: Tally) -> None:
    """Sends a frame a second whether or not the last one is answered, as the station page's timer does."""
    async with httpx.AsyncClient(timeout=PATIENCE, limits=httpx.Limits(max_connections=8)) as client:
        running: set[asyncio.Task[None]] = set()
        due = time.monotonic() + (number * 0.618034) % 1  # spread over the second as children's clicks are
        while due < end:
            await asyncio.sleep(max(0, due - time.monotonic()))
            picture = frames[tally.sent % len(frames)]
            task = asyncio.create_task(send(client, url, lesson, code, number, picture, tally))
            running.add(task)
            task.add_done_callback(running.discard)
            due += 1
        await asyncio.gather(*running)


async def send(
    client: httpx.AsyncClient, url: str, lesson: str, code: str, number: int, picture: bytes, tally: Tally
) -> None:
    """One frame, and what became of it."""
    tally.sent += 1
    began = time.monotonic()
    query = {"lesson": lesson, "child": code, "at": datetime.now(UTC).isoformat(), "id": uuid.uuid4().hex}
    try:
        answer = await client.post(f"{url}/observe", params=query, content=picture)
    except httpx.HTTPError as error:
        tally.failures[type(error).__name__] += 1
        return
    if answer.status_code != 200:
        tally.failures[f"{answer.status_code} {answer.text[:80]}"] += 1
        return
    outcome = answer.json()
    if outcome["recorded"]:
        tally.seconds.append(time.monotonic() - began)
    elif outcome["reason"] == "replaced":
        tally.replaced[number] += 1
    else:
        tally.failures[outcome["reason"]] += 1


def look_at_board(url: str, lesson: str, stopped: threading.Event, seconds: list[float], errors: list[str]) -> None:
    """The teacher's board, refreshed through the named endpoint."""
    client = Client(f"{url}/teacher", verbose=False)
    while not stopped.wait(BOARD_SECONDS):
        began = time.monotonic()
        try:
            client.predict(lesson, api_name="/class_board")
        except Exception as error:  # noqa: BLE001  whatever goes wrong is the finding
            errors.append(str(error))
            continue
        seconds.append(time.monotonic() - began)


async def attend(app: RunningApp, pupils: list[tuple[str, str]], seconds: float) -> tuple[Tally, Watch]:
    """All clients, each a lesson and a code, for ``seconds``, the server watched meanwhile."""
    tally, watch = Tally(), Watch()
    frames = [jpeg(frame(seed)) for seed in range(FRAMES)]
    end = time.monotonic() + seconds
    clients = [
        asyncio.create_task(child(number, code, lesson, app.url, frames, end, tally))
        for number, (lesson, code) in enumerate(pupils)
    ]
    while time.monotonic() < end:
        watch.look(app.process.pid)
        await asyncio.sleep(1)
    await asyncio.gather(*clients)
    return tally, watch


def first_answer(app: RunningApp, lesson: str, code: str) -> float:
    """Seconds that the first frame takes."""
    began = time.monotonic()
    query = {"lesson": lesson, "child": code, "id": uuid.uuid4().hex}
    answer = httpx.post(f"{app.url}/observe", params=query, content=jpeg(frame()), timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.json()["recorded"], answer.text
    return time.monotonic() - began


def run(clients: int, seconds: float, environment: dict[str, str]) -> tuple[dict[str, object], dict[str, object]]:
    """-> the row of the curve, and the start's figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        classes = [
            prepare_lesson(folder, min(CLASS, clients - before), class_name=f"class {before // CLASS + 1}")
            for before in range(0, clients, CLASS)
        ]
        pupils = [(prepared.lesson.id, code) for prepared in classes for code in prepared.codes]
        lesson = classes[0].lesson.id
        with running_app(folder, **environment) as app:
            first = first_answer(app, *pupils[0])
            at_rest = Watch()
            at_rest.look(app.process.pid)
            stopped, board, errors = threading.Event(), [], []
            teacher = threading.Thread(target=look_at_board, args=(app.url, lesson, stopped, board, errors))
            teacher.start()
            tally, watch = asyncio.run(attend(app, pupils, seconds))
            stopped.set()
            teacher.join()
            ready = app.seconds_to_answer
        rows = sum(recorded_rows(folder, prepared.lesson.id) for prepared in classes)
    if rows != len(tally.seconds) + 1:
        tally.failures["acknowledged but not in the database"] += len(tally.seconds) + 1 - rows
    tally.failures.update(f"board: {error}" for error in errors)
    shares = [tally.replaced[number] / (tally.sent / clients) for number in range(clients)]
    third = len(watch.resident) // 3
    row = {
        "clients": clients,
        "sent": tally.sent,
        "answered": len(tally.seconds),
        "replaced %": round(100 * tally.replaced.total() / tally.sent, 2),
        "replaced % of a child, least to most": f"{100 * min(shares):.0f} to {100 * max(shares):.0f}",
        "failed": tally.failures.total(),
        **({f"{name} ms": value for name, value in percentiles(tally.seconds).items()} if tally.seconds else {}),
        "board p95 ms": percentiles(board)["p95"] if board else "",
        "cores used": round((watch.processor[-1] - watch.processor[0]) / max(1, len(watch.processor) - 1), 2),
        "peak MB": round(max(watch.resident) / 1e6),
        "MB, first third to last": f"{sum(watch.resident[:third]) / max(1, third) / 1e6:.0f} to "
        f"{sum(watch.resident[-third:]) / max(1, third) / 1e6:.0f}",
    }
    start = {
        "page answers after s": round(ready, 1),
        "first frame s": round(first, 2),
        "MB at rest": round(at_rest.resident[0] / 1e6),
    }
    for reason, count in tally.failures.items():
        print(f"{clients} clients, failed {count}: {reason}")
    return row, start


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, nargs="+", default=[30, 10, 20, 40, 60, 80])
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--input-size", type=int, help="side of the network's input, where not the checkpoint's own")
    arguments = parser.parse_args()
    rows, starts = [], []
    with checkpoint_at(arguments.input_size) as checkpoint:
        environment = {"EMOTION_CHECKPOINT": str(checkpoint.folder), "EMOTION_RUNTIME": arguments.runtime}
        for clients in arguments.clients:
            row, start = run(clients, arguments.seconds, environment)
            rows.append(row)
            starts.append(start)
            print(row, start, flush=True)
        size = checkpoint.configuration.input_size
    title = f"Clients at one frame a second for {arguments.seconds:.0f} s, runtime {arguments.runtime}, input {size}"
    show(title, sorted(rows, key=lambda row: int(str(row["clients"]))))
    show("Starts", starts)
    keep("classroom", runtime=arguments.runtime, input_size=size, seconds=arguments.seconds, rows=rows, starts=starts)


if __name__ == "__main__":
    main()
