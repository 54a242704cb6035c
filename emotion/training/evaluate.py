"""Judges a checkpoint on FER+ or on a folder of photographs with one sub-folder per class.

    python -m emotion.training.evaluate --checkpoint checkpoints/resnet152-ferplus-224 --data data/ferplus/test.npz
    python -m emotion.training.evaluate --checkpoint checkpoints/resnet152-ferplus-224 --data our_school

Writes ``evaluation.json`` and ``evaluation.html`` (self-contained) into the checkpoint's folder; for other data than
FER+ ``test`` their names carry the data's whole name, so that the model card's figures stay; where a report of that
name is of data at another place, the names of the folders above are added until they differ. The page shows the worst
mistakes as pictures: it is for whoever may see the data, and not to be passed on with the checkpoint.

A folder may hold ``groups.csv``, with a column ``image`` (as in happy/anna1.jpg) and any others (age, glasses,
light): each gives a table of its values. Its photographs are searched for faces as in the application, unless
``--crops`` says that they are face crops already. A class that the folder lacks is left out and said to be.
"""

import argparse
import dataclasses
import hashlib
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from emotion.images import shown_name
from emotion.labels import Emotion
from emotion.network.checkpoint import (
    CONFIGURATION_FILE,
    PACKAGED_CHECKPOINT,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
)
from emotion.runtime.base import RUNTIMES, Runtime
from emotion.runtime.choose import choose_runtime
from emotion.training import metrics
from emotion.training.class_folders import list_class_images
from emotion.training.command_line import CommandError, DataError, command, folder_to_write, write_text
from emotion.training.crops import aligned_face_crop, centre_square_crop
from emotion.training.data import FaceDataset, check_groups, load_ferplus, load_folder
from emotion.training.report import report_page
from emotion.training.robustness import PERTURBATIONS
from emotion.training.tables import read_table_file

BATCH_SIZE = 32  # crops in one call of the network
NOT_STATED = "not stated"  # the group of an empty cell
LONGEST_NAME = 100  # characters of a report's name: four bytes each at most, of the 255 that a file name may have
ROBUSTNESS_FACES = 1000  # accuracy to within 2.5 points; the change is paired and known better


def predict_probabilities(runtime: Runtime, crops: np.ndarray, what: str) -> np.ndarray:
    """(n, side, side, channels) uint8 -> (n, 8) float32, with a progress bar.

    Raises CheckpointError where an answer is no number: its figures would be none either.
    """
    steps = tqdm(range(0, len(crops), BATCH_SIZE), desc=what, unit=f"{BATCH_SIZE} faces", file=sys.stderr)
    found = np.concatenate([runtime.probabilities(crops[start : start + BATCH_SIZE]) for start in steps])
    if wrong := int((~np.isfinite(found).all(1)).sum()):
        raise CheckpointError(
            f"{what}: for {wrong} of {len(found)} faces the answer of {runtime.name} is no number (NaN). The weights "
            "are unsound; take those of an earlier state, or see whether --runtime torch answers."
        )
    return found


def metrics_with_intervals(probabilities: np.ndarray, faces: FaceDataset) -> dict[str, Any]:
    """All metrics of a set of faces with their 95 % intervals, those of each class, and the confusion matrix."""
    values = metrics.scores(probabilities, faces.targets)
    spans = metrics.bootstrap_intervals(probabilities, faces.targets)
    confusion = metrics.confusion_matrix(faces.labels, probabilities.argmax(1))
    per_class = {
        "precision": metrics.precision(confusion),
        "recall": metrics.recall(confusion),
        "f1": metrics.f1(confusion),
    }
    return {
        "faces": len(faces),
        **{
            name: {"value": value, "low": spans[name][0], "high": spans[name][1]}
            for name, value in values.items()
            if not name.startswith("recall_")
        },
        "classes": {
            emotion.key: {name: float(column[emotion]) for name, column in per_class.items()}
            | {
                "recall_low": spans[f"recall_{emotion.key}"][0],
                "recall_high": spans[f"recall_{emotion.key}"][1],
                "support": int(confusion[emotion].sum()),
            }
            for emotion in Emotion
        },
        "confusion": confusion.tolist(),
        "reliability": metrics.reliability_bins(probabilities, faces.labels),
    }


