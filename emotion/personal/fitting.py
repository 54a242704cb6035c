"""Fits the last layer to one child's photographs, and judges on photographs left out whether that is a gain.

The model is multinomial logistic regression whose prior is the packaged head (MAP with a Gaussian prior around an
earlier model's weights, as in Chelba and Acero 2004, "Adaptation of Maximum Entropy Capitalizer"):

    logits(x) = packaged(x) / temperature + deviation . x + offset

``deviation`` moves the rows of the classes that were shown. The rows of the others stay as they are; nothing is known
of them but how often the child's other faces are taken for them, and by as much their ``offset`` lowers them. Every
shown class weighs the same however many photographs it has: none gains by having been photographed more often.
"""

from dataclasses import dataclass

import numpy as np

from emotion.labels import Emotion
from emotion.personal.head import CLASSES, FEATURES, Gain, PersonalHead, check_head, softmax

LEAST_PHOTOGRAPHS = 3  # of a class that is to be fitted
LEAST_BURSTS = 2  # of a class: one is left out, one is learnt from
LEAST_CLASSES = 2  # a head that has seen one face alone would learn to answer it always
# Penalties on half the squared deviation, where a photograph's loss counts 1; the strongest leaves the rows all but
# packaged, the weakest lets a handful of photographs turn an answer over.
STRENGTHS = (10000.0, 3000.0, 1000.0, 300.0, 100.0, 30.0)
# Nats by which each weaker penalty must be likelier than the one before: a prior of strong ones, for a dozen
# photographs choose a weak one by chance. Hundreds outvote it.
DOUBT = 0.5
# Penalty on half the squared offset, where the *mean* photograph's loss counts 1: how far a class that was not shown is
# lowered depends on how often other faces are taken for it, not on how many photographs there are. A smaller one makes
# fewer mistakes among the shown classes and finds fewer faces of the others (tests/benchmarks/RESULTS.md).
OFFSET_PENALTY = 0.01
TEMPERATURE_FACTORS = np.geomspace(0.5, 2.0, 33)
TEMPERATURE_SPREAD = 0.25  # of the logarithm of the factor before any photograph is seen
CONFIDENCE = 0.9  # of the interval of the gain: it reaches below a gain of nothing with a chance of one in twenty
RESAMPLES = 2000
MOST_FOLDS = 48  # from there on several bursts are left out at once
MOST_STEPS = 400  # of the solver
TOLERANCE = 2e-3  # in logits: the solver stops where no step is larger


def fit_personal_head(
    features: np.ndarray,
    labels: np.ndarray,
    bursts: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    temperature: float,
) -> PersonalHead:
    """One child's head from its photographs.

    ``features`` (n, 2048); ``labels`` (n,) integers in the order of `Emotion`; ``bursts`` (n,) integers: photographs
    of one number were taken within a moment, are one witness, and are left out together. ``weight`` (8, 2048),
    ``bias`` (8,) and ``temperature`` are the packaged head's.

    Classes of fewer than three photographs, or of a single burst, are not fitted, and their photographs are not used;
    with fewer than two classes nothing is fitted. The head is adopted where the interval of its gain does not reach
    below zero and its recall is no lower; otherwise the answer carries the packaged head. The guard speaks of the shown
    classes: of the others there is no photograph that could judge. Raises ValueError for anything but such arrays.
    """
    photographs = photographs_of(features, labels, bursts, weight, bias, temperature)
    packaged = PersonalHead(weight.astype(np.float32), bias.astype(np.float32), float(temperature), (), None, False)
    if photographs is None:
        return packaged
    shown = photographs.shown
    strength, left_out = photographs.choose_strength()
    gain = photographs.gain(left_out)
    if gain.low < 0 or gain.after < gain.before:
        return PersonalHead(packaged.weight, packaged.bias, packaged.temperature, shown, gain, False)
    deviation, offset = photographs.solve(np.ones((1, len(photographs.labels))), strength)
    faces = features[np.isin(labels, shown)].astype(np.float64)
    return PersonalHead(
        (weight + temperature * deviation[0].T @ faces).astype(np.float32),
        (bias + temperature * offset[0]).astype(np.float32),
        float(temperature * photographs.temperature_factor(left_out)),
        shown,
        gain,
        True,
    )


