"""Metrics of a classifier: pure functions over probabilities (n, 8) and labels (n,) or vote distributions (n, 8).

A metric over probabilities of which one is no finite number is NaN, as is one over no faces at all: an answer that is
none must never look like a perfect one.
"""

import math

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
    """(8,): share of the faces of each class that was recognised. NaN for a class without faces."""
    return _ratio(confusion.diagonal(), confusion.sum(1))


def precision(confusion: np.ndarray) -> np.ndarray:
    """(8,): share of the answers with each class that was right. 0 for a class never answered, as in scikit-learn;
    NaN for one neither shown nor answered."""
    shown, answered = confusion.sum(1), confusion.sum(0)
    return np.where((answered == 0) & (shown > 0), 0.0, _ratio(confusion.diagonal(), answered))


def f1(confusion: np.ndarray) -> np.ndarray:
    """(8,): harmonic mean of precision and recall, 2 right / (shown + answered)."""
    return _ratio(2 * confusion.diagonal(), confusion.sum(0) + confusion.sum(1))


def _judgeable(probabilities: np.ndarray) -> bool:
    return len(probabilities) > 0 and bool(np.isfinite(probabilities).all())


def negative_log_likelihood(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Mean of -sum(votes * log probability), in nats, over (n, 8) and (n, 8)."""
    if not _judgeable(probabilities):
        return math.nan
    return float(-(targets * np.log(np.maximum(probabilities, 1e-7))).sum(1).mean())


def reliability_bins(probabilities: np.ndarray, labels: np.ndarray) -> list[dict[str, float]]:
    """For each of 15 equal bins of the highest probability that holds faces: bounds, faces, confidence, accuracy.

    Faces whose probabilities are no finite numbers are in no bin.
    """
    finite = np.isfinite(probabilities).all(1)
    probabilities, labels = probabilities[finite], labels[finite]
    confidence = probabilities.max(1, initial=0)
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
    if not _judgeable(probabilities):
        return math.nan
    bins = reliability_bins(probabilities, labels)
    return sum(b["faces"] * abs(b["confidence"] - b["accuracy"]) for b in bins) / len(labels)


def scores(probabilities: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """All metrics of (n, 8) probabilities against (n, 8) vote distributions; the label is the class with most votes.

    Means over classes leave out classes without a face. ``recall_<class>`` is NaN for those. Every figure is NaN where
    a probability is.
    """
    if not _judgeable(probabilities):
        names = ("accuracy", "mean_precision", "mean_recall", "negative_log_likelihood", "calibration_error")
        return dict.fromkeys((*names, *(f"recall_{emotion.key}" for emotion in Emotion)), math.nan)
    labels = targets.argmax(1)
    confusion = confusion_matrix(labels, probabilities.argmax(1))
    shown = confusion.sum(1) > 0
    recalls = recall(confusion)
    return {
        "accuracy": float(confusion.trace() / len(labels)),
        "mean_precision": float(precision(confusion)[shown].mean()),
        "mean_recall": float(recalls[shown].mean()),
        "negative_log_likelihood": negative_log_likelihood(probabilities, targets),
        "calibration_error": calibration_error(probabilities, labels),
    } | {f"recall_{emotion.key}": float(recalls[emotion]) for emotion in Emotion}


def bootstrap_intervals(
    probabilities: np.ndarray, targets: np.ndarray, draws: int = 1000
) -> dict[str, tuple[float, float]]:
    """95 % percentile interval of each of `scores` over ``draws`` samples of the faces with replacement (Efron 1979).

    Seeded, so repeatable. The interval covers other samples of the same kind of faces, not faces of another kind. That
    of the calibration error is biased upwards a little: drawing faces twice adds scatter to each bin, and the error has
    no sign.
    """
    if not _judgeable(probabilities):  # a sample without the face in question would know a figure
        return dict.fromkeys(scores(probabilities, targets), (math.nan, math.nan))
    generator = np.random.default_rng(0)
    samples = [
        scores(probabilities[chosen], targets[chosen])
        for chosen in (generator.integers(0, len(targets), len(targets)) for _ in range(draws))
    ]
    found = {}
    for name in samples[0]:
        values = np.array([sample[name] for sample in samples])
        known = values[~np.isnan(values)]
        low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
        found[name] = (float(low), float(high))
    return found


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The factor, within 0.25..4, that the temperature behind (n, 8) probabilities should be multiplied with, so that
    the negative log-likelihood of (n,) labels is least (Guo et al. 2017). Golden-section search: the function is convex
    in the inverse of the temperature. NaN where a probability is.
    """
    if not _judgeable(probabilities):
        return math.nan
    logs = np.log(np.maximum(probabilities.astype(np.float64), 1e-12))

    def loss(inverse: float) -> float:
        scaled = logs * inverse
        top = scaled.max(1, keepdims=True)
        total = np.log(np.exp(scaled - top).sum(1)) + top[:, 0]
        return float((total - scaled[np.arange(len(labels)), labels]).mean())

    low, high = 0.25, 4.0
    golden = (5**0.5 - 1) / 2
    while high - low > 1e-4:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return 2 / (low + high)
