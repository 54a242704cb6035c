"""How much a checkpoint's accuracy depends on where the face lies in its crop: a detector's box is a tenth off.

    python -m tests.benchmarks.framings --data ../shared/data/ferplus [--checkpoint FOLDER]

Faces of FER+ `test` as they are, moved by a tenth of the side to each of four sides, and a tenth larger and smaller.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from emotion.network.checkpoint import PACKAGED_CHECKPOINT, load_checkpoint
from emotion.runtime.choose import choose_runtime
from emotion.training.data import load_ferplus
from emotion.training.evaluate import predict_probabilities
from tests.benchmarks.bench import keep, show

FACES = 800
# (size, shift to the right, shift down), of the side.
FRAMINGS = {
    "as it is": (1.0, 0.0, 0.0),
    "left": (1.0, -0.1, 0.0),
    "right": (1.0, 0.1, 0.0),
    "up": (1.0, 0.0, -0.1),
    "down": (1.0, 0.0, 0.1),
    "larger": (1.1, 0.0, 0.0),
    "smaller": (0.9, 0.0, 0.0),
}


def framed(crops: np.ndarray, size: float, right: float, down: float) -> np.ndarray:
    """(n, side, side, channels) uint8 -> the same faces, larger or moved; what comes in repeats the edge."""
    matrix = torch.tensor([[1 / size, 0.0, -2 * right], [0.0, 1 / size, -2 * down]]).repeat(len(crops), 1, 1)
    planes = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    grid = F.affine_grid(matrix, list(planes.shape), align_corners=False)
    moved = F.grid_sample(planes, grid, padding_mode="border", align_corners=False)
    return np.clip(np.rint(moved.permute(0, 2, 3, 1).numpy()), 0, 255).astype(np.uint8)


def main() -> None:
    """Reads every framing and prints the accuracies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, default=PACKAGED_CHECKPOINT)
    arguments = parser.parse_args()
    faces = load_ferplus(arguments.data / "test.npz")
    faces = faces.take(np.random.default_rng(0).permutation(len(faces))[:FACES])
    runtime = choose_runtime(load_checkpoint(arguments.checkpoint)).for_throughput()
    rows = []
    for name, framing in FRAMINGS.items():
        right = predict_probabilities(runtime, framed(faces.images, *framing), name).argmax(1) == faces.labels
        error = 1.96 * float(right.std()) / len(right) ** 0.5
        rows.append({"framing": name, "accuracy": float(right.mean()), "95 %": f"±{error:.3f}"})
    show(f"{runtime.version}, {len(faces)} faces", rows)
    keep("framings", checkpoint=runtime.version, faces=len(faces), framings=rows)


if __name__ == "__main__":
    main()
