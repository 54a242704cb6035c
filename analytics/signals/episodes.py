"""From smoothed curves to episodes: spans in which one expression leads, or in which there is no face. Nothing
flickers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.signals.smoothing import FIRST_INTERVAL, GAP, Floats, probabilities_of, seconds_of
from emotion.labels import KEYS

AWAY = "away"  # the camera looked and saw no face
TAKEOVER_MARGIN = 0.10  # a new expression must lead the present one by this much probability before it takes over
SHORTEST = 5.0  # seconds: what is over sooner is not worth a teacher's eye (and is often one misread frame, smoothed)


@dataclass(frozen=True, slots=True)
class Episode:
    """A span in one state. ``state``: one of `KEYS`, or `AWAY`. ``strength``: its mean smoothed probability (1 where
    away)."""

    start: datetime
    end: datetime
    state: str
    strength: float

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.end - self.start).total_seconds()


def utc_datetime(seconds: float) -> datetime:
    """Seconds since 1970 -> aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def true_runs(flags: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """The half-open index ranges in which ``flags`` holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def episodes(smoothed: pd.DataFrame) -> list[Episode]:
    """The episodes of one child, in order, never overlapping; what no episode covers was not observed.

    ``smoothed``: as `analytics.signals.smoothing.smooth` returns it.

    An expression leads from the moment when its smoothed probability exceeds that of the present one by the hysteresis
    `TAKEOVER_MARGIN` (the two-threshold trigger of O. H. Schmitt, Journal of Scientific Instruments 15 (1938) 24-26, on
    the difference of two probabilities). A span shorter than `SHORTEST` is merged into the one before it (the first of
    a segment into the one after). Where frames without a face follow each other for at least `GAP` the state is `AWAY`;
    where no frame arrived for longer than `GAP` there is no episode at all.
    """
    curves = probabilities_of(smoothed), smoothed["face"].to_numpy(), smoothed["segment"].to_numpy()
    return _episodes(seconds_of(smoothed["at"]), *curves)


def class_episodes(smoothed: pd.DataFrame) -> dict[str, list[Episode]]:
    """`episodes` of each child by pseudonym. ``smoothed``: as `analytics.signals.smoothing.smooth_class` answers it.

    The columns are taken out once: selecting them from the frame child by child costs more than finding the episodes.
    """
    times, probabilities = seconds_of(smoothed["at"]), probabilities_of(smoothed)
    face, segments = smoothed["face"].to_numpy(), smoothed["segment"].to_numpy()
    return {
        child: _episodes(times[rows], probabilities[rows], face[rows], segments[rows])
        for child, rows in spans_of_children(smoothed["child"])
    }


def spans_of_children(children: pd.Series) -> Iterator[tuple[str, slice]]:
    """Each pseudonym of a sorted column, and where its rows are."""
    names = children.to_numpy(dtype=object)
    borders = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
    for first, last in pairwise(borders):
        if last > first:
            yield str(names[first]), slice(first, last)


def _episodes(
    times: Floats,
    probabilities: Floats,
    face: npt.NDArray[np.bool_],
    segments: npt.NDArray[np.int64],
) -> list[Episode]:
    if not len(times):
        return []
    until = np.append(times[1:], times[-1] + FIRST_INTERVAL)  # a frame stands until the next, at most a gap
    until = np.where(until - times > GAP, times + FIRST_INTERVAL, until)

    found = list(_away(times, until, face, segments))
    seen = np.flatnonzero(face)
    firsts = np.flatnonzero(np.diff(segments[seen], prepend=segments[seen[0]] - 1)) if len(seen) else seen
    for rows in np.split(seen, firsts[1:]) if len(seen) else []:
        found.extend(_segment(times[rows], float(until[rows[-1]]), probabilities[rows]))
    return sorted(found, key=lambda episode: episode.start)


def _away(
    times: Floats, until: Floats, face: npt.NDArray[np.bool_], segments: npt.NDArray[np.int64]
) -> Iterator[Episode]:
    """Frames without a face between two segments (inside a segment the absence was too short to matter)."""
    later = np.where(face, segments, np.iinfo(np.int64).max)
    next_segment = np.minimum.accumulate(later[::-1])[::-1]
    outside = ~face & (next_segment != segments)
    reached = np.append(True, until[:-1] >= times[1:])  # False: no frame arrived before this one
    for start, end in true_runs(outside):
        for part in np.split(np.arange(start, end), np.flatnonzero(~reached[start + 1 : end]) + 1):
            if until[part[-1]] - times[part[0]] >= GAP:
                yield Episode(utc_datetime(times[part[0]]), utc_datetime(until[part[-1]]), AWAY, 1.0)


def _segment(times: Floats, end: float, probabilities: Floats) -> list[Episode]:
    leaders, highest = probabilities.argmax(axis=1), probabilities.max(axis=1)
    overtaken = [np.flatnonzero(ahead) for ahead in (highest[:, None] - probabilities > TAKEOVER_MARGIN).T]  # by state
    starts, states = [0], [int(leaders[0])]
    while True:  # once per change of state, not per row
        rows_ahead = overtaken[states[-1]]
        place = int(rows_ahead.searchsorted(starts[-1]))
        if place == len(rows_ahead):
            break
        starts.append(int(rows_ahead[place]))
        states.append(int(leaders[starts[-1]]))

    spans: list[tuple[int, int]] = []  # (first row, state), short ones given away
    borders = [*times[starts].tolist(), end]
    for index, (first, state) in enumerate(zip(starts, states, strict=True)):
        short = borders[index + 1] - borders[index] < SHORTEST
        if spans and (short or spans[-1][1] == state):
            continue
        spans.append((first, state))
    if len(spans) > 1 and times[spans[1][0]] - times[0] < SHORTEST:
        spans = [(0, spans[1][1]), *spans[2:]]
    rows = [*(first for first, _ in spans), len(times)]
    borders = [*times[rows[:-1]].tolist(), end]
    totals = np.add.reduceat(probabilities, rows[:-1], axis=0)
    return [
        Episode(
            utc_datetime(borders[index]),
            utc_datetime(borders[index + 1]),
            KEYS[state],
            float(totals[index, state] / (rows[index + 1] - rows[index])),
        )
        for index, (_, state) in enumerate(spans)
    ]
