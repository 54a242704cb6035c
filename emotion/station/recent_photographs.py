"""The photographs of Try it that somebody may still ask about: kept here, so that nothing comes back from a visitor."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emotion.classifier import Recognition
from emotion.serving.upload_limits import KEEP_SECONDS

KEEP_BYTES = 64_000_000  # a copy of 1280 pixels has up to 5 MB


@dataclass(frozen=True, slots=True)
class Photograph:
    """``pixels`` (height, width, 3) uint8: the copy that is shown, reduced by ``scale`` (0..1) from the photograph to
    whose size the boxes and landmarks of ``recognition`` belong."""

    pixels: np.ndarray
    scale: float
    recognition: Recognition


class RecentPhotographs:
    """Photographs by tokens that nobody can guess; the oldest go when there are too many. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, Photograph]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, photograph: Photograph) -> str:
        """Keep a photograph as long as an uploaded file; returns its token."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._kept[token] = (self._clock(), photograph)
            self._forget()
        return token

    def get(self, token: object) -> Photograph | None:
        """The photograph of a token, or None if there is none any more."""
        with self._lock:
            self._forget()
            found = self._kept.get(token) if isinstance(token, str) else None
        return found[1] if found else None

    def _forget(self) -> None:
        oldest = self._clock() - KEEP_SECONDS
        while self._kept:
            at, _ = next(iter(self._kept.values()))
            total = sum(photograph.pixels.nbytes for _, photograph in self._kept.values())
            if at > oldest and (total <= KEEP_BYTES or len(self._kept) == 1):
                return
            self._kept.popitem(last=False)
