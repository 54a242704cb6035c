"""How far a detected face can be trusted to be read: size, sharpness, exposure and frontality, each from 0 to 1."""

from dataclasses import dataclass

import numpy as np

from emotion.faces.alignment import Points, similarity_transform, warp_crop

CROP_SIDE = 48  # pixels: the sharpness and exposure that matter are those left at the resolution the network works from

# Where the five landmarks lie in the crop that is judged: a round template, so that quality depends on no checkpoint.
TEMPLATE = ((0.31, 0.39), (0.69, 0.39), (0.5, 0.6), (0.35, 0.77), (0.65, 0.77))

# `sharpness_ratio` of FER+ crops: median 0.85 as they are (nineteen in twenty above 0.55), 0.63 once aligned from a
# photo, 0.26 blurred by one pixel (Gaussian), 0.10 by two.
BLURRED, SHARP = 0.1, 0.5

DARK, BRIGHT = 8, 247  # levels beyond which a pixel counts as clipped
LEAST_MEAN, LOW_MEAN, HIGH_MEAN, MOST_MEAN = 15, 60, 200, 245  # levels: the mean brightness is fine from LOW to HIGH
FULL_CONTRAST = 60  # levels between the 5th and 95th percentile that show a face well
FRONTAL_NOSE = 0.55  # of the way from the eyes to the mouth, for a face that looks straight ahead


@dataclass(frozen=True, slots=True)
class Quality:
    """Four properties of a face, each 0 (unusable) to 1 (nothing to wish for).

    ``size``: side of the box (geometric mean, pixels) over 48, the side of the crop that the network works from.
    ``sharpness``: spread of the Laplacian over spread of brightness at 48 x 48, linear from `BLURRED` to `SHARP`.
    ``exposure``: product of the share of unclipped pixels, the contrast and the mean brightness (see `exposure`).
    ``frontality``: product of turning left or right and nodding up or down, from landmarks (see `frontality`).
    """

    size: float
    sharpness: float
    exposure: float
    frontality: float

    @property
    def overall(self) -> float:
        """The least of the four: a face can be read only as well as its worst property allows."""
        return min(self.size, self.sharpness, self.exposure, self.frontality)


def measure_quality(image: np.ndarray, box: tuple[float, float, float, float], landmarks: Points) -> Quality:
    """The quality of one face in a (h, w, 3) uint8 photo."""
    left, top, right, bottom = box
    crop = warp_crop(image, similarity_transform(landmarks, np.asarray(TEMPLATE) * CROP_SIDE), CROP_SIDE, "grey")[
        ..., 0
    ].astype(np.float32)
    return Quality(
        size=_ramp(float(np.sqrt((right - left) * (bottom - top))), 0, CROP_SIDE),
        sharpness=_ramp(sharpness_ratio(crop), BLURRED, SHARP),
        exposure=exposure(crop),
        frontality=frontality(landmarks),
    )


def sharpness_ratio(crop: np.ndarray) -> float:
    """Standard deviation of the 4-neighbour Laplacian over that of brightness, 0 for an even crop; (h, w) float.

    After Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000 (variance of the Laplacian);
    divided by the spread of brightness, so that a dim picture does not count as blurred.
    """
    laplacian = crop[:-2, 1:-1] + crop[2:, 1:-1] + crop[1:-1, :-2] + crop[1:-1, 2:] - 4 * crop[1:-1, 1:-1]
    spread = float(crop.std())
    return float(laplacian.std()) / spread if spread > 0 else 0.0


def exposure(crop: np.ndarray) -> float:
    """Share of pixels inside `DARK`..`BRIGHT`, times contrast, times mean brightness as trapezoid; (h, w), 0..255."""
    unclipped = float(((crop > DARK) & (crop < BRIGHT)).mean())
    low, high = np.percentile(crop, (5, 95))
    mean = float(crop.mean())
    brightness = min(_ramp(mean, LEAST_MEAN, LOW_MEAN), _ramp(MOST_MEAN - mean, 0, MOST_MEAN - HIGH_MEAN))
    return unclipped * _ramp(float(high - low), 0, FULL_CONTRAST) * brightness


def frontality(landmarks: Points) -> float:
    """1 for a face seen from the front, 0 for a profile or a face seen from far above or below.

    In the frame of the eyes' and the mouth's midpoints the nose of a frontal face lies on the line between them.
    Turning moves it sideways: 0 at half the distance of the eyes, where it meets the far cheek. Nodding moves it along
    the line: 0 when it reaches the mouth or goes as far up.
    """
    left_eye, right_eye, nose, left_mouth, right_mouth = np.asarray(landmarks, np.float64)
    eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
    down = mouth - eyes
    length, eye_distance = float(np.hypot(*down)), float(np.hypot(*(right_eye - left_eye)))
    if length == 0 or eye_distance == 0:
        return 0.0
    offset = nose - eyes
    sideways = abs(offset[0] * down[1] - offset[1] * down[0]) / length / eye_distance
    along = float(offset @ down) / length**2
    return _ramp(0.5 - sideways, 0, 0.5) * _ramp(1 - abs(along - FRONTAL_NOSE) / (1 - FRONTAL_NOSE), 0, 1)


def _ramp(value: float, zero: float, one: float) -> float:
    """0 at or below ``zero``, 1 at or above ``one``, linear between."""
    return float(np.clip((value - zero) / (one - zero), 0, 1))
