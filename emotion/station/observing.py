"""What `observe`, `log_event` and `lesson_status` do, whichever route or endpoint calls them."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from emotion.classifier import EmotionClassifier
from emotion.images import ImageError
from emotion.images.camera_frames import check_camera_frame
from emotion.labels import KEYS, Prediction
from emotion.personal.serving import load_head
from emotion.station.texts import quoted, say

logger = logging.getLogger(__name__)

FRAME_BYTES = 2_000_000  # a 640x480 JPEG has about 60 kB, a 1080p one about 500 kB
IDENTIFIER_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
EVENT_KINDS = ("task_started", "task_solved", "task_failed", "hint", "break", "note")
# Of a learning environment: words of its own beside these, such as program_run, robot_crashed, hint_shown or level.
# What is said of tasks is counted, so it is one of the three.
OTHER_KIND = re.compile(r"(?!task_)[a-z][a-z0-9_]{0,39}")
DETAIL_CHARACTERS = 500
CODE_CHARACTERS = 80  # ids have 32, codes about ten

# HTTP status of the reasons that are a caller's mistake. All others are ordinary states of a lesson.
CALLER_ERROR_STATUS = {
    "unknown_lesson": 404,
    "unknown_child": 404,
    "in_future": 422,
    "before_lesson": 422,
    "class_event": 403,
    "other_event": 409,
}


class RecordingOutcome(Protocol):
    """Whether something was recorded and, if not, the key of the reason. Of an admission, however the codes were
    spelled: ``owner``, one and the same text for a child of a lesson ("" where none was found), and ``child``, one and
    the same for a child in all its lessons."""

    @property
    def recorded(self) -> bool: ...

    @property
    def reason(self) -> str | None: ...

    @property
    def owner(self) -> str: ...

    @property
    def child(self) -> str: ...


class ServedHead(Protocol):
    """A last layer that reads frames instead of the packaged one: its bytes, and ``whose`` it is, own or class."""

    @property
    def whose(self) -> str: ...

    @property
    def content(self) -> bytes: ...


class LessonStatus(Protocol):
    """The state of a lesson; ``found`` is false where there is none."""

    @property
    def found(self) -> bool: ...

    @property
    def open(self) -> bool: ...

    @property
    def title(self) -> str: ...

    @property
    def seconds_left(self) -> float: ...


class Recorder(Protocol):
    """Where lessons are recorded, handed in from outside; `lesson` is an id or a code, `child` a child's code."""

    def status(self, lesson: str) -> LessonStatus:
        """Whether there is such a lesson, whether it runs, and for how long."""

    def admit(
        self, lesson: str, child: str, at: datetime | None = None, station: str = "", take: bool = False
    ) -> RecordingOutcome:
        """Whether an observation would be recorded; cheap, so it is asked before a frame is looked at. ``station``
        names the tablet, of which one at a time records for a child; ``take``: it goes on for another one."""

    def admit_event(
        self, lesson: str, child: str | None, at: datetime | None = None, of_teacher: bool = False
    ) -> RecordingOutcome:
        """Whether an event would be recorded. Without ``child`` it is of the whole class, which is for the teacher:
        for who names the lesson's id, or for whom ``of_teacher`` says so."""

    def plain_codes(self, lesson: str, child: str) -> tuple[str, str]:
        """One and the same for all spellings of two codes; nothing is looked up."""

    def record(
        self,
        lesson: str,
        child: str,
        at: datetime | None,
        prediction: Prediction | None,
        faces_seen: int,
        source: str,
        id: str | None,
    ) -> RecordingOutcome:
        """Record an observation; committed when it returns. ``prediction`` None: no face was seen."""

    def log_event(
        self, lesson: str, kind: str, detail: str, child: str | None, at: datetime | None, id: str | None
    ) -> tuple[RecordingOutcome, str]:
        """Record an event; also returns its id."""


@dataclass(frozen=True, slots=True)
class Admission:
    """``refusal``: None, or the answer that says why nothing would be recorded. ``owner``, ``child``: as in
    `RecordingOutcome`."""

    refusal: dict[str, object] | None
    owner: str = ""
    child: str = ""


