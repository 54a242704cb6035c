"""Loads the weights that training starts from: a file, a checkpoint folder, or torchvision's ImageNet weights."""

import sys
import urllib.error
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import ResNet152_Weights

from emotion.network.quantisation import QUANTISATION_FILE as QUANTISED


def starting_weights(start: Path | None) -> dict[str, Tensor]:
    """State dictionary of a ``.safetensors`` or torchvision ``.pth`` file, or of all shards in a checkpoint folder;
    without a path, torchvision's ImageNet weights. Exits with the remedy when there is nothing to start from."""
    if start is None:
        try:
            # The original recipe's weights, which papers before 2022 start from.
            return dict(ResNet152_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True))
        except (urllib.error.URLError, OSError) as error:
            sys.exit(f"error: torchvision's ImageNet weights cannot be had ({error}). Give a file with --start.")
    # The int8 file beside the shards holds ranges, no weights.
    files = sorted(set(start.glob("*.safetensors")) - {start / QUANTISED}) if start.is_dir() else [start]
    if not files or not files[0].is_file():
        sys.exit(f"error: there are no weights at {start}. Give a .safetensors or .pth file, or a checkpoint folder.")
    state: dict[str, Tensor] = {}
    for file in files:
        # weights_only: a pickle may hold a program; this reads tensors alone.
        state |= load_file(file) if file.suffix == ".safetensors" else torch.load(file, "cpu", weights_only=True)
    return state


def initialise(network: nn.Module, state: dict[str, Tensor]) -> None:
    """Loads ``state`` into the network; a last layer for another number of classes keeps its random values."""
    own = network.state_dict()
    state = {name: value.to(own[name].dtype) if name in own else value for name, value in state.items()}
    last = [name for name in state if name.startswith("fc.") and name in own and state[name].shape != own[name].shape]
    state |= {name: own[name] for name in last}
    network.load_state_dict(state)
