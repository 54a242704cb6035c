"""The eighteen augmentations of training images: changes of a face photograph that leave its expression alone.

Each works on a whole batch, on whatever device it lies: float images (n, channels, height, width) in [0, 1] with one or
three channels, and a table of numbers (n, k) in [0, 1), one row for each image, which say by how much it is changed.
They hold no other randomness: the same numbers give the same picture, alone or among others, on a processor and
(to rounding) on a GPU. Lengths are fractions of the side, so that a function means the same at 48 and at 224 pixels.

    python -m emotion.training.augment --image photo.jpg --out sheet.png

draws the contact sheet: the photograph, then one row per function.
"""

import argparse
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torchvision.transforms.v2 import functional as transforms
from torchvision.transforms.v2.functional import to_image
from torchvision.utils import make_grid, save_image

from emotion.images import read_image
from emotion.training.command_line import command, existing_file, file_to_write, write_atomically


class Augmentation:
    """A function of images (n, channels, height, width) and numbers (n, ``numbers``), with its name and docstring."""

    def __init__(self, change: Callable[[Tensor, Tensor], Tensor], numbers: int) -> None:
        self.change, self.numbers = change, numbers
        self.__name__, self.__doc__ = change.__name__, change.__doc__

    def __call__(self, images: Tensor, numbers: Tensor) -> Tensor:
        """The changed images, clamped to [0, 1]; the given ones stay as they are."""
        return self.change(images, numbers).clamp(0, 1)


def _of(numbers: int) -> Callable[[Callable[[Tensor, Tensor], Tensor]], Augmentation]:
    """Makes an augmentation that reads so many numbers of each image."""
    return lambda change: Augmentation(change, numbers)


def _between(low: float, high: float, number: Tensor) -> Tensor:
    """Numbers (n,) in [0, 1) -> (n, 1, 1, 1) in [low, high)."""
    return (low + (high - low) * number).reshape(-1, 1, 1, 1)


def _whole(low: int, high: int, number: Tensor) -> Tensor:
    """Numbers (n,) in [0, 1) -> whole numbers (n,) as float, from low to high, both included."""
    return low + (number * (high + 1 - low)).floor()


def _middles(length: int, images: Tensor) -> Tensor:
    """(length,): where the middles of the pixels lie, in pixels, on the images' device."""
    return torch.arange(length, device=images.device, dtype=images.dtype) + 0.5


# Geometry


def _sample(images: Tensor, grid: Tensor) -> Tensor:
    """Samples bilinearly at ``grid`` (n, height, width, 2; -1..1); beyond its border an image is mirrored."""
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _affine(images: Tensor, rows: list[list[Tensor]]) -> Tensor:
    """Samples each image by its 2 x 3 matrix, given as entries (n,)."""
    matrix = torch.stack([torch.stack(row, 1) for row in rows], 1)
    return _sample(images, F.affine_grid(matrix, list(images.shape), align_corners=False))


@_of(50)
def distort(images: Tensor, numbers: Tensor) -> Tensor:
    """Bends the picture elastically: a 5x5 net of displacements, each up to 4 % of the side, smoothly filled."""
    net = (numbers.reshape(-1, 2, 5, 5) * 2 - 1) * 0.04 * 2  # the grid's unit is half a side
    bend = F.interpolate(net, size=images.shape[2:], mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    straight = torch.eye(2, 3, device=images.device).expand(len(images), 2, 3)
    return _sample(images, F.affine_grid(straight, list(images.shape), align_corners=False) + bend)


@_of(8)
def perspective(images: Tensor, numbers: Tensor) -> Tensor:
    """Moves each corner inwards by up to 12 % of the side, as a camera held askew does.

    The moved corners are stretched to the picture's own: no black wedge appears. The projective map of the unit square
    onto four corners is Heckbert's (1989, "Fundamentals of Texture Mapping and Image Warping", section 2.2.3).
    """
    corner = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]], device=images.device)
    moved = corner + (1 - 2 * corner) * 0.12 * numbers.reshape(-1, 4, 2)
    first, second, third, fourth = moved.unbind(1)  # (n, 2) each, across and down
    one, other, rest = second - third, fourth - third, first - second + third - fourth
    across = (_cross(rest, other) / _cross(one, other))[:, None]
    down = (_cross(one, rest) / _cross(one, other))[:, None]
    columns = second - first + across * second, fourth - first + down * fourth, first
    y, x = (_middles(side, images) / side for side in images.shape[2:])
    x, y = x[None, None, :, None], y[None, :, None, None]
    along, below, start = (column[:, None, None] for column in columns)
    scale = across[:, None, None] * x + down[:, None, None] * y + 1
    return _sample(images, (along * x + below * y + start) / scale * 2 - 1)


