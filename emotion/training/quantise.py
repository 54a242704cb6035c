"""Makes the int8 model beside a checkpoint's weights, and shows on your own data what it costs.

    python -m emotion.training.quantise --data data/ferplus [--checkpoint checkpoints/resnet152-ferplus-224]
    python -m emotion.training.quantise --data FOLDER --checkpoint RUN/checkpoint

FOLDER holds FER+ as arrays (train.npz, valid.npz), or a folder for each class. Of class folders the side that
`emotion.training.train` with the same ``--seed`` learns from sets the ranges, the other side is compared on.
Post-training quantisation with NNCF, calibrated on class-balanced training images. If what it loses exceeds the
limits, the layers that hold most of the loss (first layer, last layer) stay float and it is tried again; if that fails
too, nothing is written. Needs the packages nncf and openvino; the app itself does not need nncf.
"""

import argparse
import shutil
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import nncf
import numpy as np
import openvino

from emotion.labels import Emotion
from emotion.network.checkpoint import CONFIGURATION_FILE, PACKAGED_CHECKPOINT, Checkpoint, load_checkpoint
from emotion.network.quantisation import LEVELS, QUANTISATION_FILE, Quantisation, write_quantisation
from emotion.runtime.openvino_graph import RESIZE_NODE, build_model
from emotion.runtime.openvino_runtime import OpenVinoRuntime
from emotion.training.command_line import (
    CommandError,
    command,
    existing_folder,
    folder_to_write,
    whole_number,
    write_atomically,
    write_text,
)
from emotion.training.crops import aligned_face_crop, centre_square_crop
from emotion.training.data import FaceDataset, check_split, load_ferplus, load_folder, split_folder
from emotion.training.metrics import scores

# What int8 may lose against float32: points of accuracy, points of mean recall, share of faces with another top class.
# Of a small set one face may differ, whatever its share.
ACCURACY_LOSS, RECALL_LOSS, LEAST_AGREEMENT = 0.003, 0.005, 0.98

# What stays float in each attempt. The first and the last layer are where rounding hurts a classifier most.
LAYERS_KEPT_FLOAT: tuple[tuple[str, ...], ...] = (
    (),
    ("conv1", "fc"),
    ("conv1", "fc", "layer1.0.conv1", "layer1.0.conv2"),
)


