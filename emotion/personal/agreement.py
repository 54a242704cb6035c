"""Whether a child showed what it was asked for: each burst judged by a head that was fitted to all the others."""

import numpy as np

from emotion.personal.fitting import photographs_of
from emotion.personal.head import softmax


def burst_agreement(
    features: np.ndarray,
    labels: np.ndarray,
    bursts: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    temperature: float,
) -> dict[int, float]:
    """Burst -> how probable its label is, 0 to 1, the mean over its photographs; without the bursts of classes that are
    too few to be fitted. Arguments and errors as those of `emotion.personal.fitting.fit_personal_head`.
    """
    photographs = photographs_of(features, labels, bursts, weight, bias, temperature)
    if photographs is None:
        return {}
    _, left_out = photographs.choose_strength()
    right = softmax(left_out)[np.arange(len(photographs.labels)), photographs.labels]
    return {int(burst): float(right[photographs.bursts == burst].mean()) for burst in np.unique(photographs.bursts)}
