"""Trains ResNet152 to tell eight expressions apart; reads from top to bottom.

    python -m emotion.training.train --preset paper --data FOLDER --out RUN
    python -m emotion.training.train --preset ferplus --data data/ferplus --start WEIGHTS --out RUN

Writes into RUN: ``weights.safetensors`` (half precision), ``metrics.csv`` (one row per validation), ``losses.html``
(training and validation loss), ``run.json`` (what was run) and ``state.pt``. Killed at any moment, the same command
goes on from the last state and, where the length is in epochs, ends on a CPU with the very weights it would have ended
with. On a GPU it sees the very same pictures, but CUDA adds numbers up in an order of its own: two runs differ in their
last digits, broken off or not.
"""

import argparse
import copy
import dataclasses
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from tqdm import tqdm

from emotion.network.checkpoint import Configuration, load_checkpoint
from emotion.network.resnet152 import build_resnet152
from emotion.training import metrics
from emotion.training.batches import TrainingBatches, autocast, enlarge, normalise
from emotion.training.command_line import (
    LARGEST_INPUT,
    SMALLEST_INPUT,
    CommandError,
    command,
    existing_folder,
    folder_to_write,
    number_above,
    whole_number,
    write_atomically,
    write_text,
)
from emotion.training.crops import aligned_face_crop, centre_square_crop
from emotion.training.data import FaceDataset, check_split, load_ferplus, load_folder, split_folder
from emotion.training.duplicates import is_duplicate
from emotion.training.package import ONE_FILE, DivergedError, half_precision, package, write_weights
from emotion.training.presets import PRESETS, Preset
from emotion.training.starting_weights import initialise, read_state, refuse_another_run, starting_weights
from emotion.training.tracking.dashboards import Report, open_dashboard
from emotion.training.tracking.metric_files import write_metrics

COUNTS = ("training_images", "validation_images", "dropped_duplicates")  # of run.json: known once the data are read

VALIDATION_BATCH_SIZE = 64  # faces scored at a time: at 224 pixels about 2 GB
CPU = torch.device("cpu")
READ_EVERY = 100  # steps between two looks at the loss on a GPU, which would wait for each


def checkpoint_configuration(preset: Preset) -> Configuration:
    """The configuration of a run's checkpoint; faces are aligned as in the packaged one."""
    return dataclasses.replace(
        load_checkpoint().configuration,
        input_size=preset.sizes[-1],
        lessons=None,  # the weights that it was settled for are others
        crop_size=preset.crop_size,
        colour="grey" if preset.channels == 1 else "rgb",
        mean=preset.mean,
        std=preset.std,
        temperature=1.0,
        training_data=preset.training_data,
    )


# --- validation -------------------------------------------------------------------------------------------------------


@torch.inference_mode()
def predict_logits(
    network: nn.Module, faces: FaceDataset, preset: Preset, size: int, device: torch.device
) -> np.ndarray:
    """(n, 8) float32 logits of the unaugmented faces, in evaluation mode."""
    network.eval()
    outputs = []
    for start in tqdm(range(0, len(faces), VALIDATION_BATCH_SIZE), desc="scoring", leave=False, file=sys.stderr):
        images = torch.from_numpy(faces.images[start : start + VALIDATION_BATCH_SIZE]).to(device)
        with autocast(preset, device):
            outputs.append(network(normalise(enlarge(images, size), preset)).float())
    return torch.cat(outputs).cpu().numpy()


def validation_metrics(logits: np.ndarray, faces: FaceDataset) -> dict[str, float]:
    """The metrics of one row of metrics.csv, under plurality; NaN for children where it is not known who is one, and
    all NaN where an answer is no number."""
    probabilities = torch.from_numpy(logits).softmax(1).numpy()
    sound = bool(np.isfinite(probabilities).all())
    right = probabilities.argmax(1) == faces.labels
    children = faces.children if faces.children is not None else np.zeros(len(faces), bool)
    confusion = metrics.confusion_matrix(faces.labels, probabilities.argmax(1))
    return {
        "validation_loss": metrics.negative_log_likelihood(probabilities, faces.targets),
        "accuracy": float(right.mean()) if sound else math.nan,
        "majority_accuracy": float(right[faces.majority].mean()) if sound and faces.majority.any() else math.nan,
        "children_accuracy": float(right[children].mean()) if sound and children.any() else math.nan,
        "mean_recall": float(np.nanmean(metrics.recall(confusion))) if sound else math.nan,
        "calibration_error": metrics.calibration_error(probabilities, faces.labels),
    }


