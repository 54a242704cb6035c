"""A child shows the network its own faces: what the routes and the endpoint `teach` do, whichever is called."""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from starlette.concurrency import run_in_threadpool

from emotion.classifier import EmotionClassifier
from emotion.faces.detector import Face
from emotion.images import ImageError
from emotion.images.camera_frames import check_camera_frame
from emotion.labels import KEYS
from emotion.personal.serving import to_bytes
from emotion.serving.rate_limits import TokenBuckets
from emotion.station.calibration.texts import WORDS
from emotion.station.code_door import CodeDoor
from emotion.station.observing import (
    CODE_CHARACTERS,
    RefusedError,
    image_refusal,
    read_identifier,
    read_text,
    trouble_reported,
)
from emotion.station.texts import quoted, say

FRAMES_PER_SECOND = 6.0  # of one child: the page takes five within two seconds
MOST_BURST = 10_000
# A face as a child has it that sits before its tablet, in a frame of 640x480, is 150 pixels wide and more.
LEAST_SIDE = 80.0  # pixels
SECOND_FACE = 0.5  # of the largest face's side: a neighbour; smaller ones sit behind
LEAST_EXPOSURE, LEAST_SHARPNESS, LEAST_FRONTALITY = 0.25, 0.25, 0.3  # see `emotion.faces.quality`
KEY = "calibration"  # stands where the code of a lesson stands at the door: links are guessed on the same allowance

Answer = TypeVar("Answer")


class CalibrationAdmission(Protocol):
    """Whether a link may be used; ``reason``: None, or unknown_code, no_consent."""

    @property
    def reason(self) -> str | None: ...

    @property
    def child(self) -> str: ...

    @property
    def animal(self) -> str: ...

    @property
    def seconds_left(self) -> float: ...


class Burst(Protocol):
    """Frames of one moment."""

    @property
    def burst(self) -> int: ...

    @property
    def label(self) -> str: ...

    @property
    def frames(self) -> int: ...

    @property
    def left_out(self) -> bool: ...


class FitOutcome(Protocol):
    """``reason``: None, or too_few, no_gain."""

    @property
    def reason(self) -> str | None: ...


class CalibrationRecords(Protocol):
    """Where frames are kept, handed in from outside; ``child`` is what an admission says."""

    @property
    def frames_per_burst(self) -> int: ...

    @property
    def bursts_per_label(self) -> int: ...

    @property
    def needed(self) -> Sequence[str]: ...

    def admit(self, code: str) -> CalibrationAdmission:
        """Whose link this is, if it holds."""

    def add(self, child: str, label: str, burst: int, features: bytes, id: str, pending: bool) -> int | None:
        """Keep a frame, which counts later where it is ``pending``: how many its burst has, None where there is no
        room. ValueError for another's burst."""

    def keep(self, child: str, burst: int) -> int:
        """Count a burst."""

    def undo(self, child: str, burst: int) -> int:
        """Delete a burst."""

    def taken(self, child: str) -> Sequence[Burst]:
        """What was taken so far."""

    def fit(self, child: str) -> FitOutcome:
        """Fit a head to what was taken."""


