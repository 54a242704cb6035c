"""From pixels to probabilities: faces, the packaged network, and the station page.

    from emotion import EmotionClassifier

Wings, from the ground up; each imports only those before it: `labels`, `workers`, `images`, `network`, `runtime`,
`faces`, `classifier`, `training`, `serving`, `station`.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emotion.classifier import EmotionClassifier
    from emotion.labels import Emotion, Prediction

__all__ = ["Emotion", "EmotionClassifier", "Prediction"]

# `import openvino` reports every start to its maker through a web analytics service, from a child process that an
# orderly stop then waits for. Without this package of its own it reports nothing, and says nothing either.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]


def __getattr__(name: str) -> Any:
    """The public names, loaded when they are first used; torch and OpenVINO only when a classifier is made."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("emotion.classifier" if name == "EmotionClassifier" else "emotion.labels"), name)
