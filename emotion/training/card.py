"""Writes a checkpoint's model card (README.md) from its evaluation.json, so that no figure in it can drift.

python -m emotion.training.card --checkpoint checkpoints/resnet152-ferplus
"""

import argparse
import json
import sys
from pathlib import Path

from emotion.network.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from emotion.training.templates import render

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
    evaluation = json.loads(path.read_text(encoding="utf-8"))
    if evaluation["weights_sha256"] != checkpoint.configuration.weights_sha256:
        raise CheckpointError(f"{path} is of other weights ({evaluation['model']}, not {checkpoint.version}). {remedy}")
    if "robustness" not in evaluation:
        raise CheckpointError(f"{path} lacks the mirror image and robustness. {remedy}")
    return render(
        "card.md",
        name=checkpoint.folder.resolve().name,
        training_data=checkpoint.configuration.training_data.rstrip("."),
        evaluation=evaluation,
        FIGURES=FIGURES,
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="a checkpoint folder with its evaluation.json")
    arguments = parser.parse_args()
    try:
        checkpoint = load_checkpoint(arguments.checkpoint)
        text = model_card(checkpoint)
    except CheckpointError as error:
        sys.exit(f"error: {error}")
    (checkpoint.folder / "README.md").write_text(text, encoding="utf-8")
    print(checkpoint.folder / "README.md")


if __name__ == "__main__":
    main()