@dataclass(frozen=True)
class Teaching:
    """``records`` None: nothing is recorded here (no secret on a Space). ``animal_name``: in the reader's language."""

    classifier: EmotionClassifier
    records: CalibrationRecords | None
    door: CodeDoor
    animal_name: Callable[[str, str], str]
    frames: TokenBuckets
    fitting: threading.Semaphore

    async def state(self, code: object, client: str, language: str) -> dict[str, object]:
        """``open`` and what was taken, or the ``reason`` why the link can't be used, with ``message``."""
        try:
            admission, records = await self._admit(code, client, language)
        except RefusedError as error:
            if error.status not in (403, 404):
                raise
            return {"open": False, "reason": error.reason, "message": str(error)}
        taken = await self._in_thread(lambda: records.taken(admission.child), language)
        return {
            "open": True,
            "animal": self.animal_name(language, admission.animal),
            "seconds_left": round(admission.seconds_left),
            "bursts": [
                {
                    "burst": burst.burst,
                    "label": burst.label,
                    "frames": burst.frames,
                    "counted": not burst.left_out,
                }
                for burst in taken
            ],
            "frames_per_burst": records.frames_per_burst,
            "bursts_per_label": records.bursts_per_label,
            "needed": list(records.needed),
        }

    async def teach(
        self,
        code: object,
        label: object,
        burst: object,
        image: bytes,
        id: object,
        client: str,
        language: str,
        pending: bool = False,
    ) -> dict[str, object]:
        """Looks at one frame and keeps its features if the face is good enough to learn from; ``pending``: it counts
        when the child has found its burst good (`keep`). Returns ``kept`` and
        ``frames`` (of the burst), or ``reason`` (no_face, second_face, too_far, too_dark, blurred, turned_away,
        burst_full) and ``message``. Raises `RefusedError`.
        """
        name = read_text("label", label, CODE_CHARACTERS, language)
        if name not in KEYS:
            raise RefusedError(
                "bad_label", say(language, "error_bad_label", label=quoted(name), labels=", ".join(KEYS))
            )
        place = read_burst(burst, language)
        identifier = read_identifier(id, language) or uuid.uuid4().hex
        admission, records = await self._admit(code, client, language)
        wait = self.frames.take(admission.child)
        if wait > 0:
            raise RefusedError("busy", say(language, "error_too_many_frames", limit=int(FRAMES_PER_SECOND)), 429, wait)

        def keep() -> dict[str, object]:
            check_camera_frame(image)
            faces, features = self.classifier.features_of_frame(image)
            reason = fault_of(faces)
            frames = 0
            if reason is None:
                try:
                    kept = records.add(admission.child, name, place, to_bytes(features), identifier, pending)
                except ValueError as error:
                    raise RefusedError("other_label", say(language, "error_other_label", burst=place), 409) from error
                reason, frames = (None, kept) if kept is not None else ("burst_full", 0)
            if reason is not None:
                return {"kept": False, "reason": reason, "message": WORDS[language][reason]}
            return {"kept": True, "frames": frames, "box": list(faces[0].box)}

        try:
            return await self._in_thread(keep, language)
        except ImageError as error:
            raise image_refusal(error, language) from error

    async def keep(self, code: object, burst: object, client: str, language: str) -> dict[str, object]:
        """The child has found a burst good: it counts. Returns ``kept``, the frames that it has. Raises
        `RefusedError`."""
        place = read_burst(burst, language)
        admission, records = await self._admit(code, client, language)
        return {"kept": await self._in_thread(lambda: records.keep(admission.child, place), language)}

    async def undo(self, code: object, burst: object, client: str, language: str) -> dict[str, object]:
        """Throws a burst away. Returns ``removed``, the frames that it had. Raises `RefusedError`."""
        place = read_burst(burst, language)
        admission, records = await self._admit(code, client, language)
        return {"removed": await self._in_thread(lambda: records.undo(admission.child, place), language)}

    async def finish(self, code: object, client: str, language: str) -> dict[str, object]:
        """Fits a head to all that was taken. Returns ``photographs`` and whether they were ``enough``; what came of it
        is for the teacher. Raises `RefusedError`.
        """
        admission, records = await self._admit(code, client, language)

        def fit() -> dict[str, object]:
            with self.fitting:  # a fit takes a core for seconds: one at a time leaves the lesson the rest
                outcome = records.fit(admission.child)
            photographs = sum(burst.frames for burst in records.taken(admission.child) if not burst.left_out)
            return {"photographs": photographs, "enough": outcome.reason != "too_few"}

        return await self._in_thread(fit, language)

    async def _admit(self, code: object, client: str, language: str) -> tuple[CalibrationAdmission, CalibrationRecords]:
        records = self.records
        if records is None:
            raise RefusedError("recording_disabled", say(language, "error_recording_disabled"), 403)
        text = read_text("code", code, CODE_CHARACTERS, language)

        def look_up() -> tuple[CalibrationAdmission, str]:
            with trouble_reported(language):
                admission = records.admit(text)
            if admission.reason == "unknown_code":
                raise RefusedError("unknown_code", say(language, "error_unknown_code"), 404)
            return admission, admission.child

        admission = await self.door.enter(KEY, text, look_up, client, language)
        if admission.reason is not None:
            raise RefusedError(admission.reason, say(language, "error_no_calibration_consent"), 403)
        return admission, records

    async def _in_thread(self, work: Callable[[], Answer], language: str) -> Answer:
        def reported() -> Answer:
            with trouble_reported(language):
                return work()

        return await run_in_threadpool(reported)


def make_teaching(
    classifier: EmotionClassifier,
    records: CalibrationRecords | None,
    door: CodeDoor,
    animal_name: Callable[[str, str], str],
) -> Teaching:
    """See `Teaching`; ``door``: the one for the codes of lessons."""
    buckets = TokenBuckets(FRAMES_PER_SECOND, 2 * FRAMES_PER_SECOND)
    return Teaching(classifier, records, door, animal_name, buckets, threading.Semaphore(1))


def fault_of(faces: Sequence[Face]) -> str | None:
    """Why nothing can be learnt from a frame with these faces, largest first; None where something can."""
    if not faces:
        return "no_face"
    left, top, right, bottom = faces[0].box
    side = ((right - left) * (bottom - top)) ** 0.5
    for other in faces[1:]:
        left, top, right, bottom = other.box
        if ((right - left) * (bottom - top)) ** 0.5 > SECOND_FACE * side:
            return "second_face"
    quality = faces[0].quality
    if side < LEAST_SIDE:
        return "too_far"
    if quality.exposure < LEAST_EXPOSURE:
        return "too_dark"
    if quality.frontality < LEAST_FRONTALITY:
        return "turned_away"
    return "blurred" if quality.sharpness < LEAST_SHARPNESS else None


def read_burst(value: object, language: str) -> int:
    """A whole number from 0 to `MOST_BURST`, also written as text. Raises `RefusedError`."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_BURST)) and int(text) <= MOST_BURST):
        raise RefusedError("bad_burst", say(language, "error_bad_burst", burst=quoted(value), limit=MOST_BURST))
    return int(text)
