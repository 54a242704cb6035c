"""Writes a checkpoint's model card (README.md) from its evaluation.json, so that no figure in it can drift.

python -m emotion.training.card --checkpoint checkpoints/resnet152-ferplus-224
"""

import argparse
import json
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError

from emotion.network.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from emotion.training.command_line import command, write_text
from emotion.training.report import render

FIGURES = {
    "accuracy": "accuracy",
    "mean_precision": "mean precision over eight classes",
    "mean_recall": "mean recall over eight classes",
    "negative_log_likelihood": "negative log-likelihood against the votes (nats)",
    "calibration_error": "calibration error",
}


def model_card(checkpoint: Checkpoint) -> str:
    """The text of the card. Raises CheckpointError where the evaluation is missing, of other weights, or was made
    without ``--thorough``."""
    path = checkpoint.folder / "evaluation.json"
    remedy = f"Run python -m emotion.training.evaluate --checkpoint {checkpoint.folder} --data .../test.npz --thorough."
    if not path.is_file():
        raise CheckpointError(f"{path} is missing. {remedy}")
    try:
        evaluation = json.loads(path.read_text(encoding="utf-8"))
        return _fill_in(checkpoint, path, evaluation, remedy)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UndefinedError) as error:
        raise CheckpointError(f"{path} is damaged or of another release ({error!r}). {remedy}") from error


def _fill_in(checkpoint: Checkpoint, path: Path, evaluation: dict[str, Any], remedy: str) -> str:
    if evaluation["weights_sha256"] != checkpoint.configuration.weights_sha256:
        raise CheckpointError(f"{path} is of other weights ({evaluation['model']}, not {checkpoint.version}). {remedy}")
    if "robustness" not in evaluation:
        raise CheckpointError(f"{path} lacks the mirror image and robustness. {remedy}")
    if absent := evaluation.get("classes_absent"):
        raise CheckpointError(f"{path} is of data without {', '.join(absent)}; a card speaks of all classes. {remedy}")
    return render(
        "card.md",
        name=checkpoint.folder.resolve().name,
        training_data=checkpoint.configuration.training_data.rstrip("."),
        evaluation=evaluation,
        FIGURES=FIGURES,
    )


@command
def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="a checkpoint folder with its evaluation.json")
    arguments = parser.parse_args()
    checkpoint = load_checkpoint(arguments.checkpoint)
    write_text(checkpoint.folder / "README.md", model_card(checkpoint))
    print(checkpoint.folder / "README.md")


if __name__ == "__main__":
    main()
