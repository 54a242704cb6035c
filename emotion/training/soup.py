"""Averages the weights of several runs, and measures the normalisations' statistics at the size they will be used at.

    python -m emotion.training.soup --weights A.safetensors B.safetensors --data data/ferplus --out C.safetensors

Runs that went on from the same weights lie in one valley, and their mean is often better than each (Wortsman et al.
2022, "Model soups"). With a single file only the statistics are measured: weights trained at one size can so be used at
another. Which soup is eaten is for `emotion.training.evaluate` on valid.npz to say, never on test.npz.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn
from tqdm import tqdm

from emotion.network.resnet152 import build_resnet152
from emotion.training.batches import autocast, enlarge, normalise
from emotion.training.command_line import (
    LARGEST_INPUT,
    SMALLEST_INPUT,
    CommandError,
    command,
    existing_folder,
    file_to_write,
    whole_number,
)
from emotion.training.data import FaceDataset, load_ferplus
from emotion.training.package import write_weights
from emotion.training.presets import FERPLUS, Preset
from emotion.training.starting_weights import initialise, starting_weights

CALIBRATION_FACES = 1024  # for the statistics: 50,000 values and more per channel even in the last layer at 224 pixels
BATCH_SIZE = 64


def average_weights(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of every floating-point tensor, in float32; counters are the first's. KeyError when names differ."""
    return {
        name: torch.stack([state[name].float() for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[0].items()
    }


def recalibrate_batch_norm(network: nn.Module, faces: FaceDataset, preset: Preset, size: int) -> None:
    """Sets mean and variance of every batch normalisation to those of up to 1,024 of ``faces`` at ``size`` pixels."""
    chosen = np.random.default_rng(0).permutation(len(faces))[:CALIBRATION_FACES]
    starts = tqdm(range(0, len(chosen), BATCH_SIZE), desc="measuring", unit="batch", file=sys.stderr)
    network.eval()  # the mode that update_bn leaves it in
    with autocast(preset, torch.device("cpu")):
        update_bn(
            (
                normalise(enlarge(torch.from_numpy(faces.images[chosen[start : start + BATCH_SIZE]]), size), preset)
                for start in starts
            ),
            network,
        )


@command
def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--weights", type=Path, nargs="+", required=True, help="safetensors files, or checkpoint folders"
    )
    parser.add_argument("--data", type=existing_folder, required=True, help="folder of FER+'s train.npz")
    size = whole_number(SMALLEST_INPUT, LARGEST_INPUT)
    parser.add_argument("--size", type=size, default=FERPLUS.sizes[-1], help="pixels at which the weights will be used")
    parser.add_argument("--out", type=file_to_write, required=True, help="the .safetensors file to write")
    arguments = parser.parse_args()
    faces = load_ferplus(arguments.data / "train.npz")
    if len(faces) < 2:
        raise CommandError(f"{arguments.data} holds no faces to measure on: build it again.")
    network = build_resnet152()
    states = []
    for path in arguments.weights:
        states.append(starting_weights(path))
        initialise(network, states[-1])  # each is of this network, or the average would be of different ones
    initialise(network, average_weights(states))
    network.to(memory_format=torch.channels_last)
    recalibrate_batch_norm(network, faces, FERPLUS, arguments.size)
    write_weights(arguments.out, network)
    print(f"{arguments.out}: the mean of {len(arguments.weights)}, statistics at {arguments.size} pixels")


if __name__ == "__main__":
    main()
