"""`TeacherContext`: how the tabs and endpoints of the teacher page find lessons, children and signals; and the checks
of what users typed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import gradio as gr

from analytics.access.spelling import tidy
from analytics.charts.heat_map import HeatMap, heat_map
from analytics.classroom.calibrator import Calibrator
from analytics.classroom.recorder import LessonRecorder
from analytics.insight.feedback import feedback_by_signal
from analytics.insight.timeline import animals_of_class
from analytics.signals.announcements import SignalJournals
from analytics.signals.lesson_signals import lesson_signals
from analytics.signals.support import Signal
from analytics.simulation.demonstration import speed_of
from analytics.store.erasing_plan import Plan
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, Lesson, StoreError, storable
from analytics.teacher.board import Attention, attention_list
from analytics.teacher.child_export import write_child
from analytics.teacher.class_view import current_account
from analytics.teacher.downloads import download_name, hand_out, new_download, remove_downloads
from analytics.teacher.export import FORMATS, export_lesson
from analytics.words.sentences import animal_name, class_title, date_text, lesson_title
from analytics.words.texts import LANGUAGES, say
from analytics.words.user_errors import UserError

LOG = logging.getLogger(__name__)
MAXIMUM_NAME = 120  # characters of a title or class: what fits on one line of a list


@dataclass(frozen=True)
class TeacherContext:
    """``language_of``: the reader's language by request. ``checkpoint``: folder of the loaded model, for "About the
    model". ``hides_small_groups``: whether figures of a class of fewer than five children are left out.
    ``calibrator``: None where nothing can be fitted to a child's face. ``journals``: of the signals of all lessons, for
    programs that poll; None: of those in ``store``."""

    store: LessonStore
    recorder: LessonRecorder
    language_of: Callable[[Any], str]
    consent_version: str
    checkpoint: Path | None
    hides_small_groups: bool = False
    calibrator: Calibrator | None = None
    journals: SignalJournals | None = None

    def lesson(self, id_or_code: str | None) -> Lesson:
        """The lesson with this id or code (any spelling). `UserError` where there is none."""
        found = self.recorder.find_lesson(id_or_code) if id_or_code else None
        if found is None:
            raise UserError("error_lesson", lesson=str(id_or_code or "")[:60])
        return found

    def child(self, lesson_or_class: str, code_or_pseudonym: str | None) -> Child:
        """The child of a lesson's class, or of a class, by code or pseudonym. `UserError` where there is none."""
        if not code_or_pseudonym:
            raise UserError("error_no_child")
        found = self.recorder.resolve_child(lesson_or_class, code_or_pseudonym)
        if found is None:
            raise UserError("error_child", child=code_or_pseudonym[:60])
        return found

    def animals(self, lesson: Lesson) -> dict[str, str]:
        """Pseudonym -> animal of the children of the lesson's class."""
        return animals_of_class(self.store, lesson)

    def now(self, lesson: Lesson) -> datetime:
        """The present time of a lesson; of one that is over, its end."""
        return lesson.ended_at or self.store.clock.now(lesson)

    def heat_map(self, lesson: Lesson) -> HeatMap:
        """The mean valence of every child of the lesson so far."""
        rows = self.store.observations(lesson.id)
        return heat_map(rows, self.animals(lesson), lesson.started_at, self.now(lesson))

    def attention(self, lesson: Lesson) -> list[Attention]:
        """All signals of the lesson, what is unanswered and grave first."""
        answered = feedback_by_signal(self.store, lesson.id)
        # Of a lesson that is over the clock goes on: it may be answered afterwards.
        return attention_list(self.signals(lesson), self.animals(lesson), answered, self.store.clock.now(lesson))

    def erasable(self, class_name: str, code_or_pseudonym: str | None) -> Child | Plan:
        """As `child`, or the unfinished erasing of one that is gone from the tables already."""
        try:
            return self.child(class_name, code_or_pseudonym)
        except UserError:
            unfinished = self.recorder.unfinished_erasure(class_name, code_or_pseudonym or "")
            if unfinished is None:
                raise
            return unfinished

    def erase(self, child: Child | Plan, actor: str) -> tuple[int, tuple[str, ...]]:
        """Erases everything that is stored of a child, copies of exports included.

        Answers how many rows that were, and the steps that are still due, for `erasing_text`: none when all is done.
        """
        with self.store.copying:
            remove_downloads()
            removed = self.store.erase_child(child.pseudonym, actor)
        left = [plan.steps for plan in self.store.unfinished_erasures() if plan.pseudonym == child.pseudonym]
        return removed.of_child, left[0] if left and removed.steps_left else ()

    def signals(self, lesson: Lesson) -> list[Signal]:
        """All signals of the lesson so far, in the order in which they were raised."""
        return list(lesson_signals(self.store, lesson, self.now(lesson)))

    def export(self, lesson: Lesson, file_format: str, actor: str, language: str, zone: str = "UTC") -> Path:
        """Writes an export; returns a copy of it, which only the teacher who asks may fetch. ``language``: of a CSV and
        of the file's name; ``zone``: of the time in the name. `UserError` where there is no room."""
        if speed_of(lesson.id) is not None:
            raise UserError("error_played")
        if file_format not in FORMATS:
            raise UserError("error_format", value=str(file_format)[:20])
        with self.store.copying:  # what was read before an erasure must not be written after it
            try:
                written = export_lesson(self.store, lesson.id, file_format, actor, language)
                name = download_name(lesson, "".join(written.suffixes), language, zone)
                return hand_out(written, name, current_account() or "")
            except OSError as error:
                LOG.exception("an export could not be written")
                raise UserError("error_export") from error

    def export_child(self, child: Child, actor: str, language: str) -> Path:
        """Writes all that is held about a child for the teacher who asks; returns the file. `UserError` where there is
        no room."""
        name = f"{animal_name(language, child.animal)}.json"
        with self.store.copying:
            try:
                with new_download(name, current_account() or "") as file:
                    write_child(self.store, child, file, actor)
                return file
            except OSError as error:
                LOG.exception("what is held about a child could not be written")
                raise UserError("error_export") from error

    def chosen_child(self, lesson: Lesson, child: str | None) -> str | None:
        """``child`` (pseudonym) if it is one of the lesson's class; else who needed an adult first, else the first;
        None without any."""
        known = self.animals(lesson)
        if child in known:
            return child
        return next(
            iter([item.signal.child for item in self.attention(lesson)] + sorted(known, key=known.__getitem__)), None
        )

    def lesson_choices(self, language: str, zone: str) -> list[tuple[str, str]]:
        """(label, id) of every lesson, the newest first, the running ones marked."""
        return [(self.lesson_label(lesson, language, zone), lesson.id) for lesson in self.store.lessons()]

    def lesson_label(self, lesson: Lesson, language: str, zone: str) -> str:
        """One line that tells lessons apart."""
        if speed_of(lesson.id) is not None:
            return f"{lesson_title(language, lesson)} · {say(language, 'playing')}"
        parts = [
            lesson_title(language, lesson) or lesson.code,
            class_title(language, lesson.class_name),
            date_text(language, lesson.started_at, zone),
        ]
        if lesson.synthetic:
            parts.append(say(language, "synthetic"))
        elif lesson.ended_at is None:
            parts.append(say(language, "running"))
        return " · ".join(parts)

    def child_choices(self, lesson: Lesson, language: str) -> list[tuple[str, str]]:
        """(name, pseudonym) of the children of the lesson's class, by name."""
        return sorted((animal_name(language, animal), child) for child, animal in self.animals(lesson).items())