def _in_words(figures: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:.4g}" for key, value in figures.items())


# --- the run -------------------------------------------------------------------------------------------------------


def make_optimiser(network: nn.Module, preset: Preset) -> torch.optim.Optimizer:
    """Adam as the paper has it, or AdamW, whose decay spares biases and normalisations."""
    if preset.optimiser == "adam":
        return torch.optim.Adam(network.parameters(), lr=preset.rate)
    kernels = [weight for weight in network.parameters() if weight.ndim > 1]
    others = [weight for weight in network.parameters() if weight.ndim < 2]
    groups = [{"params": kernels, "weight_decay": preset.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=preset.rate, fused=True)


def learning_rate_at(preset: Preset, step: int, fraction: float) -> float:
    """The learning rate of a step that begins after ``fraction`` (0..1) of the run."""
    rate = preset.rate * min(1.0, (step + 1) / max(1, preset.warm_up))
    return rate * (0.01 + 0.99 * (1 + math.cos(math.pi * fraction)) / 2) if preset.cosine else rate


@torch.no_grad()
def update_running_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """One step of the exponential moving average of the weights; integer counters are copied."""
    pairs = list(zip(average.state_dict().values(), network.state_dict().values(), strict=True))
    floats = [(old, new) for old, new in pairs if old.is_floating_point()]
    # One call for all, as torch's own AveragedModel does it: a thousand would keep a GPU waiting.
    torch._foreach_lerp_([old for old, _ in floats], [new for _, new in floats], 1 - decay)
    for old, new in pairs:
        if not old.is_floating_point():
            old.copy_(new)


def choose_device(name: str) -> torch.device:
    """``cpu``, ``cuda``, or of the two what is there (``auto``). Raises CommandError where there is no such GPU."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise CommandError(
            "torch finds no CUDA device here. Give --device cpu, or install torch for your GPU's driver."
        )
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def train(
    preset: Preset,
    network: nn.Module,
    training: FaceDataset,
    validation: FaceDataset,
    out: Path,
    seed: int = 0,
    device: torch.device = CPU,
    report: Report = lambda step, figures: None,
) -> None:
    """Trains to the preset's end, from ``out/state.pt`` where a run was interrupted or was given more epochs. Before
    the first step the validation faces are scored once, which is printed. ``report`` is told each validation.

    Raises `DivergedError` when the loss or the weights are no finite numbers any more; state and weights in ``out`` are
    then the last good ones.
    """
    torch.manual_seed(seed)
    if preset.check_faces is not None and preset.check_faces < len(validation):
        validation = validation.take(np.linspace(0, len(validation) - 1, preset.check_faces).astype(int))
    torch.backends.cudnn.benchmark = True  # every batch of a size has one shape
    batches = TrainingBatches(training, preset, seed, device)
    total = preset.epochs * batches.per_epoch if preset.epochs else None
    network.to(device).to(memory_format=torch.channels_last)
    average = copy.deepcopy(network) if preset.average is not None else network
    optimiser = make_optimiser(network, preset)
    step, spent, loss_count = 0, 0.0, 0
    loss_sum = torch.zeros((), dtype=torch.float64, device=device)  # there until it is read
    rows: list[dict[str, float]] = []

    state_file = out / "state.pt"
    if (state := read_state(state_file)) is not None:
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["generator"])  # nothing draws from it in ResNet152; a network with dropout would
        step, spent, loss_count, rows = (state[key] for key in ("step", "spent", "loss_count", "rows"))
        loss_sum += state["loss_sum"]
        print(f"going on from step {step}, {spent / 60:.1f} minutes in", file=sys.stderr)

    def stop(what: str) -> DivergedError:
        saved = f"{state_file} holds its last good state" if state_file.exists() else "Nothing is saved yet"
        remedy = "Begin again with a lower --rate and another --out."
        return DivergedError(f"at step {step} {what}: the run has diverged and is stopped. {saved}. {remedy}")

    def read_loss() -> float:
        """The sum since the last validation."""
        if not math.isfinite(value := loss_sum.item()):
            raise stop(f"the loss is {value}")
        return value

    def save() -> None:
        read_loss()
        try:
            for one in (network, average):
                half_precision(one)
        except DivergedError as error:
            raise stop(str(error)) from error
        state = {
            "network": network.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "generator": torch.get_rng_state(),
            "step": step,
            "spent": spent,
            "loss_sum": loss_sum.item(),
            "loss_count": loss_count,
            "rows": rows,
        }
        write_atomically(state_file, lambda part: torch.save(state, part))
        write_weights(out / "weights.safetensors", average)

    def fraction_done() -> float:
        return step / total if total else min(1.0, spent / (60 * (preset.minutes or 0)))

    def size_now() -> int:
        return preset.sizes[min(int(fraction_done() * len(preset.sizes)), len(preset.sizes) - 1)]

    if step == 0:
        logits_now = predict_logits(average, validation, preset, preset.sizes[-1], device)
        before = validation_metrics(logits_now, validation)
        tqdm.write(f"before training  {_in_words(before)}", file=sys.stderr)
        report(0, before)
    began = time.monotonic() - spent
    saved, checked = spent, rows[-1]["minutes"] * 60 if rows else 0.0
    faces = min(preset.batch, len(training))
    progress = tqdm(total=total and total * faces, initial=step * faces, desc="training", unit="face", file=sys.stderr)
    while (fraction := fraction_done()) < 1:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate_at(preset, step, fraction)
        pixels, targets = batches.make(step, size_now())

        network.train()
        with autocast(preset, device):
            logits = network(pixels)
        loss = F.cross_entropy(logits.float(), targets)
        loss_sum += loss.detach()
        loss_count += 1
        if device.type == "cpu" or step % READ_EVERY == 0:
            progress.set_postfix(loss=f"{read_loss() / loss_count:.3f}", minutes=f"{spent / 60:.1f}", size=size_now())
        loss.backward()
        if preset.gradient_norm is not None:
            nn.utils.clip_grad_norm_(network.parameters(), preset.gradient_norm)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        step += 1
        if preset.average is not None:
            # The decay grows with the steps: a constant one would hold on to the untrained weights.
            update_running_average(average, network, min(preset.average, (1 + step) / (10 + step)))

        spent = time.monotonic() - began
        progress.update(faces)
        if total:
            validate = step % batches.per_epoch == 0
        else:
            validate = spent - checked > preset.check_minutes * 60 or fraction_done() >= 1
        if validate:
            row = {"step": step, "epoch": step / batches.per_epoch, "minutes": spent / 60}
            row |= {"training_loss": read_loss() / loss_count}
            logits_now = predict_logits(average, validation, preset, preset.sizes[-1], device)
            row |= validation_metrics(logits_now, validation)
            if not math.isfinite(row["validation_loss"]):
                raise stop("the validation loss is no number")
            rows.append(row)
            loss_count = 0
            loss_sum.zero_()
            spent = time.monotonic() - began
            checked = spent
            tqdm.write(_in_words(row), file=sys.stderr)
            write_metrics(out, rows)
            report(step, {key: value for key, value in row.items() if math.isfinite(value)})
        if validate or spent - saved > preset.save_seconds:
            save()
            saved = spent
    progress.close()
    # Once more: a kill may have come between the last state and these files.
    write_weights(out / "weights.safetensors", average)
    write_metrics(out, rows)


def read_data(
    preset_name: str, data: Path, crops: bool, configuration: Configuration, seed: int
) -> tuple[FaceDataset, FaceDataset, int]:
    """Training and validation faces, and how many training images were dropped as repetitions. Raises DataError."""
    if preset_name == "paper":
        crop = (centre_square_crop if crops else aligned_face_crop)(configuration)
        return *split_folder(data, load_folder(data, crop), seed), 0
    training, validation, test = (load_ferplus(data / f"{part}.npz") for part in ("train", "valid", "test"))
    # `test` is opened for this alone: a photograph of it must not be learnt.
    others = np.concatenate([validation.images, test.images])[..., 0]
    seen = is_duplicate(training.images[..., 0], others)
    training = training.take(~seen)
    if not len(training) or not len(validation):
        raise CommandError(f"{data} holds no faces to train on, or none to validate on: build it again.")
    print(f"{seen.sum()} training images repeat one of valid or test and are dropped", file=sys.stderr)
    return training, validation, int(seen.sum())


@command
def main() -> None:
    """Reads the arguments and the data, then trains."""
    parser = argparse.ArgumentParser(description="Trains ResNet152 to tell eight expressions apart.")
    parser.add_argument("--preset", choices=PRESETS, required=True)
    parser.add_argument(
        "--data", type=existing_folder, required=True, help="paper: class folders; ferplus: folder of the .npz files"
    )
    parser.add_argument(
        *("--out", "--resume"), type=folder_to_write, required=True, help="folder of the run; give it again to go on"
    )
    parser.add_argument(
        "--drop-state", action="store_true", help="remove state.pt at the end; the run cannot be given more epochs then"
    )
    parser.add_argument(
        "--crops", action="store_true", help="paper: the images are face crops; else faces are searched"
    )
    parser.add_argument("--start", type=Path, help="weights to start from; without it torchvision's ImageNet weights")
    size = whole_number(SMALLEST_INPUT, LARGEST_INPUT)
    parser.add_argument("--size", type=size, nargs="+", help="pixels, in turn, in equal shares of the run")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=whole_number(1, 100_000), help="length of the run in epochs")
    length.add_argument("--minutes", type=number_above(0, 525_600), help="length of the run in wall-clock minutes")
    parser.add_argument("--rate", "--lr", type=number_above(0, 10), help="highest learning rate")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: a GPU where one is")
    # A normalisation has no variance over a single value.
    parser.add_argument("--batch", "--batch-size", type=whole_number(2, 4096), help="faces in a batch")
    parser.add_argument(
        "--seed", type=whole_number(0, 2**31), default=0, help="a new one where an earlier run's weights are the start"
    )
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    changes = {name: getattr(arguments, name) for name in ("rate", "batch") if getattr(arguments, name) is not None}
    if arguments.size:
        changes["sizes"] = tuple(arguments.size)
    if arguments.epochs is not None or arguments.minutes is not None:
        changes |= {"epochs": arguments.epochs, "minutes": arguments.minutes}
    preset = dataclasses.replace(PRESETS[arguments.preset], **changes)
    configuration = checkpoint_configuration(preset)

    # What can be wrong is looked for before the data are read and the faces are searched, which may take an hour.
    if arguments.preset == "paper":
        check_split(arguments.data, arguments.seed)
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    what = dataclasses.asdict(preset) | {
        "preset": arguments.preset,
        "policy": [(function.__name__, chance) for function, chance in preset.policy],
        "seed": arguments.seed,
        "start": str(arguments.start or "torchvision ImageNet"),
        "torch": torch.__version__,
        "device": device.type,
    }
    refuse_another_run(out, what)
    network = build_resnet152()
    if read_state(out / "state.pt") is None:  # read once more when the run goes on: it is let go while faces are read
        initialise(network, starting_weights(arguments.start))

    training, validation, dropped = read_data(
        arguments.preset, arguments.data, arguments.crops, configuration, arguments.seed
    )
    what |= dict(zip(COUNTS, (len(training), len(validation), dropped), strict=True))
    refuse_another_run(out, what)
    write_text(out / "run.json", json.dumps(what, indent=1) + "\n")
    print(f"seed {arguments.seed}: {len(training)} training faces, {len(validation)} for validation", file=sys.stderr)
    train(preset, network, training, validation, out, arguments.seed, device, open_dashboard(out))
    checkpoint = package(out / "weights.safetensors", configuration, out / "checkpoint", largest_shard=ONE_FILE)
    if arguments.drop_state:
        (out / "state.pt").unlink()
    print(f"{checkpoint.folder}: {checkpoint.version}, for python -m emotion.training.evaluate", file=sys.stderr)


if __name__ == "__main__":
    main()
