"""Fills in the templates of the model card and of the evaluation's page, and writes the latter: one self-contained HTML
file with tables, confusion matrices, reliability diagram and mistakes."""

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from PIL import Image
from plotly.io import to_html
from plotly.subplots import make_subplots

from emotion.images import shown_name
from emotion.labels import COLOURS, KEYS, Emotion
from emotion.training.data import FaceDataset

MISTAKES_SHOWN = 24

FIGURES = {
    "accuracy": "accuracy",
    "mean_precision": "mean precision",
    "mean_recall": "mean recall",
    "negative_log_likelihood": "negative log-likelihood against the votes",
    "calibration_error": "calibration error (15 bins)",
}


def report_page(result: dict[str, Any], probabilities: np.ndarray, faces: FaceDataset) -> str:
    """The page for what `emotion.training.evaluate` found: ``result`` as in evaluation.json, and the (n, 8)
    probabilities behind it for the sheet of mistakes."""
    whole = result["plurality"]["all"]
    return render(
        "report.html",
        result=result,
        FIGURES=FIGURES,
        # The first drawing brings plotly.js along for both.
        confusion=to_html(confusion_figure(whole), include_plotlyjs=True, full_html=False),
        reliability=to_html(reliability_figure(whole), include_plotlyjs=False, full_html=False),
        mistakes=most_confident_mistakes(probabilities, faces),
        wrong_answers=int((probabilities.argmax(1) != faces.labels).sum()),
    )


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


def most_confident_mistakes(probabilities: np.ndarray, faces: FaceDataset) -> list[dict[str, Any]]:
    """The 24 wrong answers with the highest probability: picture (PNG in base64), name, answer, its probability, label,
    and the label's share of the votes."""
    answers = probabilities.argmax(1)
    wrong = np.flatnonzero(answers != faces.labels)
    worst = wrong[np.argsort(-probabilities[wrong].max(1), kind="stable")[:MISTAKES_SHOWN]]
    return [
        {
            "image": _png(faces.images[index]),
            "name": shown_name(str(faces.names[index])),
            "answer": KEYS[answers[index]],
            "confidence": probabilities[index].max(),
            "label": KEYS[faces.labels[index]],
            "votes": faces.targets[index].max(),
        }
        for index in worst
    ]


def _png(crop: np.ndarray) -> str:
    file = BytesIO()
    Image.fromarray(crop.squeeze(2) if crop.shape[2] == 1 else crop).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


# --- templates ----------------------------------------------------------------------------------------------------


def number(value: float | None) -> str:
    """Three digits; a dash for a figure that has no value, as the recall of a class without faces."""
    return "–" if value is None else f"{value:.3f}"


def interval(value: float | None, low: float | None, high: float | None) -> str:
    """A figure with its 95 % interval: "0.809 [0.797, 0.822]"."""
    return f"{number(value)} [{number(low)}, {number(high)}]"


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.globals |= {"number": number, "interval": interval, "KEYS": KEYS}


def render(template: str, **values: object) -> str:
    """The text of a file in ``templates/`` with ``values`` put in; HTML is escaped. Raises jinja2.UndefinedError for a
    value that is missing."""
    return _ENVIRONMENT.get_template(template).render(values)
