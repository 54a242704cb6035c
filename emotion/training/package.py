"""Packs trained weights into a checkpoint folder: fp16 safetensors shards, the index, and the configuration with their
hashes.

    python -m emotion.training.package --weights average.safetensors --out checkpoints/resnet152-ferplus-224 \\
        --template checkpoints/resnet152-ferplus-224/config.json [--adjust-logits 0.15 --data data/ferplus/train.npz] \\
        [--lesson-input-size 160]

The shards and the index are in huggingface_hub's own sharded format, so the folder is a Hub repository as it stands.
"""

import argparse
import functools
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from huggingface_hub import save_torch_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from emotion.network.checkpoint import (
    CONFIGURATION_FILE,
    INDEX_FILE,
    Checkpoint,
    Configuration,
    LessonInput,
    load_checkpoint,
)
from emotion.network.quantisation import QUANTISATION_FILE
from emotion.network.resnet152 import build_resnet152
from emotion.training.command_line import (
    LARGEST_INPUT,
    SMALLEST_INPUT,
    CommandError,
    command,
    existing_file,
    folder_to_write,
    number_above,
    whole_number,
    write_atomically,
    write_text,
)
from emotion.training.data import load_ferplus

# Hosts of git repositories begin to complain at 50 MB; 45 MB is the project's limit, less the header of a shard.
LARGEST_SHARD = "44MB"
ONE_FILE = "1GB"  # of a run, which no git repository holds: timm opens a single file only

_NEW_CARD = """# {name}

A ResNet152 with eight expression classes, written by `python -m emotion.training.package`.
Say here what it was trained on, what it scores, what it must not be used for, and under which licences it stands.
"""


class DivergedError(CommandError):
    """A run whose numbers have left the finite; what it last saved is from before."""


def half_precision(network: nn.Module) -> dict[str, Tensor]:
    """The weights as they are packaged. Raises `DivergedError` where one is no finite number, or too large."""
    half = {
        name: value.half().contiguous() if value.is_floating_point() else value.clone()
        for name, value in network.state_dict().items()
    }
    if unsound := [name for name, value in half.items() if not value.isfinite().all()]:
        raise DivergedError(f"weights are no finite numbers in half precision, first in {unsound[0]}")
    return half


def write_weights(path: Path, network: nn.Module) -> None:
    """Weights in half precision, as they are packaged. Raises `DivergedError` and leaves the file as it was."""
    half = half_precision(network)
    write_atomically(path, lambda part: save_file(half, part))


def adjust_logits(bias: Tensor, labels: np.ndarray, strength: float) -> Tensor:
    """The last layer's bias (8,) with rare classes raised: by ``strength`` times the logarithm of one over the class's
    share of ``labels``, the mean taken off (logit adjustment: Menon et al. 2021, "Long-tail learning via logit
    adjustment"). At 0 nothing changes; at 1 every class counts as if all were equally frequent. Of a class without a
    label the share is taken as that of half a face."""
    share = np.maximum(np.bincount(labels, minlength=len(bias)), 0.5) / len(labels)
    raised = torch.from_numpy(-strength * np.log(share))
    return (bias.double() + raised - raised.mean()).to(bias.dtype)


