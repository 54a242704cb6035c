"""A training run small enough for a test: python tiny_run.py OUT [EPOCHS]. Made-up faces, few weights."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from emotion.training.data import FaceDataset
from emotion.training.presets import FERPLUS, Preset
from emotion.training.train import train

PRESET: Preset = replace(
    FERPLUS,
    sizes=(24, 32),
    epochs=6,
    minutes=None,
    batch=16,
    rate=3e-3,
    warm_up=3,
    average=0.9,
    bfloat16=False,
    save_seconds=0.0,  # a state after every step: the test kills at an arbitrary one
)


def bars(count: int, seed: int) -> FaceDataset:
    """Faces of a world where an expression is the row in which a bright bar lies."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 8
    images = generator.integers(0, 90, (count, 48, 48, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[6 * label : 6 * label + 6] += 150
    targets = np.full((count, 8), 0.02, np.float32)
    targets[np.arange(count), labels] = 0.86
    names = np.array([f"{number}.png" for number in range(count)])
    return FaceDataset(images, targets, np.ones(count, bool), names, children=labels == 3)


def network() -> nn.Module:
    """Convolution, normalisation and drop-out: something of everything that a state must hold."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 16, 5, stride=2),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d((8, 1)),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(128, 8),
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    out = Path(sys.argv[1])
    out.mkdir(exist_ok=True)
    preset = replace(PRESET, epochs=int(sys.argv[2])) if len(sys.argv) > 2 else PRESET
    train(preset, network(), bars(160, 0), bars(64, 1), out)