class RefusedError(ValueError):
    """A request that cannot be served; the message is for the caller, ``reason`` a stable key, ``status`` for HTTP,
    ``retry_after`` the seconds after which it is worth another attempt.
    """

    def __init__(self, reason: str, message: str, status: int = 422, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Event:
    """What a caller says that happened, read. ``child`` None: to the whole class."""

    lesson: str
    kind: str
    detail: str
    child: str | None
    at: datetime | None
    id: str | None


def read_event(
    lesson: object, kind: object, detail: object, child: object, at: object, id: object, language: str
) -> Event:
    """The event in the arguments of a call. Raises `RefusedError`."""
    lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)
    child = read_text("child", child, CODE_CHARACTERS, language)
    detail = read_text("detail", detail, DETAIL_CHARACTERS, language)
    if kind not in EVENT_KINDS and not (isinstance(kind, str) and OTHER_KIND.fullmatch(kind)):
        kinds = ", ".join(EVENT_KINDS)
        raise RefusedError("bad_event", say(language, "error_bad_event", kind=quoted(kind), kinds=kinds))
    moment, identifier = read_time(at, language), read_identifier(id, language)
    return Event(lesson, str(kind), detail, child or None, moment, identifier)


@dataclass(frozen=True, slots=True)
class Observer:
    """Serves `observe`, `log_event` and `lesson_status`. Without a recorder (no secret on a Space) it says so."""

    classifier: EmotionClassifier
    recorder: Recorder | None
    head_of: Callable[[str], ServedHead | None] = lambda _: None  # of the child of an admission's ``owner``

    def plain_codes(self, lesson: str, child: str) -> tuple[str, str]:
        """One and the same for all spellings of two codes."""
        return self.recorder.plain_codes(lesson, child) if self.recorder else (lesson, child)

    def admit(
        self, lesson: str, child: str, at: datetime | None, language: str, station: str = "", take: bool = False
    ) -> Admission:
        """Whether a frame would be recorded. Raises `RefusedError` for mistakes."""
        if self.recorder is None:
            return Admission(_not_recorded("recording_disabled", language))
        with trouble_reported(language):
            outcome = self.recorder.admit(lesson, child, at, station, take)
        return Admission(_refusal(outcome, lesson, child, at, language), outcome.owner, outcome.child)

    def admit_event(self, event: Event, language: str, of_teacher: bool = False) -> Admission:
        """Whether an event would be recorded. Raises `RefusedError` for mistakes."""
        if self.recorder is None:
            return Admission(_not_recorded("recording_disabled", language))
        with trouble_reported(language):
            outcome = self.recorder.admit_event(event.lesson, event.child, event.at, of_teacher)
        refusal = _refusal(outcome, event.lesson, event.child or "", event.at, language)
        return Admission(refusal, outcome.owner, outcome.child)

    def observe(
        self,
        lesson: str,
        child: str,
        image: bytes,
        at: datetime | None,
        identifier: str | None,
        source: str,
        language: str,
        station: str = "",
    ) -> dict[str, object]:
        """Classify the largest face of ``image`` and record it; a frame without a face is recorded as absence.

        Returns ``recorded``, ``expression`` (key or None), ``probabilities`` (by key, or None), ``face`` (box, quality;
        or None), ``faces_seen``; and where nothing was recorded ``reason`` (key) and ``message``. A frame that will not
        be recorded is not looked at either. Raises `RefusedError`.
        """
        admission = self.admit(lesson, child, at, language, station)
        if admission.refusal is not None:
            return admission.refusal
        assert self.recorder is not None
        try:
            with trouble_reported(language):
                check_camera_frame(image)
                head = self.head_of(admission.owner)
                recognition = self.classifier.recognise_frame(
                    image, load_head(head.whose, head.content) if head else None
                )
        except ImageError as error:
            raise image_refusal(error, language) from error
        found = recognition.faces[0] if recognition.faces else None
        prediction = found.prediction if found else None
        with trouble_reported(language):
            outcome = self.recorder.record(lesson, child, at, prediction, recognition.faces_seen, source, identifier)
        # Between admission and commit the teacher may have ended the lesson or a parent may have withdrawn consent.
        refusal = _refusal(outcome, lesson, child, at, language)
        if refusal is not None:
            return refusal
        return {
            "recorded": True,
            "expression": prediction.expression.key if prediction else None,
            "probabilities": dict(zip(KEYS, prediction.probabilities, strict=True)) if prediction else None,
            "face": {"box": list(found.face.box), "quality": found.prediction.face_quality} if found else None,
            "faces_seen": recognition.faces_seen,
        }

    def log_event(self, event: Event, language: str) -> dict[str, object]:
        """Record an event that was admitted. Returns ``recorded`` and ``id``, or ``reason`` and ``message``."""
        assert self.recorder is not None
        with trouble_reported(language):
            outcome, identifier = self.recorder.log_event(
                event.lesson, event.kind, event.detail, event.child, event.at, event.id
            )
        refusal = _refusal(outcome, event.lesson, event.child or "", event.at, language)
        return refusal or {"recorded": True, "id": identifier}

    def lesson_status(self, lesson: str, language: str) -> dict[str, object]:
        """``open``, ``title`` and ``seconds_left`` of a lesson. Raises `RefusedError` if there is none."""
        if self.recorder is None:
            raise RefusedError("recording_disabled", say(language, "error_recording_disabled"), 403)
        lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)
        with trouble_reported(language):
            status = self.recorder.status(lesson)
        if not status.found:
            raise RefusedError("unknown_lesson", say(language, "error_unknown_lesson", lesson=quoted(lesson)), 404)
        return {"open": status.open, "title": status.title, "seconds_left": status.seconds_left}


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def read_text(name: str, value: object, limit: int, language: str) -> str:
    """``value`` if it is a text of up to ``limit`` characters that can be stored, without zeros and half characters;
    None counts as empty. Raises `RefusedError`: a program may send any JSON.
    """
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit or _UNSTORABLE.search(value):
        raise RefusedError("bad_text", say(language, "error_bad_text", name=name, limit=limit))
    return value