@dataclass(frozen=True, slots=True)
class Photographs:
    """The photographs of the fitted classes, as far as the arithmetic needs them.

    ``gram`` (n, n): products of their features with each other. A deviation outside their span costs and brings
    nothing, so it is a sum of their features (the representer theorem), and 2,048 numbers a class become n. ``prior``
    (n, 8): packaged logits divided by the packaged temperature. ``labels`` and ``bursts`` (n,). ``shown``: the classes.
    """

    gram: np.ndarray
    prior: np.ndarray
    labels: np.ndarray
    bursts: np.ndarray
    shown: tuple[Emotion, ...]

    def folds(self) -> np.ndarray:
        """(n,) number of the fold in which each photograph is left out: one fold a burst, up to 48."""
        return np.unique(self.bursts, return_inverse=True)[1] % MOST_FOLDS

    def balanced(self, learnt: np.ndarray) -> np.ndarray:
        """(folds, n) zeros and ones -> weights that sum to the same for every class, and to the number of ones."""
        weights = np.zeros_like(learnt)
        for emotion in self.shown:
            of_class = learnt * (self.labels == emotion)
            weights += of_class / np.maximum(of_class.sum(1, keepdims=True), 1)
        return weights * learnt.sum(1, keepdims=True) / weights.sum(1, keepdims=True)

    def losses(self, logits: np.ndarray) -> np.ndarray:
        """(..., n, 8) -> (..., n): -log of the probability of the right class, every class weighing the same; the sum
        is that of as many independent photographs as there are bursts.
        """
        everyone = np.ones((1, len(self.labels)))
        right = softmax(logits)[..., np.arange(len(self.labels)), self.labels]
        weights = self.balanced(everyone)[0] * len(np.unique(self.bursts)) / len(self.labels)
        return -np.log(np.maximum(right, 1e-12)) * weights

    def solve(self, learnt: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
        """For each row of ``learnt`` (folds, n) zeros and ones: the deviation (folds, n, 8), as factors of the
        photographs' features, and the offset (folds, 8), that fit the photographs marked with 1.

        Accelerated gradient with restarts (Nesterov 1983; O'Donoghue and Candes 2015), all folds at once, in the basis
        in which Boehning's bound of the Hessian (1992, "Multinomial logistic regression algorithm") is diagonal.
        """
        weights = self.balanced(learnt)
        root = np.sqrt(weights.max(0))
        values, vectors = np.linalg.eigh(self.gram * root[:, None] * root)
        kept = values > values[-1] * 1e-6
        values = values[kept]
        directions = root[:, None] * vectors[:, kept] / np.sqrt(values)  # (n, r): sums of photographs, of length 1
        basis = self.gram @ directions  # (n, r): the photographs along them
        answers = np.eye(CLASSES)[self.labels]
        fitted = np.isin(np.arange(CLASSES), self.shown)
        offset_strength = OFFSET_PENALTY * weights.sum(1)[:, None]
        steepness = 0.5 * values[:, None] + strength
        offset_steepness = 0.5 * weights.sum(1)[:, None] + offset_strength
        point = ahead = np.zeros((len(learnt), len(values), CLASSES))
        offset = offset_ahead = np.zeros((len(learnt), CLASSES))
        momentum = 1.0
        for _ in range(MOST_STEPS):
            error = weights[:, :, None] * (softmax(self.prior + basis @ ahead + offset_ahead[:, None]) - answers)
            slope = basis.T @ error * fitted + strength * ahead
            offset_slope = error.sum(1) * ~fitted + offset_strength * offset_ahead
            moved, offset_moved = ahead - slope / steepness, offset_ahead - offset_slope / offset_steepness
            step, offset_step = moved - point, offset_moved - offset
            if (slope * step).sum() + (offset_slope * offset_step).sum() > 0:  # uphill: too much momentum
                momentum = 1.0
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            share = (momentum - 1) / following
            point, offset, momentum = moved, offset_moved, following
            ahead, offset_ahead = moved + share * step, offset_moved + share * offset_step
            if max(np.abs(basis @ step).max(), np.abs(offset_step).max()) < TOLERANCE:
                break
        return directions @ point, offset

    def choose_strength(self) -> tuple[float, np.ndarray]:
        """The strength for all photographs, and the logits (n, 8) of each photograph by a fit without its burst.

        The strength is the one under which left-out bursts, each counting as one photograph, and the prior of strong
        penalties are likeliest. A left-out burst is answered at the strength that the *other* bursts choose, so that
        the choice does not flatter the gain.
        """
        fold = self.folds()
        numbers = np.arange(fold.max() + 1)
        learnt = (fold != numbers[:, None]).astype(np.float64)
        logits = np.empty((len(STRENGTHS), *self.prior.shape))
        for answer, strength in zip(logits, STRENGTHS, strict=True):
            deviation, offset = self.solve(learnt, strength)
            answer[:] = self.prior + np.einsum("nm,nmk->nk", self.gram, deviation[fold]) + offset[fold]
        losses = self.losses(logits)  # (strengths, n)
        unlikely = DOUBT * np.arange(len(STRENGTHS))
        without = np.stack([losses[:, fold != number].sum(1) for number in numbers])  # (folds, strengths)
        by_others = (without + unlikely).argmin(1)
        return STRENGTHS[(losses.sum(1) + unlikely).argmin()], logits[by_others[fold], np.arange(len(fold))]

    def temperature_factor(self, left_out: np.ndarray) -> float:
        """What to multiply the temperature with, 0.5 to 2, so that left-out photographs are likeliest by their logits
        (n, 8); a dozen photographs that are all right would ask for no doubt at all, so it is drawn towards 1.
        """
        scaled = left_out / TEMPERATURE_FACTORS[:, None, None]
        unlikely = (np.log(TEMPERATURE_FACTORS) / TEMPERATURE_SPREAD) ** 2 / 2
        return float(TEMPERATURE_FACTORS[np.argmin(self.losses(scaled).sum(1) + unlikely)])

    def gain(self, left_out: np.ndarray) -> Gain:
        """What logits (n, 8) of left-out photographs gain over the packaged head's, at the packaged temperature.

        The recall of a dozen photographs moves in steps of a tenth, and its interval would refuse nearly every head. So
        the interval is that of the probability given to the right class, paired by photograph, the mean of each burst
        being one witness and every class weighing the same: percentiles of a bootstrap over the bursts of each class
        (Efron 1979), widened by sqrt(n / (n - 1)), for n witnesses drawn from themselves scatter too little.
        """
        faces = np.arange(len(self.labels))
        gained = softmax(left_out)[faces, self.labels] - softmax(self.prior)[faces, self.labels]
        generator = np.random.default_rng(0)
        resampled = np.zeros(RESAMPLES)
        for emotion in self.shown:
            of_class = self.labels == emotion
            witnesses = np.array(
                [gained[of_class & (self.bursts == it)].mean() for it in np.unique(self.bursts[of_class])]
            )
            count = len(witnesses)
            scatter = witnesses[generator.integers(0, count, (RESAMPLES, count))].mean(1) - witnesses.mean()
            resampled += (witnesses.mean() + np.sqrt(count / (count - 1)) * scatter) / len(self.shown)
        low, high = np.percentile(resampled, [50 - 50 * CONFIDENCE, 50 + 50 * CONFIDENCE]).clip(-1, 1)
        return Gain(self._recall(self.prior), self._recall(left_out), float(low), float(high))

    def _recall(self, logits: np.ndarray) -> float:
        right = logits.argmax(1) == self.labels
        return float(np.mean([right[self.labels == emotion].mean() for emotion in self.shown]))


def photographs_of(
    features: np.ndarray,
    labels: np.ndarray,
    bursts: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    temperature: float,
) -> Photographs | None:
    """The photographs of the classes that can be fitted, None where those are fewer than two. Arguments and errors as
    those of `fit_personal_head`.
    """
    _check(features, labels, bursts, weight, bias, temperature)
    shown = tuple(emotion for emotion in Emotion if _may_be_fitted(bursts[labels == emotion]))
    if len(shown) < LEAST_CLASSES:
        return None
    used = np.isin(labels, shown)
    faces = features[used].astype(np.float64)
    prior = (faces @ weight.T.astype(np.float64) + bias) / temperature
    return Photographs(faces @ faces.T, prior, labels[used].astype(np.int64), bursts[used], shown)


def _may_be_fitted(bursts: np.ndarray) -> bool:
    return len(bursts) >= LEAST_PHOTOGRAPHS and len(np.unique(bursts)) >= LEAST_BURSTS


def _check(
    features: np.ndarray,
    labels: np.ndarray,
    bursts: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    temperature: float,
) -> None:
    check_head(weight, bias, temperature)
    if features.ndim != 2 or features.shape[1] != FEATURES or len(features) == 0:
        raise ValueError(f"hand over one row of {FEATURES} features for each photograph, not {features.shape}")
    if labels.shape != (len(features),) or bursts.shape != (len(features),):
        raise ValueError(
            f"hand over one label and one burst for each of {len(features)} photographs, "
            f"not {labels.shape} and {bursts.shape}"
        )
    if not (np.issubdtype(labels.dtype, np.integer) and np.issubdtype(bursts.dtype, np.integer)):
        raise ValueError(f"labels and bursts are whole numbers, not {labels.dtype} and {bursts.dtype}")
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise ValueError(f"labels lie in 0 to {CLASSES - 1}, in the order of Emotion")
    if not np.isfinite(features.astype(np.float32)).all():
        raise ValueError("features hold numbers that are not finite: leave those photographs out")