def _cross(one: Tensor, other: Tensor) -> Tensor:
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]


@_of(1)
def rotate(images: Tensor, numbers: Tensor) -> Tensor:
    """Turns by -20..20 degrees."""
    angle = (numbers[:, 0] * 2 - 1) * math.radians(20)
    cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    return _affine(images, [[cosine, -sine, zero], [sine, cosine, zero]])


@_of(2)
def shift(images: Tensor, numbers: Tensor) -> Tensor:
    """Moves by up to 10 % of the side in each direction: detectors place their boxes a little differently."""
    across, down = ((number * 2 - 1) * 0.2 for number in numbers.unbind(1))  # the grid's unit is half a side
    one, zero = torch.ones_like(across), torch.zeros_like(across)
    return _affine(images, [[one, zero, across], [zero, one, down]])


@_of(1)
def scale(images: Tensor, numbers: Tensor) -> Tensor:
    """Reads a field 0.82..1.18 times as wide and as high as the picture."""
    factor = 0.82 + 0.36 * numbers[:, 0]
    zero = torch.zeros_like(factor)
    return _affine(images, [[factor, zero, zero], [zero, factor, zero]])


@_of(0)
def flip(images: Tensor, numbers: Tensor) -> Tensor:
    """Mirrors left and right, always; the policy sets the probability."""
    return images.flip(3)


# Light and colour


