"""Where the network looked: Grad-CAM over the last convolutions of the torch network.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017. Layer 4
of a network that takes 224 pixels has 7 x 7 cells; one that takes 64 has 2 x 2, which show nothing. There an earlier
layer is asked, by the rule made for those: Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for
Localization", IEEE TIP 30, 2021.
"""

import threading

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from emotion.labels import Emotion
from emotion.network.checkpoint import Checkpoint
from emotion.network.resnet152 import ExpressionNetwork, load_network

STRIDES = {"layer4": 32, "layer3": 16, "layer2": 8, "layer1": 4}  # input pixels to a cell, deepest layer first
MINIMUM_CELLS = 7  # a side: what layer 4 has at 224 pixels


class Explainer:
    """Maps for one checkpoint. Loads the torch network at the first question, once. Thread-safe."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._network: ExpressionNetwork | None = None
        self._lock = threading.Lock()

    def explain(self, crop: np.ndarray, expression: Emotion | None = None) -> np.ndarray:
        """The map of `explain` for an aligned crop, (crop_size, crop_size, channels) uint8."""
        with self._lock:
            if self._network is None:
                self._network = load_network(self._checkpoint)
            return explain(self._network, crop, expression)


def explain(network: ExpressionNetwork, crop: np.ndarray, expression: Emotion | None = None) -> np.ndarray:
    """How much each place of a crop (h, w, channels) uint8 speaks for ``expression``: (h, w) float32 in 0..1.

    ``expression`` is by default the top class. A layer's maps are weighted by the gradient of the class's logit (by its
    mean in layer 4, place by place where it is positive in earlier layers), summed, cut at zero, and scaled so that the
    strongest place is 1; all zero if no place speaks for it.
    """
    layer = _layer(network.preprocessing.input_size)
    maps: list[torch.Tensor] = []

    def start_here(module: nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
        maps.append(output.detach().requires_grad_())  # what lies before needs no gradient: its memory is freed
        return maps[0]

    handle = network.backbone.get_submodule(layer).register_forward_hook(start_here)
    try:
        with torch.enable_grad():
            logits = network(torch.from_numpy(np.ascontiguousarray(crop[None])))[0]
    finally:
        handle.remove()
    chosen = int(logits.argmax()) if expression is None else int(expression)
    (gradient,) = torch.autograd.grad(logits[chosen], maps[0])
    weights = gradient.mean((2, 3), keepdim=True) if layer == "layer4" else F.relu(gradient)
    heat = F.relu((weights * maps[0].detach()).sum(1, keepdim=True))
    heat = F.interpolate(heat, size=crop.shape[:2], mode="bilinear", align_corners=False)[0, 0]
    strongest = float(heat.max())
    return (heat / strongest if strongest > 0 else heat).numpy()


def _layer(input_size: int) -> str:
    """The deepest layer with at least `MINIMUM_CELLS` a side for an input of that many pixels."""
    fine = [layer for layer, stride in STRIDES.items() if input_size // stride >= MINIMUM_CELLS]
    return fine[0] if fine else "layer1"
