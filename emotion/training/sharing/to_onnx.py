"""Writes a checkpoint as one ONNX file: preprocessing, network, temperature and softmax together.

    python -m emotion.training.sharing.to_onnx --checkpoint RUN/checkpoint --out expressions.onnx

In: ``crops`` (n, crop_size, crop_size, channels) uint8, aligned face crops. Out: ``probabilities`` (n, 8) float32,
whose classes stand in the file's metadata, and ``features`` (n, 2048) float32. What the file answers is compared
with torch before it is kept. Needs the packages onnx and onnxscript; the app itself does not.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import openvino
import torch
from torch import Tensor, nn

from emotion.network.checkpoint import PACKAGED_CHECKPOINT, Checkpoint, load_checkpoint
from emotion.network.resnet152 import ExpressionNetwork, load_network
from emotion.training.command_line import CommandError, command, file_to_write, write_atomically

OPSET = 18  # of 2022; every runtime in use reads it
LARGEST_DIFFERENCE = 1e-3  # of a probability, between torch and the file


class _Answers(nn.Module):
    """Crops to probabilities and features."""

    def __init__(self, network: ExpressionNetwork, temperature: float) -> None:
        super().__init__()
        layers = list(network.backbone.children())
        self.features = nn.Sequential(network.preprocessing, *layers[:-1], nn.Flatten())
        self.last, self.temperature = layers[-1], temperature

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(crops)
        return (self.last(features) / self.temperature).softmax(1), features


def export_onnx(checkpoint: Checkpoint, out: Path) -> float:
    """Writes the file and returns the largest difference of a probability from torch's.

    Raises CommandError where the file answers something else than torch; it is not kept then.
    """
    configuration = checkpoint.configuration
    module = _Answers(load_network(checkpoint), configuration.temperature).eval()
    shape = (2, configuration.crop_size, configuration.crop_size, configuration.channels)
    crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    difference = 0.0

    def write(part: Path) -> None:
        nonlocal difference
        torch.onnx.export(
            module,
            (torch.from_numpy(crops),),
            str(part),
            input_names=["crops"],
            output_names=["probabilities", "features"],
            dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
            opset_version=OPSET,
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        model = onnx.load(part)
        about = {"classes": json.dumps(configuration.classes), "version": checkpoint.version}
        onnx.helper.set_model_props(model, about)
        onnx.save(model, part)
        difference = _difference(module, part, crops)
        if not difference <= LARGEST_DIFFERENCE:
            raise CommandError(f"{out} would answer otherwise than torch, by {difference:.4f}; it is not kept.")

    write_atomically(out, write)
    return difference


def _difference(module: nn.Module, path: Path, crops: np.ndarray) -> float:
    """The largest between the probabilities of torch and of the file, of one crop and of several."""
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(openvino.Core().read_model(path.read_bytes()), "CPU", options)
    differences = []
    for batch in (crops[:1], crops):
        with torch.inference_mode():
            expected = module(torch.from_numpy(batch))[0].numpy()
        differences.append(np.abs(compiled(batch)["probabilities"] - expected).max())
    return float(max(differences))


@command
def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default=str(PACKAGED_CHECKPOINT), help="a folder, or a repository of the Hub")
    parser.add_argument("--out", type=file_to_write, required=True, help="the .onnx file to write")
    arguments = parser.parse_args()
    checkpoint = load_checkpoint(arguments.checkpoint)
    difference = export_onnx(checkpoint, arguments.out)
    size = arguments.out.stat().st_size / 1e6
    print(f"{arguments.out}: {checkpoint.version}, {size:.0f} MB, within {difference:.1g} of torch")


if __name__ == "__main__":
    main()
