"""Small inline pictures (SVG): a face per expression, a sign per signal, a sparkline. They print and need no script."""

from collections.abc import Sequence
from html import escape

from emotion.labels import COLOURS, KEYS, Emotion

_FACES: dict[str, str] = {  # brows, eyes and mouth in a box of 24 by 24
    "happy": '<path d="M7.5 14.2c1 2.4 2.7 3.3 4.5 3.3s3.5-.9 4.5-3.3"/>',
    "neutral": '<path d="M8 15.6h8"/>',
    "sad": '<path d="M8 17c.8-1.6 2.3-2.4 4-2.4s3.2.8 4 2.4M6.8 8.6l2.6-1M17.2 8.6l-2.6-1"/>',
    "angry": '<path d="M8.4 16.6c1-.8 2.2-1.2 3.6-1.2s2.6.4 3.6 1.2M6.6 7l3 1.5M17.4 7l-3 1.5"/>',
    "fear": '<path d="M7.6 16.2l1.5-1.2 1.5 1.2 1.4-1.2 1.5 1.2 1.4-1.2 1.5 1.2M6.8 7.6l2.4-1.4M17.2 7.6l-2.4-1.4"/>',
    "surprise": '<ellipse cx="12" cy="16" rx="1.9" ry="2.3"/>'
    '<path d="M6.8 6.8c.8-.8 1.8-.8 2.6 0M14.6 6.8c.8-.8 1.8-.8 2.6 0"/>',
    "disgust": '<path d="M7.8 15.4c1.4-1 2.8 1 4.2 0s2.8-1 4.2 0M13 15.6v1.8c0 1.2 2 1.2 2 0v-1.6M6.8 7.8l2.8.6"/>',
    "contempt": '<path d="M8.4 16h4.2c1.6 0 2.6-.8 3.2-2M14.6 7.4l2.6-.8"/>',
}
_EYES = (
    '<circle cx="8.7" cy="10.4" r=".8" fill="currentColor"/><circle cx="15.3" cy="10.4" r=".8" fill="currentColor"/>'
)
_SIGNS: dict[str, str] = {
    "distressed": '<path d="M12 3l9.5 17h-19zM12 9.5v5M12 17.2v.6"/>',
    "struggling": '<path d="M9 9a3 3 0 1 1 4.4 2.7c-.9.5-1.4 1.1-1.4 2.3M12 17.4v.6"/>'
    '<circle cx="12" cy="12" r="9.2"/>',
    "tired": '<path d="M19.5 14.5A8 8 0 1 1 10 4.6a6.4 6.4 0 0 0 9.5 9.9z"/>',
    "away": '<circle cx="12" cy="8.4" r="3.4" stroke-dasharray="2 2"/>'
    '<path d="M5.5 19.5c.6-3.6 3.2-5.4 6.5-5.4s5.9 1.8 6.5 5.4" '
    'stroke-dasharray="2 2"/>',
    "delighted": '<path d="M12 3.4l2.6 5.6 6 .7-4.5 4.1 1.2 6-5.3-3-5.3 3 1.2-6-4.5-4.1 6-.7z"/>',
}
_SIGNS["note"] = '<path d="M5 4h14v16H5zM8.5 9h7M8.5 13h7"/>'
_SIGNS["silent"] = (
    '<circle cx="12" cy="12" r="9.2" stroke-dasharray="2 2.6"/><path d="M8.5 12h.1M12 12h.1M15.5 12h.1"/>'
)
_STROKE = 'fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"'


def icon(state: str) -> str:
    """The picture of an expression, of a signal kind, of ``away`` or ``silent``: decoration beside a word."""
    if state in KEYS:
        ground = COLOURS[Emotion[state.upper()]]
        body = f'<circle cx="12" cy="12" r="9.2" fill="{ground}" fill-opacity=".32"/>{_EYES}{_FACES[state]}'
    else:
        body = _SIGNS[state]
    return f'<svg class="picture" viewBox="0 0 24 24" aria-hidden="true" {_STROKE}>{body}</svg>'


def sparkline(values: Sequence[float | None], words: str, width: int = 120, height: int = 30) -> str:
    """A line of values in [-1, 1], broken where there is None; ``words`` say the same to a screen reader."""
    step = width / max(1, len(values) - 1)
    runs: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        clipped = min(1.0, max(-1.0, value))
        runs[-1].append(f"{index * step:.1f},{(1 - clipped) * (height - 4) / 2 + 2:.1f}")
    lines = "".join(
        f'<polyline points="{" ".join(points)}"/>'
        if len(points) > 1
        else f'<circle cx="{points[0].split(",")[0]}" cy="{points[0].split(",")[1]}" r="1.4" fill="currentColor"/>'
        for points in runs
        if points
    )
    return (
        f'<svg class="sparkline" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(words)}" {_STROKE}>'
        f'<line x1="0" x2="{width}" y1="{height / 2}" y2="{height / 2}" class="zero"/>{lines}</svg>'
    )


def trend_direction(values: Sequence[float | None]) -> str:
    """``rising``, ``falling``, ``steady`` or ``unknown``: the last third of the known values against the first."""
    known = [value for value in values if value is not None]
    if len(known) < 6:
        return "unknown"
    third = len(known) // 3
    change = sum(known[-third:]) / third - sum(known[:third]) / third
    return "rising" if change > 0.1 else "falling" if change < -0.1 else "steady"
