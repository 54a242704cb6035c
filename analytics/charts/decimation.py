"""Decimation of a child's curves: fewer points than there were frames, with every peak and every gap kept."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from emotion.labels import KEYS

MAXIMUM_POINTS = 2000  # per trace, whatever the length of the lesson: about two for each pixel of a wide screen


def decimate(values: npt.NDArray[np.float64], limit: int) -> npt.NDArray[np.int64]:
    """The indices of the lowest and the highest value of each stretch of equal length, and of both ends; sorted.

    ``values``: (n,) without NaN. ``limit``: the most indices that are returned, at least 2. It is the min/max half of
    "MinMaxLTTB" (J. Van Der Donckt and others, IEEE VIS 2023), which is what one sees of it.
    """
    count = len(values)
    if count <= limit:
        return np.arange(count)
    borders = np.linspace(0, count, max(2, limit) // 2, dtype=np.int64)  # one stretch fewer: room for both ends
    kept = {0, count - 1}
    for start, end in pairwise(borders):
        kept.add(int(start + values[start:end].argmin()))
        kept.add(int(start + values[start:end].argmax()))
    return np.array(sorted(kept))


def decimated_rows(smoothed: pd.DataFrame, limit: int = MAXIMUM_POINTS) -> pd.DataFrame:
    """The rows with a face, decimated to at most ``limit``, with a row of NaN on both sides of every break of the
    curve.

    ``smoothed``: as `analytics.signals.smoothing.smooth` returns it. The columns returned are ``at``, the eight keys,
    ``valence`` and ``arousal``. Where a lesson has so many breaks that they alone would fill the limit, the shortest
    segments are left out.
    """
    columns = ["at", *KEYS, "valence", "arousal"]
    seen = smoothed[smoothed["face"]]
    if seen.empty:
        return seen[columns].reset_index(drop=True)
    sizes = seen["segment"].value_counts()
    if len(sizes) > limit // 8:
        kept_segments = sizes.sort_values(ascending=False, kind="stable").index[: limit // 8]
        seen = seen[seen["segment"].isin(kept_segments)]
        sizes = seen["segment"].value_counts()
    room = limit - 4 * len(sizes)
    pieces: list[pd.DataFrame] = []
    millisecond = pd.Timedelta(milliseconds=1)
    for _, segment in seen.groupby("segment", sort=True):
        share = max(2, int(room * len(segment) / len(seen)))
        chosen = segment.iloc[decimate(segment["valence"].to_numpy(dtype=np.float64), share)][columns]
        edges = chosen.iloc[[0, -1]].copy()
        edges.loc[:, columns[1:]] = np.nan
        edges["at"] = [chosen["at"].iloc[0] - millisecond, chosen["at"].iloc[-1] + millisecond]
        pieces.extend([edges.iloc[:1], chosen, edges.iloc[1:]])
    return pd.concat(pieces, ignore_index=True)
