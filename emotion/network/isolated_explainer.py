"""Maps of where the network looked, from a worker process that ends when nobody asks."""

import numpy as np

from emotion.labels import Emotion
from emotion.network.checkpoint import Checkpoint
from emotion.workers.worker_process import WorkerProcess

SECONDS = 60.0  # the first map loads torch and the weights: some 5 s on an idle machine
IDLE_SECONDS = 60.0


class IsolatedExplainer:
    """`emotion.network.gradcam.Explainer` in a process of its own, one map at a time. Thread-safe."""

    def __init__(self, checkpoint: Checkpoint, seconds: float = SECONDS, idle_seconds: float = IDLE_SECONDS) -> None:
        self.process = WorkerProcess(
            "emotion.network.explaining_worker", str(checkpoint.folder), seconds=seconds, idle_seconds=idle_seconds
        )

    def explain(self, crop: np.ndarray, expression: Emotion) -> np.ndarray:
        """The map of an aligned crop (crop_size, crop_size, channels) uint8, (crop_size, crop_size) float32 in 0..1.
        Raises `emotion.workers.worker_process.WorkerLimitError` if it takes too long."""
        answer = self.process.ask(bytes([expression]) + np.ascontiguousarray(crop).tobytes())
        return answer.view("<f4").reshape(crop.shape[:2])