def metrics_by_age(probabilities: np.ndarray, faces: FaceDataset, chosen: np.ndarray) -> dict[str, Any]:
    """Metrics of the ``chosen`` faces (a mask), and of the children and the others among them where that is known."""
    sets = {"all": chosen}
    if faces.children is not None:
        sets |= {"children": chosen & faces.children, "others": chosen & ~faces.children}
    return {
        name: metrics_with_intervals(probabilities[mask], faces.take(mask)) for name, mask in sets.items() if mask.any()
    }


def metrics_by_group(probabilities: np.ndarray, faces: FaceDataset, path: Path) -> dict[str, dict[str, Any]]:
    """For each column of groups.csv but ``image``, and each of its values: the metrics of those faces."""
    table = read_table_file(path)
    rows = table.of(faces.names)
    tables: dict[str, dict[str, Any]] = {}
    for name in table.columns:
        values = np.array([row[name] or NOT_STATED for row in rows])
        tables[name] = {
            str(value): metrics_with_intervals(probabilities[values == value], faces.take(values == value))
            for value in np.unique(values)
        }
    return tables


def measure_robustness(runtime: Runtime, probabilities: np.ndarray, faces: FaceDataset) -> dict[str, Any]:
    """Accuracy of up to 1,000 faces as they are and under each perturbation, with intervals of the paired differences.

    Where it is known who is a child, ``children`` holds the same for all children, of whom 1,000 faces hold too few.
    """
    sampled = np.zeros(len(faces), bool)
    sampled[np.random.default_rng(0).permutation(len(faces))[:ROBUSTNESS_FACES]] = True
    children = np.zeros(len(faces), bool) if faces.children is None else faces.children
    chosen = np.flatnonzero(sampled | children)
    labels = faces.labels[chosen]
    right = {"": probabilities[chosen].argmax(1) == labels}
    for name, change in PERTURBATIONS.items():
        right[name] = predict_probabilities(runtime, change(faces.images[chosen]), name).argmax(1) == labels
    table = _accuracy_changes({name: row[sampled[chosen]] for name, row in right.items()})
    if children.any():
        table["children"] = _accuracy_changes({name: row[children[chosen]] for name, row in right.items()})
    return table


def _accuracy_changes(right: dict[str, np.ndarray]) -> dict[str, Any]:
    """Accuracies and their changes. ``right``: whether each answer was right, (n,) bool, by perturbation ("": none)."""
    before = right[""].astype(float)
    draws = np.random.default_rng(0).integers(0, len(before), (1000, len(before)))
    table = {}
    for name in PERTURBATIONS:
        difference = right[name] - before
        low, high = np.percentile(difference[draws].mean(1), [2.5, 97.5])
        table[name] = {
            "accuracy": float(right[name].mean()),
            "change": {"value": float(difference.mean()), "low": float(low), "high": float(high)},
        }
    return {"faces": len(before), "unchanged": float(before.mean()), "changes": table}


def evaluate(
    checkpoint: Checkpoint, runtime: Runtime, faces: FaceDataset, thorough: bool = False
) -> tuple[dict[str, Any], np.ndarray]:
    """Evaluates a checkpoint on these faces: the content of evaluation.json, NaN included, and the probabilities.

    ``thorough`` adds averaging over the mirror image, and robustness: about three and a half times the work.
    """
    probabilities = predict_probabilities(runtime, faces.images, "evaluating")
    everything = np.ones(len(faces), bool)
    result: dict[str, Any] = {
        "model": checkpoint.version,
        "weights_sha256": checkpoint.configuration.weights_sha256,
        "runtime": runtime.name,
        "input_size": checkpoint.configuration.input_size,
        "temperature": checkpoint.configuration.temperature,
        "classes": [emotion.key for emotion in Emotion],
        "faces_in_data": len(faces) + len(faces.skipped),
        "faces_judged": len(faces),
        "skipped": list(faces.skipped),
        "ignored": list(faces.ignored),
        "classes_absent": [emotion.key for emotion in Emotion if emotion not in faces.labels],
        "plurality": metrics_by_age(probabilities, faces, everything),
    }
    result["confusion"] = result["plurality"]["all"]["confusion"]
    if not faces.majority.all() and faces.majority.any():
        result["majority"] = metrics_by_age(probabilities, faces, faces.majority)
    if thorough:
        mirrored = predict_probabilities(runtime, np.ascontiguousarray(faces.images[:, :, ::-1]), "mirrored")
        both = (probabilities + mirrored) / 2
        result["with_mirror_image"] = {"plurality": metrics_by_age(both, faces, everything)}
        if "majority" in result:
            result["with_mirror_image"]["majority"] = metrics_by_age(both, faces, faces.majority)
        result["robustness"] = measure_robustness(runtime, probabilities, faces)
    return result, probabilities