def class_balanced_sample(labels: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Indices of up to ``count`` images in random order, equally many of each class (of a smaller class all)."""
    share = -(-count // len(Emotion))
    picked = [generator.permutation(np.flatnonzero(labels == emotion))[:share] for emotion in Emotion]
    return generator.permutation(np.concatenate(picked))[:count]


def quantise(checkpoint: Checkpoint, images: np.ndarray, kept_float: tuple[str, ...]) -> Quantisation:
    """Quantises with NNCF, calibrated on ``images`` (n, crop_size, crop_size, channels) uint8; ``kept_float`` names the
    layers that are not quantised."""
    model = build_model(checkpoint)
    quantised = nncf.quantize(
        model,
        nncf.Dataset([image[np.newaxis] for image in images]),
        subset_size=len(images),
        ignored_scope=nncf.IgnoredScope(names=[RESIZE_NODE, *kept_float]),
    )
    return extract_quantisation(quantised)


def extract_quantisation(model: openvino.Model) -> Quantisation:
    """Reads ranges, scales and corrected biases out of a graph of `emotion.runtime.openvino_graph` quantised by NNCF.

    Raises ValueError where the graph is quantised in a way that `Quantisation` cannot express.
    """
    ranges: dict[str, tuple[float, float]] = {}
    scales: dict[str, np.ndarray] = {}
    biases: dict[str, np.ndarray] = {}
    for node in model.get_ordered_ops():
        kind, name = node.get_type_name(), node.get_friendly_name()
        if kind == "FakeQuantize":
            source = node.input_value(0).get_node()
            low, high, low_out, high_out = (float(_constant(node, port).item()) for port in range(1, 5))
            whole = len(source.output(0).get_target_inputs()) == 1
            if (low, high) != (low_out, high_out) or node.get_attributes()["levels"] != LEVELS or not whole:
                raise ValueError(f"{name} is not one range with {LEVELS} levels for all that read {source}")
            ranges[source.get_friendly_name()] = (low, high)
        elif kind in ("Convolution", "MatMul"):
            weight = node.input_value(1).get_node()
            if weight.get_type_name() == "Multiply":
                scales[name] = _constant(weight, 1).reshape(-1)
            (reader,) = node.output(0).get_target_inputs()
            biases[name] = _constant(reader.get_node(), 1).reshape(-1)
    return Quantisation(ranges, scales, biases)


def _constant(node: openvino.Node, port: int) -> np.ndarray:
    return np.array(node.input_value(port).get_node().get_data(), np.float32)


def predict_probabilities(runtime: OpenVinoRuntime, images: np.ndarray) -> np.ndarray:
    """(n, 8) of all images, in batches of 16."""
    return np.concatenate([runtime.probabilities(images[start : start + 16]) for start in range(0, len(images), 16)])


def served_sizes(checkpoint: Checkpoint) -> list[Checkpoint]:
    """The checkpoint at each input size at which it is served."""
    reduced = checkpoint.for_lessons()
    return [checkpoint] if reduced is checkpoint else [checkpoint, reduced]


def within_limits(
    reference: dict[str, float], candidate: dict[str, float], agreement: float, labels: np.ndarray
) -> bool:
    """Whether the candidate (int8) loses no more against the reference (float32) than the limits allow, or one face of
    those with these ``labels`` (n,)."""
    counts = np.unique(labels, return_counts=True)[1]
    one_face, one_recall = 1 / len(labels), 1 / (len(counts) * counts.min())
    slack = 1e-9  # of the figures' own rounding
    return (
        reference["accuracy"] - candidate["accuracy"] <= max(ACCURACY_LOSS, one_face) + slack
        and reference["mean_recall"] - candidate["mean_recall"] <= max(RECALL_LOSS, one_recall) + slack
        and agreement >= min(LEAST_AGREEMENT, 1 - one_face) - slack
    )


def load_sides(data: Path, checkpoint: Checkpoint, crops: bool, seed: int) -> tuple[FaceDataset, FaceDataset]:
    """Faces that set the ranges, and faces that are compared on, cut as the checkpoint takes them. Raises DataError."""
    configuration = checkpoint.configuration
    if not (data / "train.npz").is_file() and any((data / emotion.key).is_dir() for emotion in Emotion):
        check_split(data, seed, every_class=False)
        crop = (centre_square_crop if crops else aligned_face_crop)(configuration)
        return split_folder(data, load_folder(data, crop, every_class=False), seed, every_class=False)
    train, valid = (load_ferplus(data / f"{name}.npz") for name in ("train", "valid"))
    if not len(train) or not len(valid):
        raise CommandError(f"{data} holds no faces to calibrate on, or none to compare on: build it again.")
    expected, found = (configuration.crop_size, configuration.channels), (train.images.shape[1], train.images.shape[3])
    if found != expected:
        raise CommandError(
            f"{data} holds crops of {found} (side, channels); {checkpoint.folder} takes {expected}. "
            "Give a folder of class folders instead, which is cut to fit."
        )
    return train, valid


def save_quantisation(quantisation: Quantisation, checkpoint: Checkpoint) -> Checkpoint:
    """Writes the int8 file and names it in config.json; returns the checkpoint with it."""
    described = write_quantisation(quantisation, checkpoint)
    configuration = replace(checkpoint.configuration, int8=described)
    write_text(checkpoint.folder / CONFIGURATION_FILE, configuration.to_json())
    return Checkpoint(checkpoint.folder, configuration)


def trial_copy(checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    """The same checkpoint in ``folder``, its shards by link: an attempt leaves the checkpoint itself as it is."""
    for name in checkpoint.configuration.shards:
        (folder / name).symlink_to((checkpoint.folder / name).resolve())
    return Checkpoint(folder, checkpoint.configuration)


def accept(tried: Checkpoint, checkpoint: Checkpoint) -> None:
    """Takes the int8 model of a trial copy into the checkpoint; a stop in between leaves a model that is not used."""
    write_atomically(
        checkpoint.folder / QUANTISATION_FILE, lambda part: shutil.copyfile(tried.folder / QUANTISATION_FILE, part)
    )
    write_text(checkpoint.folder / CONFIGURATION_FILE, tried.configuration.to_json())


@command
def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=existing_folder, required=True, help="FER+ as arrays (train.npz, valid.npz), or class folders"
    )
    parser.add_argument("--crops", action="store_true", help="the class folders hold face crops: do not search faces")
    parser.add_argument(
        "--seed", type=whole_number(0, 2**31), default=0, help="of the split and the draws; take that of the training"
    )
    parser.add_argument(
        "--checkpoint", type=folder_to_write, default=PACKAGED_CHECKPOINT, help="the folder whose weights are quantised"
    )
    parser.add_argument(
        "--calibration", type=whole_number(1, 100_000), default=320, help="training images that set the ranges (320)"
    )
    parser.add_argument(
        "--images",
        type=whole_number(0, 100_000),
        default=2000,
        help="held-out images that are compared (2000), 0 for all",
    )
    arguments = parser.parse_args()
    began, generator = time.monotonic(), np.random.default_rng(arguments.seed)
    checkpoint = load_checkpoint(arguments.checkpoint)
    train, valid = load_sides(arguments.data, checkpoint, arguments.crops, arguments.seed)
    calibration = train.images[class_balanced_sample(train.targets.argmax(1), arguments.calibration, generator)]
    picked = generator.permutation(len(valid.images))[: arguments.images or None]
    images, targets = valid.images[picked], valid.targets[picked]

    counts = f"calibrated on {len(calibration)} training images, compared on {len(images)} held-out ones"
    print(f"{checkpoint.version}: {counts}, seed {arguments.seed}")
    print(f"{'':40} {'accuracy':>9} {'mean recall':>12} {'likelihood':>11} {'same top':>9} {'difference':>11}")
    references = []
    for served in served_sizes(checkpoint):
        references.append(predict_probabilities(OpenVinoRuntime(served, "openvino-f32", None), images))
        name = f"float32, {served.configuration.input_size} pixels"
        print(table_row(name, scores(references[-1], targets)), flush=True)
    for kept_float in LAYERS_KEPT_FLOAT:
        with TemporaryDirectory() as folder:
            tried = trial_copy(checkpoint, Path(folder))
            tried = save_quantisation(quantise(tried, calibration, kept_float), tried)
            passed = []
            for served, reference in zip(served_sizes(tried), references, strict=True):
                answers = predict_probabilities(OpenVinoRuntime(served, "openvino-int8", None), images)
                agreement = float((answers.argmax(1) == reference.argmax(1)).mean())
                after, difference = scores(answers, targets), float(np.abs(answers - reference).max(1).mean())
                size = served.configuration.input_size
                name = f"int8, {size} pixels, float: {', '.join(kept_float) or 'nothing'}"
                print(f"{table_row(name, after)} {agreement:9.4f} {difference:11.4f}", flush=True)
                passed.append(within_limits(scores(reference, targets), after, agreement, targets.argmax(1)))
            if all(passed):
                accept(tried, checkpoint)
                file = checkpoint.folder / QUANTISATION_FILE
                print(f"{file}: {file.stat().st_size / 1e6:.2f} MB, after {time.monotonic() - began:.0f} s")
                return
    raise CommandError("No attempt stayed within the limits; the checkpoint is as it was.")


def table_row(name: str, figures: dict[str, float]) -> str:
    """A line of the printed table."""
    shown = figures["accuracy"], figures["mean_recall"], figures["negative_log_likelihood"]
    return f"{name:40} {shown[0]:9.4f} {shown[1]:12.4f} {shown[2]:11.4f}"


if __name__ == "__main__":
    main()
