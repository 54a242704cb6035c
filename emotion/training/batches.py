"""What the network is shown in training: faces enlarged, augmented and normalised, a batch at a time, on CPU or GPU."""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from emotion.labels import Emotion
from emotion.training.augment import apply_policy
from emotion.training.data import FaceDataset
from emotion.training.presets import Preset

RESIDENT_SHARE = 1 / 3  # of a GPU's free memory that a data set may take; the network needs the rest


def autocast(preset: Preset, device: torch.device) -> torch.autocast:
    """Under which the network is computed: in bfloat16 on every GPU, on a CPU where the preset says so."""
    return torch.autocast(device.type, torch.bfloat16, enabled=preset.bfloat16 or device.type == "cuda")


def enlarge(images: Tensor, size: int) -> Tensor:
    """(n, side, side, channels) uint8 -> (n, channels, size, size) float in [0, 1], bilinear, as at inference."""
    pixels = images.permute(0, 3, 1, 2).contiguous().float() / 255
    return F.interpolate(pixels, size=(size, size), mode="bilinear").clamp(0, 1)


def normalise(pixels: Tensor, preset: Preset) -> Tensor:
    """(n, 1 or 3, size, size) in [0, 1] -> (n, 3, size, size) as the network takes it."""
    mean, std = (torch.tensor(value, device=pixels.device).reshape(-1, 1, 1) for value in (preset.mean, preset.std))
    return ((pixels - mean) / std).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def resident(images: Tensor, device: torch.device) -> Tensor:
    """The images on the device where it has room for them; else where they are, and each batch is copied."""
    if device.type == "cuda" and images.nbytes > RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]:
        return images
    return images.to(device)


class TrainingBatches:
    """Batches of augmented faces. Each depends on the seed and on its step alone, so that a resumed run sees what an
    unbroken one sees without a generator's state."""

    def __init__(self, faces: FaceDataset, preset: Preset, seed: int, device: torch.device) -> None:
        self.preset, self.seed, self.device = preset, seed, device
        self.images = resident(torch.from_numpy(faces.images), device)
        self.targets = torch.from_numpy(faces.targets).to(device)
        # A rest smaller than a batch is left out; the next epoch has another order.
        self.per_epoch = max(1, len(faces) // preset.batch)
        count = np.bincount(faces.labels, minlength=len(Emotion)).astype(np.float64)
        weights = np.maximum(count, 1)[faces.labels] ** -preset.balance
        if faces.children is not None:
            weights = weights * np.where(faces.children, preset.children, 1.0)
        self.weights = torch.from_numpy(weights)
        self.unweighted = bool(np.ptp(weights) == 0)
        self.order = functools.lru_cache(1)(self._order)

    def _order(self, epoch: int) -> Tensor:
        """Indices of the faces of an epoch: each once where all weigh alike, else drawn with replacement."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        if self.unweighted:
            return torch.randperm(len(self.images), generator=generator)
        return torch.multinomial(self.weights, self.per_epoch * self.preset.batch, True, generator=generator)

    def make(self, step: int, size: int) -> tuple[Tensor, Tensor]:
        """Images (batch, 3, size, size) and target distributions (batch, 8) of one step, on the device.

        A thread beside the network would compete with it for a CPU's cores, and a GPU does this while it is computed.
        """
        epoch, place = divmod(step, self.per_epoch)
        chosen = self.order(epoch)[place * self.preset.batch : (place + 1) * self.preset.batch]
        generator = torch.Generator().manual_seed((self.seed + 1) * 2_000_003 + step)
        pixels = enlarge(self.images[chosen.to(self.images.device)].to(self.device), size)
        pixels = apply_policy(self.preset.policy, pixels, generator)
        return normalise(pixels, self.preset), self.targets[chosen.to(self.device)]
