"""What became known of a lesson's signals, in the order in which it became known, for programs that ask repeatedly.

A frame that comes late may raise a signal in the past, behind what was told already, end one, or show that there never
was one. So a place in this order is not the time of a signal, but a number that grows with each announcement. Of each
signal only its newest announcement is kept: who asks seldom is told how it stands, once.
"""

import secrets
import time
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from analytics.signals.lesson_signals import MAXIMUM_AGE, lesson_signals
from analytics.signals.support import Signal
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson

RAISED, CHANGED, ENDED, WITHDRAWN = "raised", "changed", "ended", "withdrawn"
STRENGTH_STEP = 0.2  # a change of strength by less is not worth telling: absence grows with every frame
LEAST_SECONDS = 0.4  # between two looks at a lesson: thirty children cost 30 ms of a core each time
MOST_LESSONS = 500  # whose journals are remembered
ENDED_SECONDS = 60.0  # after the end of a lesson in which a last frame may still be committed


@dataclass(frozen=True, slots=True)
class Announcement:
    """``change``: of ``signal`` since the caller's cursor, one of raised, changed (strength, reason, suggestion or
    start; also that it goes on after all), ended, and withdrawn: later frames show that it never was. ``known``: when
    that became known."""

    change: str
    known: datetime
    signal: Signal


@dataclass(slots=True)
class _Entry:
    """A signal: ``number`` of its newest announcement, ``told`` as it was then and ``signal`` as it is now.
    ``turns``: (number, whether there was such a signal from then on)."""

    number: int
    known: datetime
    told: Signal
    signal: Signal
    turns: list[tuple[int, bool]]

    def there(self, number: int) -> bool:
        """Whether who knows all up to ``number`` knows this signal."""
        place = bisect_right(self.turns, number, key=lambda turn: turn[0])
        return place > 0 and self.turns[place - 1][1]


@dataclass(slots=True)
class Journal:
    """The announcements of one lesson, or of one child in it. ``run`` tells it from the journals of other lessons and
    of earlier starts of the app, which a cursor of theirs says nothing about. Not thread-safe by itself."""

    run: str = field(default_factory=lambda: secrets.token_hex(8))
    last: int = 0
    entries: dict[str, _Entry] = field(default_factory=dict)

    def update(self, signals: Iterable[Signal], known: datetime) -> None:
        """Announces in what ``signals``, all that there are now, differ from those before."""
        present = {signal.id: signal for signal in signals}
        for signal in present.values():
            entry = self.entries.get(signal.id)
            if entry is None:
                self.last += 1
                self.entries[signal.id] = _Entry(self.last, known, signal, signal, [(self.last, True)])
                continue
            is_back = not entry.turns[-1][1]
            if is_back or _differs(entry.told, signal):
                self._announce(entry, signal, known)
            if is_back:
                entry.turns.append((entry.number, True))
            entry.signal = signal
        for key, entry in self.entries.items():
            if key not in present and entry.turns[-1][1]:
                self._announce(entry, entry.signal, known)
                entry.turns.append((entry.number, False))

    def forget(self, children: set[str]) -> None:
        """Drops all that was announced of ``children`` (pseudonyms)."""
        self.entries = {key: entry for key, entry in self.entries.items() if entry.signal.child not in children}

    def since(self, cursor: str) -> tuple[list[Announcement], str]:
        """What became known after ``cursor``, and the cursor after it. "" and a cursor of another journal stand before
        everything.

        All of it at once: what a caller knows at a cursor would be unsure if a part were kept for later, of which
        something may change meanwhile. A lesson has some hundred signals at most.
        """
        digits, _, run = cursor.partition("-")
        place = int(digits) if run == self.run else 0
        fresh = sorted((entry for entry in self.entries.values() if entry.number > place), key=lambda one: one.number)
        changes = [(_change(entry.there(place), entry.turns[-1][1], entry.signal), entry) for entry in fresh]
        told = [Announcement(change, entry.known, entry.signal) for change, entry in changes if change]
        return told, f"{fresh[-1].number:017d}-{self.run}" if fresh else cursor

    def _announce(self, entry: _Entry, signal: Signal, known: datetime) -> None:
        self.last += 1
        entry.number, entry.known, entry.told, entry.signal = self.last, known, signal, signal


