"""Faces per second of training, and what augmenting them takes, at 112 and 224 pixels.

    python -m tests.benchmarks.training [--device cuda] [--batch 32] [--steps 8]

Whole steps of the FER+ recipe on made-up faces: augmentation, forward and backward pass, optimiser, running average.
Run it on an idle machine.
"""

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from emotion.network.resnet152 import build_resnet152
from emotion.training.batches import TrainingBatches, autocast
from emotion.training.data import FaceDataset
from emotion.training.presets import FERPLUS, Preset
from emotion.training.train import choose_device, make_optimiser, update_running_average
from tests.benchmarks.bench import keep, show


def made_up_faces(count: int) -> FaceDataset:
    """Noise of FER+'s shape: what is computed does not depend on what the pictures show."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)
    targets = np.eye(8, dtype=np.float32)[np.arange(count) % 8]
    return FaceDataset(images, targets, np.ones(count, bool), np.arange(count).astype(str))


def wait_for(device: torch.device) -> None:
    """A GPU works on after the call has returned."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def measure(preset: Preset, size: int, device: torch.device, steps: int) -> dict[str, object]:
    """Faces per second of ``steps`` whole steps, after two to warm up, and of making their batches alone."""
    batches = TrainingBatches(made_up_faces(4 * preset.batch), preset, 0, device)
    network = build_resnet152().to(device).to(memory_format=torch.channels_last)
    average, optimiser = copy.deepcopy(network), make_optimiser(network, preset)
    network.train()

    def step(number: int) -> None:
        pixels, targets = batches.make(number, size)
        with autocast(preset, device):
            logits = network(pixels)
        F.cross_entropy(logits.float(), targets).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        update_running_average(average, network, 0.99)

    def rate(work: Callable[[int], object], count: int) -> float:
        wait_for(device)
        began = time.perf_counter()
        for number in range(count):
            work(number)
        wait_for(device)
        return count * preset.batch / (time.perf_counter() - began)

    for number in range(2):
        step(number)
    whole = rate(step, steps)
    alone = rate(lambda number: batches.make(number, size), steps)
    return {
        "pixels": size,
        "batch": preset.batch,
        "faces a second": round(whole, 1),
        "augmented a second": round(alone),
        "augmenting": f"{100 * whole / alone:.1f} % of a step",
    }


def main() -> None:
    """Prints the table and keeps it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=8)
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    preset = replace(FERPLUS, batch=arguments.batch)
    rows = [measure(preset, size, device, arguments.steps) for size in (112, 224)]
    show(f"Training, {device.type}", rows)
    keep("training", device=device.type, rows=rows)


if __name__ == "__main__":
    main()
