"""Hands a run's figures to TensorBoard or trackio, whichever is installed beside this project."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

Report = Callable[[int, dict[str, float]], None]
"""Takes a step and its figures by name."""


def open_dashboard(out: Path) -> Report:
    """TensorBoard's files in ``out/tensorboard`` where it is installed, else trackio's local project "expressions",
    else nothing. Says on standard error where to look."""
    if importlib.util.find_spec("tensorboard"):
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(str(out / "tensorboard"))
        print(f"TensorBoard: tensorboard --logdir {out / 'tensorboard'}", file=sys.stderr)

        def report(step: int, figures: dict[str, float]) -> None:
            for name, value in figures.items():
                writer.add_scalar(name, value, step)
            writer.flush()

        return report
    if importlib.util.find_spec("trackio"):
        import trackio

        trackio.init(project="expressions", name=out.resolve().name, resume="allow")
        print("trackio: trackio show --project expressions", file=sys.stderr)
        return lambda step, figures: trackio.log(figures, step=step)
    return lambda step, figures: None
