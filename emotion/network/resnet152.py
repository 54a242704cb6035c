"""ResNet152 with eight outputs in torch: the reference of every other runtime, and what training starts from.

The preprocessing is part of the module, read from the checkpoint's configuration, so that weights and preprocessing
can't part.
"""

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import resnet152

from emotion.labels import KEYS
from emotion.network.checkpoint import Checkpoint, CheckpointError, Configuration


class Preprocessing(nn.Module):
    """Crops, (n, side, side, channels) uint8, to what the network sees, (n, 3, input_size, input_size) float32.

    Bilinear enlargement without antialiasing, then ``(x / 255 - mean) / std``; grey is repeated to three channels.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self.input_size = configuration.input_size
        self.register_buffer("mean", torch.tensor(configuration.mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(configuration.std).view(1, -1, 1, 1), persistent=False)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        images = crops.permute(0, 3, 1, 2).float() / 255
        images = F.interpolate(images, size=(self.input_size, self.input_size), mode="bilinear", align_corners=False)
        return ((images - self.mean) / self.std).expand(-1, 3, -1, -1)


class ExpressionNetwork(nn.Module):
    """Preprocessing and network in one: crops, (n, side, side, channels) uint8, to logits, (n, 8)."""

    def __init__(self, configuration: Configuration, backbone: nn.Module) -> None:
        super().__init__()
        self.preprocessing = Preprocessing(configuration)
        self.backbone = backbone

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.backbone(self.preprocessing(crops))


def build_resnet152() -> nn.Module:
    """torchvision's ResNet152 whose 1000-class layer is replaced by one of eight, untrained."""
    return resnet152(num_classes=len(KEYS))


def load_network(checkpoint: Checkpoint) -> ExpressionNetwork:
    """The network with the checkpoint's weights in float32, in evaluation mode. Raises `CheckpointError`."""
    # Every weight is replaced, and filling 60 million random numbers first would cost a second of the start.
    with torch.device("meta"):
        backbone = build_resnet152()
    try:
        backbone.load_state_dict(_to_torch(checkpoint.state_dict()), strict=True, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())  # torch's message spreads over lines
        raise CheckpointError(
            f"The weights of {checkpoint.folder} are not those of a ResNet152 with 8 outputs: {reason}"
        ) from error
    return ExpressionNetwork(checkpoint.configuration, backbone).eval()


def _to_torch(tensors: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {
        name: torch.from_numpy(values.astype(np.float32) if values.dtype.kind == "f" else values.copy())
        for name, values in tensors.items()
    }
