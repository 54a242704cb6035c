"""Packs trained weights into a checkpoint folder: fp16 safetensors shards, the index, and the configuration with their
hashes.

    python -m emotion.training.package --weights average.safetensors --template
    checkpoints/resnet152-ferplus/config.json \\
        --out checkpoints/resnet152-ferplus

The shards and the index are in huggingface_hub's own sharded format, so the folder is a Hub repository as it stands.
"""

import argparse
import hashlib
from dataclasses import replace
from pathlib import Path

import torch
from huggingface_hub import save_torch_state_dict
from safetensors.torch import load_file

from emotion.network.checkpoint import CONFIGURATION_FILE, INDEX_FILE, Checkpoint, Configuration, load_checkpoint
from emotion.network.quantisation import QUANTISATION_FILE
from emotion.network.resnet152 import build_resnet152

# Hosts of git repositories begin to complain at 50 MB; 45 MB is the project's limit, less the header of a shard.
LARGEST_SHARD = "44MB"

_NEW_CARD = """# {name}

A ResNet152 with eight expression classes, written by `python -m emotion.training.package`.
Say here what it was trained on, what it scores, what it must not be used for, and under which licences it stands.
"""


def package(weights: Path, configuration: Configuration, out: Path) -> Checkpoint:
    """Writes the checkpoint folder ``out`` and reads it back verified.

    ``weights``: a safetensors file with torchvision's names for ``resnet152(num_classes=8)``, any float type.
    ``configuration``: everything but the shards' hashes is taken over. An existing README.md is kept. Raises
    ValueError when a name or a shape is not the architecture's, or a value does not fit into float16.
    """
    tensors = load_file(weights)
    with torch.device("meta"):
        expected = build_resnet152().state_dict()
    differing = {
        name for name in expected.keys() | tensors.keys() if not _same_shape(expected.get(name), tensors.get(name))
    }
    if differing:
        raise ValueError(f"{weights} is no ResNet152 with 8 outputs; differing tensors: {sorted(differing)[:5]}")
    halves = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    overflowing = [name for name, tensor in halves.items() if not tensor.isfinite().all()]
    if overflowing:
        raise ValueError(f"{weights}: not finite in float16: {overflowing[:5]}")
    out.mkdir(parents=True, exist_ok=True)
    (out / QUANTISATION_FILE).unlink(missing_ok=True)  # an int8 model of the weights that were here before
    save_torch_state_dict(halves, out, max_shard_size=LARGEST_SHARD)
    shards = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.glob("*.safetensors"))}
    for name in shards:
        (out / name).chmod(0o644)  # safetensors writes for the owner alone; a checkpoint is there to be read
    (out / CONFIGURATION_FILE).write_text(configuration.with_shards(shards).to_json(), encoding="utf-8")
    card = out / "README.md"
    if not card.exists():
        card.write_text(_NEW_CARD.format(name=out.resolve().name), encoding="utf-8")
    return load_checkpoint(out)


def _same_shape(expected: torch.Tensor | None, found: torch.Tensor | None) -> bool:
    return expected is not None and found is not None and expected.shape == found.shape


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="a safetensors file of resnet152(num_classes=8)")
    parser.add_argument("--template", type=Path, required=True, help="the config.json whose preset fits these weights")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint folder to write")
    parser.add_argument("--input-size", type=int, help="side of the network's input, where it is not the template's")
    parser.add_argument("--temperature", type=float, help="decision temperature, where it is not the template's")
    parser.add_argument("--training-data", help="in words, where it is not the template's")
    arguments = parser.parse_args()
    configuration = Configuration.from_json(arguments.template.read_text(encoding="utf-8"))
    changes = {
        name: value
        for name in ("input_size", "temperature", "training_data")
        if (value := getattr(arguments, name)) is not None
    }
    checkpoint = package(arguments.weights, replace(configuration, **changes), arguments.out)
    sizes = {name: (arguments.out / name).stat().st_size for name in checkpoint.configuration.shards}
    for name, size in sizes.items():
        print(f"{name}: {size / 1e6:.1f} MB, SHA-256 {checkpoint.configuration.shards[name]}")
    print(f"{arguments.out}: {checkpoint.version}, {sum(sizes.values()) / 1e6:.1f} MB, index {INDEX_FILE}")


if __name__ == "__main__":
    main()
