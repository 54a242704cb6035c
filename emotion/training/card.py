"""Writes a checkpoint's model card (README.md) from its evaluation.json, so that no figure in it can drift.

python -m emotion.training.card --checkpoint checkpoints/resnet152-ferplus
"""

import argparse
import json
import sys
from pathlib import Path
from string import Template
from typing import Any

from emotion.labels import KEYS
from emotion.network.checkpoint import Checkpoint, CheckpointError, load_checkpoint

TEMPLATE = Path(__file__).with_name("card.md")

_FIGURES = {
    "accuracy": "accuracy",
    "mean_precision": "mean precision over eight classes",
    "mean_recall": "mean recall over eight classes",
    "negative_log_likelihood": "negative log-likelihood against the votes (nats)",
    "calibration_error": "calibration error",
}


def render(checkpoint: Checkpoint) -> str:
    """The text of the card. Raises CheckpointError where the evaluation is missing, cursory, or of other weights."""
    path = checkpoint.folder / "evaluation.json"
    remedy = f"Run python -m emotion.training.evaluate --checkpoint {checkpoint.folder} --data .../test.npz --thorough."
    if not path.is_file():
        raise CheckpointError(f"{path} is missing. {remedy}")
    result = json.loads(path.read_text(encoding="utf-8"))
    if result["weights_sha256"] != checkpoint.configuration.weights_sha256:
        raise CheckpointError(f"{path} is of other weights ({result['model']}, not {checkpoint.version}). {remedy}")
    if "robustness" not in result:
        raise CheckpointError(f"{path} lacks the mirror image and robustness. {remedy}")
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=checkpoint.folder.resolve().name,
        version=checkpoint.version,
        input_size=result["input_size"],
        runtime=result["runtime"],
        temperature=result["temperature"],
        training_data=checkpoint.configuration.training_data.rstrip("."),
        model_index=_model_index(result),
        plurality=_figures(result["plurality"]),
        majority=_figures(result["majority"]),
        classes=_classes(result["plurality"]["all"]),
        class_recalls=_class_recalls(result["plurality"]),
        confusion=_table(["", *KEYS], [[key, *row] for key, row in zip(KEYS, result["confusion"], strict=True)]),
        mirror=_mirror(result),
        **{f"accuracy_{name}": _spread(figures["accuracy"]) for name, figures in result["plurality"].items()},
        robustness=_robustness(result),
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _spread(entry: dict[str, Any]) -> str:
    return f"{_number(entry['value'])} [{_number(entry['low'])}, {_number(entry['high'])}]"


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _figures(sets: dict[str, Any]) -> str:
    rows = [["faces", *(figures["faces"] for figures in sets.values())]]
    rows += [[title, *(_spread(figures[name]) for figures in sets.values())] for name, title in _FIGURES.items()]
    return _table(["", *sets], rows)


def _classes(figures: dict[str, Any]) -> str:
    rows = []
    for key, values in figures["classes"].items():
        span = {"value": values["recall"], "low": values["recall_low"], "high": values["recall_high"]}
        rows.append([key, _number(values["precision"]), _spread(span), _number(values["f1"]), values["support"]])
    return _table(["", "precision", "recall", "F1", "faces"], rows)


def _class_recalls(sets: dict[str, Any]) -> str:
    rows: list[list[Any]] = []
    for key in KEYS:
        row: list[Any] = [key]
        for name in ("children", "others"):
            values = sets[name]["classes"][key]
            span = {"value": values["recall"], "low": values["recall_low"], "high": values["recall_high"]}
            row += [_spread(span), values["support"]]
        rows.append(row)
    return _table(["", "children", "faces", "others", "faces"], rows)


def _mirror(result: dict[str, Any]) -> str:
    accuracies = {
        protocol: _spread(result["with_mirror_image"][protocol]["all"]["accuracy"])
        for protocol in ("plurality", "majority")
    }
    return (
        f"\nAveraged over the face and its mirror image, at twice the work: plurality {accuracies['plurality']}, "
        f"majority {accuracies['majority']}.\n"
    )


def _robustness(result: dict[str, Any]) -> str:
    table = result["robustness"]
    sets = [table, table["children"]] if "children" in table else [table]
    head = ["", "all", "change", "children", "change"][: 1 + 2 * len(sets)]
    rows = [["as they are", *(cell for one in sets for cell in (_number(one["unchanged"]), ""))]]
    for name in table["changes"]:
        entries = [one["changes"][name] for one in sets]
        rows.append(
            [name, *(cell for entry in entries for cell in (_number(entry["accuracy"]), _spread(entry["change"])))]
        )
    who = f"{table['faces']} faces drawn from `test`"
    if "children" in table:
        who += f", and all {table['children']['faces']} children"
    return (
        f"\n### Robustness (accuracy, plurality; {who})\n\n{_table(head, rows)}\n\n"
        "The strengths stand in `emotion/training/robustness.py`.\n"
    )


def _model_index(result: dict[str, Any]) -> str:
    """The Hub's metadata, a result for each protocol."""
    lines = []
    types = {"accuracy": "accuracy", "mean_precision": "precision", "mean_recall": "recall"}
    for protocol in ("plurality", "majority"):
        figures = result[protocol]["all"]
        lines += [
            "  - task:",
            "      type: image-classification",
            "      name: Facial expression recognition",
            "    dataset:",
            f"      name: FER+ test (PrivateTest), {protocol} protocol, {figures['faces']} images",
            "      type: FER+",
            "      split: test",
            "    metrics:",
        ]
        for name, kind in types.items():
            lines += [
                f"    - type: {kind}",
                f"      name: {_FIGURES[name]}",
                f"      value: {figures[name]['value']:.4f}",
            ]
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="a checkpoint folder with its evaluation.json")
    arguments = parser.parse_args()
    try:
        checkpoint = load_checkpoint(arguments.checkpoint)
        text = render(checkpoint)
    except CheckpointError as error:
        sys.exit(f"error: {error}")
    (checkpoint.folder / "README.md").write_text(text, encoding="utf-8")
    print(checkpoint.folder / "README.md")


if __name__ == "__main__":
    main()