def read_time(text: object, language: str) -> datetime | None:
    """An ISO 8601 time with a zone as UTC; None (the time of arrival) for nothing. Raises `RefusedError`."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(read_text("at", text, CODE_CHARACTERS, language))
        if moment.tzinfo is None:
            raise RefusedError("no_zone", say(language, "error_no_zone", at=quoted(text)))
        return moment.astimezone(UTC)
    except (TypeError, OverflowError, ValueError) as error:
        if isinstance(error, RefusedError):
            raise
        raise RefusedError("bad_time", say(language, "error_bad_time", at=quoted(text))) from error


def read_identifier(text: object, language: str) -> str | None:
    """A caller's id for an observation or event, None for nothing. Raises `RefusedError`."""
    if not text:
        return None
    if not isinstance(text, str) or not IDENTIFIER_PATTERN.fullmatch(text):
        raise RefusedError("bad_identifier", say(language, "error_bad_identifier", id=quoted(text)))
    return text


def image_refusal(error: ImageError, language: str) -> RefusedError:
    """The refusal of a picture that cannot be read."""
    message = say(language, f"image_{error.key}", format=error.format)
    return RefusedError(error.key, message, 413 if error.key == "too_large" else 422)


@contextmanager
def trouble_reported(language: str) -> Iterator[None]:
    """A store that cannot write (a full disk, say) or a network that cannot run goes to the log in full and to the
    caller as a sentence; the server goes on."""
    try:
        yield
    except (ImageError, RefusedError):  # the caller's own
        raise
    except Exception as error:
        logger.exception("A request could not be served")
        raise RefusedError("not_served", say(language, "error_not_served"), 503) from error


def _refusal(
    outcome: RecordingOutcome, lesson: str, child: str, at: datetime | None, language: str
) -> dict[str, object] | None:
    if outcome.recorded:
        return None
    reason = outcome.reason or ""
    if reason in CALLER_ERROR_STATUS:
        moment = quoted(at.isoformat()) if at else ""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        message = say(language, f"error_{reason}", lesson=quoted(lesson), child=quoted(child), at=moment, now=now)
        raise RefusedError(reason, message, CALLER_ERROR_STATUS[reason])
    return _not_recorded(reason, language)


def _not_recorded(reason: str, language: str) -> dict[str, object]:
    return {
        "recorded": False,
        "expression": None,
        "probabilities": None,
        "face": None,
        "faces_seen": None,
        "reason": reason,
        "message": say(language, f"error_{reason}"),
    }
