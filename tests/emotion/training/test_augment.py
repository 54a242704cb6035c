"""Each of the eighteen augmentations, and what is drawn of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from emotion.training.augment import AUGMENTATIONS, apply_policy, contact_sheet, flip, grey, main, rotate
from emotion.training.presets import FERPLUS

each = pytest.mark.parametrize("augmentation", AUGMENTATIONS, ids=lambda function: function.__name__)


def picture(channels: int, size: int = 48) -> Tensor:
    """Something with edges, a gradient and the whole range of values."""
    down, across = torch.meshgrid(torch.linspace(0, 1, size), torch.linspace(0, 1, size), indexing="ij")
    planes = torch.stack([across, down, (torch.sin(12 * across) * torch.cos(9 * down) + 1) / 2])
    planes[:, size // 4 : size // 2, size // 4 : size // 2] = 1.0
    return planes[:channels].clone()


def test_there_are_exactly_eighteen_and_each_is_documented() -> None:
    assert len(AUGMENTATIONS) == len({function.__name__ for function in AUGMENTATIONS}) == 18
    assert all(function.__doc__ for function in AUGMENTATIONS)


@each
@given(seed=st.integers(0, 2**31), channels=st.sampled_from([1, 3]), size=st.sampled_from([24, 48, 65]))
@settings(max_examples=15, deadline=None)
def test_shape_and_range_are_kept(augmentation: Callable, seed: int, channels: int, size: int) -> None:
    image = picture(channels, size)
    before = image.clone()
    changed = augmentation(image, torch.Generator().manual_seed(seed))
    assert changed.shape == image.shape
    assert changed.dtype == torch.float32
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert torch.equal(image, before), "the given image was written to"


@each
def test_the_same_seed_gives_the_same_picture_whatever_was_drawn_elsewhere(augmentation: Callable) -> None:
    first = augmentation(picture(3), torch.Generator().manual_seed(7))
    torch.manual_seed(123)
    torch.rand(5)
    assert torch.equal(first, augmentation(picture(3), torch.Generator().manual_seed(7)))


@each
def test_a_colour_picture_is_changed_but_still_resembles_itself(augmentation: Callable) -> None:
    image = picture(3, 96)
    for seed in range(8):
        changed = augmentation(image, torch.Generator().manual_seed(seed))
        assert 1e-5 < (changed - image).abs().mean() < 0.35


@pytest.mark.parametrize("augmentation", [a for a in AUGMENTATIONS if a not in (flip, grey)], ids=lambda a: a.__name__)
def test_different_seeds_give_different_pictures(augmentation: Callable) -> None:
    variants = [augmentation(picture(3), torch.Generator().manual_seed(seed)) for seed in range(4)]
    assert not torch.equal(variants[0], variants[1]) or not torch.equal(variants[2], variants[3])


def test_a_flip_of_a_flip_is_the_picture() -> None:
    generator = torch.Generator()
    assert torch.equal(flip(flip(picture(3), generator), generator), picture(3))


def test_a_turned_picture_keeps_its_middle() -> None:
    image = torch.zeros(1, 49, 49)
    image[:, 22:27, 22:27] = 1
    turned = rotate(image, torch.Generator().manual_seed(3))
    assert turned[0, 24, 24] > 0.99
    assert turned.sum() == pytest.approx(25, abs=1)


def test_a_policy_uses_each_function_as_often_as_it_says() -> None:
    calls: list[str] = []

    def count(image: Tensor, generator: torch.Generator) -> Tensor:
        calls.append("count")
        return image

    generator = torch.Generator().manual_seed(0)
    for _ in range(400):
        apply_policy(((count, 0.25),), picture(1, 8), generator)
    assert 70 < len(calls) < 130


def test_the_policy_for_grey_faces_uses_no_function_that_needs_colour() -> None:
    assert not {"grey", "saturation", "colour_cast"} & {function.__name__ for function, _ in FERPLUS.policy}


def test_the_contact_sheet_has_a_row_for_each_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    sheet = contact_sheet(picture(3, 48), columns=4)
    assert sheet.shape == (3, 18 * 50 + 2, 4 * 50 + 2)
    Image.new("RGB", (60, 80), "orange").save(tmp_path / "photo.png")
    monkeypatch.setattr(
        "sys.argv", ["augment", "--image", str(tmp_path / "photo.png"), "--out", str(tmp_path / "s.png")]
    )
    main()
    assert Image.open(tmp_path / "s.png").height == 18 * 114 + 2