def evaluate_lessons(checkpoint: Checkpoint, runtime: str, faces: FaceDataset) -> dict[str, Any]:
    """The main figures at the size at which slow computers read the frames of lessons."""
    result, _ = evaluate(checkpoint, open_runtime(checkpoint, runtime), faces)
    return {key: result[key] for key in ("input_size", "temperature", "plurality", "majority") if key in result}


def fitted_temperature(checkpoint: Checkpoint, runtime: Runtime, faces: FaceDataset) -> float:
    """The temperature at which the checkpoint's probabilities are likeliest, given the labels of ``faces``."""
    what = f"fitting the temperature at {checkpoint.configuration.input_size} pixels"
    factor = metrics.fit_temperature(predict_probabilities(runtime, faces.images, what), faces.labels)
    return round(checkpoint.configuration.temperature * factor, 3)


def store_fitted_temperature(checkpoint: Checkpoint, runtime: Runtime, faces: FaceDataset) -> Checkpoint:
    """Fits the temperature at each size to the labels of ``faces`` and stores it in the checkpoint's configuration."""
    configuration = dataclasses.replace(
        checkpoint.configuration, temperature=fitted_temperature(checkpoint, runtime, faces)
    )
    if configuration.lessons is not None:
        reduced = checkpoint.for_lessons()
        fitted = fitted_temperature(reduced, open_runtime(reduced, runtime.name), faces)
        lessons = dataclasses.replace(configuration.lessons, temperature=fitted)
        configuration = dataclasses.replace(configuration, lessons=lessons)
    write_text(checkpoint.folder / CONFIGURATION_FILE, configuration.to_json())
    return load_checkpoint(checkpoint.folder)


def nan_to_none(value: Any) -> Any:
    """The same with None for NaN and infinity, which JSON has no word for, and floats rounded to six digits."""
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: nan_to_none(item) for key, item in value.items()}
    return [nan_to_none(item) for item in value] if isinstance(value, list | tuple) else value


def open_runtime(checkpoint: Checkpoint, wanted: str) -> Runtime:
    """`choose_runtime`; raises CommandError where what was asked for is not there."""
    try:
        return choose_runtime(checkpoint, wanted)
    except RuntimeError as error:
        raise CommandError(str(error)) from error


def load_dataset(data: Path, checkpoint: Checkpoint, crops: bool) -> FaceDataset:
    """The faces of an .npz file (FER+) or of a class folder, cut as the checkpoint takes them. Raises DataError."""
    if data.suffix != ".npz":
        crop = (centre_square_crop if crops else aligned_face_crop)(checkpoint.configuration)
        return load_folder(data, crop, every_class=False)
    faces = load_ferplus(data)
    if not len(faces):
        raise DataError(f"{data} holds no face with a label: build it again with python -m emotion.training.data.")
    expected = (checkpoint.configuration.crop_size, checkpoint.configuration.channels)
    if (faces.images.shape[1], faces.images.shape[3]) != expected:
        raise DataError(f"{data} holds grey crops of 48 pixels; {checkpoint.folder} takes {expected} (side, channels).")
    return faces


def check_data(data: Path) -> None:
    """Looks at what can be known of a data set without reading its images: whether it is there, its tables.

    Raises DataError.
    """
    if data.suffix != ".npz":
        check_groups(data)
        list_class_images(data, every_class=False)
    elif not data.is_file():
        raise DataError(f"{data} does not exist. Build it with python -m emotion.training.data (see --help).")


def name_report(data: Path, out: Path) -> tuple[str, str]:
    """The name (without suffix) of the report on ``data`` in the folder ``out``, and a hash that says of which data it
    is: two folders "2A" of two schools get two reports, the same folder judged again gets one.
    """
    place = data.resolve()
    identity = hashlib.sha256(os.fsencode(place)).hexdigest()
    if data.name == "test.npz":
        return "evaluation", identity
    parts = [part for part in place.parts if part != place.anchor] or ["root"]
    parts[-1] = parts[-1].removesuffix(".npz")
    names = [shown_name("-".join(parts[-depth:]))[-LONGEST_NAME:] for depth in range(1, len(parts) + 1)]
    for name in (*names, f"{names[0]}-{identity[:16]}"):
        stem = f"evaluation-{name}"
        if not (out / f"{stem}.json").exists() or _identity(out / f"{stem}.json") == identity:
            break
    return stem, identity


