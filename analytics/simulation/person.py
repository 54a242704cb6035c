"""Made-up persons: how the network reads one face at rest and in each expression, from readings of real faces.

A network errs about a person, not about a frame: one child's anger is read as anger in every frame, another's never.
So a person is drawn first, then its frames. The readings are of faces of FER+ `valid`, each moved a little from frame
to frame; each expression of a person is another face. ``python -m tests.benchmarks.read_faces`` makes them.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emotion.labels import KEYS, Emotion

Floats = npt.NDArray[np.float64]

READINGS_FILE = Path(__file__).with_name("face_readings.npz")
POOR_LIGHT, LOOKING_DOWN = "poor_light", "looking_down"  # how the faces at rest were read as well


@dataclass(frozen=True, slots=True)
class Person:
    """How one person is read. ``shown``: (8, n, 8) the network's probabilities, for each expression shown those of n
    frames a second apart; ``poor_light`` and ``looking_down``: (m, 8) of the same face at rest."""

    shown: Floats
    poor_light: Floats
    looking_down: Floats


@cache
def face_readings() -> dict[str, Floats]:
    """(faces, frames, 8) probabilities by the expression shown, and `POOR_LIGHT` and `LOOKING_DOWN` of the faces at
    rest; each row sums to 1."""
    with np.load(READINGS_FILE) as file:
        read = {name: file[name].astype(np.float64) for name in (*KEYS, POOR_LIGHT, LOOKING_DOWN)}
    return {name: values / values.sum(axis=2, keepdims=True) for name, values in read.items()}


def draw_person(rng: np.random.Generator, half: int | None = None) -> Person:
    """A person at random. ``half``: 0 or 1, of which half of the faces, so that what was settled on one can be measured
    on the other; None: of all."""
    chosen = {name: _half(values, half) for name, values in face_readings().items()}
    faces = {key: int(rng.integers(len(chosen[key]))) for key in KEYS}
    return _person(chosen, faces)


def typical_person() -> Person:
    """The person whose every expression is read as rightly as half of the faces that show it."""
    readings = face_readings()
    faces = {}
    for emotion in Emotion:
        rightly = readings[emotion.key][:, :, emotion].mean(axis=1)
        faces[emotion.key] = int(np.argsort(rightly)[len(rightly) // 2])
    return _person(readings, faces)


def frames_of(rng: np.random.Generator, readings: int, count: int) -> npt.NDArray[np.int64]:
    """(count,) indices into ``readings`` consecutive readings: mostly on by one, now and then back, turning at the
    ends, so that what follows looks alike."""
    steps = np.where(rng.random(count) < 0.85, 1, -1)
    places = (np.cumsum(steps) + rng.integers(0, 2 * readings)) % (2 * readings - 2)
    return np.where(places < readings, places, 2 * readings - 2 - places)


def _half(values: Floats, half: int | None) -> Floats:
    return values if half is None else values[half::2]


def _person(readings: dict[str, Floats], faces: dict[str, int]) -> Person:
    at_rest = faces[Emotion.NEUTRAL.key]
    return Person(
        np.stack([readings[key][faces[key]] for key in KEYS]),
        readings[POOR_LIGHT][at_rest],
        readings[LOOKING_DOWN][at_rest],
    )
