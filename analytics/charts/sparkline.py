"""The sparkline of a child, as inline SVG, and its direction in a word. It prints and needs no script."""

from collections.abc import Sequence

from markupsafe import Markup, escape

REACH = 0.5  # of valence at the upper and the lower edge: means of five seconds rarely lie beyond


def sparkline(values: Sequence[float | None], label: str, width: int = 120, height: int = 30) -> Markup:
    """A line of values of valence around zero, at most `REACH` from it, broken where there is None; ``label``
    says the same to a screen reader."""
    step = width / max(1, len(values) - 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((index * step, (1 - min(1.0, max(-1.0, value / REACH))) * (height - 4) / 2 + 2))
    lines = "".join(_line(run) for run in runs if run)
    return Markup(
        f'<svg class="sparkline" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}" fill="none" '
        'stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">'
        f'<line x1="0" x2="{width}" y1="{height / 2}" y2="{height / 2}" class="zero"/>{lines}</svg>'
    )


def _line(points: Sequence[tuple[float, float]]) -> str:
    """A point that stands alone becomes a dot."""
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="1.4" fill="currentColor"/>'
    return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def trend_direction(values: Sequence[float | None]) -> str:
    """``rising``, ``falling``, ``steady`` or ``unknown``: the last third of the known values against the first."""
    known = [value for value in values if value is not None]
    if len(known) < 6:
        return "unknown"
    third = len(known) // 3
    change = sum(known[-third:]) / third - sum(known[:third]) / third
    return "rising" if change > 0.1 else "falling" if change < -0.1 else "steady"
