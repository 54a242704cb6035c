"""Reads the faces of FER+ `valid` many times each, a little moved, as a camera sees a child: what the simulator draws
its persons from.

    python -m tests.benchmarks.read_faces --data ../shared/data/ferplus

Up to 80 faces of each expression and 160 at rest are read by the packaged network at the size at which slow computers
read lessons, the harder case. Between the frames of a face its place, size, turn, light and contrast drift; the faces
at rest are read in poor light and with the face turned down, too. Writes `analytics/simulation/face_readings.npz`:
probabilities alone, no picture. Takes about ten minutes.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from analytics.simulation.person import READINGS_FILE
from emotion.labels import Emotion
from emotion.network.checkpoint import load_checkpoint
from emotion.runtime.choose import choose_runtime
from emotion.training.data import load_ferplus
from emotion.training.evaluate import predict_probabilities

FACES, FACES_AT_REST = 80, 160
FRAMES, FRAMES_DISTURBED = 24, 12
DRIFT = 0.9  # correlation of one frame's place with the next one's
# Standard deviations: shift (fraction of the side), size, turn (radians), light, contrast, noise (of the range).
SHIFT, SIZE, TURN, LIGHT, CONTRAST, NOISE = 0.03, 0.04, math.radians(4), 0.08, 0.1, 0.015


def main() -> None:
    """Reads and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    faces = load_ferplus(arguments.data / "valid.npz")
    rng = np.random.default_rng(0)
    checkpoint = load_checkpoint().for_lessons()
    runtime = choose_runtime(checkpoint).for_throughput()

    def read(crops: np.ndarray, what: str, frames: int) -> np.ndarray:
        moved = np.concatenate([moving(crop, frames, rng) for crop in crops])
        return predict_probabilities(runtime, moved, what).reshape(len(crops), frames, len(Emotion)).astype(np.float16)

    found: dict[str, np.ndarray] = {"model": np.array(runtime.version)}
    for emotion in Emotion:
        most = FACES_AT_REST if emotion == Emotion.NEUTRAL else FACES
        crops = faces.images[rng.permutation(np.flatnonzero(faces.labels == emotion))[:most]]
        found[emotion.key] = read(crops, emotion.key, FRAMES)
        if emotion == Emotion.NEUTRAL:
            found["poor_light"] = read(poor_light(crops, rng), "poor light", FRAMES_DISTURBED)
            found["looking_down"] = read(looking_down(crops), "looking down", FRAMES_DISTURBED)
    np.savez_compressed(READINGS_FILE, **found)
    print({name: values.shape for name, values in found.items()}, READINGS_FILE.stat().st_size)


def moving(crop: np.ndarray, frames: int, rng: np.random.Generator) -> np.ndarray:
    """(side, side, 1) uint8 -> (frames, side, side, 1): the same face, drifting."""
    steps = rng.normal(size=(frames, 6))
    for row in range(1, frames):
        steps[row] = DRIFT * steps[row - 1] + math.sqrt(1 - DRIFT**2) * steps[row]
    size, turn = np.exp(SIZE * steps[:, 2]), TURN * steps[:, 3]
    matrices = np.zeros((frames, 2, 3))
    matrices[:, 0, 0], matrices[:, 0, 1] = np.cos(turn) / size, -np.sin(turn) / size
    matrices[:, 1, 0], matrices[:, 1, 1] = np.sin(turn) / size, np.cos(turn) / size
    matrices[:, :, 2] = 2 * SHIFT * steps[:, :2]
    planes = _warped(np.repeat(crop[None], frames, 0), matrices)
    middle = planes.mean(axis=(1, 2, 3), keepdims=True)
    light, contrast = (values[:, None, None, None] for values in (LIGHT * steps[:, 4], 1 + CONTRAST * steps[:, 5]))
    return _bytes((planes - middle) * contrast + middle * (1 + light) + rng.normal(0, NOISE * 255, planes.shape))


def poor_light(crops: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A third of the light, and the noise of a sensor turned up."""
    return _bytes(crops * 0.33 + rng.normal(0, 0.03 * 255, crops.shape))


def looking_down(crops: np.ndarray) -> np.ndarray:
    """The face four fifths as high and lower in the crop, as of a child that looks at its hands."""
    matrices = np.tile(np.array([[1.0, 0.0, 0.0], [0.0, 1.25, -0.2]]), (len(crops), 1, 1))
    return _bytes(_warped(crops, matrices))


def _warped(crops: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    planes = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    grid = F.affine_grid(torch.from_numpy(matrices).float(), list(planes.shape), align_corners=False)
    return F.grid_sample(planes, grid, padding_mode="border", align_corners=False).permute(0, 2, 3, 1).numpy()


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
