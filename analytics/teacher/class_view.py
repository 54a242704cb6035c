"""`ClassView`: the part of the store that belongs to the classes of the teacher who is logged in.

The teacher page reads and writes through a `ClassView` alone, so the rule is in one place: for every handler, another
teacher's lesson or child does not exist. Without accounts, when only this computer is let in, everything is visible.

Everybody may look at the sample lesson, and have it played (`analytics.simulation.demonstration`). Where there are
accounts nobody may change it, because all others would see that; what is played nobody can change at all. Where
visitors are let in they may look at these and change nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

import pandas as pd
import pyarrow as pa
from gradio.context import LocalContext

from analytics.access.accounts import Accounts
from analytics.access.spelling import fold
from analytics.access.tokens import ACCOUNT as ACCOUNT_OF_TOKEN
from analytics.access.tokens import LiveTokens
from analytics.simulation.demonstration import Demonstration, DemonstrationClock, speed_of
from analytics.simulation.sample import is_sample_child
from analytics.store import upkeep
from analytics.store.calibrations import Calibrations
from analytics.store.erasing_plan import Plan
from analytics.store.lesson_store import LessonStore
from analytics.store.records import SAMPLE_CLASS, Child, Correction, Event, Lesson, closing_time
from analytics.words.user_errors import UserError

NO_SUCH_ID = ""  # an id that no lesson and no child has


@dataclass(frozen=True, slots=True)
class Reader:
    """The teacher who makes the present request. ``classes``: those of the account, None for every class.
    ``is_visitor``: nobody who has an account, where such people are let in."""

    name: str
    classes: frozenset[str] | None
    is_visitor: bool = False

    def may_see(self, class_name: str) -> bool:
        """Whether a class is one of the reader's."""
        return self.classes is None or fold(class_name) in map(fold, self.classes)


def current_account() -> str | None:
    """The account of the event that is being served; None outside of any. Gradio keeps the event's request there for
    every handler, whether or not the handler asks for it."""
    request = LocalContext.request.get(None)
    return getattr(request, "username", None)


