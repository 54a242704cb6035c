"""The files of a run's figures: a table, and the curves of the two losses."""

import csv
from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go

from emotion.training.command_line import write_atomically


def write_metrics(out: Path, rows: Sequence[dict[str, float]]) -> None:
    """Writes metrics.csv, and losses.html with the curves of the two losses."""

    def write_table(path: Path) -> None:
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, rows[0].keys())
            table.writeheader()
            table.writerows({key: f"{value:.6g}" for key, value in row.items()} for row in rows)

    write_atomically(out / "metrics.csv", write_table)
    figure = go.Figure(
        layout={"xaxis_title": "epoch", "yaxis_title": "cross-entropy (nats)", "template": "simple_white"}
    )
    for key, name in (("training_loss", "training"), ("validation_loss", "validation")):
        figure.add_scatter(x=[r["epoch"] for r in rows], y=[r[key] for r in rows], name=name, mode="lines+markers")
    write_atomically(out / "losses.html", lambda path: figure.write_html(path, include_plotlyjs=True))
