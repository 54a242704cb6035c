"""Loads the weights that training starts from (a file, a checkpoint folder, torchvision's ImageNet weights) and the
state of an interrupted run."""

import json
import pickle
import sys
import urllib.error
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import ResNet152_Weights

from emotion.images import shown_name
from emotion.network.quantisation import QUANTISATION_FILE as QUANTISED
from emotion.training.command_line import CommandError, read_json

# What torch raises on a file that is cut off, damaged, or something else.
UNREADABLE = (RuntimeError, EOFError, ValueError, KeyError, TypeError, OSError, pickle.UnpicklingError, SafetensorError)

STATE_KEYS = {
    "network", "average", "optimiser", "generator", "step", "spent", "loss_sum", "loss_count", "rows",
}  # fmt: skip


class WeightsError(RuntimeError, CommandError):
    """Weights that do not fit the network; the message names the first that differ."""


def starting_weights(start: Path | None) -> dict[str, Tensor]:
    """State dictionary of a ``.safetensors`` or torchvision ``.pth`` file, or of all shards in a checkpoint folder;
    without a path, torchvision's ImageNet weights. Exits with the remedy when there is nothing to start from; raises
    CommandError for a file that is damaged or holds something else."""
    if start is None:
        try:
            # The original recipe's weights, which papers before 2022 start from.
            return dict(ResNet152_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True))
        except (urllib.error.URLError, OSError, RuntimeError) as error:  # RuntimeError: cut off, its hash is another
            sys.exit(f"error: torchvision's ImageNet weights cannot be had ({error}). Give a file with --start.")
    # The int8 file beside the shards holds ranges, no weights.
    files = sorted(set(start.glob("*.safetensors")) - {start / QUANTISED}) if start.is_dir() else [start]
    if not files or not files[0].is_file():
        shown = shown_name(start)
        sys.exit(f"error: there are no weights at {shown}. Give a .safetensors or .pth file, or a checkpoint folder.")
    state: dict[str, Tensor] = {}
    for file in files:
        file.open("rb").close()  # permissions are told as such
        try:
            # weights_only: a pickle may hold a program; this reads tensors alone.
            found = load_file(file) if file.suffix == ".safetensors" else torch.load(file, "cpu", weights_only=True)
        except UNREADABLE as error:
            raise CommandError(f"{file} is cut off, damaged or holds no weights: copy it again.") from error
        if not isinstance(found, dict):
            raise CommandError(f"{file} holds no weights by name; give a state dictionary, as .safetensors.")
        state |= found
    if not all(isinstance(value, Tensor) for value in state.values()):
        raise CommandError(f"{start} holds more than weights; give the state dictionary alone, as .safetensors.")
    if unsound := [name for name, value in state.items() if value.is_floating_point() and not value.isfinite().all()]:
        raise CommandError(
            f"{start} holds values that are no finite numbers, first in {unsound[0]}; take other weights."
        )
    return state


def initialise(network: nn.Module, state: dict[str, Tensor]) -> None:
    """Loads ``state`` into the network; a last layer for another number of classes keeps its random values.

    Raises `WeightsError` for weights of another network.
    """
    own = network.state_dict()
    state = {name: value.to(own[name].dtype) if name in own else value for name, value in state.items()}
    last = [name for name in state if name.startswith("fc.") and name in own and state[name].shape != own[name].shape]
    state |= {name: own[name] for name in last}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        missing, foreign = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        raise WeightsError(
            f"The weights are another network's; give those of a ResNet152. Missing keys: {len(missing)} "
            f"{missing[:2]}, unknown keys: {len(foreign)} {foreign[:2]}."
        ) from error


def read_state(path: Path) -> dict[str, Any] | None:
    """A broken-off run's last state, None where there is none. Raises CommandError where it is damaged."""
    if not path.exists():
        return None
    path.open("rb").close()  # permissions are told as such
    try:
        state = torch.load(path, "cpu", weights_only=True)
    except UNREADABLE as error:
        raise _damaged(path) from error
    if not isinstance(state, dict) or not state.keys() >= STATE_KEYS:
        raise _damaged(path)
    return state


def refuse_another_run(out: Path, what: dict[str, object]) -> None:
    """Raises CommandError where ``out`` holds a run with other arguments or data than ``what``, or one without its
    state.

    More epochs than it was begun with are the same run, which then goes on, unless its learning rate or its sizes
    depend on its length."""
    record = out / "run.json"
    if not record.exists():
        return
    if not (out / "state.pt").exists():
        weights = out / "weights.safetensors"
        if weights.exists():  # beginning anew would write over what was trained
            raise CommandError(
                f"{out} holds a run whose state.pt was removed: it cannot go on. Give another --out, and "
                f"--start {weights} to go on from its weights."
            )
        return
    there = read_json(record)
    asked = json.loads(json.dumps(what))  # as JSON has it: tuples are lists there
    if there.get("epochs") and asked.get("epochs") and not asked.get("cosine") and len(asked.get("sizes", ())) < 2:
        there["epochs"] = max(there["epochs"], asked["epochs"])
    if any(there.get(name) != value for name, value in asked.items()):
        raise CommandError(f"{out} holds another run (compare {record}). Give the same arguments, or another --out.")


def _damaged(path: Path) -> CommandError:
    remedy = "Move it away to start anew"
    weights = path.with_name("weights.safetensors")
    if weights.exists():
        remedy += f", or give --start {weights} and another --out to go on from the last weights"
    return CommandError(f"{path} is cut off or damaged: the run cannot go on from it. {remedy}.")