class ClassView(LessonStore):
    """The part of ``whole`` that the present reader may see, with the methods of a store.

    What the reader may not see is treated like an unknown id. ``lessons_open``: how many lessons one teacher may have
    open at a time. ``visitors``: whether whoever has no account is let in, to look at what was made up. Methods
    that no page needs fail, because the database itself is not held here.
    """

    def __init__(
        self,
        whole: LessonStore,
        accounts: Accounts,
        lessons_open: int,
        name_of_reader: Callable[[], str | None] = current_account,
        visitors: bool = False,
        tokens: LiveTokens | None = None,
    ) -> None:
        self.path = whole.path
        self.demonstration = Demonstration(whole.clock)
        self.clock = DemonstrationClock(whole.clock, self.demonstration)
        self.visitors = visitors
        self._whole = whole
        self._accounts = accounts
        self._lessons_open = lessons_open
        self._name_of_reader = name_of_reader
        self._tokens = tokens or LiveTokens(dict)
        self._starting = Lock()

    @property
    def reader(self) -> Reader:
        """The present reader. With accounts, a request without a name sees no class."""
        name = self._name_of_reader() or ""
        if name.startswith(ACCOUNT_OF_TOKEN):
            return Reader(name, self._tokens.classes_of(name))
        if self.visitors and name not in self._accounts.hashes:
            return Reader("visitor", frozenset(), is_visitor=True)
        if not self._accounts:
            return Reader("local", None)
        return Reader(name, self._accounts.classes_of(name))

    @property
    def has_accounts(self) -> bool:
        """Whether there are accounts to log in to."""
        return bool(self._accounts)

    @property
    def _is_shared(self) -> bool:
        """Whether others than whoever sits at this computer may be asking."""
        return bool(self._accounts) or self.reader.name.startswith(ACCOUNT_OF_TOKEN)

    # lessons

    def add_lesson(self, lesson: Lesson) -> None:
        """Adds a lesson of one of the reader's classes. `UserError` for another class, and for one too many."""
        reader = self.require_writer()
        self._require_class(reader, lesson.class_name)
        with self._starting:
            running = [
                other
                for other in self._whole.lessons()
                if other.teacher == reader.name
                and other.ended_at is None
                and self.clock.now(other) < closing_time(other)
            ]
            if len(running) >= self._lessons_open:
                raise UserError("error_lessons_open", limit=self._lessons_open)
            self._whole.add_lesson(replace(lesson, teacher=reader.name))

    def end_lesson(self, lesson_id: str, at: datetime) -> Lesson:
        """Ends a lesson that the reader sees. ValueError where there is none, `UserError` for one that is played."""
        self.require_writer()
        self._require_stored(lesson_id)
        return self._whole.end_lesson(self._seen(lesson_id), at)

    def find_lesson(self, id_or_code: str) -> Lesson | None:
        """The lesson with this id or code, or None."""
        found = self.demonstration.find(id_or_code) or self._whole.find_lesson(id_or_code)
        return found if found is not None and _sees_lesson(self.reader, found) else None

    def lessons(self, class_name: str | None = None) -> list[Lesson]:
        """The reader's lessons, or those of a class; the newest first."""
        reader = self.reader
        return [lesson for lesson in self._whole.lessons(class_name) if _sees_lesson(reader, lesson)]

    def class_spellings(self, class_name: str) -> tuple[str, ...]:
        """See `LessonStore.class_spellings`; empty for another's class, whether there is one or not."""
        visible = fold(class_name) == fold(SAMPLE_CLASS) or self.reader.may_see(class_name)
        return self._whole.class_spellings(class_name) if visible else ()

    def class_names(self) -> list[str]:
        """The reader's classes, in order: those of the account, and those with a child or a lesson; without the
        sample's."""
        reader = self.reader
        known = {fold(name): name for name in sorted(reader.classes or ())}
        known |= {fold(name): name for name in self._whole.class_names() if reader.may_see(name)}
        known.pop(fold(SAMPLE_CLASS), None)
        return sorted(known.values())

    # children

    def put_child(self, child: Child) -> None:
        """Adds or changes a child of one of the reader's classes. `UserError` for another class."""
        self._require_class(self.require_writer(), child.class_name)
        self._whole.put_child(child)

    @property
    def last_commit(self) -> float:
        """See `LessonStore.last_commit`."""
        return self._whole.last_commit

    def find_child(self, pseudonym: str) -> Child | None:
        """The child with this pseudonym, or None."""
        found = self._whole.find_child(pseudonym)
        return found if found is not None and _sees_child(self.reader, found) else None

    def children(self, class_name: str) -> list[Child]:
        """The children of a class, in the order of their animals."""
        reader = self.reader
        return [child for child in self._whole.children(class_name) if _sees_child(reader, child)]

    def erase_child(self, pseudonym: str, actor: str) -> upkeep.RemovedRows:
        """See `LessonStore.erase_child`. ValueError for a child that the reader does not see."""
        reader = self.require_writer()
        found = self.find_child(pseudonym)
        if found is not None:
            class_name = found.class_name
        else:
            erased = [plan.class_name for plan in self.unfinished_erasures() if plan.pseudonym == pseudonym]
            if not erased:
                raise ValueError(upkeep.NO_SUCH_CHILD)
            class_name = erased[0]
        self._require_class(reader, class_name)
        return self._whole.erase_child(pseudonym, self._signed(actor))

    def unfinished_erasures(self) -> list[Plan]:
        """The children of the reader's classes that are being erased."""
        reader = self.reader
        return [plan for plan in self._whole.unfinished_erasures() if reader.may_see(plan.class_name)]

    @property
    def calibrations(self) -> Calibrations:  # type: ignore[override]
        """Those of the reader's children; a visitor has none, and can teach none."""
        if self.reader.is_visitor:
            return self._whole.calibrations.seen_by(_sees_nobody)
        return self._whole.calibrations.seen_by(self.find_child)

    @property
    def copying(self) -> AbstractContextManager[object]:
        """See `LessonStore.copying`."""
        return self._whole.copying

    # observations, events, corrections

    def observations(
        self, lesson_id: str, child: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> pd.DataFrame:
        """See `LessonStore.observations`."""
        if speed_of(lesson_id) is not None:
            return self.demonstration.observations(lesson_id, child, since, until)
        return self._whole.observations(self._seen(lesson_id), child, since, until)

    def frame_counts(self, lesson_id: str, until: datetime) -> dict[str, int]:
        """See `LessonStore.frame_counts`."""
        if speed_of(lesson_id) is not None:
            return self.demonstration.frame_counts(lesson_id, until)
        return self._whole.frame_counts(self._seen(lesson_id), until)

    def observations_of(self, child: str, lesson_ids: Sequence[str]) -> dict[str, pd.DataFrame]:
        """See `LessonStore.observations_of`."""
        stored = [lesson_id for lesson_id in lesson_ids if self._seen(lesson_id) and speed_of(lesson_id) is None]
        found = self._whole.observations_of(child, stored)
        found |= {key: self.demonstration.observations(key, child) for key in lesson_ids if speed_of(key) is not None}
        return {
            lesson_id: found[lesson_id] if lesson_id in found else self._whole.observations(NO_SUCH_ID)
            for lesson_id in lesson_ids
        }

    @contextmanager
    def observations_by_child(self, lesson_id: str) -> Iterator[Iterator[pa.Table]]:
        """See `LessonStore.observations_by_child`."""
        with self._whole.observations_by_child(self._seen(lesson_id)) as parts:
            yield parts

    def events(self, lesson_id: str, child: str | None = None) -> list[Event]:
        """See `LessonStore.events`."""
        if speed_of(lesson_id) is not None:
            return self.demonstration.events(lesson_id, child)
        return self._whole.events(self._seen(lesson_id), child)

    def add_event(self, event: Event) -> bool:
        """See `LessonStore.add_event`. `UserError` for what the reader does not see, or may not change."""
        self._require_change(event.lesson, event.child)
        return self._whole.add_event(event)

    def corrections(self, lesson_id: str, child: str | None = None) -> list[Correction]:
        """See `LessonStore.corrections`."""
        return self._whole.corrections(self._seen(lesson_id), child)

    def add_correction(self, correction: Correction) -> None:
        """Adds a correction. `UserError` for a lesson or child that the reader does not see, or may not change."""
        self._require_change(correction.lesson, correction.child)
        self._whole.add_correction(correction)

    def audit(self, action: str, actor: str, detail: str) -> None:
        """Writes down what was done, and under which account. `UserError` for a visitor, who does nothing."""
        self.require_writer()
        self._whole.audit(action, self._signed(actor), detail)

    def require_writer(self) -> Reader:
        """The present reader. `UserError` for a visitor, who may change nothing."""
        reader = self.reader
        if reader.is_visitor:
            raise UserError("error_visitor")
        return reader

    def _require_stored(self, lesson_id: str) -> None:
        if speed_of(lesson_id) is not None:
            raise UserError("error_played")

    def _seen(self, lesson_id: str) -> str:
        """``lesson_id``, or an id that no lesson has."""
        return lesson_id if self.find_lesson(lesson_id) is not None else NO_SUCH_ID

    def _signed(self, actor: str) -> str:
        return f"{self.reader.name} ({actor})" if self._is_shared else actor

    def _require_class(self, reader: Reader, class_name: str) -> None:
        """`UserError`, in the same words whether or not there is such a class."""
        if self._is_shared and fold(class_name) == fold(SAMPLE_CLASS):
            raise UserError("error_synthetic")
        if not reader.may_see(class_name):
            raise UserError(
                "error_class", class_name=class_name[:60], classes=", ".join(sorted(reader.classes or ())) or "–"
            )

    def _require_change(self, lesson_id: str, child: str | None) -> None:
        self.require_writer()
        self._require_stored(lesson_id)
        lesson = self.find_lesson(lesson_id)
        if lesson is None:
            raise UserError("error_lesson", lesson=lesson_id[:60])
        if lesson.synthetic and self._is_shared:
            raise UserError("error_synthetic")
        known = None if child is None else self.find_child(child)
        if child is not None and (known is None or fold(known.class_name) != fold(lesson.class_name)):
            raise UserError("error_child", child=child[:60])


def _sees_nobody(_pseudonym: str) -> None:
    return None


def _sees_lesson(reader: Reader, lesson: Lesson) -> bool:
    return lesson.synthetic or reader.may_see(lesson.class_name)


def _sees_child(reader: Reader, child: Child) -> bool:
    return is_sample_child(child) or reader.may_see(child.class_name)
