"""Share of faces found, and false finds, in scenes composed of FER+ crops and scikit-image's faceless pictures.

    python -m tests.benchmarks.faces --data ../shared/data/ferplus [--scenes 40]

The crops have neither hair nor neck, which makes them harder to find than people; a crop of 48 pixels is a face of 48.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from emotion.faces.detector import FaceDetector
from emotion.training.data import load_ferplus

BACKGROUNDS = (skimage.data.chelsea, skimage.data.coffee, skimage.data.rocket, skimage.data.hubble_deep_field)
BACKGROUNDS += (skimage.data.brick, skimage.data.grass, skimage.data.gravel, skimage.data.coins, skimage.data.page)
FEATHER = 0.06  # of half the side: how softly a crop ends
SAME_PLACE = 0.35  # least intersection over union of a found box and the crop's


@dataclass(frozen=True)
class Kind:
    """Scenes of one kind: size in pixels, how many faces, their sides (least, most), turned by how many degrees."""

    width: int
    height: int
    faces: int
    sides: tuple[float, float]
    angle: float = 0.0
    corners: bool = False


KINDS = {
    "640x480, 48..300 px": Kind(640, 480, 3, (48, 300)),
    "640x480, 48..56 px": Kind(640, 480, 4, (48, 56)),
    "640x480, turned by 25 degrees": Kind(640, 480, 2, (64, 260), 25),
    "640x480, corners": Kind(640, 480, 4, (60, 200), corners=True),
    "640x480, one of 300..440 px": Kind(640, 480, 1, (300, 440)),
    "640x480, no face": Kind(640, 480, 0, (1, 1)),
    "1280x960, 48..300 px": Kind(1280, 960, 4, (48, 300)),
    "1280x960, 48..56 px": Kind(1280, 960, 4, (48, 56)),
    "1280x960, one of 500..900 px": Kind(1280, 960, 1, (500, 900)),
}


def compose(kind: Kind, crops: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A scene, (h, w, 3) uint8, and the boxes of its faces, (n, 4); faces that find no room are left out."""
    picture = BACKGROUNDS[generator.integers(len(BACKGROUNDS))]()
    scene = Image.fromarray(picture).convert("RGB").resize((kind.width, kind.height))
    placed: list[tuple[float, float, float]] = []
    for attempt in range(kind.faces * 6):
        if len(placed) == kind.faces:
            break
        side = float(np.exp(generator.uniform(*np.log(kind.sides))))
        if kind.corners:
            x = side / 2 if attempt % 2 == 0 else kind.width - side / 2
            y = side / 2 if attempt % 4 < 2 else kind.height - side / 2
        else:
            margin = min(0.75 * side, kind.height / 2 - 1)
            x, y = generator.uniform(margin, kind.width - margin), generator.uniform(margin, kind.height - margin)
        if any(np.hypot(x - other[0], y - other[1]) < 0.8 * (side + other[2]) for other in placed):
            continue
        paste(scene, crops[generator.integers(len(crops))], (x, y), side, kind.angle * generator.choice([-1, 1]))
        placed.append((x, y, side))
    boxes = [(x - 0.4 * side, y - 0.5 * side, x + 0.4 * side, y + 0.5 * side) for x, y, side in placed]
    return np.asarray(scene), np.array(boxes).reshape(-1, 4)


def paste(scene: Image.Image, crop: np.ndarray, centre: tuple[float, float], side: float, angle: float) -> None:
    """Lays a (48, 48) crop onto the scene, enlarged to ``side`` pixels and turned, its edges feathered."""
    face = Image.fromarray(crop).resize((round(side), round(side)), Image.Resampling.BICUBIC)
    across = np.abs((np.arange(face.width) + 0.5) / face.width * 2 - 1)
    edge = np.clip((1 - np.maximum(across, across[:, None])) / FEATHER, 0, 1)
    face = face.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    mask = Image.fromarray((edge * 255).astype(np.uint8)).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    corner = (round(centre[0] - face.width / 2), round(centre[1] - face.height / 2))
    scene.paste(face.convert("RGB"), corner, mask)


def matched(truth: np.ndarray, found: np.ndarray) -> int:
    """How many of the boxes (n, 4) are met by one of the found (m, 4)."""
    if len(truth) == 0 or len(found) == 0:
        return 0
    low = np.maximum(truth[:, None, :2], found[None, :, :2])
    high = np.minimum(truth[:, None, 2:], found[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (truth, found)]
    return int(((shared / (areas[0][:, None] + areas[1] - shared)).max(1) > SAME_PLACE).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds valid.npz")
    parser.add_argument("--scenes", type=int, default=40, help="of each kind (default: %(default)s)")
    arguments = parser.parse_args()
    crops = load_ferplus(arguments.data / "valid.npz").images[..., 0]
    detector = FaceDetector()
    print("| scenes | faces | found | false finds per scene | median ms |\n|---|---|---|---|---|")
    for name, kind in KINDS.items():
        generator = np.random.default_rng(0)
        faces = hits = false = 0
        seconds = []
        for _ in range(arguments.scenes):
            scene, truth = compose(kind, crops, generator)
            began = time.perf_counter()
            boxes = np.array([face.box for face in detector.detect(scene)]).reshape(-1, 4)
            seconds.append(time.perf_counter() - began)
            met = matched(truth, boxes)
            faces, hits, false = faces + len(truth), hits + met, false + len(boxes) - met
        share = f"{hits / faces:.3f}" if faces else "-"
        milliseconds = np.median(seconds) * 1000
        print(f"| {name} | {faces} | {share} | {false / arguments.scenes:.2f} | {milliseconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
