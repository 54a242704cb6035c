"""Admission and reading of visitors' photographs: their bytes in memory are limited, and one is read at a time."""

import base64
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO

from PIL import Image

from emotion.classifier import EmotionClassifier
from emotion.images import ImageError
from emotion.images.isolated import IsolatedDecoder
from emotion.serving.addresses import network_of
from emotion.station.annotate import reduced
from emotion.station.heat_overlay import overlay_heat
from emotion.station.latest_frame_queue import LatestFrameQueue
from emotion.station.observing import RefusedError, image_refusal, trouble_reported
from emotion.station.pace import Pace
from emotion.station.photograph.texts import WORDS
from emotion.station.responses import recognition_details

PHOTOGRAPHS_HELD, PHOTOGRAPHS_OF_A_CLIENT = 4, 2  # of the largest size allowed, in memory at a time
MOST_WAITING = 20  # photographs of all visitors: the last of them waits some seconds
AGAIN_SECONDS = 1.0  # after which a visitor whom others crowd out may ask again

Answer = dict[str, object]


class Photographs:
    """Reads the photographs of visitors: one at a time of them all, and of each only the newest.

    ``decoder``: strangers' pictures are decoded in its process; ``pace``: they give way to a lesson; ``most_bytes``: of
    one photograph. To be used from one event loop.
    """

    def __init__(self, classifier: EmotionClassifier, decoder: IsolatedDecoder, pace: Pace, most_bytes: int) -> None:
        self.classifier = classifier
        self.decoder = decoder
        self.pace = pace
        self.most_bytes = most_bytes
        self.queue: LatestFrameQueue[Answer] = LatestFrameQueue(1)
        self._held: Counter[str] = Counter()  # bytes by client

    @contextmanager
    def holding(self, client: str, language: str) -> Iterator[Callable[[int], None]]:
        """A photograph of the address ``client`` is received and read in this block, which says of each piece how many
        bytes it has; that raises `RefusedError` where too many are in memory."""
        whose, own = network_of(client), 0

        def arrived(size: int) -> None:
            nonlocal own
            own += size
            self._held[whose] += size
            if (
                self._held[whose] > PHOTOGRAPHS_OF_A_CLIENT * self.most_bytes
                or self._held.total() > PHOTOGRAPHS_HELD * self.most_bytes
            ):
                raise _crowded(language)

        try:
            yield arrived
        finally:
            self._held[whose] -= own
            if not self._held[whose]:
                del self._held[whose]

    async def read(self, image: bytes, client: str, station: str, language: str) -> Answer:
        """`recognition_details` of a photograph. Raises `RefusedError`, also for one that a newer one of the same
        ``station`` replaced."""
        return await self._run(partial(self._recognised, image), client, station, language)

    async def picture(self, image: bytes, face: int | None, client: str, station: str, language: str) -> Answer:
        """``picture``: a photograph as a data URL, a JPEG of at most 1280 pixels; the places of its ``face``, counted
        from the largest, that spoke for its expression in warm colours. Raises `RefusedError`, as `read`."""
        return await self._run(partial(self._drawn, image, face, language), client, station, language)

    async def _run(self, work: Callable[[], Answer], client: str, station: str, language: str) -> Answer:
        if self.queue.waiting >= MOST_WAITING:
            raise _crowded(language)

        def paced() -> Answer:
            try:
                with trouble_reported(language), self.pace.piece():
                    return work()
            except ImageError as error:
                raise image_refusal(error, language) from error

        answer = await self.queue.run(f"{network_of(client)} {station}", paced)
        if answer is None:
            raise RefusedError("replaced", WORDS[language]["error_replaced"], 409)
        return answer

    def _recognised(self, image: bytes) -> Answer:
        return recognition_details(self.classifier.recognise(self.decoder.read(image)))

    def _drawn(self, image: bytes, face: int | None, language: str) -> Answer:
        decoded = self.decoder.read(image)
        pixels = reduced(decoded.pixels)
        if face is not None:
            faces = self.classifier.recognise(decoded).faces
            if not 0 <= face < len(faces):
                raise RefusedError("no_such_face", WORDS[language]["error_no_such_face"])
            scale = pixels.shape[1] / decoded.size[0]
            found = faces[face].face.scaled(scale, scale)
            heat = self.classifier.where_it_looked(pixels, found, faces[face].prediction.expression)
            pixels = overlay_heat(pixels, found, heat, self.classifier.checkpoint.configuration)
        content = BytesIO()
        Image.fromarray(pixels).save(content, "JPEG", quality=85)
        return {"picture": "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode("ascii")}


def _crowded(language: str) -> RefusedError:
    return RefusedError("busy", WORDS[language]["error_crowded"], 429, AGAIN_SECONDS)
