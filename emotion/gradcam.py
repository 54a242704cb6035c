"""Where the network looked: Grad-CAM over the last convolutions of the torch network, and its picture for people.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017.
"""

import threading

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from emotion.alignment import similarity
from emotion.checkpoint import Checkpoint, Configuration
from emotion.faces import Face
from emotion.labels import Emotion
from emotion.network import ExpressionNetwork, load_network

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

    ``expression`` is by default the top class. Layer 4's feature maps are weighted by the mean gradient of the class's
    logit, summed, cut at zero, and scaled so that the strongest place is 1; all zero if no place speaks for it.
    """
    backbone, maps = network.backbone, []
    handle = backbone.get_submodule("layer4").register_forward_hook(lambda module, inputs, output: maps.append(output))
    try:
        with torch.no_grad():  # what lies before layer 4 needs no gradient, and its activations are the bulk of memory
            network(torch.from_numpy(np.ascontiguousarray(crop[None])))
    finally:
        handle.remove()
    features = maps[0].detach().requires_grad_()
    with torch.enable_grad():
        logits = backbone.get_submodule("fc")(backbone.get_submodule("avgpool")(features).flatten(1))[0]
        chosen = int(logits.argmax()) if expression is None else int(expression)
        (gradient,) = torch.autograd.grad(logits[chosen], features)
    heat = F.relu((gradient.mean((2, 3), keepdim=True) * features.detach()).sum(1, keepdim=True))
    heat = F.interpolate(heat, size=crop.shape[:2], mode="bilinear", align_corners=False)[0, 0]
    strongest = float(heat.max())
    return (heat / strongest if strongest > 0 else heat).numpy()


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