def check_name(field: str, value: str | None, language: str) -> str:
    """A title or class name without surrounding blanks. `UserError` where it is empty or too long."""
    text = (value or "").strip()
    if not tidy(text):  # invisible characters alone are no name
        raise UserError("error_empty", field=say(language, field))
    return check_text(field, text, MAXIMUM_NAME, language)


def check_text(field: str, text: str, limit: int, language: str) -> str:
    """``text`` if it may be stored. `UserError` where it is too long or holds what no database can hold."""
    if len(text) > limit:
        raise UserError("error_long", field=say(language, field), limit=limit)
    if "\0" in text or storable(text) != text:
        raise UserError("error_characters", field=say(language, field))
    return text


def check_number(field: str, value: Any, low: float, high: float, language: str) -> float:
    """A number within bounds. `UserError` where it is none (NaN included) or lies outside."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not low <= number <= high:
        raise UserError(
            "error_number", field=say(language, field), low=f"{low:g}", high=f"{high:g}", value=str(value)[:40]
        )
    return number


def check_language(language: str | None, otherwise: str) -> str:
    """ "en" or "ru"; ``otherwise`` where none was given. `UserError` for any other."""
    if not language:
        return otherwise
    if language not in LANGUAGES:
        raise UserError("error_language", value=str(language)[:20])
    return language


def as_gradio_error(error: Exception, language: str) -> gr.Error:
    """The error as the page and the endpoints show it: one sentence with cause and remedy.

    The cause of a `StoreError` goes to the log alone, because it names files of the server; so does everything that
    was not foreseen, with its trace: no text of a library reaches a teacher.
    """
    if isinstance(error, gr.Error):
        return error
    if isinstance(error, UserError):
        text = error.text(language)
    elif isinstance(error, StoreError):
        LOG.error("the store could not serve the teacher's page: %s", error)
        text = say(language, "error_store_down")
    else:
        LOG.error("the teacher's page met what nobody foresaw", exc_info=error)
        text = say(language, "error_unexpected")
    return gr.Error(text, print_exception=False)
