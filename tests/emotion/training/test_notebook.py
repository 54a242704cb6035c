"""The notebook of first steps: ten cells that run from top to bottom and show what they say."""

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np

NOTEBOOK = Path(__file__).parents[3] / "emotion" / "training" / "docs" / "first_steps.ipynb"


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Runs a cell as a notebook does: in the names of those before it, to the value of its last line."""
    parsed = ast.parse(source)
    last = parsed.body.pop() if isinstance(parsed.body[-1], ast.Expr) else None
    exec(compile(parsed, "cell", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def test_every_cell_of_the_notebook_runs() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], len(notebook["cells"])) == (4, 10)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in cells), "outputs would go stale, and hold pictures"
    names: dict[str, Any] = {}
    shown = [run_cell("".join(cell["source"]), names) for cell in cells]
    assert shown[1]["happy"] > 0.5
    table = shown[2].set_index("image")
    assert table.loc["astronaut.jpg", "expression"] == "happy"
    assert table.loc["cat.jpg", "faces_seen"] == 0
    assert table.loc["LICENCE.md", "error"]
    assert shown[4][:2] == ((2, 2048), np.float32)
