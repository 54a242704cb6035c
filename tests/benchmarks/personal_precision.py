"""What int8 costs the features that a child's own head is fitted to.

    python -m tests.benchmarks.personal_precision --data ../shared/data/ferplus

Faces of FER+ `valid`, as many of each class: a head is fitted to one half and judged on the other, with the features
of the float runtime and of the int8 runtime that serves lessons.
"""

import argparse
from pathlib import Path

import numpy as np

from emotion.labels import Emotion
from emotion.network.checkpoint import PACKAGED_CHECKPOINT, load_checkpoint
from emotion.personal.fitting import fit_personal_head
from emotion.personal.head import PersonalHead
from emotion.runtime.base import Runtime
from emotion.runtime.choose import choose_runtime
from emotion.training.data import load_ferplus
from tests.benchmarks.bench import keep, show

OF_A_CLASS = 60
BATCH = 8


def features_of(runtime: Runtime, crops: np.ndarray) -> np.ndarray:
    """(n, 2048) float16, as they are stored, in float32."""
    parts = [runtime.read(crops[start : start + BATCH]).features for start in range(0, len(crops), BATCH)]
    return np.concatenate(parts).astype("<f2").astype(np.float32)


def mean_recall(head: PersonalHead, features: np.ndarray, labels: np.ndarray) -> float:
    """Mean of the classes' recalls."""
    right = head.probabilities(features).argmax(1) == labels
    return float(np.mean([right[labels == emotion].mean() for emotion in np.unique(labels)]))


def main() -> None:
    """Prints and keeps the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, default=PACKAGED_CHECKPOINT)
    arguments = parser.parse_args()
    checkpoint = load_checkpoint(arguments.checkpoint)
    faces = load_ferplus(arguments.data / "valid.npz")
    order = np.random.default_rng(0).permutation(len(faces))
    chosen = np.concatenate([order[faces.labels[order] == emotion][:OF_A_CLASS] for emotion in Emotion])
    faces = faces.take(chosen)
    tensors, temperature = checkpoint.state_dict(), checkpoint.configuration.temperature
    packaged = PersonalHead(
        tensors["fc.weight"].astype(np.float32), tensors["fc.bias"].astype(np.float32), temperature, (), None, False
    )
    learnt = np.arange(len(faces)) % 2 == 0
    features = {
        name: features_of(choose_runtime(checkpoint, f"openvino-{name}").for_throughput(), faces.images)
        for name in ("f32", "int8")
    }
    heads = {
        name: fit_personal_head(
            rows[learnt], faces.labels[learnt], np.flatnonzero(learnt), packaged.weight, packaged.bias, temperature
        )
        for name, rows in features.items()
    }
    table = [
        {
            "fitted to": fitted,
            "reads": read,
            "packaged": mean_recall(packaged, features[read][~learnt], faces.labels[~learnt]),
            "fitted": mean_recall(heads[fitted], features[read][~learnt], faces.labels[~learnt]),
        }
        for fitted, read in (("f32", "f32"), ("int8", "int8"), ("f32", "int8"))
    ]
    apart = np.linalg.norm(features["int8"] - features["f32"], axis=1) / np.linalg.norm(features["f32"], axis=1)
    show(f"{checkpoint.version}: {int(learnt.sum())} faces fitted, {int((~learnt).sum())} read", table)
    median, high = np.quantile(apart, (0.5, 0.95))
    print(f"\nDistance of the features over their length: median {median:.3f}, 95 % {high:.3f}")
    keep("personal_precision", checkpoint=checkpoint.version, table=table, apart=float(median))


if __name__ == "__main__":
    main()
