"""`LessonRecorder`: who may be recorded, in which lesson, at which time. The station and the teacher's page write
through it.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from analytics.access.spelling import fold, tidy
from analytics.classroom.pseudonyms import (
    animal_of,
    new_child_code,
    new_lesson_code,
    normalise_child_code,
    normalise_lesson_code,
    plain_code,
    pseudonym,
)
from analytics.classroom.seats import Seats
from analytics.store.erasing_plan import Plan
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, Consent, Event, Lesson, Observation, closing_time
from emotion.labels import Prediction

# How far a tablet's clock may run ahead: devices that keep network time are right within a second.
CLOCK_SLACK = timedelta(seconds=5)
# Programs that date in whole seconds cut off up to a second, in the second of a lesson's or a consent's beginning too.
WHOLE_SECONDS = timedelta(seconds=1)
MAXIMUM_MINUTES = 24 * 60.0
CONSENT_DAYS = 365  # one school year, then it must be asked for again


@dataclass(frozen=True, slots=True)
class RecordingOutcome:
    """Whether something was (or may be) recorded. ``reason``: None, or one of unknown_lesson, unknown_child,
    no_consent, before_consent, other_tablet, lesson_ended, in_future, before_lesson, class_event, other_event. Of an
    admission, however the codes were spelled: ``owner``, the lesson and the child that were found ("" if none was),
    and ``child``, the same for a child in all its lessons.
    """

    recorded: bool
    reason: str | None = None
    owner: str = field(default="", compare=False)
    child: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class LessonStatus:
    """What a station may know of a lesson. ``seconds_left``: to the planned end, 0 after it."""

    found: bool
    open: bool
    title: str
    seconds_left: float


class LessonRecorder:
    """Checks and records, by the clock of the store. ``secret``: see `analytics.classroom.pseudonyms`. Every frame is
    checked: a withdrawn consent or an ended lesson holds from the next one.
    """

    def __init__(self, store: LessonStore, secret: bytes) -> None:
        self._store = store
        self._whole_store = store  # codes are unique, whoever looks
        self._secret = secret
        self._clock = store.clock
        self._seats = Seats()

    def with_store(self, view: LessonStore) -> "LessonRecorder":
        """The same recorder for somebody who sees and changes only what ``view`` shows of the store."""
        other = LessonRecorder(view, self._secret)
        other._whole_store = self._whole_store
        other._seats = self._seats
        return other

    # for the station

    def status(self, lesson: str) -> LessonStatus:
        """Whether the lesson (id or code) exists and is open, its title, and the seconds to its planned end."""
        found = self.find_lesson(lesson)
        if found is None:
            return LessonStatus(found=False, open=False, title="", seconds_left=0.0)
        left = (found.planned_end - self._clock.now(found)).total_seconds()
        is_open = found.ended_at is None
        return LessonStatus(
            found=True, open=is_open, title=found.title, seconds_left=max(0.0, left) if is_open else 0.0
        )

    def admit(
        self, lesson: str, child: str, at: datetime | None = None, station: str = "", take: bool = False
    ) -> RecordingOutcome:
        """Whether a frame of this child (code) would be recorded now: asked before any inference is spent on it.

        ``station`` names the tablet ("": a program, which has no seat); ``take``: it goes on for another one.
        """
        answer, found_lesson, found_child, _ = self._check(lesson, child, at)
        if found_lesson is None or found_child is None:
            return answer
        if answer.recorded and not self._seats.claim(found_lesson.id, found_child.pseudonym, station, take):
            answer = RecordingOutcome(False, "other_tablet")
        return _owned(answer, found_lesson, found_child)

    def admit_event(
        self, lesson: str, child: str | None, at: datetime | None = None, of_teacher: bool = False
    ) -> RecordingOutcome:
        """Whether an event would be recorded now. One of the whole class (no ``child``) is for the teacher: for whoever
        names the lesson's id, which only the teacher's page tells, and for whom ``of_teacher`` says so.
        """
        if child:
            answer, found, found_child, _ = self._check(lesson, child, at)
            return answer if found is None or found_child is None else _owned(answer, found, found_child)
        found = self.find_lesson(lesson)
        answer = self._check_lesson(found, self._moment(found, at))
        if found is None:
            return answer
        if answer.recorded and not of_teacher and lesson.strip() != found.id:
            answer = RecordingOutcome(False, "class_event")
        return replace(answer, owner=found.id)

    def plain_codes(self, lesson: str, child: str) -> tuple[str, str]:
        """One and the same for all spellings of a lesson's and a child's code; nothing is looked up."""
        return plain_code(lesson, normalise_lesson_code), plain_code(child, normalise_child_code)

    def contested(self, lesson: Lesson) -> set[str]:
        """The pseudonyms of the children for whom more than one tablet tried to record in the last minute."""
        return self._seats.contested(lesson.id)

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
        """Records one frame; it is committed when this returns. ``prediction`` None: no face was seen. ``at`` None:
        now.

        The same ``id`` again changes nothing and counts as recorded. Raises ValueError for impossible probabilities.
        """
        answer, found_lesson, found_child, moment = self._check(lesson, child, at)
        if found_lesson is None or found_child is None or not answer.recorded:
            return answer
        observation = Observation(
            id=id or uuid.uuid4().hex,
            lesson=found_lesson.id,
            child=found_child.pseudonym,
            at=moment,
            probabilities=prediction.probabilities if prediction else None,
            face_quality=prediction.face_quality if prediction else None,
            faces_seen=faces_seen,
            source=source,
            model=prediction.model if prediction else "",
        )
        self._store.add_observations([observation])
        return answer

    def log_event(
        self,
        lesson: str,
        kind: str,
        detail: str = "",
        child: str | None = None,
        at: datetime | None = None,
        id: str | None = None,
    ) -> tuple[RecordingOutcome, str]:
        """Records an event of a child (code) or, without one, of the whole class; returns its id too ('' if refused).

        The same ``id`` again changes nothing: it counts as recorded, or is refused as ``other_event`` if the event is
        another one. Raises ValueError for an unknown kind.
        """
        found = self.find_lesson(lesson)
        moment = self._moment(found, at)
        answer = self._check_lesson(found, moment)
        found_child = None
        if answer.recorded and found is not None and child:
            answer, found_child = self._check_child(found, child, moment)
        if not answer.recorded or found is None:
            return answer, ""
        event = Event(
            id or uuid.uuid4().hex,
            found.id,
            found_child.pseudonym if found_child else None,
            self._not_before_beginning(moment, found, found_child),
            kind,
            detail,
        )
        if not self._store.add_event(event):
            return replace(answer, recorded=False, reason="other_event"), ""
        return answer, event.id

    # for the teacher

    def start_lesson(self, title: str, class_name: str, minutes: float) -> Lesson:
        """Starts a lesson now. Raises ValueError for an empty class or an impossible length."""
        class_name = self._class_name(class_name)
        if not class_name:
            raise ValueError("a lesson needs a class: give its name, for example 2B")
        if not 0 < minutes <= MAXIMUM_MINUTES:
            raise ValueError(
                f"a lesson of {minutes} minutes: give a length between 0 and {MAXIMUM_MINUTES:.0f} minutes"
            )
        code = new_lesson_code()
        while self._whole_store.find_lesson(code) is not None:
            code = new_lesson_code()
        identity = uuid.uuid4().hex
        lesson = Lesson(identity, code, title.strip(), class_name, self._clock.begin(identity), float(minutes))
        self._store.add_lesson(lesson)
        return lesson

    def end_lesson(self, id_or_code: str) -> Lesson:
        """Ends a lesson now; one that has ended stays as it is. Raises ValueError if there is none."""
        found = self.find_lesson(id_or_code)
        if found is None:
            raise ValueError(f"there is no lesson {id_or_code[:64]!r}: look at the list of lessons")
        return found if found.ended_at is not None else self._store.end_lesson(found.id, self._clock.now(found))

    def find_lesson(self, id_or_code: str) -> Lesson | None:
        """The lesson with this id, or code in any spelling. One that is far over its time is ended by being looked
        at.
        """
        found = self._store.find_lesson(id_or_code.strip())
        if found is None:
            try:
                found = self._store.find_lesson(normalise_lesson_code(id_or_code))
            except ValueError:
                return None
        if found is not None and found.ended_at is None and self._clock.now(found) >= closing_time(found):
            return self._store.end_lesson(found.id, closing_time(found))
        return found

    def is_open(self, lesson: Lesson) -> bool:
        """Whether rows may still be added to a lesson."""
        return lesson.ended_at is None and self._clock.now(lesson) < closing_time(lesson)

    def enrol(
        self,
        class_name: str,
        role: str,
        version: str,
        days_valid: float = CONSENT_DAYS,
        child_code: str | None = None,
    ) -> tuple[str, Child]:
        """Puts consent for a child on file and returns its code, which is stored nowhere, and what is stored.

        ``role``: who agreed, for example 'parent'. ``version``: of the consent text. ``child_code``: of a child that
        has one already (consent is renewed); None makes a new one. Raises ValueError if no animal is left or another
        has this one.
        """
        class_name = self._class_name(class_name)
        taken = {child.animal for child in self._store.children(class_name)}
        code = normalise_child_code(child_code) if child_code else new_child_code(taken)
        consent = self._consent(role, version, days_valid)
        child = Child(pseudonym(self._secret, class_name, code), class_name, animal_of(code), consent)
        self._store.put_child(child)
        self._store.audit("consent_given", role, f"{class_name}: {child.animal}, version {version}")
        return code, child

    def set_consent(
        self,
        child: str,
        given: bool,
        class_name: str | None = None,
        role: str = "teacher",
        version: str | None = None,
        days_valid: float = CONSENT_DAYS,
    ) -> Child:
        """Gives or withdraws consent of a child on file (pseudonym, or code with its class), from the next frame on.

        ``version`` None keeps the text that was agreed to before. Raises ValueError for an unknown child.
        """
        found = self.resolve_child(class_name or "", child)
        if found is None:
            raise ValueError("there is no such child: give its pseudonym, or its code and its class")
        if given:
            earlier = found.consent.version if found.consent else None
            if not (version or earlier):
                raise ValueError("no text was agreed to before: say which version of the consent text this is for")
            changed = replace(found, consent=self._consent(role, version or earlier or "", days_valid))
        elif found.consent is None or found.consent.withdrawn_at is not None:
            return found
        else:
            changed = replace(found, consent=replace(found.consent, withdrawn_at=self._clock()))
        self._store.put_child(changed)
        action = "consent_given" if given else "consent_withdrawn"
        self._store.audit(action, role, f"{found.class_name}: {found.animal}")
        return changed

    def resolve_child(self, lesson_or_class: str, code_or_pseudonym: str) -> Child | None:
        """The child of a lesson's class, or of a class, with this code or pseudonym; None if there is none.

        With an empty class only a pseudonym is found.
        """
        text = code_or_pseudonym.strip()
        found_lesson = self.find_lesson(lesson_or_class) if lesson_or_class.strip() else None
        class_name = found_lesson.class_name if found_lesson else lesson_or_class.strip()
        by_pseudonym = self._store.find_child(text)
        if by_pseudonym is not None and (not class_name or fold(class_name) == fold(by_pseudonym.class_name)):
            return by_pseudonym
        return self._child_of_code(class_name, text)

    def unfinished_erasure(self, class_name: str, code_or_pseudonym: str) -> Plan | None:
        """What is left to erase of a child of a class that is gone from the tables; None if nothing is. With an empty
        class only a pseudonym is found.
        """
        text = code_or_pseudonym.strip()
        for plan in self._store.unfinished_erasures():
            of_class = fold(class_name) == fold(plan.class_name)
            if text == plan.pseudonym and (of_class or not class_name.strip()):
                return plan
            if of_class and plan.pseudonym in self._pseudonyms([plan.class_name], text):
                return plan
        return None

    def _class_name(self, typed: str) -> str:
        """The spelling that a class has already, else the typed one in order."""
        return next(iter(self._store.class_spellings(typed)), tidy(typed))

    def _child_of_code(self, class_name: str, code: str) -> Child | None:
        # The pseudonym is made of the spelling under which the child was enrolled.
        marks = self._pseudonyms(self._store.class_spellings(class_name), code)
        return next((child for child in map(self._store.find_child, marks) if child is not None), None)

    def _pseudonyms(self, class_names: Iterable[str], code: str) -> list[str]:
        try:
            return [pseudonym(self._secret, name, code) for name in class_names]
        except ValueError:  # no code at all
            return []

    def _check(
        self, lesson: str, child: str, at: datetime | None
    ) -> tuple[RecordingOutcome, Lesson | None, Child | None, datetime]:
        found = self.find_lesson(lesson)
        moment = self._moment(found, at)
        answer = self._check_lesson(found, moment)
        if not answer.recorded or found is None:
            return answer, None, None, moment
        answer, found_child = self._check_child(found, child, moment)
        return answer, found, found_child, self._not_before_beginning(moment, found, found_child)

    def _moment(self, lesson: Lesson | None, at: datetime | None) -> datetime:
        """``at``, or the present, as a time of the lesson."""
        if lesson is None:
            return at or self._clock()
        return self._clock.now(lesson) if at is None else self._clock.in_lesson(lesson, at)

    def _check_lesson(self, lesson: Lesson | None, at: datetime) -> RecordingOutcome:
        if lesson is None:
            return RecordingOutcome(False, "unknown_lesson")
        if lesson.ended_at is not None or lesson.synthetic:
            return RecordingOutcome(False, "lesson_ended")
        if at > self._clock.now(lesson) + CLOCK_SLACK:
            return RecordingOutcome(False, "in_future")
        if at < lesson.started_at - WHOLE_SECONDS:
            return RecordingOutcome(False, "before_lesson")
        return RecordingOutcome(True)

    def _check_child(self, lesson: Lesson, code: str, at: datetime) -> tuple[RecordingOutcome, Child | None]:
        """A station must know the code: a pseudonym, which a teacher's export shows, opens nothing."""
        child = self._child_of_code(lesson.class_name, code)
        if child is None:
            return RecordingOutcome(False, "unknown_child"), None
        if child.consent is None or not child.consent.holds_at(self._clock()):
            return RecordingOutcome(False, "no_consent"), child
        if at < self._consent_began(lesson, child.consent) - WHOLE_SECONDS:
            return RecordingOutcome(False, "before_consent"), child
        return RecordingOutcome(True), child

    def _consent_began(self, lesson: Lesson, consent: Consent) -> datetime:
        """When a consent was given, by the clock of the lesson."""
        if consent.given_at > self._clock():  # the clock was set back since: nobody knows when
            return lesson.started_at
        return consent.given_at - self._clock.set_since(lesson)

    def _not_before_beginning(self, at: datetime, lesson: Lesson, child: Child | None) -> datetime:
        """``at``, or the beginning of the lesson or of the child's consent if that came within `WHOLE_SECONDS` after
        it.
        """
        consent = child.consent if child else None
        return max(at, lesson.started_at, *([self._consent_began(lesson, consent)] if consent else []))

    def _consent(self, role: str, version: str, days_valid: float) -> Consent:
        if not days_valid > 0:
            raise ValueError(f"a consent valid for {days_valid} days: give a positive number")
        now = self._clock()
        return Consent(version, role, now, now + timedelta(days=days_valid))


def _owned(answer: RecordingOutcome, lesson: Lesson, child: Child) -> RecordingOutcome:
    return replace(answer, owner=f"{lesson.id}/{child.pseudonym}", child=child.pseudonym)
