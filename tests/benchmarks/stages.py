"""Where the time of one lesson's frame goes, from the JPEG's bytes to the committed row, with nothing else to do.

    python -m tests.benchmarks.stages [--frames 100] [--runtime auto] [--input-size 224]

Wall-clock and processor time of each stage: their ratio says how many cores it keeps busy. Run it on an idle machine.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from emotion.classifier import EmotionClassifier
from emotion.faces.detector import FaceDetector, align
from emotion.images import read_image
from tests.benchmarks.bench import frame, jpeg, keep, show
from tests.benchmarks.sizes import checkpoint_at
from tests.running_app import SECRET, prepare_lesson

PICTURES = 24  # different frames that take turns
WARM_UP = 10  # frames


class Stopwatch:
    """Seconds of each stage, one value a frame: of the clock, and of the processor over all threads."""

    def __init__(self) -> None:
        self.clock: dict[str, list[float]] = defaultdict(list)
        self.processor: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        clock, processor = time.perf_counter(), time.process_time()
        yield
        self.clock[name].append(time.perf_counter() - clock)
        self.processor[name].append(time.process_time() - processor)

    def rows(self) -> list[dict[str, object]]:
        """A row per stage, medians in milliseconds, the warm-up left out; the last one is their sum."""
        medians = {
            name: [float(np.median(times[name][WARM_UP:])) * 1000 for times in (self.clock, self.processor)]
            for name in self.clock
        }
        medians["together"] = [sum(values) for values in zip(*medians.values(), strict=True)]
        whole = medians["together"][0]
        return [
            {
                "stage": name,
                "ms": round(clock, 2),
                "processor ms": round(processor, 2),
                "share %": round(100 * clock / whole),
            }
            for name, (clock, processor) in medians.items()
        ]


def run(frames: int, runtime: str, checkpoint: Path, folder: Path) -> tuple[str, list[dict[str, object]]]:
    """-> the runtime's name, and the rows of the table."""
    classifier, detector, watch = EmotionClassifier(checkpoint, runtime), FaceDetector(), Stopwatch()
    preset = classifier.checkpoint.configuration
    pictures = [jpeg(frame(seed)) for seed in range(PICTURES)]
    prepared = prepare_lesson(folder)
    lesson, code = prepared.lesson.id, prepared.codes[0]
    with LessonStore(folder / "lessons.duckdb") as store:
        recorder = LessonRecorder(store, SECRET.encode())
        for number in range(frames + WARM_UP):
            with watch.stage("lesson, child and consent are checked"):
                assert recorder.admit(lesson, code).recorded
            with watch.stage("JPEG is decoded"):
                pixels = read_image(pictures[number % PICTURES])
            with watch.stage("face is found and judged"):
                faces, _ = detector.detect_in_frame(pixels, 1)
            with watch.stage("face is aligned"):
                crops = [align(pixels, face, preset.crop_template, preset.crop_size, preset.colour) for face in faces]
            with watch.stage("network"):
                predictions = classifier.classify_crops(crops, faces, classifier.lesson_runtime)
            with watch.stage("row is committed"):
                recorder.record(lesson, code, None, predictions[0], len(faces), "webcam", None)
    return classifier.runtime.name, watch.rows()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--input-size", type=int, help="side of the network's input, where not the checkpoint's own")
    arguments = parser.parse_args()
    with checkpoint_at(arguments.input_size) as checkpoint, tempfile.TemporaryDirectory() as folder:
        name, rows = run(arguments.frames, arguments.runtime, checkpoint.folder, Path(folder))
        size = checkpoint.configuration.input_size
    show(f"One 640x480 frame, {name}, input {size}", rows)
    keep("stages", runtime=name, input_size=size, rows=rows)


if __name__ == "__main__":
    main()
