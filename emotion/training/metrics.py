"""The arithmetic of judging a classifier: pure functions over probabilities (n, 8) and what is true of each face."""

import numpy as np

from emotion.labels import Emotion

BINS = 15  # of the calibration error, as Guo et al. 2017, "On Calibration of Modern Neural Networks"


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(n,) and (n,) int -> (8, 8) int64 counts: rows are the truth, columns the answer, in the order of `Emotion`."""
    size = len(Emotion)
    return np.bincount(labels * size + predicted, minlength=size * size).reshape(size, size)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where there is nothing to divide by."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def recall(confusion: np.ndarray) -> np.ndarray:
    """(8,): of the faces of a class, the share that was recognised. NaN for a class without faces."""
    return _ratio(confusion.diagonal(), confusion.sum(1))


def precision(confusion: np.ndarray) -> np.ndarray:
    """(8,): of the answers with a class, the share that was right. 0 for a class never answered, as scikit-learn does;
    NaN for a class that is neither shown nor answered."""
    shown, answered = confusion.sum(1), confusion.sum(0)
    return np.where((answered == 0) & (shown > 0), 0.0, _ratio(confusion.diagonal(), answered))


def f1(confusion: np.ndarray) -> np.ndarray:
    """(8,): harmonic mean of precision and recall, 2 right / (shown + answered)."""
    return _ratio(2 * confusion.diagonal(), confusion.sum(0) + confusion.sum(1))


def negative_log_likelihood(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Mean of -sum(votes * log probability), in nats, over (n, 8) and (n, 8)."""
    return float(-(targets * np.log(np.maximum(probabilities, 1e-7))).sum(1).mean())


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> list[dict[str, float]]:
    """For each of 15 equal bins of the highest probability that holds faces: bounds, faces, confidence, accuracy."""
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    index = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "from": number / BINS,
            "to": (number + 1) / BINS,
            "faces": int(inside.sum()),
            "confidence": float(confidence[inside].mean()),
            "accuracy": float(right[inside].mean()),
        }
        for number in range(BINS)
        if (inside := index == number).any()
    ]


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error: |confidence - accuracy| of each of 15 equal bins, weighted by its faces."""
    bins = reliability(probabilities, labels)
    return sum(b["faces"] * abs(b["confidence"] - b["accuracy"]) for b in bins) / len(labels)


def bootstrap_interval(values: np.ndarray, seed: int = 0, draws: int = 2000) -> tuple[float, float]:
    """95 % percentile interval of the mean of (n,) values over ``draws`` samples with replacement (Efron 1979)."""
    generator = np.random.default_rng(seed)
    means = [values[generator.integers(0, len(values), len(values))].mean() for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
