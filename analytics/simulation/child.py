"""Simulated children in front of a camera: a known ground truth, and how the network reads a person who lives it.

The ground truth is a list of `StateSpan`s. Nothing in this module knows how states are detected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.simulation.person import LOOKING_DOWN, Person, frames_of
from emotion.labels import KEYS, Emotion

Floats = npt.NDArray[np.float64]

EXPRESSION_SECONDS = 2.25  # mean duration of an expression: P. Ekman, "Emotions revealed" (2003), gives 0.5 to 4
CORRELATION_SECONDS = 3.0  # correlation time of face quality
POOR_QUALITY = 0.6  # below this face quality a frame may be read as in poor light


def mixture(**shares: float) -> Floats:
    """Shares of the eight expressions by key; what is left of 1 is neutral."""
    result = np.zeros(len(KEYS))
    for key, share in shares.items():
        result[Emotion[key.upper()]] = share
    result[Emotion.NEUTRAL] += 1.0 - result.sum()
    return result


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of child. ``baseline``: shares of expressions at rest. ``quality``: mean face quality, 0..1.
    ``glances_per_minute``: how often the face leaves the picture for a few seconds. ``shown``: how much of its states a
    child shows in its face, 0..1.
    """

    name: str
    baseline: Floats
    quality: float
    glances_per_minute: float
    shown: float


PROFILES: tuple[Profile, ...] = (
    Profile("calm", mixture(happy=0.06, surprise=0.02, sad=0.01), 0.80, 0.5, 0.90),
    Profile("lively", mixture(happy=0.24, surprise=0.08, angry=0.02, sad=0.01), 0.75, 0.8, 1.00),
    Profile("serious", mixture(happy=0.03, sad=0.10, angry=0.05), 0.80, 0.4, 0.85),
    Profile("shy", mixture(happy=0.05, sad=0.05, fear=0.01), 0.60, 1.5, 0.75),
    Profile("restless", mixture(happy=0.12, surprise=0.05, angry=0.03, contempt=0.01), 0.65, 2.5, 0.95),
)

# Shares of expressions in each state, when shown fully. After the affect dynamics of learning with a computer:
# confusion and frustration at an impasse, delight at a solution (S. D'Mello and A. Graesser, Learning and Instruction
# 22 (2012) 145-157). The shares are assumptions about children who show their states clearly: measurements on such
# lessons do not hold for children who hide them (tests/benchmarks/signals.py --shown 0.75). Concentrating, a flash of
# temper and a smile are ordinary behaviour and should raise no signal.
STRUGGLING, TIRED, AWAY, DELIGHTED, DISTRESSED = "struggling", "tired", "away", "delighted", "distressed"
UNPLEASANT = "unpleasant"
CONCENTRATING, FLASH, SMILE = "concentrating", "flash", "smile"
EXPRESSIONS_BY_STATE: dict[str, Floats] = {
    STRUGGLING: mixture(sad=0.36, angry=0.38, disgust=0.05, fear=0.04, surprise=0.02, contempt=0.02),
    TIRED: mixture(sad=0.10),
    DELIGHTED: mixture(happy=0.75, surprise=0.10),
    DISTRESSED: mixture(fear=0.44, sad=0.44, surprise=0.05, angry=0.03),
    CONCENTRATING: mixture(angry=0.10, sad=0.08),
    UNPLEASANT: mixture(angry=0.50, disgust=0.27, contempt=0.08),
    FLASH: mixture(angry=0.60, disgust=0.10, sad=0.10),
    SMILE: mixture(happy=0.85),
}


@dataclass(frozen=True, slots=True)
class StateSpan:
    """A span in one state, in seconds since the start of the lesson. ``kind``: a key of `EXPRESSIONS_BY_STATE`, `AWAY`,
    or `LOOKING_DOWN` (at its hands, say)."""

    kind: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Readings:
    """What the station would store of one child. ``seconds``: (n,) since the start of the lesson, irregular.
    ``probabilities``: (n, 8), NaN where no face was seen. ``quality``: (n,), NaN likewise. ``truth``: (n,) int, the
    true expression, -1 without a face.
    """

    seconds: Floats
    probabilities: Floats
    quality: Floats
    truth: npt.NDArray[np.int64]


