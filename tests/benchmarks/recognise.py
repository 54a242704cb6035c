"""One photograph of 640x480 from JPEG bytes to probabilities: ours in each runtime, torch float32, and the peers.

    python -m tests.benchmarks.recognise [--rounds 20] [--input-size 224] [--without-peers]

Every contestant is a process of its own, loaded once and asked in turns, so that what else the machine does falls on
all alike. Peers get their own environments under `.artefacts/peers`. Run it on an idle machine.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from emotion.runtime.base import RUNTIMES
from tests.benchmarks.bench import ROOT, frame, jpeg, keep, percentiles, show
from tests.benchmarks.sizes import checkpoint_at

PEERS = {"fer": "fer==25.10.3", "facex": "facex==1.1.0"}
# What the two import on their default path, a Haar cascade (OpenCV 5 has none). Named here because fer also declares
# facenet-pytorch, which it imports for its other detector alone and which brings a second torch of several gigabytes.
ALONGSIDE = [
    "tensorflow",
    "opencv-contrib-python<5",
    "scikit-image",
    "pandas",
    "requests",
    "tqdm",
    "pillow",
    "setuptools<81",
]
BASELINE = "torch"
PER_ROUND = 5


class Contestant:
    """A process that classifies the photograph when asked."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.seconds: list[float] = []
        self.labels: list[str] = []
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
        )

    def ask(self, times: int) -> dict[str, list]:
        """Classifies ``times`` times. Raises RuntimeError when the process has ended."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{times}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self._process.wait()}")
        return json.loads(line)

    def stop(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()


def serve_ours(runtime: str, folder: str, path: str) -> None:
    """The worker's side for our own runtimes."""
    from emotion.classifier import EmotionClassifier

    classifier = EmotionClassifier(Path(folder), runtime)
    for line in sys.stdin:
        times, labels = [], []
        for _ in range(int(line)):
            began = time.perf_counter()
            recognition = classifier.recognise(Path(path).read_bytes())
            times.append(time.perf_counter() - began)
            labels = [found.prediction.expression.key for found in recognition.faces]
        print(json.dumps({"seconds": times, "labels": labels}), flush=True)


def peer_command(name: str, photo: Path) -> list[str]:
    """The command of a peer, its environment made if it is not there."""
    folder = ROOT / ".artefacts" / "peers" / name
    python, package = folder / "bin" / "python", PEERS[name]
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *ALONGSIDE], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", package], check=True)
        (folder / "complete").touch()
    return [str(python), str(Path(__file__).with_name("peers.py")), name, str(photo)]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help=f"each contestant answers {PER_ROUND} times a round")
    parser.add_argument("--input-size", type=int, help="side of the network's input, where not the checkpoint's own")
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--serve", nargs=3, metavar=("RUNTIME", "FOLDER", "PHOTO"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        return serve_ours(*arguments.serve)
    photo = ROOT / ".artefacts" / "photo.jpg"
    photo.parent.mkdir(exist_ok=True)
    photo.write_bytes(jpeg(frame()))
    with checkpoint_at(arguments.input_size) as checkpoint:
        ours = [
            name
            for name in RUNTIMES
            if name not in ("auto", "openvino", "torch-cuda")
            and (name != "openvino-int8" or checkpoint.configuration.int8)
        ]
        command = [sys.executable, "-m", "tests.benchmarks.recognise", "--serve"]
        commands = {name: [*command, name, str(checkpoint.folder), str(photo)] for name in ours}
        if not arguments.without_peers:
            commands |= {name: peer_command(name, photo) for name in PEERS}
        contestants = [Contestant(name, command) for name, command in commands.items()]
        try:
            failed = compete(contestants, arguments.rounds)
        finally:
            for contestant in contestants:
                contestant.stop()
        rows = table(contestants)
        size = checkpoint.configuration.input_size
    show(f"One photograph of 640x480, end to end, network input {size}", rows)
    for name, reason in failed.items():
        print(f"{name} did not run: {reason}")
    keep("recognise", input_size=size, rows=rows, failed=failed)
    return None


def compete(contestants: list[Contestant], rounds: int) -> dict[str, str]:
    """Fills in the seconds, in turns after a warm-up; returns who fell out, with the reason."""
    failed: dict[str, str] = {}
    for number in range(rounds + 1):
        for contestant in contestants:
            if contestant.name in failed:
                continue
            try:
                answer = contestant.ask(PER_ROUND)
            except (RuntimeError, OSError) as error:
                failed[contestant.name] = str(error)
                continue
            if number:
                contestant.seconds.extend(answer["seconds"])
                contestant.labels = answer["labels"]
    return failed


def table(contestants: list[Contestant]) -> list[dict[str, object]]:
    """A row per contestant that ran; ratios to the baseline's median."""
    figures = {c.name: percentiles(c.seconds) for c in contestants if c.seconds}
    baseline = figures[BASELINE]["p50"]
    return [
        {
            "who": contestant.name,
            "median ms": figures[contestant.name]["p50"],
            "p95 ms": figures[contestant.name]["p95"],
            "time / torch float32": round(figures[contestant.name]["p50"] / baseline, 3),
            "answers": len(contestant.seconds),
            "says": ", ".join(contestant.labels) or "no face",
        }
        for contestant in contestants
        if contestant.name in figures
    ]


if __name__ == "__main__":
    main()