def package(
    weights: Path,
    configuration: Configuration,
    out: Path,
    adjust: Callable[[Tensor], Tensor] | None = None,
    largest_shard: str = LARGEST_SHARD,
) -> Checkpoint:
    """Writes the checkpoint folder ``out`` and reads it back verified.

    ``weights``: a safetensors file with torchvision's names for ``resnet152(num_classes=8)``, any float type.
    ``configuration``: everything but the shards' hashes is taken over. An existing README.md is kept. Raises
    CommandError when a name or a shape is not the architecture's, a value does not fit into float16, or the
    configuration is not sound; nothing is written then. ``adjust`` changes the last layer's bias. ``largest_shard``: of
    one file, as "44MB".
    """
    try:
        tensors = load_file(weights)
        Configuration.from_json(configuration.with_shards({"model.safetensors": ""}).to_json())
    except SafetensorError as error:
        raise CommandError(f"{weights} is cut off, or no safetensors file: copy it again.") from error
    except ValueError as error:
        raise CommandError(f"The configuration cannot be used: {error}.") from error
    with torch.device("meta"):
        expected = build_resnet152().state_dict()
    differing = {
        name for name in expected.keys() | tensors.keys() if not _same_shape(expected.get(name), tensors.get(name))
    }
    if differing:
        raise CommandError(f"{weights} is no ResNet152 with 8 outputs; differing tensors: {sorted(differing)[:5]}")
    if adjust:
        tensors["fc.bias"] = adjust(tensors["fc.bias"])
    halves = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    overflowing = [name for name, tensor in halves.items() if not tensor.isfinite().all()]
    if overflowing:
        raise CommandError(f"{weights}: not finite in float16: {overflowing[:5]}")
    out.mkdir(parents=True, exist_ok=True)
    # Beside the place first: on a full disk the checkpoint that was here before stays whole.
    with TemporaryDirectory(dir=out, prefix=".new-") as new:
        save_torch_state_dict(halves, new, max_shard_size=largest_shard)
        written = sorted(Path(new).iterdir())
        shards = {path.name: _sha256(path) for path in written if path.suffix == ".safetensors"}
        # Of the weights that were here before: an int8 model, a shard too many. Other files are not ours.
        for old in {*out.glob("model*.safetensors"), out / INDEX_FILE, out / QUANTISATION_FILE} - {
            out / path.name for path in written
        }:
            old.unlink(missing_ok=True)
        for path in written:
            path.chmod(0o644)  # safetensors writes for the owner alone; a checkpoint is there to be read
            shutil.move(path, out / path.name)
    write_text(out / CONFIGURATION_FILE, configuration.with_shards(shards).to_json())
    card = out / "README.md"
    if not card.exists():
        write_text(card, _NEW_CARD.format(name=out.resolve().name))
    return load_checkpoint(out)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _same_shape(expected: torch.Tensor | None, found: torch.Tensor | None) -> bool:
    return expected is not None and found is not None and expected.shape == found.shape


@command
def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--weights", type=existing_file, required=True, help="a safetensors file of resnet152(num_classes=8)"
    )
    parser.add_argument(
        "--template", type=existing_file, required=True, help="the config.json whose preset fits these weights"
    )
    parser.add_argument("--out", type=folder_to_write, required=True, help="the checkpoint folder to write")
    size = whole_number(SMALLEST_INPUT, LARGEST_INPUT)
    parser.add_argument("--input-size", type=size, help="side of the network's input, where it is not the template's")
    parser.add_argument(
        "--lesson-input-size",
        type=size,
        help="side at which slow computers read lessons, if the weights were trained for that too",
    )
    parser.add_argument(
        "--temperature", type=number_above(0, 100), help="decision temperature, where it is not the template's"
    )
    parser.add_argument(
        "--adjust-logits",
        type=number_above(0, 1),
        metavar="STRENGTH",
        help="raise rare classes, by the shares of --data",
    )
    parser.add_argument("--data", type=existing_file, help="the train.npz by whose shares logits are adjusted")
    parser.add_argument("--training-data", help="in words, where it is not the template's")
    arguments = parser.parse_args()
    if (arguments.adjust_logits is None) != (arguments.data is None):
        parser.error("--adjust-logits and --data go together")
    adjust = None
    if arguments.data is not None:
        labels = load_ferplus(arguments.data).labels
        adjust = functools.partial(adjust_logits, labels=labels, strength=arguments.adjust_logits)
    try:
        configuration = Configuration.from_json(arguments.template.read_text(encoding="utf-8"))
    except ValueError as error:  # of JSON and of UTF-8 as well
        raise CommandError(f"{arguments.template} is no configuration of a checkpoint: {error}.") from error
    changes = {
        name: value
        for name in ("input_size", "temperature", "training_data")
        if (value := getattr(arguments, name)) is not None
    }
    size, temperature = arguments.lesson_input_size, changes.get("temperature", configuration.temperature)
    changes["lessons"] = LessonInput(size, temperature) if size else None  # of the weights, not of the template
    checkpoint = package(arguments.weights, replace(configuration, **changes), arguments.out, adjust)
    sizes = {name: (arguments.out / name).stat().st_size for name in checkpoint.configuration.shards}
    for name, size in sizes.items():
        print(f"{name}: {size / 1e6:.1f} MB, SHA-256 {checkpoint.configuration.shards[name]}")
    print(f"{arguments.out}: {checkpoint.version}, {sum(sizes.values()) / 1e6:.1f} MB, index {INDEX_FILE}")


if __name__ == "__main__":
    main()
