"""Where the network looked: Grad-CAM over the last convolutions of the torch network, and its picture for people.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017. Layer 4
of a network that takes 224 pixels has 7 x 7 cells; one that takes 64 has 2 x 2, which show nothing. There an earlier
layer is asked, by the rule made for those: Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for
Localization", IEEE TIP 30, 2021.
"""

import threading

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from emotion.alignment import similarity
from emotion.checkpoint import Checkpoint, Configuration
from emotion.faces import Face
from emotion.labels import Emotion
from emotion.network import ExpressionNetwork, load_network

STRIDES = {"layer4": 32, "layer3": 16, "layer2": 8, "layer1": 4}  # input pixels to a cell, deepest layer first
LEAST_CELLS = 7  # a side: what layer 4 has at 224 pixels
STRENGTH = 0.55  # opacity of the overlay where the map is 1


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
    """The deepest layer with at least `LEAST_CELLS` a side for an input of that many pixels."""
    fine = [layer for layer, stride in STRIDES.items() if input_size // stride >= LEAST_CELLS]
    return fine[0] if fine else "layer1"


def overlay(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The map (any size, 0..1) laid over a picture (h, w, 1 or 3) uint8 of the same field of view -> (h, w, 3) uint8.

    From transparent over orange to yellow; orientation is by opacity and brightness too, not by hue alone.
    """
    height, width = image.shape[:2]
    resized = Image.fromarray(np.asarray(heat, np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    return _blend(image, np.clip(np.asarray(resized), 0, 1))


def overlay_on_photo(photo: np.ndarray, face: Face, heat: np.ndarray, configuration: Configuration) -> np.ndarray:
    """The map of a face's aligned crop laid back onto the photo (h, w, 3) uint8 that the crop was cut from."""
    side = len(heat)
    matrix = similarity(face.landmarks, np.asarray(configuration.crop_template) * side)
    height, width = photo.shape[:2]
    # Pillow asks where in the source a target pixel comes from, counted from outer edges like our matrices.
    drawn = Image.fromarray(np.asarray(heat, np.float32)).transform(
        (width, height), Image.Transform.AFFINE, tuple(matrix.ravel()), Image.Resampling.BILINEAR, fillcolor=0
    )
    return _blend(photo, np.clip(np.asarray(drawn), 0, 1))


def _blend(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    strength = heat[..., None]
    colour = np.concatenate([np.full_like(strength, 255), 110 + 130 * strength, 40 * strength], axis=2)
    opacity = STRENGTH * strength
    return np.rint(image * (1 - opacity) + colour * opacity).astype(np.uint8)
