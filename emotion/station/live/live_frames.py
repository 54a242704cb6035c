"""Admission and reading of live frames: anybody may send them, so few are in memory, one is read at a time, and the
frames of a lesson come first.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from emotion.classifier import EmotionClassifier, RecognisedFace
from emotion.images import ImageError
from emotion.images.camera_frames import check_camera_frame
from emotion.images.isolated import IsolatedDecoder
from emotion.labels import KEYS
from emotion.serving.addresses import network_of
from emotion.serving.rate_limits import TokenBuckets
from emotion.station.latest_frame_queue import LatestFrameQueue
from emotion.station.live.texts import WORDS
from emotion.station.observing import RefusedError, image_refusal, trouble_reported

FRAMES_PER_SECOND, FRAMES_BURST = 6.0, 12.0  # of one address
MOST_WAITING = 20  # frames of all visitors: the last of them waits about a second
# Bodies that are in memory before they are a frame that waits, of all visitors and of one address.
MOST_ARRIVING, MOST_ARRIVING_OF_A_CLIENT = 16, 4
AGAIN_SECONDS = 1.0  # after which a visitor whom others crowd out may ask again


class LiveFrames:
    """Reads the frames of live visitors: one at a time of them all, and of each only the newest.

    ``decoder``: strangers' pictures are decoded in its process; ``is_lesson``: whether frames of a lesson arrive now.
    To be used from one event loop.
    """

    def __init__(self, classifier: EmotionClassifier, decoder: IsolatedDecoder, is_lesson: Callable[[], bool]) -> None:
        self.classifier = classifier
        self.decoder = decoder
        self.is_lesson = is_lesson
        self.frames = TokenBuckets(FRAMES_PER_SECOND, FRAMES_BURST)
        self.queue: LatestFrameQueue[dict[str, object]] = LatestFrameQueue(1)
        self._arriving: Counter[str] = Counter()

    @contextmanager
    def arriving(self, client: str, language: str) -> Iterator[None]:
        """A frame of the address ``client`` is received in this block. Raises `RefusedError` where it sends too many
        a second, or where too many are on their way."""
        whose = network_of(client)
        wait = self.frames.take(whose)
        if wait > 0:
            words = WORDS[language]["error_too_many"].format(limit=round(FRAMES_PER_SECOND))
            raise RefusedError("busy", words, 429, wait)
        if self._arriving[whose] >= MOST_ARRIVING_OF_A_CLIENT or self._arriving.total() >= MOST_ARRIVING:
            raise self._crowded(language)
        self._arriving[whose] += 1
        try:
            yield
        finally:
            self._arriving[whose] -= 1
            if not self._arriving[whose]:
                del self._arriving[whose]

    async def read(self, image: bytes, client: str, station: str, language: str) -> dict[str, object]:
        """What is seen in a frame: ``faces`` (of the largest one ``box`` in pixels of the frame, ``expression``,
        ``probabilities`` by key, ``quality`` 0 to 1), ``faces_seen``, ``width``, ``height``, and the ``milliseconds``
        of decoding and reading.

        ``faces`` is None, beside ``reason`` and ``error``, while a lesson runs and for a frame that a newer one of the
        same ``station`` replaced. Raises `RefusedError`.
        """
        if self.is_lesson():
            return not_read("lesson_runs", language)
        if self.queue.waiting >= MOST_WAITING:
            raise self._crowded(language)
        owner = f"{network_of(client)} {station}"
        answer = await self.queue.run(owner, partial(self._seen, image, language))
        return answer or not_read("replaced", language)

    def _seen(self, image: bytes, language: str) -> dict[str, object]:
        if self.is_lesson():  # it began while the frame waited
            return not_read("lesson_runs", language)
        began = time.perf_counter()
        try:
            with trouble_reported(language):
                check_camera_frame(image)
                recognition = self.classifier.recognise_frame(self.decoder.read(image))
        except ImageError as error:
            raise image_refusal(error, language) from error
        return {
            "faces": [_face(found) for found in recognition.faces],
            "faces_seen": recognition.faces_seen,
            "width": recognition.width,
            "height": recognition.height,
            "milliseconds": round(1000 * (time.perf_counter() - began), 1),
        }

    def _crowded(self, language: str) -> RefusedError:
        return RefusedError("busy", WORDS[language]["error_crowded"], 429, AGAIN_SECONDS)


def not_read(reason: str, language: str) -> dict[str, object]:
    """The answer for a frame that is not read for an ordinary reason, one of lesson_runs and replaced."""
    return {"faces": None, "faces_seen": None, "reason": reason, "error": WORDS[language][f"error_{reason}"]}


def _face(found: RecognisedFace) -> dict[str, object]:
    return {
        "box": [round(float(value), 1) for value in found.face.box],
        "expression": found.prediction.expression.key,
        "probabilities": dict(zip(KEYS, found.prediction.probabilities, strict=True)),
        "quality": round(float(found.prediction.face_quality), 3),
    }