def _differs(told: Signal, now: Signal) -> bool:
    """Whether a signal has become another one than was told."""
    fixed = [(one.start, one.end, one.reason_key, one.suggestion_key) for one in (told, now)]
    return fixed[0] != fixed[1] or abs(told.strength - now.strength) >= STRENGTH_STEP


def _change(was_there: bool, is_there: bool, signal: Signal) -> str:
    """What to call it for somebody who knew of the signal or not; "" for what came and went unseen."""
    if not is_there:
        return WITHDRAWN if was_there else ""
    if not was_there:
        return RAISED
    return ENDED if signal.end else CHANGED


@dataclass(slots=True)
class _JournalsOfLesson:
    """``children``: of those that were asked for, by pseudonym. ``looked``: when (monotonic), ``commit``: the store's
    last one before that. ``ended``: when the end of the lesson was seen first."""

    lock: Lock = field(default_factory=Lock)
    whole: Journal = field(default_factory=Journal)
    children: dict[str, Journal] = field(default_factory=dict)
    signals: list[Signal] = field(default_factory=list)
    known: datetime | None = None
    looked: float = -float("inf")
    commit: float = -float("inf")
    ended: float = float("inf")


class SignalJournals:
    """The journals of all lessons of ``store``, which sees everything: who asks has shown before what is theirs.
    Thread-safe. They are in memory, of the `MOST_LESSONS` that were asked for last: after a start of the app all that a
    lesson has is announced anew, under the ids it had before."""

    def __init__(self, store: LessonStore) -> None:
        self._store = store
        self._lock = Lock()
        self._lessons: dict[str, _JournalsOfLesson] = {}

    def since(self, lesson: Lesson, cursor: str, child: str | None = None) -> tuple[list[Announcement], str]:
        """See `Journal.since`; of a lesson, or of one child (pseudonym) alone, whose cursors tell nothing of others."""
        with self._lock:
            journals = self._lessons.pop(lesson.id, None) or _JournalsOfLesson()
            self._lessons[lesson.id] = journals  # the one that nobody asked for the longest stands first
            while len(self._lessons) > MOST_LESSONS:
                del self._lessons[next(iter(self._lessons))]
        with journals.lock:
            self._look(lesson, journals)
            if child is None:
                return journals.whole.since(cursor)
            if child not in journals.children:
                journals.children[child] = Journal()
                self._update(journals.children[child], journals, child)
            return journals.children[child].since(cursor)

    def _look(self, lesson: Lesson, journals: _JournalsOfLesson) -> None:
        """Works out the signals if anything was stored since, or nothing was looked at for a while."""
        now, commit = time.monotonic(), self._store.last_commit
        if lesson.ended_at is not None:
            journals.ended = min(journals.ended, now)
        over = now - journals.ended > ENDED_SECONDS
        since = now - journals.looked
        due = (commit != journals.commit and since >= LEAST_SECONDS) or since >= MAXIMUM_AGE.total_seconds()
        is_due = journals.known is None or (due and not over)
        if is_due:
            known = lesson.ended_at or self._store.clock.now(lesson)
            journals.signals = lesson_signals(self._store, lesson, known, anew=True)
            # `commit` was read before the rows were: one that came meanwhile is looked at next time.
            journals.known, journals.commit, journals.looked = known, commit, now
        self._forget_erased(journals)
        if is_due:
            self._update(journals.whole, journals, None)
            for child, journal in journals.children.items():
                self._update(journal, journals, child)

    def _forget_erased(self, journals: _JournalsOfLesson) -> None:
        entries = journals.whole.entries.values()
        named = {signal.child for signal in (*journals.signals, *(entry.signal for entry in entries))}
        gone = {child for child in named if self._store.find_child(child) is None}
        if gone:
            journals.signals = [signal for signal in journals.signals if signal.child not in gone]
            journals.children = {child: one for child, one in journals.children.items() if child not in gone}
            journals.whole.forget(gone)

    def _update(self, journal: Journal, journals: _JournalsOfLesson, child: str | None) -> None:
        assert journals.known is not None
        journal.update([one for one in journals.signals if child in (None, one.child)], journals.known)