def simulate_child(
    rng: np.random.Generator,
    profile: Profile,
    spans: Sequence[StateSpan],
    duration: float,
    person: Person,
    interval: float = 1.0,
    shown: float = 1.0,
) -> Readings:
    """One child through one lesson. ``duration`` and ``interval`` in seconds; ``person``: how its face is read."""
    count = int(duration / interval)
    seconds = np.sort((np.arange(count) + rng.uniform(0, 0.15, count)) * interval)
    shares = np.tile(profile.baseline, (count, 1))
    absent = _glances(rng, seconds, profile.glances_per_minute, interval)
    down = np.zeros(count, dtype=bool)
    quality = profile.quality + 0.12 * _correlated_noise(rng, count, interval)
    for span in spans:
        inside = (seconds >= span.start) & (seconds < span.end)
        if span.kind == AWAY:
            absent |= inside
            continue
        if span.kind == LOOKING_DOWN:
            down |= inside
            continue
        fade = np.clip((seconds[inside] - span.start) / _fade_in(span), 0, 1)[:, None] * profile.shown * shown
        shares[inside] = (1 - fade) * shares[inside] + fade * EXPRESSIONS_BY_STATE[span.kind]
        if span.kind == TIRED:  # eyes and face drop away more and more
            quality[inside] -= 0.25 * fade[:, 0]
            absent[inside] |= _glances(rng, seconds[inside], 4.0, interval) & (rng.random(inside.sum()) < fade[:, 0])
    quality = np.clip(quality, 0.05, 1.0)
    # Single frames in which the detector misses the face.
    absent |= rng.random(count) < 0.01 + 0.05 * np.clip(0.5 - quality, 0, None)

    truth = _draw_persistent(rng, shares, EXPRESSION_SECONDS / interval)
    probabilities = _read(rng, person, truth, quality, down, interval)
    probabilities[absent] = np.nan
    quality[absent] = np.nan
    truth[absent] = -1
    arrived = ~_outages(rng, seconds, duration)
    return Readings(seconds[arrived], probabilities[arrived], quality[arrived], truth[arrived])


def observation_frame(readings: Readings, started_at: datetime, child: str, source: str, model: str) -> pd.DataFrame:
    """The readings as `LessonStore.observations` returns them. ``started_at``: aware."""
    frame = pd.DataFrame(readings.probabilities.astype(np.float32), columns=list(KEYS))
    microseconds = int(started_at.astimezone(UTC).timestamp() * 1_000_000) + np.round(readings.seconds * 1e6).astype(
        np.int64
    )
    frame.insert(0, "at", pd.to_datetime(microseconds, unit="us", utc=True).astype("datetime64[us, UTC]"))
    frame.insert(0, "child", child)
    frame["face_quality"] = readings.quality.astype(np.float32)
    frame["faces_seen"] = (readings.truth >= 0).astype(np.int16)
    frame["source"], frame["model"] = source, model
    return frame


def _fade_in(span: StateSpan) -> float:
    """Seconds until a state shows fully: a third of the span for tiredness, five seconds for all others."""
    return (span.end - span.start) / 3 if span.kind == TIRED else 5.0


def _draw_persistent(rng: np.random.Generator, shares: Floats, frames: float) -> npt.NDArray[np.int64]:
    """(n,) a class per row, drawn from its (n, 8) shares and kept for ``frames`` rows on average (geometric)."""
    count = len(shares)
    drawn = (np.cumsum(shares, axis=1) < rng.random(count)[:, None]).sum(axis=1).clip(max=shares.shape[1] - 1)
    renewed = rng.random(count) < 1 / max(frames, 1)
    renewed[:1] = True
    return drawn[np.maximum.accumulate(np.where(renewed, np.arange(count), 0))]


def _read(
    rng: np.random.Generator,
    person: Person,
    truth: npt.NDArray[np.int64],
    quality: Floats,
    down: npt.NDArray[np.bool_],
    interval: float,
) -> Floats:
    """(n, 8) probabilities of a person that shows the (n,) expressions ``truth``. Looking ``down`` and in poor light it
    is read as the same face at rest was, whatever it shows: an expression is hardly seen then."""
    count = len(truth)
    seconds = np.floor(np.arange(count) * interval).astype(np.int64)  # within a second a face hardly moves
    places = frames_of(rng, person.shown.shape[1], int(seconds[-1]) + 1)[seconds]
    disturbed = places % len(person.poor_light)
    dark = rng.random(count) < np.clip(POOR_QUALITY - quality, 0, None)
    probabilities = person.shown[truth, places]
    probabilities = np.where(down[:, None], person.looking_down[disturbed], probabilities)
    return np.where(dark[:, None], person.poor_light[disturbed], probabilities)


def _correlated_noise(rng: np.random.Generator, count: int, interval: float) -> Floats:
    """(n,) standard normal noise, exponentially correlated over `CORRELATION_SECONDS`: filtered white noise."""
    kernel = np.exp(-np.arange(0, 6 * CORRELATION_SECONDS, interval) / CORRELATION_SECONDS)
    noise = rng.standard_normal(count + len(kernel) - 1)
    return np.convolve(noise, kernel / np.sqrt((kernel**2).sum()), mode="valid")


def _glances(rng: np.random.Generator, seconds: Floats, per_minute: float, interval: float) -> npt.NDArray[np.bool_]:
    """Short looks away, 2 to 6 seconds each."""
    begins = rng.random(len(seconds)) < per_minute / 60 * interval
    lasts = rng.uniform(2, 6, len(seconds))
    return seconds < np.maximum.accumulate(np.where(begins, seconds + lasts, -np.inf))


def _outages(rng: np.random.Generator, seconds: Floats, duration: float) -> npt.NDArray[np.bool_]:
    """Frames that never arrived: the connection is lost for 5 to 30 seconds about once in half an hour."""
    lost = np.zeros(len(seconds), dtype=bool)
    for begin in rng.uniform(0, duration, rng.poisson(duration / 1800)):
        lost |= (seconds >= begin) & (seconds < begin + rng.uniform(5, 30))
    return lost
