"""What a head of one's own brings: people's faces as numbers, a few photographs of each class fitted, the rest judged.

python -m tests.benchmarks.personal --data FOLDER_WITH_FEATURES_NPZ
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion.labels import Emotion
from emotion.personal.fitting import fit_personal_head
from emotion.personal.head import PersonalHead
from tests.benchmarks.bench import keep, show

TEMPERATURE = 0.786  # with which resnet152-cc29aebb, whose features these are, was packaged
DRAWS = 3
FURTHER = 30  # draws, in groups of three, on which nothing was chosen
LEAST = 10  # photographs of a class that is judged; five more than are fitted where that is more
WORSE = 0.02  # of the mean of class recalls


@dataclass(frozen=True)
class People:
    """``features`` (n, 2048) float32, ``labels`` (n,), ``person`` (n,), and the packaged head."""

    features: np.ndarray
    labels: np.ndarray
    person: np.ndarray
    packaged: PersonalHead


def read(path: Path) -> People:
    """`features.npz`, described in the folder's README.md."""
    with np.load(path) as arrays:
        packaged = PersonalHead(arrays["head_weight"], arrays["head_bias"], TEMPERATURE, (), None, False)
        return People(
            arrays["features"].astype(np.float32), arrays["label"].astype(int), arrays["person"].astype(int), packaged
        )


def mean_recall(probabilities: np.ndarray, labels: np.ndarray, classes: list[Emotion]) -> float:
    """The mean of the recalls of some classes."""
    answers = probabilities.argmax(1)
    return float(np.mean([(answers[labels == emotion] == emotion).mean() for emotion in classes]))


def judged(people: People, photographs: int, draws: range) -> list[dict[str, float]]:
    """For each person and draw, on the photographs that were not fitted: the mean of class recalls of the packaged head
    and of the one that is served, with all classes and among the shown ones; and how many faces of other classes each
    recognises.
    """
    found = []
    for draw in draws:
        generator = np.random.default_rng(draw)
        for person in np.unique(people.person).tolist():
            own = people.person == person
            counts = np.bincount(people.labels[own], minlength=len(Emotion))
            classes = [emotion for emotion in Emotion if counts[emotion] >= max(LEAST, photographs + 5)]
            if len(classes) < 2:
                continue
            shuffled = [generator.permutation(np.flatnonzero(own & (people.labels == emotion))) for emotion in classes]
            fitted = np.concatenate([numbers[:photographs] for numbers in shuffled])
            rest = np.concatenate([numbers[photographs:] for numbers in shuffled])
            others = np.flatnonzero(own & ~np.isin(people.labels, classes))
            packaged = people.packaged
            head = fit_personal_head(
                people.features[fitted],
                people.labels[fitted],
                np.arange(len(fitted)),  # press photographs of many days: each is a witness of its own
                packaged.weight,
                packaged.bias,
                packaged.temperature,
            )
            row: dict[str, float] = {"person": person, "draw": draw, "adopted": head.adopted, "others": len(others)}
            among = np.isin(np.arange(len(Emotion)), classes)
            for name, served in (("packaged", packaged), ("own", head)):
                answers = served.probabilities(people.features[rest])
                row[name] = mean_recall(answers, people.labels[rest], classes)
                row[f"{name}, among shown"] = mean_recall(answers * among, people.labels[rest], classes)
                answers_to_others = served.probabilities(people.features[others]).argmax(1)
                row[f"{name}, others"] = int((answers_to_others == people.labels[others]).sum())
            found.append(row)
    return found


def summary(rows: list[dict[str, float]]) -> dict[str, float]:
    """Means over people of the means over draws."""
    names = ("packaged", "own", "packaged, among shown", "own, among shown")
    people = sorted({row["person"] for row in rows})
    means = np.array([[np.mean([row[name] for row in rows if row["person"] == it]) for name in names] for it in people])
    others = max(sum(row["others"] for row in rows), 1)
    return {
        "people": len(people),
        **dict(zip(names, means.mean(0).tolist(), strict=True)),
        "worst packaged": float(means[:, 0].min()),
        "worst own": float(means[:, 1].min()),
        "made worse": int((means[:, 1] < means[:, 0] - WORSE).sum()),
        "adopted": float(np.mean([row["adopted"] for row in rows])),
        "other classes, packaged": sum(row["packaged, others"] for row in rows) / others,
        "other classes, own": sum(row["own, others"] for row in rows) / others,
    }


def seconds_of_a_fit(people: People, photographs: int, bursts: int) -> float:
    """One fit of so many photographs of many people under eight labels; processor time, so one core's."""
    chosen = np.sort(np.random.default_rng(0).permutation(len(people.labels))[:photographs])
    labels = np.arange(photographs) * len(Emotion) // photographs
    packaged = people.packaged
    began = time.process_time()
    fit_personal_head(
        people.features[chosen],
        labels,
        np.arange(photographs) * bursts // photographs,
        packaged.weight,
        packaged.bias,
        packaged.temperature,
    )
    return time.process_time() - began


def main() -> None:
    """Prints and keeps the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with features.npz")
    people = read(parser.parse_args().data / "features.npz")
    table: list[dict[str, object]] = []
    spread: list[dict[str, object]] = []
    for photographs in (3, 5, 10):
        table.append({"a class": photographs, **summary(judged(people, photographs, range(DRAWS)))})
        rows = judged(people, photographs, range(100, 100 + FURTHER))
        groups = [
            summary([row for row in rows if start <= row["draw"] < start + DRAWS])
            for start in range(100, 100 + FURTHER, DRAWS)
        ]
        ranges = {
            name: f"{min(group[name] for group in groups):.3f} to {max(group[name] for group in groups):.3f}"
            for name in ("packaged", "own", "worst own")
        }
        worse = [group["made worse"] for group in groups]
        spread.append(
            {
                "a class": photographs,
                "own, mean": float(np.mean([group["own"] for group in groups])),
                **ranges,
                "made worse": f"{min(worse)} to {max(worse)}",
                "draws made worse": float(np.mean([row["own"] < row["packaged"] - WORSE for row in rows])),
            }
        )
    times: list[dict[str, object]] = [
        {"photographs": 240, "bursts": bursts, "seconds": seconds_of_a_fit(people, 240, bursts)} for bursts in (24, 48)
    ]
    show(f"Mean of class recalls, {DRAWS} draws", table)
    show(f"The same in {FURTHER // DRAWS} further groups of {DRAWS} draws", spread)
    show("One fit", times)
    keep("personal", table=table, spread=spread, times=times)


if __name__ == "__main__":
    main()
