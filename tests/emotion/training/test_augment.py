"""Each of the eighteen augmentations, and what is drawn of them: whole batches, a row of numbers for each image."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from emotion.training import augment
from emotion.training.augment import (
    AUGMENTATIONS,
    Augmentation,
    apply_policy,
    brightness,
    contact_sheet,
    erase,
    flip,
    grey,
    jpeg,
    low_resolution,
    main,
    noise,
    rotate,
)
from emotion.training.presets import FERPLUS, PAPER

each = pytest.mark.parametrize("augmentation", AUGMENTATIONS, ids=lambda function: function.__name__)
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


def picture(channels: int, size: int = 48) -> Tensor:
    """Something with edges, a gradient and the whole range of values: (1, channels, size, size)."""
    down, across = torch.meshgrid(torch.linspace(0, 1, size), torch.linspace(0, 1, size), indexing="ij")
    planes = torch.stack([across, down, (torch.sin(12 * across) * torch.cos(9 * down) + 1) / 2])
    planes[:, size // 4 : size // 2, size // 4 : size // 2] = 1.0
    return planes[None, :channels].clone()


def batch(channels: int, size: int, count: int = 5) -> Tensor:
    return torch.cat([picture(channels, size) * (1 - 0.1 * number) for number in range(count)])


def numbers(augmentation: Augmentation, count: int, seed: int) -> Tensor:
    return torch.rand((count, augmentation.numbers), generator=torch.Generator().manual_seed(seed))


def test_there_are_exactly_eighteen_and_each_is_documented() -> None:
    assert len(AUGMENTATIONS) == len({function.__name__ for function in AUGMENTATIONS}) == 18
    assert all(function.__doc__ for function in AUGMENTATIONS)


@each
@given(seed=st.integers(0, 2**31), channels=st.sampled_from([1, 3]), size=st.sampled_from([24, 48, 65]))
@settings(max_examples=15, deadline=None)
def test_shape_range_and_type_are_kept(augmentation: Augmentation, seed: int, channels: int, size: int) -> None:
    images = batch(channels, size)
    before = images.clone()
    changed = augmentation(images, numbers(augmentation, len(images), seed))
    assert changed.shape == images.shape
    assert changed.dtype == torch.float32
    assert changed.isfinite().all()
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert torch.equal(images, before), "the given images were written to"


@each
@pytest.mark.parametrize("end", [0.0, 1 - 2**-24])
def test_the_ends_of_the_range_are_pictures_too(augmentation: Augmentation, end: float) -> None:
    changed = augmentation(batch(3, 48), torch.full((5, augmentation.numbers), end))
    assert changed.isfinite().all()
    assert changed.std() > 0.05


@each
@given(seed=st.integers(0, 2**31), channels=st.sampled_from([1, 3]))
@settings(max_examples=15, deadline=None)
def test_a_batch_is_what_its_images_are_alone(augmentation: Augmentation, seed: int, channels: int) -> None:
    images = batch(channels, 48)
    rows = numbers(augmentation, len(images), seed)
    together = augmentation(images, rows)
    alone = torch.cat([augmentation(images[i : i + 1], rows[i : i + 1]) for i in range(len(images))])
    assert torch.allclose(together, alone, atol=2e-6) or (  # JPEG's rounding may fall to the other side
        augmentation is jpeg and (together - alone).abs().mean() < 1e-3
    )


@given(seed=st.integers(0, 2**31), policy=st.sampled_from([FERPLUS.policy, PAPER.policy]))
@settings(max_examples=15, deadline=None)
def test_a_batch_under_a_policy_is_what_its_images_are_one_after_the_other(seed: int, policy: augment.Policy) -> None:
    images = batch(3, 32)
    together = apply_policy(policy, images, torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(seed)
    alone = torch.cat([apply_policy(policy, images[i : i + 1], generator) for i in range(len(images))])
    assert (together - alone).abs().mean() < 1e-3
    assert torch.equal(together, apply_policy(policy, images, torch.Generator().manual_seed(seed)))


@pytest.mark.parametrize(
    ("name", "row"),
    [
        *((name, [0.5]) for name in ("rotate", "scale", "contrast", "brightness", "saturation", "gamma")),
        ("shift", [0.5, 0.5]),
        ("colour_cast", [0.5] * 3),
        ("distort", [0.5] * 50),
        ("perspective", [0.0] * 8),
        ("noise", [0.0, 0.7, 0.3]),
    ],
)
def test_with_no_strength_nothing_is_changed(name: str, row: list[float]) -> None:
    images = batch(3, 48)
    changed = getattr(augment, name)(images, torch.tensor([row] * len(images)))
    assert torch.allclose(changed, images, atol=1e-4)


@each
def test_a_colour_picture_is_changed_but_still_resembles_itself(augmentation: Augmentation) -> None:
    images = picture(3, 96).expand(8, -1, -1, -1)
    changed = augmentation(images, numbers(augmentation, 8, 1))
    assert ((changed - images).abs().mean((1, 2, 3)) > 1e-5).all()
    assert ((changed - images).abs().mean((1, 2, 3)) < 0.35).all()


@pytest.mark.parametrize("augmentation", [a for a in AUGMENTATIONS if a.numbers], ids=lambda a: a.__name__)
def test_different_numbers_give_different_pictures(augmentation: Augmentation) -> None:
    changed = augmentation(picture(3).expand(4, -1, -1, -1), numbers(augmentation, 4, 0))
    assert not torch.equal(changed[0], changed[1]) or not torch.equal(changed[2], changed[3])


def test_a_flip_of_a_flip_is_the_picture() -> None:
    nothing = torch.zeros(1, 0)
    assert torch.equal(flip(flip(picture(3), nothing), nothing), picture(3))


def test_a_turned_picture_keeps_its_middle() -> None:
    image = torch.zeros(1, 1, 49, 49)
    image[..., 22:27, 22:27] = 1
    turned = rotate(image, torch.tensor([[0.9]]))
    assert turned[0, 0, 24, 24] > 0.99
    assert turned.sum() == pytest.approx(25, abs=1)


@pytest.mark.parametrize("quality", [20, 49, 50, 80])
@pytest.mark.parametrize("colour", [False, True])
def test_jpeg_loses_what_a_jpeg_file_loses(quality: int, colour: bool) -> None:
    generator = np.random.default_rng(0)
    coarse = Image.fromarray(generator.integers(0, 256, (13, 13, 3), dtype=np.uint8)).resize((104, 104))
    photo = coarse if colour else coarse.convert("L")
    file = BytesIO()
    photo.save(file, "JPEG", quality=quality)
    original, saved = (
        torch.from_numpy(np.array(image)).reshape(104, 104, -1).permute(2, 0, 1).float() / 255
        for image in (photo, Image.open(file))
    )
    # 104 of 48..112 pixels: the picture's own size.
    found = jpeg(original[None], torch.tensor([[(104 - 48 + 0.5) / 65, (quality - 20 + 0.5) / 61]]))[0]
    lost = (saved - original).abs().mean()
    assert lost > 0.003
    assert (found - saved).abs().mean() < 0.25 * lost


def test_noise_is_normal_and_without_order() -> None:
    images = torch.full((3, 1, 224, 224), 0.5)
    added = (noise(images, torch.tensor([[1.0, 0.0, 0.1], [1.0, 0.0, 0.6], [1.0, 0.9, 0.6]])) - images)[:, 0]
    assert added[:2].std() == pytest.approx(0.06, rel=0.01)
    assert abs(added[:2].mean()) < 0.001
    pairs = [(added[0], added[1]), (added[0, 1:], added[0, :-1]), (added[0, :, 1:], added[0, :, :-1])]
    assert all(abs(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]) < 0.02 for a, b in pairs)
    assert torch.equal(added[2, ::4, ::4], added[2, 3::4, 3::4])  # a grain of four pixels


def test_a_far_face_has_as_few_pixels_as_it_says() -> None:
    stripes = torch.zeros(1, 1, 96, 96)
    stripes[..., ::2] = 1  # finer than any of 18..40 pixels can show
    for number in (0.0, 0.5, 0.99):
        assert low_resolution(stripes, torch.tensor([[number]])).std() < 0.1
    edge = torch.zeros(1, 1, 96, 96)
    edge[..., 48:] = 1
    assert low_resolution(edge, torch.tensor([[0.0]]))[0, 0, 50, [0, 95]].tolist() == pytest.approx([0, 1], abs=1e-5)


def test_an_erased_rectangle_lies_inside_and_has_one_grey() -> None:
    images = torch.full((200, 1, 60, 60), 0.5)
    changed = erase(images, torch.rand((200, 5), generator=torch.Generator().manual_seed(0)))
    for image in changed:
        painted = image[image != 0.5]
        assert len(painted.unique()) == 1
        assert 0.08**2 < len(painted) / 3600 < 0.36**2


def test_a_policy_uses_each_function_as_often_as_it_says() -> None:
    calls: list[int] = []

    def count(images: Tensor, row: Tensor) -> Tensor:
        calls.append(len(images))
        return images

    policy = ((Augmentation(count, 2), 0.25), (brightness, 0.5))
    changed = apply_policy(policy, torch.full((400, 1, 8, 8), 0.5), torch.Generator().manual_seed(0))
    assert 70 < sum(calls) < 130
    assert 150 < (changed != 0.5).any(3).any(2).sum() < 250


def test_the_policy_for_grey_faces_uses_no_function_that_needs_colour() -> None:
    assert not {"grey", "saturation", "colour_cast"} & {function.__name__ for function, _ in FERPLUS.policy}
    assert torch.equal(grey(picture(1), torch.zeros(1, 0)), picture(1))


@cuda
@each
def test_a_gpu_makes_the_same_pictures(augmentation: Augmentation) -> None:
    images, rows = batch(3, 65), numbers(augmentation, 5, 3)
    found = augmentation(images.cuda(), rows.cuda())
    assert found.is_cuda
    assert (found.cpu() - augmentation(images, rows)).abs().mean() < 1e-3


def test_the_contact_sheet_has_a_row_for_each_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = contact_sheet(picture(3, 48)[0], columns=4)
    assert sheet.shape == (3, 18 * 50 + 2, 4 * 50 + 2)
    Image.new("RGB", (60, 80), "orange").save(tmp_path / "photo.png")
    monkeypatch.setattr(
        "sys.argv", ["augment", "--image", str(tmp_path / "photo.png"), "--out", str(tmp_path / "s.png")]
    )
    main()
    assert Image.open(tmp_path / "s.png").height == 18 * 114 + 2
