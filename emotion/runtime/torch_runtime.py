"""The network in torch: float32 on the CPU as the reference, bfloat16 on the CPU, and CUDA."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from emotion.labels import KEYS
from emotion.network.checkpoint import Checkpoint
from emotion.network.resnet152 import load_network
from emotion.runtime.base import Reading, check_crops, softmax


class TorchRuntime:
    """Runs the network in torch; ``name`` is ``torch`` (float32, CPU), ``torch-bf16`` (CPU) or ``torch-cuda``
    (float16).
    """

    streams = 1  # one call takes all cores, or the whole device

    def __init__(self, checkpoint: Checkpoint, name: str) -> None:
        if name == "torch-cuda" and not torch.cuda.is_available():
            raise RuntimeError("torch-cuda was asked for, but torch finds no CUDA device. Set EMOTION_RUNTIME=auto.")
        self.name = name
        self.version = checkpoint.version
        self._checkpoint = checkpoint
        self._device = torch.device("cuda" if name == "torch-cuda" else "cpu")
        self._precision = {"torch": torch.float32, "torch-bf16": torch.bfloat16, "torch-cuda": torch.float16}[name]
        self._network = load_network(checkpoint).to(self._device).to(memory_format=torch.channels_last)

    def read(self, crops: np.ndarray) -> Reading:
        """See `emotion.runtime.base.Runtime`."""
        backbone = self._network.backbone
        pooled = nn.Sequential(self._network.preprocessing, *list(backbone.children())[:-1], nn.Flatten())

        def logits_and_features(pixels: torch.Tensor) -> torch.Tensor:
            features = pooled(pixels)
            return torch.cat([backbone.get_submodule("fc")(features).float(), features.float()], dim=1)

        answers = self._run(logits_and_features, crops)
        logits, features = answers[:, : len(KEYS)], answers[:, len(KEYS) :]
        return Reading(softmax(logits, self._checkpoint.configuration.temperature), features)

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """See `emotion.runtime.base.Runtime`."""
        return self.read(crops).probabilities

    def evidence(self, crops: np.ndarray) -> np.ndarray:
        """See `emotion.runtime.base.Runtime`."""
        layers = list(self._network.backbone.children())[:-2]  # without the mean over the places and the last layer
        features = nn.Sequential(self._network.preprocessing, *layers)
        weight = self._network.backbone.get_parameter("fc.weight")[:, :, None, None]
        return self._run(lambda pixels: F.conv2d(features(pixels), weight), crops)

    def _run(self, network: Callable[[torch.Tensor], torch.Tensor], crops: np.ndarray) -> np.ndarray:
        check_crops(crops, self._checkpoint)
        lower = self._precision is not torch.float32
        with torch.inference_mode(), torch.autocast(self._device.type, self._precision, enabled=lower):
            return network(torch.tensor(crops, device=self._device)).float().cpu().numpy()

    def for_throughput(self) -> "TorchRuntime":
        """See `emotion.runtime.base.Runtime`."""
        return self
