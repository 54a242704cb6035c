"""The process in which torch explains: it takes most of a gigabyte, which goes when the process does."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emotion.labels import Emotion
from emotion.network.checkpoint import load_checkpoint
from emotion.network.gradcam import Explainer
from emotion.workers.serving_requests import Buffer, limit_process, serve


def main(checkpoint: str) -> None:
    """Answers a class's number (one byte) and a crop (crop_size, crop_size, channels) uint8 by the map of
    `emotion.network.gradcam.explain`, (crop_size, crop_size) float32."""
    loaded = load_checkpoint(Path(checkpoint))
    explainer, preset = Explainer(loaded), loaded.configuration

    def explain(request: bytes) -> Sequence[Buffer]:
        crop = np.frombuffer(request, np.uint8, offset=1).reshape(preset.crop_size, preset.crop_size, preset.channels)
        heat = explainer.explain(crop, Emotion(request[0]))
        return [np.ascontiguousarray(heat, "<f4").data.cast("B")]

    serve(explain)


if __name__ == "__main__":
    limit_process(None)
    main(sys.argv[1])
