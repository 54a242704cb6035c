"""The eight expressions, in the order every array of this project uses, and the plain value that the packages share."""

from dataclasses import dataclass
from enum import IntEnum


class Emotion(IntEnum):
    """An expression class; the value is its index in every vector of eight probabilities."""

    SURPRISE = 0
    DISGUST = 1
    SAD = 2
    ANGRY = 3
    FEAR = 4
    HAPPY = 5
    CONTEMPT = 6
    NEUTRAL = 7

    @property
    def key(self) -> str:
        """The lower-case name used in files, columns and endpoints, for example ``happy``."""
        return self.name.lower()


KEYS: tuple[str, ...] = tuple(emotion.key for emotion in Emotion)

NAMES: dict[str, dict[Emotion, str]] = {
    "en": {
        Emotion.SURPRISE: "surprise",
        Emotion.DISGUST: "disgust",
        Emotion.SAD: "sad",
        Emotion.ANGRY: "angry",
        Emotion.FEAR: "fear",
        Emotion.HAPPY: "happy",
        Emotion.CONTEMPT: "contempt",
        Emotion.NEUTRAL: "neutral",
    },
    "ru": {
        Emotion.SURPRISE: "удивление",
        Emotion.DISGUST: "отвращение",
        Emotion.SAD: "грусть",
        Emotion.ANGRY: "злость",
        Emotion.FEAR: "страх",
        Emotion.HAPPY: "радость",
        Emotion.CONTEMPT: "презрение",
        Emotion.NEUTRAL: "спокойствие",
    },
}

# Okabe and Ito, "Color Universal Design" (2008): distinguishable under the three common kinds of colour blindness.
COLOURS: dict[Emotion, str] = {
    Emotion.SURPRISE: "#F0E442",
    Emotion.DISGUST: "#009E73",
    Emotion.SAD: "#0072B2",
    Emotion.ANGRY: "#D55E00",
    Emotion.FEAR: "#CC79A7",
    Emotion.HAPPY: "#E69F00",
    Emotion.CONTEMPT: "#56B4E9",
    Emotion.NEUTRAL: "#999999",
}

# (valence, arousal) in [-1, 1], neutral at the origin. Source of all but contempt: the means of pleasure and arousal
# on the PAD scales in J. A. Russell and A. Mehrabian, "Evidence for a three-factor theory of emotions", Journal of
# Research in Personality 11 (1977) 273-294, table of 151 terms: surprised, disgusted, sad, angry, fearful, happy.
# Contempt is not among the values that we could check there, so it comes from A. B. Warriner, V. Kuperman and M.
# Brysbaert, "Norms of valence, arousal, and dominance for 13,915 English lemmas", Behavior Research Methods 45 (2013)
# 1191-1207: "contempt" has 3.22 and 4.61 on scales of 1 to 9, so (x - 5) / 4.
CIRCUMPLEX: dict[Emotion, tuple[float, float]] = {
    Emotion.SURPRISE: (0.40, 0.67),
    Emotion.DISGUST: (-0.60, 0.35),
    Emotion.SAD: (-0.63, -0.27),
    Emotion.ANGRY: (-0.51, 0.59),
    Emotion.FEAR: (-0.64, 0.60),
    Emotion.HAPPY: (0.81, 0.51),
    Emotion.CONTEMPT: (-0.445, -0.0975),
    Emotion.NEUTRAL: (0.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class Prediction:
    """The classifier's answer for one face.

    ``probabilities``: eight values in [0, 1] in the order of `Emotion`, summing to 1. ``face_quality``: 0 (unusable)
    to 1. ``model``: the version of the checkpoint that answered.
    """

    probabilities: tuple[float, ...]
    face_quality: float
    model: str

    @property
    def expression(self) -> Emotion:
        """The most probable class."""
        return Emotion(max(range(len(Emotion)), key=self.probabilities.__getitem__))
