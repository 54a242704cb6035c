"""How well the support signals work, on simulated lessons with known truth and on lessons put together from faces.

    python -m tests.benchmarks.signals                   both, of the half of the faces that settled nothing
    python -m tests.benchmarks.signals --half 0          of the half on which the thresholds were settled
    python -m tests.benchmarks.signals --shown 0.75      children who hide a quarter of what they go through

The faces are readings of FER+ `valid` by the packaged network (`analytics.simulation.person`); each simulated child is
a person of its own. A signal is right when it is raised within a scene of its kind, or at most 15 s after its end (it
is told late then, not wrongly); a scene is found when a signal of its kind was right in it; the delay runs from the
start of the scene to the first right signal. Whether a child is in trouble is one question, and what it is called
another: for the troubles any of them counts, and `named` is the share of the right ones that bear the scene's name.
Writes .artefacts/signals.json.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from analytics.signals.support import KINDS, TROUBLES, child_signals
from analytics.simulation.child import StateSpan, observation_frame
from analytics.simulation.lessons import SimulatedChild, simulate_lesson
from analytics.store.records import Event
from tests.benchmarks import face_lessons

ROOT = Path(__file__).parents[2]
STARTED_AT = datetime(2026, 9, 15, 7, 0, tzinfo=UTC)
REPORTING_SEED = 5
GRACE = 15.0  # seconds after the end of a scene
MINUTES = 30.0


@dataclass(slots=True)
class Score:
    """Counts of one kind. ``named``: of the right signals, those of the very kind."""

    scenes: int = 0
    found: int = 0
    right: int = 0
    wrong: int = 0
    named: int = 0
    delays: list[float] = field(default_factory=list)
    wrong_during: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Simulates, detects, counts, prints a table, and writes the same as JSON."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--lessons", type=int, default=400)
    arguments.add_argument("--calm", type=int, default=100, help="lessons in which nothing happens")
    arguments.add_argument("--seed", type=int, default=REPORTING_SEED)
    arguments.add_argument("--half", type=int, choices=(0, 1), default=1, help="of the faces")
    arguments.add_argument("--shown", type=float, default=1.0)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--output", type=Path, default=ROOT / ".artefacts" / "signals.json")
    options = arguments.parse_args()
    started = time.perf_counter()
    scores = {kind: Score() for kind in KINDS}
    alarms: Counter[str] = Counter()
    with ProcessPoolExecutor(options.workers) as pool:
        eventful = partial(play, options.seed, options.half, options.shown, False)
        for children in pool.map(eventful, range(options.lessons), chunksize=5):
            for scenes, raised in children:
                count(scores, scenes, raised)
        quiet = partial(play, options.seed, options.half, options.shown, True)
        for children in pool.map(quiet, range(options.calm), chunksize=5):
            alarms.update(kind for _, raised in children for kind, _ in raised)
    hours = options.calm * 5 * MINUTES / 60
    report: dict[str, Any] = {
        "lessons": options.lessons,
        "children": options.lessons * 5,
        "seed": options.seed,
        "shown": options.shown,
        "half": options.half,
        "kinds": {kind: summary(score) for kind, score in scores.items()},
        "calm_lessons": options.calm,
        "false_alarms_per_child_hour": round(alarms.total() / hours, 3) if hours else None,
        "false_alarms_by_kind": dict(alarms),
        "faces": face_lessons.report(options.half, options.workers),
        "seconds": round(time.perf_counter() - started, 1),
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n")
    show(report)


def play(
    seed: int, half: int, shown: float, calm: bool, number: int
) -> list[tuple[tuple[StateSpan, ...], list[tuple[str, float]]]]:
    """The truth and the signals of each child of one lesson; calm lessons are drawn apart from the others."""
    rng = np.random.default_rng([seed, number, int(calm)])
    lesson = simulate_lesson(rng, MINUTES, calm, half, shown)
    return [(child.spans, raised_in(child)) for child in lesson]


def raised_in(child: SimulatedChild) -> list[tuple[str, float]]:
    """(kind, seconds since the start of the lesson) of every signal raised."""
    frame = observation_frame(child.readings, STARTED_AT, "child", "simulation", "simulated")
    events = [
        Event(str(number), "lesson", "child", STARTED_AT + timedelta(seconds=event.second), event.kind, event.detail)
        for number, event in enumerate(child.task_events)
    ]
    signals = child_signals(frame, events, "lesson", "child")
    return [(signal.kind, (signal.raised - STARTED_AT).total_seconds()) for signal in signals]


def count(scores: dict[str, Score], scenes: Sequence[StateSpan], raised: Sequence[tuple[str, float]]) -> None:
    """Adds one child to the counts."""
    for kind, score in scores.items():
        alike = TROUBLES if kind in TROUBLES else (kind,)
        truth = [scene for scene in scenes if scene.kind == kind]
        score.scenes += len(truth)
        for scene in truth:
            hits = [
                (second, told)
                for told, second in raised
                if told in alike and scene.start <= second <= scene.end + GRACE
            ]
            if hits:
                second, told = min(hits)
                score.found += 1
                score.named += told == kind
                score.delays.append(second - scene.start)
        for second in (second for told, second in raised if told == kind):
            during = {scene.kind for scene in scenes if scene.start <= second <= scene.end + GRACE}
            if during.intersection(alike):
                score.right += 1
            else:
                score.wrong += 1
                score.wrong_during[" and ".join(sorted(during)) or "nothing"] += 1


def summary(score: Score) -> dict[str, object]:
    """Recall, precision and delays of one kind."""
    return {
        "scenes": score.scenes,
        "recall": round(score.found / max(score.scenes, 1), 3),
        "precision": round(score.right / max(score.right + score.wrong, 1), 3),
        "named": round(score.named / max(score.found, 1), 3),
        "delay_median": round(float(np.median(score.delays)), 1) if score.delays else None,
        "delay_90_percent": round(float(np.quantile(score.delays, 0.9)), 1) if score.delays else None,
        "wrong": score.wrong,
        "wrong_during": dict(score.wrong_during.most_common()),
    }


def show(report: dict[str, Any]) -> None:
    """The report as tables."""
    print(
        f"{report['lessons']} lessons, seed {report['seed']}, faces of half {report['half']}, shown {report['shown']}"
    )
    print("kind        scenes  recall  precision  named  median delay  90 % delay  wrong during")
    for kind, row in report["kinds"].items():
        print(
            f"{kind:11} {row['scenes']:6}  {row['recall']:6.3f}  {row['precision']:9.3f}  {row['named']:5.3f}"
            f"  {row['delay_median']!s:>10} s  {row['delay_90_percent']!s:>8} s  {row['wrong_during']}"
        )
    alarms, by_kind = report["false_alarms_per_child_hour"], report["false_alarms_by_kind"]
    print(f"calm lessons: {alarms} false alarms per child and hour {by_kind}\n")
    face_lessons.show(report["faces"])
    print(f"{report['seconds']} s")


if __name__ == "__main__":
    main()
