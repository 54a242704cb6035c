"""A `Recognition` as plain JSON."""

from emotion.classifier import RecognisedFace, Recognition
from emotion.labels import KEYS, NAMES, Emotion


def recognition_details(recognition: Recognition) -> dict[str, object]:
    """The details object of `predict`: ``faces`` (largest first, maybe none), ``model``, ``milliseconds``, size."""
    return {
        "faces": [_face_details(face) for face in recognition.faces],
        "model": recognition.model,
        "milliseconds": round(recognition.milliseconds, 1),
        "width": recognition.width,
        "height": recognition.height,
    }


def _face_details(found: RecognisedFace) -> dict[str, object]:
    """``box`` and ``landmarks`` in pixels of the upright photo, ``score`` and ``quality`` 0 to 1, ``probabilities``."""
    face, quality = found.face, found.face.quality
    return {
        "box": [round(float(value), 1) for value in face.box],
        "landmarks": [[round(float(x), 1), round(float(y), 1)] for x, y in face.landmarks],
        "score": round(float(face.score), 4),
        "quality": {
            "overall": round(float(quality.overall), 3),
            "size": round(float(quality.size), 3),
            "sharpness": round(float(quality.sharpness), 3),
            "exposure": round(float(quality.exposure), 3),
            "frontality": round(float(quality.frontality), 3),
        },
        "expression": found.prediction.expression.key,
        "probabilities": dict(zip(KEYS, found.prediction.probabilities, strict=True)),
    }


def confidences(probabilities: dict[str, float], language: str) -> dict[str, float]:
    """The eight probabilities under the names that ``language`` has for the classes, for Gradio's Label."""
    return {NAMES[language][Emotion[key.upper()]]: float(value) for key, value in probabilities.items()}