def _grey(images: Tensor) -> Tensor:
    """(n, 1, height, width): brightness (ITU-R BT.601)."""
    if images.shape[1] == 1:
        return images
    weights = torch.tensor([0.299, 0.587, 0.114], device=images.device).reshape(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


@_of(1)
def contrast(images: Tensor, numbers: Tensor) -> Tensor:
    """Multiplies the distance from the mean grey by 0.6..1.4."""
    mean = _grey(images).mean((2, 3), keepdim=True)
    return mean + (images - mean) * _between(0.6, 1.4, numbers[:, 0])


@_of(1)
def brightness(images: Tensor, numbers: Tensor) -> Tensor:
    """Adds -0.2..0.2 to every value: unlike a product it moves dark skin and light skin alike."""
    return images + _between(-0.2, 0.2, numbers[:, 0])


@_of(1)
def saturation(images: Tensor, numbers: Tensor) -> Tensor:
    """Multiplies the distance from grey by 0.3..1.7; a one-channel image stays as it is."""
    grey = _grey(images)
    return grey + (images - grey) * _between(0.3, 1.7, numbers[:, 0])


@_of(1)
def gamma(images: Tensor, numbers: Tensor) -> Tensor:
    """Raises to a power of 1/1.8..1.8 (log-uniform): a camera's exposure curve."""
    return images ** (1.8 ** _between(-1, 1, numbers[:, 0]))


@_of(0)
def grey(images: Tensor, numbers: Tensor) -> Tensor:
    """Takes the colour away and keeps the number of channels."""
    return _grey(images).expand_as(images).clone()


@_of(3)
def colour_cast(images: Tensor, numbers: Tensor) -> Tensor:
    """Multiplies each channel by 0.8..1.2, as lamp light or a blue screen does; on one channel this is an exposure."""
    return images * (0.8 + 0.4 * numbers[:, : images.shape[1], None, None])


@_of(4)
def shadow(images: Tensor, numbers: Tensor) -> Tensor:
    """Darkens one side of a straight edge to 0.4..0.8 of its light; the edge is soft over 5..40 % of the side."""
    ranges = ((0, 2 * math.pi), (-0.3, 0.3), (0.05, 0.4), (0.4, 0.8))
    angle, offset, softness, light = (_between(*ends, numbers[:, i]) for i, ends in enumerate(ranges))
    down, across = (_middles(side, images) / side - 0.5 for side in images.shape[2:])
    distance = across * angle.cos() + down[:, None] * angle.sin() - offset
    dark = torch.sigmoid(distance * 4 / softness)  # 4 / softness: from 0.12 to 0.88 over the width of the edge
    return images * (1 - dark * (1 - light))


# What the camera and the network connection do


def _scattered(places: Tensor) -> Tensor:
    """Whole numbers (int64) below 2^32 -> numbers in (0, 1) that show no order: PCG's hash of 32 bits (Jarzynski and
    Olano 2020, "Hash Functions for GPU Rendering"), the same on every device."""
    state = (places * 747796405 + 2891336453) & 0xFFFFFFFF
    word = (((state >> ((state >> 28) + 4)) ^ state) * 277803737) & 0xFFFFFFFF
    return (((word >> 22) ^ word).double() + 0.5) / 2**32


@_of(3)
def noise(images: Tensor, numbers: Tensor) -> Tensor:
    """Adds Gaussian noise of deviation 0..0.06 with a grain of 1, 2 or 4 pixels (small faces are enlarged)."""
    _, channels, height, width = images.shape
    deviation = _between(0, 0.06, numbers[:, 0])
    grain = (2 ** _whole(0, 2, numbers[:, 1])).long().reshape(-1, 1, 1, 1)
    row = torch.arange(height, device=images.device)[:, None] // grain
    column = torch.arange(width, device=images.device) // grain
    channel = torch.arange(channels, device=images.device)[:, None, None]
    start = (numbers[:, 2] * 2**24).long().reshape(-1, 1, 1, 1) << 8
    place = (start ^ (channel * 0x9E3779B1)) + row * width + column
    return images + deviation * torch.special.ndtri(_scattered(place & 0xFFFFFFFF)).float()


def _along_sides(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Mixes rows, then columns, of each image: (n, c, h, w), (n, h', h), (n, w', w) -> (n, c, h', w')."""
    return rows[:, None] @ images @ columns[:, None].transpose(2, 3)


def _resized(pixels: int, length: int, side: Tensor, area: bool) -> Tensor:
    """(n, pixels, length): each row averages ``length`` pixels down to one of ``side`` (n,) <= ``pixels``; rows from
    ``side`` on repeat the last. ``area``: every pixel by how much of it lies inside; else linear, without aliasing."""
    step = (length / side).reshape(-1, 1, 1)
    place = torch.minimum(torch.arange(pixels, device=side.device)[None], side[:, None] - 1)[:, :, None]
    pixel = torch.arange(length, device=side.device) + 0.5
    distance = (pixel - (place + 0.5) * step).abs()
    weight = (step / 2 + 0.5 - distance).clamp(0, 1) if area else (1 - distance / step.clamp(min=1)).clamp(min=0)
    return weight / weight.sum(2, keepdim=True)


def _enlarged(pixels: int, length: int, side: Tensor) -> Tensor:
    """(n, pixels, length): each row is one of ``pixels``, bilinear between the first ``side`` (n,) of ``length``."""
    place = (torch.arange(pixels, device=side.device) + 0.5) * (side / pixels)[:, None] - 0.5
    place = torch.minimum(place.clamp(min=0), side[:, None] - 1)
    return (1 - (place[:, :, None] - torch.arange(length, device=side.device)).abs()).clamp(min=0)


@_of(1)
def blur(images: Tensor, numbers: Tensor) -> Tensor:
    """Gaussian blur of deviation 0.5..2.5 % of the side: out of focus, or a greasy lens."""
    share = 0.005 + 0.02 * numbers[:, 0].reshape(-1, 1, 1)
    rows, columns = (_gaussian(_middles(side, images) / side, share) for side in images.shape[2:])
    return _along_sides(images, rows, columns)


def _gaussian(place: Tensor, deviation: Tensor) -> Tensor:
    """(n, side, side): weights of the pixels at ``place`` (side,) for each of them; every row sums to 1."""
    weight = torch.exp(-0.5 * ((place[:, None] - place) / deviation) ** 2)
    return weight / weight.sum(2, keepdim=True)


@_of(2)
def jpeg(images: Tensor, numbers: Tensor) -> Tensor:
    """What JPEG loses at quality 20..80; the eight-pixel blocks are those of a face 48..112 pixels wide.

    Blocks of 8 x 8 values (brightness, and in colour two differences at half the size) go through the cosine transform,
    are rounded to the steps of annex K of the standard (ITU-T T.81), scaled as libjpeg does, and come back.
    """
    side, quality = _whole(48, 112, numbers[:, 0]), _whole(20, 80, numbers[:, 1])
    rows, columns = (_resized(112, length, side, area=False) for length in images.shape[2:])
    small = _along_sides(images, rows, columns) * 255
    percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality).reshape(-1, 1, 1, 1, 1)
    if images.shape[1] == 1:
        opened = _rounded(small - 128, BRIGHTNESS_STEPS, percent) + 128
    else:
        there, back = (torch.tensor(matrix, device=images.device) for matrix in (TO_YCBCR, FROM_YCBCR))
        planes = torch.einsum("kc,nchw->nkhw", there, small)
        light = _rounded(planes[:, :1] - 128, BRIGHTNESS_STEPS, percent) + 128
        colour = _rounded(F.avg_pool2d(planes[:, 1:], 2), COLOUR_STEPS, percent)
        colour = F.interpolate(colour, scale_factor=2, mode="bilinear")
        opened = torch.einsum("ck,nkhw->nchw", back, torch.cat([light, colour], 1))
    rows, columns = (_enlarged(length, 112, side) for length in images.shape[2:])
    return _along_sides((opened.round() / 255).clamp(0, 1), rows, columns)


# Of JFIF: brightness and two colour differences of red, green and blue, and back.
TO_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
FROM_YCBCR = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))
BRIGHTNESS_STEPS = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
COLOUR_STEPS = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
)  # fmt: skip


def _rounded(planes: Tensor, steps: tuple[int, ...], percent: Tensor) -> Tensor:
    """(n, c, side, side), sides multiples of 8 (what is over repeats the border) -> the same, after rounding."""
    side = planes.shape[2]
    over = -side % 8
    planes = F.pad(planes, (0, over, 0, over), mode="replicate")
    n, channels, padded, _ = planes.shape
    frequency, place = torch.arange(8.0, device=planes.device)[:, None], torch.arange(8.0, device=planes.device)
    cosines = torch.cos((2 * place + 1) * frequency * math.pi / 16) / 2
    cosines = torch.cat([cosines[:1] / math.sqrt(2), cosines[1:]])
    step = torch.tensor(steps, dtype=planes.dtype, device=planes.device).reshape(8, 8)
    step = ((step * percent + 50) / 100).floor().clamp(1, 255)  # (n, 1, 1, 8, 8)
    blocks = planes.reshape(n, channels, padded // 8, 8, padded // 8, 8).permute(0, 1, 2, 4, 3, 5).flatten(2, 3)
    codes = ((cosines @ blocks @ cosines.T) / step).round() * step
    blocks = (cosines.T @ codes @ cosines).unflatten(2, (padded // 8, padded // 8)).permute(0, 1, 2, 4, 3, 5)
    return blocks.reshape(n, channels, padded, padded)[:, :, :side, :side]


@_of(1)
def low_resolution(images: Tensor, numbers: Tensor) -> Tensor:
    """Averages down to 18..40 pixels and enlarges again: a child who sits far from a webcam."""
    side = _whole(18, 40, numbers[:, 0])
    both = (_enlarged(length, 40, side) @ _resized(40, length, side, area=True) for length in images.shape[2:])
    return _along_sides(images, *both)


@_of(5)
def erase(images: Tensor, numbers: Tensor) -> Tensor:
    """Paints one rectangle, each side 10..33 % of the picture's, in one grey: a hand, hair, the edge of a mask."""
    tall, wide = (0.1 + 0.23 * numbers[:, i].reshape(-1, 1, 1, 1) for i in (0, 1))
    top, left, paint = (numbers[:, i].reshape(-1, 1, 1, 1) for i in (2, 3, 4))
    down, across = (_middles(side, images) / side for side in images.shape[2:])
    inside = _within(down[:, None], top * (1 - tall), tall) & _within(across, left * (1 - wide), wide)
    return torch.where(inside, paint, images)


def _within(place: Tensor, start: Tensor, length: Tensor) -> Tensor:
    return (place >= start) & (place < start + length)


AUGMENTATIONS: tuple[Augmentation, ...] = (
    distort, perspective, rotate, shift, scale, flip,
    contrast, brightness, saturation, gamma, grey, colour_cast, shadow,
    noise, blur, jpeg, low_resolution, erase,
)  # fmt: skip

Policy = tuple[tuple[Augmentation, float], ...]
"""Augmentations in the order in which they are applied, each with its probability."""


def apply_policy(policy: Policy, images: Tensor, generator: Generator) -> Tensor:
    """Random variants of images (n, channels, height, width; [0, 1]), on their device.

    Every image's numbers come from ``generator`` (of the CPU) before the next one's, and as many whatever is applied:
    a batch is what its images would be one after the other.
    """
    table = torch.rand((len(images), sum(1 + function.numbers for function, _ in policy)), generator=generator)
    numbers = table.to(images.device)
    column = 0
    for function, probability in policy:
        chosen = (table[:, column] < probability).nonzero()[:, 0].to(images.device)
        if len(chosen):
            changed = function(images[chosen], numbers[chosen, column + 1 : column + 1 + function.numbers])
            images = images.index_copy(0, chosen, changed)
        column += 1 + function.numbers
    return images


def contact_sheet(image: Tensor, columns: int = 8, seed: int = 0) -> Tensor:
    """(channels, height, width) -> one row per function in the order of `AUGMENTATIONS`: the image itself, then
    ``columns`` - 1 variants."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for function in AUGMENTATIONS:
        images = image.expand(columns - 1, *image.shape)
        rows += [image, *function(images, torch.rand((columns - 1, function.numbers), generator=generator))]
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
