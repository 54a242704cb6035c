"""The eighteen augmentations of training images: changes of a face photograph that leave its expression alone.

Each function takes one image, a float tensor (channels, height, width) in [0, 1] with one or three channels, and a
generator, and returns an image of the same shape and range. All randomness comes from the generator: the same seed
gives the same picture. Lengths are fractions of the side, so that a function means the same at 48 and at 224 pixels.

    python -m emotion.training.augment --image photo.jpg --out sheet.png

draws the contact sheet: the photograph, then one row per function.
"""

import argparse
import math
from collections.abc import Callable
from io import BytesIO

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Generator, Tensor
from torchvision.transforms.v2 import functional as transforms
from torchvision.transforms.v2.functional import to_image
from torchvision.utils import make_grid, save_image

from emotion.images import read_image
from emotion.training.command_line import command, existing_file, file_to_write, write_atomically

Augmentation = Callable[[Tensor, Generator], Tensor]


def _uniform(low: float, high: float, generator: Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _integer(low: int, high: int, generator: Generator) -> int:
    """A whole number in [low, high], both ends included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def _sample(image: Tensor, grid: Tensor) -> Tensor:
    """Samples the image bilinearly at ``grid`` (1, height, width, 2; -1..1); beyond its border it is mirrored."""
    warped = F.grid_sample(image[None], grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return warped[0].clamp(0, 1)


def _affine(image: Tensor, matrix: list[list[float]]) -> Tensor:
    grid = F.affine_grid(torch.tensor([matrix]), [1, *image.shape], align_corners=False)
    return _sample(image, grid)


# Geometry


def distort(image: Tensor, generator: Generator) -> Tensor:
    """Bends the picture elastically: a 5x5 net of displacements, each up to 4 % of the side, smoothly filled."""
    net = (torch.rand((1, 2, 5, 5), generator=generator) * 2 - 1) * 0.04 * 2  # the grid's unit is half a side
    bend = F.interpolate(net, size=image.shape[1:], mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    straight = F.affine_grid(torch.eye(2, 3)[None], [1, *image.shape], align_corners=False)
    return _sample(image, straight + bend)


def perspective(image: Tensor, generator: Generator) -> Tensor:
    """Moves each corner inwards by up to 12 % of the side, as a camera held askew does."""
    height, width = image.shape[1:]
    corners = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
    moved = []
    for x, y in corners:
        inwards_x, inwards_y = (_uniform(0, 0.12, generator) for _ in range(2))
        moved.append([round(x + (width / 2 - x) * 2 * inwards_x), round(y + (height / 2 - y) * 2 * inwards_y)])
    # The moved corners are stretched to the picture's own: no black wedge appears.
    return transforms.perspective(image, moved, corners).clamp(0, 1)


def rotate(image: Tensor, generator: Generator) -> Tensor:
    """Turns by -20..20 degrees."""
    angle = math.radians(_uniform(-20, 20, generator))
    cosine, sine = math.cos(angle), math.sin(angle)
    return _affine(image, [[cosine, -sine, 0.0], [sine, cosine, 0.0]])


def shift(image: Tensor, generator: Generator) -> Tensor:
    """Moves by up to 10 % of the side in each direction: detectors place their boxes a little differently."""
    across, down = (_uniform(-0.2, 0.2, generator) for _ in range(2))  # the grid's unit is half a side
    return _affine(image, [[1.0, 0.0, across], [0.0, 1.0, down]])


def scale(image: Tensor, generator: Generator) -> Tensor:
    """Reads a field 0.82..1.18 times as wide and as high as the picture."""
    factor = _uniform(0.82, 1.18, generator)
    return _affine(image, [[factor, 0.0, 0.0], [0.0, factor, 0.0]])


def flip(image: Tensor, generator: Generator) -> Tensor:
    """Mirrors left and right, always; the policy sets the probability."""
    return transforms.horizontal_flip(image)


# Light and colour


def contrast(image: Tensor, generator: Generator) -> Tensor:
    """Multiplies the distance from the mean grey by 0.6..1.4."""
    return transforms.adjust_contrast(image, _uniform(0.6, 1.4, generator))


def brightness(image: Tensor, generator: Generator) -> Tensor:
    """Adds -0.2..0.2 to every value: unlike a product it moves dark skin and light skin alike."""
    return (image + _uniform(-0.2, 0.2, generator)).clamp(0, 1)


def saturation(image: Tensor, generator: Generator) -> Tensor:
    """Multiplies the distance from grey by 0.3..1.7; a one-channel image stays as it is."""
    factor = _uniform(0.3, 1.7, generator)
    return transforms.adjust_saturation(image, factor) if len(image) == 3 else image.clone()


def gamma(image: Tensor, generator: Generator) -> Tensor:
    """Raises to a power of 1/1.8..1.8 (log-uniform): a camera's exposure curve."""
    return transforms.adjust_gamma(image, 1.8 ** _uniform(-1, 1, generator))


def grey(image: Tensor, generator: Generator) -> Tensor:
    """Takes the colour away and keeps the number of channels."""
    return transforms.rgb_to_grayscale(image, num_output_channels=3) if len(image) == 3 else image.clone()


def colour_cast(image: Tensor, generator: Generator) -> Tensor:
    """Multiplies each channel by 0.8..1.2, as lamp light or a blue screen does; on one channel this is an exposure."""
    return (image * (0.8 + 0.4 * torch.rand((len(image), 1, 1), generator=generator))).clamp(0, 1)


def shadow(image: Tensor, generator: Generator) -> Tensor:
    """Darkens one side of a straight edge to 0.4..0.8 of its light; the edge is soft over 5..40 % of the side."""
    height, width = image.shape[1:]
    angle = _uniform(0, 2 * math.pi, generator)
    offset, softness, light = (_uniform(*ends, generator) for ends in ((-0.3, 0.3), (0.05, 0.4), (0.4, 0.8)))
    down = torch.linspace(-0.5, 0.5, height)[:, None]
    across = torch.linspace(-0.5, 0.5, width)[None]
    distance = across * math.cos(angle) + down * math.sin(angle) - offset
    dark = torch.sigmoid(distance * 4 / softness)  # 4 / softness: from 0.12 to 0.88 over the width of the edge
    return image * (1 - dark * (1 - light))


# What the camera and the network connection do


def noise(image: Tensor, generator: Generator) -> Tensor:
    """Adds Gaussian noise of deviation 0..0.06 with a grain of 1, 2 or 4 pixels (small faces are enlarged)."""
    deviation = _uniform(0, 0.06, generator)
    grain = (1, 2, 4)[_integer(0, 2, generator)]
    height, width = image.shape[1:]
    coarse = torch.randn((1, len(image), -(-height // grain), -(-width // grain)), generator=generator)
    return (image + deviation * F.interpolate(coarse, size=(height, width), mode="nearest")[0]).clamp(0, 1)


def blur(image: Tensor, generator: Generator) -> Tensor:
    """Gaussian blur of deviation 0.5..2.5 % of the side: out of focus, or a greasy lens."""
    deviation = _uniform(0.005, 0.025, generator) * image.shape[-1]
    width = 2 * math.ceil(2 * deviation) + 1  # two deviations to each side hold 95 % of the weight
    return transforms.gaussian_blur(image, [width, width], [deviation, deviation]).clamp(0, 1)


def jpeg(image: Tensor, generator: Generator) -> Tensor:
    """Compresses and opens again at quality 20..80; the eight-pixel blocks are those of a face 48..112 pixels wide."""
    side = _integer(48, 112, generator)
    height, width = image.shape[1:]
    small = F.interpolate(image[None], size=(side, side), mode="bilinear", antialias=True)[0]
    quality = _integer(20, 80, generator)
    # Through Pillow: torchvision's own decoders are on their way out.
    pixels = (small * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    file = BytesIO()
    Image.fromarray(pixels.squeeze(2) if len(image) == 1 else pixels).save(file, "JPEG", quality=quality)
    opened = to_image(Image.open(file)).float() / 255
    return F.interpolate(opened[None], size=(height, width), mode="bilinear")[0].clamp(0, 1)


def low_resolution(image: Tensor, generator: Generator) -> Tensor:
    """Averages down to 18..40 pixels and enlarges again: a child who sits far from a webcam."""
    side = _integer(18, 40, generator)
    small = F.interpolate(image[None], size=(side, side), mode="area")
    return F.interpolate(small, size=image.shape[1:], mode="bilinear")[0].clamp(0, 1)


def erase(image: Tensor, generator: Generator) -> Tensor:
    """Paints one rectangle, each side 10..33 % of the picture's, in one grey: a hand, hair, the edge of a mask."""
    height, width = image.shape[1:]
    tall, wide = (round(length * _uniform(0.1, 0.33, generator)) for length in (height, width))
    top, left = _integer(0, height - tall, generator), _integer(0, width - wide, generator)
    paint = torch.full((len(image), tall, wide), _uniform(0, 1, generator))
    return transforms.erase(image, top, left, tall, wide, paint)


AUGMENTATIONS: tuple[Augmentation, ...] = (
    distort, perspective, rotate, shift, scale, flip,
    contrast, brightness, saturation, gamma, grey, colour_cast, shadow,
    noise, blur, jpeg, low_resolution, erase,
)  # fmt: skip

Policy = tuple[tuple[Augmentation, float], ...]
"""Augmentations in the order in which they are applied, each with its probability."""


def apply_policy(policy: Policy, image: Tensor, generator: Generator) -> Tensor:
    """A random variant of an image (channels, height, width; [0, 1])."""
    for augmentation, probability in policy:
        if float(torch.rand((), generator=generator)) < probability:
            image = augmentation(image, generator)
    return image


def contact_sheet(image: Tensor, columns: int = 8, seed: int = 0) -> Tensor:
    """One row per function in the order of `AUGMENTATIONS`: the image itself, then ``columns`` - 1 variants."""
    generator = torch.Generator().manual_seed(seed)
    rows = [
        variant
        for augmentation in AUGMENTATIONS
        for variant in (image, *(augmentation(image, generator) for _ in range(columns - 1)))
    ]
    return make_grid(rows, nrow=columns, padding=2)


@command
def main() -> None:
    """Draws the contact sheet."""
    parser = argparse.ArgumentParser(description="Draws what the eighteen augmentations do to one photograph.")
    parser.add_argument("--image", type=existing_file, required=True, help="a photograph of a face, PNG or JPEG")
    parser.add_argument("--out", type=file_to_write, required=True, help="the sheet to write, PNG whatever its name")
    arguments = parser.parse_args()
    photograph = to_image(read_image(arguments.image))
    image = transforms.resize(photograph, [112, 112], antialias=True).float() / 255
    write_atomically(arguments.out, lambda part: save_image(contact_sheet(image), part, format="PNG"))
    print(f"{arguments.out}: one row each for {', '.join(f.__name__ for f in AUGMENTATIONS)}")


if __name__ == "__main__":
    main()
