"""The paper's training, once, as the paper did it, on faces of many people instead of one child's.

    python -m tests.benchmarks.paper --data data/ferplus --out RUN [--device cuda]

Fifteen epochs, batches of 32, Adam at 0.0005, 224 x 224 x 3, cross-entropy, the eighteen augmentations; three quarters
of the faces are learnt, one quarter judges. About 1,300 faces of FER+, drawn evenly over the eight classes (of contempt
all there are). The training starts from the packaged weights, which have met the faces of FER+ `train`: so the quarter
that judges is drawn from `valid`, which they have not. Broken off, the same command goes on. Prints the losses of every
epoch, the confusion matrix, and the means beside the paper's own.
"""

import argparse
import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from emotion.labels import KEYS, Emotion
from emotion.network.checkpoint import PACKAGED_CHECKPOINT
from emotion.network.resnet152 import build_resnet152
from emotion.training import metrics
from emotion.training.data import FaceDataset, load_ferplus
from emotion.training.presets import PAPER
from emotion.training.starting_weights import initialise, starting_weights
from emotion.training.train import choose_device, predict_logits, train
from tests.benchmarks.bench import keep, show

LEARNT, JUDGED = 124, 41  # of a class: three quarters and one of 165, which is what FER+ `train` has of contempt
PAPERS_OWN = {"mean precision": 0.985, "mean recall": 0.983, "training loss": 0.013, "validation loss": 0.045}


def drawn_evenly(faces: FaceDataset, per_class: int) -> FaceDataset:
    """Up to ``per_class`` faces of each class, by one seed; targets are the class alone, pixels in three channels."""
    generator = np.random.default_rng(0)
    chosen = np.concatenate(
        [generator.permutation(np.flatnonzero(faces.labels == emotion))[:per_class] for emotion in Emotion]
    )
    drawn = faces.take(chosen)
    one_hot = np.eye(len(Emotion), dtype=np.float32)[drawn.labels]
    return replace(drawn, images=drawn.images.repeat(3, axis=3), targets=one_hot)


def main() -> None:
    """Trains, or goes on, and prints what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    arguments.out.mkdir(parents=True, exist_ok=True)
    learnt = drawn_evenly(load_ferplus(arguments.data / "train.npz"), LEARNT)
    judged = drawn_evenly(load_ferplus(arguments.data / "valid.npz"), JUDGED)
    preset = replace(PAPER, bfloat16=True)  # the arithmetic alone: the recipe is the paper's
    network = build_resnet152()
    initialise(network, starting_weights(PACKAGED_CHECKPOINT))
    train(preset, network, learnt, judged, arguments.out, device=device)

    initialise(network, starting_weights(arguments.out / "weights.safetensors"))
    logits = predict_logits(network, judged, preset, preset.sizes[-1], device)
    confusion = metrics.confusion_matrix(judged.labels, logits.argmax(1))
    with (arguments.out / "metrics.csv").open(newline="") as file:
        epochs = [
            {
                name: f"{float(row[name]):.3f}"
                for name in ("training_loss", "validation_loss", "accuracy", "mean_recall")
            }
            for row in csv.DictReader(file)
        ]
    here = {
        "mean precision": float(np.nanmean(metrics.precision(confusion))),
        "mean recall": float(np.nanmean(metrics.recall(confusion))),
        "training loss": float(epochs[-1]["training_loss"]),
        "validation loss": float(epochs[-1]["validation_loss"]),
    }
    show(f"{len(learnt)} faces learnt, {len(judged)} judged", [{"epoch": i} | row for i, row in enumerate(epochs, 1)])
    show("Rows: shown, columns: answered", [
        {"": name} | dict(zip(KEYS, map(int, row), strict=True)) for name, row in zip(KEYS, confusion, strict=True)
    ])  # fmt: skip
    show("Beside the paper", [{"": name, "here": round(here[name], 3), "paper": PAPERS_OWN[name]} for name in here])
    keep("paper", epochs=epochs, confusion=confusion.tolist(), here=here, torch=torch.__version__)


if __name__ == "__main__":
    main()
