"""The evaluation as one HTML page that needs nothing else: tables, matrices, the reliability diagram, the mistakes."""

import base64
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.io import to_html
from plotly.subplots import make_subplots

from emotion.labels import COLOURS, KEYS, Emotion
from emotion.training.data import Faces

MISTAKES = 24

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figure img { width: 100%; image-rendering: pixelated; } figcaption { font-size: .85rem; }
.warning { background: #fff3cd; padding: .5rem 1rem; }
"""

_FIGURES = {
    "accuracy": "accuracy",
    "mean_precision": "mean precision",
    "mean_recall": "mean recall",
    "negative_log_likelihood": "negative log-likelihood against the votes",
    "calibration_error": "calibration error (15 bins)",
}


def write_report(path: Path, result: dict[str, Any], probabilities: np.ndarray, faces: Faces) -> None:
    """Writes the page for what `emotion.training.evaluate` found: ``result`` as in evaluation.json, and the (n, 8)
    probabilities behind it for the sheet of mistakes."""
    parts = [f"<h1>{escape(result['model'])} on {escape(result['data'])}</h1>", _introduction(result)]
    for protocol, title in (("plurality", "Label: the class with most votes"), ("majority", "Only clear majorities")):
        if protocol in result:
            parts += [f"<h2>{title}</h2>", _figures_table(result[protocol])]
    whole = result["plurality"]["all"]
    parts += ["<h2>Classes</h2>", _class_table(whole), _plot(confusion_figure(whole), first=True)]
    parts += ["<h2>Does the confidence hold?</h2>", _plot(reliability_figure(whole))]
    if "with_mirror_image" in result:
        parts += ["<h2>Averaged over the mirror image</h2>", _figures_table(result["with_mirror_image"]["plurality"])]
    if "robustness" in result:
        parts += ["<h2>Robustness</h2>", _robustness_table(result["robustness"])]
    for name, tables in result.get("groups", {}).items():
        parts += [f"<h2>By {escape(name)}</h2>", _figures_table(tables)]
    parts += ["<h2>The most confident mistakes</h2>", mistakes_sheet(probabilities, faces)]
    if result["skipped"]:
        lines = "".join(f"<li>{escape(line)}</li>" for line in result["skipped"])
        parts += [
            f"<h2>Not judged</h2><details><summary>{len(result['skipped'])} images</summary><ul>{lines}</ul></details>"
        ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(result["model"])}</title>'
    path.write_text(f"{head}<style>{_STYLE}</style><body>{''.join(parts)}</body></html>", encoding="utf-8")


def confusion_figure(figures: dict[str, Any]) -> go.Figure:
    """Two heat maps: counts, and each row divided by its sum. Rows are the truth, columns the answer."""
    counts = np.array(figures["confusion"], dtype=float)
    total = counts.sum(1, keepdims=True)
    shares = np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)
    figure = make_subplots(1, 2, subplot_titles=("faces", "share of the row"), horizontal_spacing=0.15)
    for column, (values, form) in enumerate(((counts, ".0f"), (shares, ".2f")), 1):
        # Both are coloured by share: counts would show little but the frequent classes.
        heat = go.Heatmap(
            z=shares, x=KEYS, y=KEYS, text=values, texttemplate=f"%{{text:{form}}}", colorscale="Blues", zmin=0, zmax=1,
            showscale=False, hovertemplate=f"shown %{{y}}, answered %{{x}}: %{{text:{form}}}<extra></extra>",
        )  # fmt: skip
        figure.add_trace(heat, 1, column)
    figure.update_yaxes(autorange="reversed", title_text="shown")
    figure.update_xaxes(title_text="answered")
    figure.update_layout(template="simple_white", height=520)
    return figure


def reliability_figure(figures: dict[str, Any]) -> go.Figure:
    """Accuracy over confidence, a point for each of 15 bins, its area by the number of faces; the diagonal is ideal."""
    bins = figures["reliability"]
    most = max(entry["faces"] for entry in bins)
    figure = go.Figure(layout={"template": "simple_white", "height": 450})
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": "#888"}, name="as confident as right"
    )
    figure.add_scatter(
        x=[entry["confidence"] for entry in bins],
        y=[entry["accuracy"] for entry in bins],
        mode="lines+markers",
        name="measured",
        marker={"size": [6 + 24 * (entry["faces"] / most) ** 0.5 for entry in bins], "color": COLOURS[Emotion.SAD]},
        customdata=[entry["faces"] for entry in bins],
        hovertemplate="confidence %{x:.2f}, right %{y:.2f}, %{customdata} faces<extra></extra>",
    )
    figure.update_xaxes(title_text="confidence", range=[0, 1.02])
    figure.update_yaxes(title_text="share that is right", range=[0, 1.02])
    return figure


def mistakes_sheet(probabilities: np.ndarray, faces: Faces) -> str:
    """The 24 wrong answers with the highest probability, each as a picture with the answer and the truth."""
    answers = probabilities.argmax(1)
    wrong = np.flatnonzero(answers != faces.labels)
    worst = wrong[np.argsort(-probabilities[wrong].max(1), kind="stable")[:MISTAKES]]
    if not len(worst):
        return "<p>There are none.</p>"
    cells = [
        f'<figure><img alt="" src="data:image/png;base64,{_png(faces.images[index])}">'
        f"<figcaption>{escape(str(faces.names[index]))}<br>"
        f"answered <b>{KEYS[answers[index]]}</b> {probabilities[index].max():.2f}, "
        f"shown <b>{KEYS[faces.labels[index]]}</b> {faces.targets[index].max():.2f}</figcaption></figure>"
        for index in worst
    ]
    return f'<p>Of {len(wrong)} in all.</p><div class="mistakes">{"".join(cells)}</div>'


def _introduction(result: dict[str, Any]) -> str:
    text = (
        f"<p>{result['faces_judged']} faces at {result['input_size']} pixels, runtime {escape(result['runtime'])}, "
        f"temperature {result['temperature']}. Square brackets: 95 % interval over 1,000 bootstrap samples.</p>"
    )
    left_out = result["faces_in_data"] - result["faces_judged"]
    if left_out:
        text += f'<p class="warning">{left_out} of {result["faces_in_data"]} images were not judged; see the end.</p>'
    return text


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _spread(entry: dict[str, float | None]) -> str:
    return f"{_number(entry['value'])} [{_number(entry['low'])}, {_number(entry['high'])}]"


def _figures_table(sets: dict[str, dict[str, Any]]) -> str:
    rows = [["faces", *(str(figures["faces"]) for figures in sets.values())]]
    rows += [[title, *(_spread(figures[name]) for figures in sets.values())] for name, title in _FIGURES.items()]
    return _table(["", *sets], rows)


def _class_table(figures: dict[str, Any]) -> str:
    rows = []
    for key, c in figures["classes"].items():
        recall = {"value": c["recall"], "low": c["recall_low"], "high": c["recall_high"]}
        rows.append([key, _number(c["precision"]), _spread(recall), _number(c["f1"]), str(c["support"])])
    return _table(["", "precision", "recall", "F1", "faces"], rows)


def _robustness_table(table: dict[str, Any]) -> str:
    sets = [table, table["children"]] if "children" in table else [table]
    heading = [f"{table['faces']} of the faces", "accuracy", "change"]
    heading += [f"{one['faces']} children", "change"] if (one := table.get("children")) else []
    rows = [["as they are", *(cell for one in sets for cell in (_number(one["unchanged"]), ""))]]
    for name in table["changes"]:
        entries = [one["changes"][name] for one in sets]
        rows.append([name, *(cell for row in entries for cell in (_number(row["accuracy"]), _spread(row["change"])))])
    return _table(heading, rows)


def _plot(figure: go.Figure, first: bool = False) -> str:
    """The first drawing of a page brings plotly.js along."""
    return to_html(figure, include_plotlyjs=first, full_html=False)


def _png(crop: np.ndarray) -> str:
    file = BytesIO()
    Image.fromarray(crop.squeeze(2) if crop.shape[2] == 1 else crop).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