def _identity(report: Path) -> str | None:
    """Of which data a report is; None where it does not say."""
    try:
        return json.loads(report.read_text(encoding="utf-8")).get("data_path_sha256")
    except (
        ValueError,
        AttributeError,
        RecursionError,
    ):  # no JSON, or no object: of whatever it is, it is not overwritten
        return None


def protocol_lines(result: dict[str, Any]) -> list[str]:
    """A line for each protocol and group of faces."""
    lines = []
    for protocol in ("plurality", "majority"):
        for name, table in result.get(protocol, {}).items():
            accuracy = table["accuracy"]
            others = ", ".join(
                f"{figure.replace('_', ' ')} {table[figure]['value']:.3f}"
                for figure in ("mean_precision", "mean_recall", "calibration_error")
            )
            span = f"[{accuracy['low']:.3f}, {accuracy['high']:.3f}]"
            lines.append(
                f"{protocol}, {name}, {table['faces']} faces: accuracy {accuracy['value']:.3f} {span}, {others}"
            )
    return lines


def summary(result: dict[str, Any]) -> str:
    """The main figures as a few lines for the terminal."""
    lines = [f"{result['model']} on {result['data']}, {result['runtime']}, {result['input_size']} pixels"]
    if result["faces_judged"] < result["faces_in_data"]:
        left_out = result["faces_in_data"] - result["faces_judged"]
        lines.append(f"warning: {left_out} of {result['faces_in_data']} images were not judged (listed in the report)")
    if absent := result.get("classes_absent"):
        there = len(Emotion) - len(absent)
        lines.append(f"warning: judged on {there} of {len(Emotion)} classes; the data have no {', '.join(absent)}")
    lines.extend(protocol_lines(result))
    if "lessons" in result:
        lines.append(f"at {result['lessons']['input_size']} pixels, as slow computers read lessons:")
        lines.extend(protocol_lines(result["lessons"]))
    return "\n".join(lines)


@command
def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--checkpoint", help="a folder, or a repository of the Hub; by default the app's, with the report written here"
    )
    parser.add_argument("--data", type=Path, required=True, help="a FER+ .npz file or a class folder")
    parser.add_argument("--crops", action="store_true", help="the folder's images are face crops: do not search faces")
    parser.add_argument("--runtime", choices=RUNTIMES, default="auto")
    parser.add_argument("--out", type=folder_to_write, help="folder for the report; by default the checkpoint's")
    parser.add_argument("--fit-temperature", type=Path, metavar="DATA", help="first fit the temperature, on valid.npz")
    parser.add_argument("--thorough", action="store_true", help="also the mirror image and robustness")
    arguments = parser.parse_args()
    if arguments.fit_temperature and not arguments.checkpoint:
        parser.error("--fit-temperature changes a checkpoint: name it with --checkpoint")
    # What can be wrong is looked for before anything is computed or written.
    for data in (arguments.data, arguments.fit_temperature):
        if data is not None:
            check_data(data)
    checkpoint = load_checkpoint(arguments.checkpoint or PACKAGED_CHECKPOINT)
    out = arguments.out or (checkpoint.folder if arguments.checkpoint else Path())
    out.mkdir(parents=True, exist_ok=True)
    stem, identity = name_report(arguments.data, out)
    runtime = open_runtime(checkpoint, arguments.runtime)
    faces = load_dataset(arguments.data, checkpoint, arguments.crops)
    if arguments.fit_temperature:
        held_out = load_dataset(arguments.fit_temperature, checkpoint, arguments.crops)
        checkpoint = store_fitted_temperature(checkpoint, runtime, held_out)
        runtime = open_runtime(checkpoint, arguments.runtime)
    result, probabilities = evaluate(checkpoint, runtime, faces, arguments.thorough)
    if checkpoint.configuration.lessons is not None:
        result["lessons"] = evaluate_lessons(checkpoint.for_lessons(), runtime.name, faces)
    result["data"] = shown_name(arguments.data.resolve().name)
    result["data_path_sha256"] = identity
    if (group_file := arguments.data / "groups.csv").is_file():
        result["groups"] = metrics_by_group(probabilities, faces, group_file)
    result = nan_to_none(result)
    page = report_page(result, probabilities, faces)  # both are whole before the first is written
    write_text(out / f"{stem}.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    write_text(out / f"{stem}.html", page)
    print(summary(result))
    print(f"{out / f'{stem}.json'}\n{out / f'{stem}.html'}")


if __name__ == "__main__":
    main()
