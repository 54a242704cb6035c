"""A teacher sees the own classes and nothing of any other: at the one place through which the whole page reads."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from analytics.access.accounts import Accounts
from analytics.access.tokens import LiveTokens, with_token
from analytics.classroom.recorder import LessonRecorder
from analytics.simulation.sample import SAMPLE_ID, ensure_sample_lesson
from analytics.store.lesson_store import LessonStore
from analytics.store.records import SAMPLE_CLASS, Child, Correction, Event, Lesson, utc_now
from analytics.teacher.class_view import ClassView
from analytics.teacher.context import TeacherContext
from analytics.words.texts import TEXTS
from analytics.words.user_errors import UserError
from emotion.labels import Prediction

ACCOUNTS = Accounts(
    dict.fromkeys(("anna", "boris", "head", "new"), ("00", "00")),
    {"anna": frozenset({"2B", "3A"}), "boris": frozenset({"5C"}), "head": frozenset({"all"})},
)


@dataclass
class School:
    """Anna teaches 2B, in which a lesson runs; ``child`` was seen in it. ``who`` is logged in."""

    whole: LessonStore
    own: ClassView
    recorder: LessonRecorder
    context: TeacherContext
    lesson: Lesson
    child: Child
    code: str
    who: str | None = "anna"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the sample lesson: making it takes longer than all that is tested here."""
    path = tmp_path_factory.mktemp("sample") / "lessons.duckdb"
    with LessonStore(path) as store:
        ensure_sample_lesson(store)
    return path


@pytest.fixture
def school(tmp_path: Path, sample: Path) -> Iterator[School]:
    with LessonStore(Path(shutil.copy(sample, tmp_path / "lessons.duckdb"))) as whole:
        everyone = LessonRecorder(whole, b"s" * 32)
        made: list[School] = []
        own = ClassView(whole, ACCOUNTS, 3, lambda: made[0].who)
        recorder = everyone.with_store(own)
        context = TeacherContext(own, recorder, lambda _request: "en", "1", None)
        made.append(School(whole, own, recorder, context, None, None, ""))  # type: ignore[arg-type]
        school = made[0]
        school.lesson = recorder.start_lesson("Loops", "2B", 45)
        school.code, school.child = recorder.enrol("2B", "parent", "1")
        prediction = Prediction((0.0,) * 7 + (1.0,), 0.9, "model")
        assert everyone.record(school.lesson.id, school.code, None, prediction, 1, "test", None).recorded
        now = utc_now()
        recorder.log_event(school.lesson.id, "hint", "look here", school.code)
        own.add_correction(Correction("k", school.lesson.id, school.child.pseudonym, now, now, "sad", "a note", now))
        yield school


def everything_seen(school: School) -> list[object]:
    """What the present reader gets of anna's lesson and child, by every way of reading."""
    own, lesson, child = school.own, school.lesson, school.child.pseudonym
    return [
        own.find_lesson(lesson.id),
        own.find_lesson(lesson.code),
        [item for item in own.lessons() if not item.synthetic],
        own.lessons("2B"),
        own.find_child(child),
        own.children("2B"),
        own.observations(lesson.id).to_dict("records"),
        own.observations(lesson.id, child).to_dict("records"),
        own.frame_counts(lesson.id, utc_now() + timedelta(days=1)),
        own.observations_of(child, [lesson.id])[lesson.id].to_dict("records"),
        own.events(lesson.id),
        own.corrections(lesson.id),
        school.recorder.find_lesson(lesson.code),
        school.recorder.resolve_child("2B", school.code),
        school.recorder.resolve_child("", child),
        school.recorder.resolve_child(lesson.id, school.code),
    ]


@pytest.mark.parametrize("who", ["anna", "head"])
def test_a_teacher_of_the_class_sees_all_of_it(school: School, who: str) -> None:
    school.who = who
    assert all(everything_seen(school))


@pytest.mark.parametrize("who", ["boris", "new", "nobody", "", None])
def test_another_teacher_and_whoever_was_not_let_in_see_nothing_of_it(school: School, who: str | None) -> None:
    school.who = who
    assert not any(everything_seen(school))


def test_without_accounts_this_computer_sees_all(school: School) -> None:
    alone = ClassView(school.whole, Accounts({}), 3, lambda: None)
    assert {lesson.class_name for lesson in alone.lessons()} == {"2B", SAMPLE_CLASS}


def test_a_method_of_the_store_that_nobody_thought_about_is_closed(school: School) -> None:
    assert not hasattr(school.own, "database"), "what is inherited cannot reach the file"
    assert not hasattr(school.own, "_writer")
    closed: list[Callable[[], object]] = [
        school.own.audit_entries,
        school.own.backup,
        school.own.rewrite,
        lambda: school.own.query("SELECT * FROM observation"),
        lambda: school.own.add_observations([object()]),  # type: ignore[list-item]
        lambda: school.own.delete_before(utc_now(), "x"),
    ]
    for method in closed:
        with pytest.raises(AttributeError):
            method()


Action = Callable[[School], object]
REFUSED: dict[str, tuple[Action, Action]] = {
    "end": (lambda s: s.recorder.end_lesson(s.lesson.id), lambda s: s.recorder.end_lesson("zzz")),
    "look": (lambda s: s.context.lesson(s.lesson.code), lambda s: s.context.lesson("zzz")),
    "child": (lambda s: s.context.child("", s.child.pseudonym), lambda s: s.context.child("", "zzz")),
    "child by code": (lambda s: s.context.child("2B", s.code), lambda s: s.context.child("2B", "zzz")),
    "withdraw consent": (
        lambda s: s.recorder.set_consent(s.child.pseudonym, False),
        lambda s: s.recorder.set_consent("zzz", False),
    ),
    "erase": (lambda s: s.own.erase_child(s.child.pseudonym, "x"), lambda s: s.own.erase_child("zzz", "x")),
    "erase a child one once saw": (lambda s: s.context.erase(s.child, "x"), lambda s: s.own.erase_child("zzz", "x")),
    "start in the class": (
        lambda s: s.recorder.start_lesson("x", "2B", 5),
        lambda s: s.recorder.start_lesson("x", "9Z", 5),
    ),
    "enrol in the class": (
        lambda s: s.recorder.enrol("2B", "parent", "1"),
        lambda s: s.recorder.enrol("9Z", "parent", "1"),
    ),
    "note": (
        lambda s: s.own.add_event(Event("e", s.lesson.id, None, utc_now(), "note")),
        lambda s: s.own.add_event(Event("e", "zzz", None, utc_now(), "note")),
    ),
    "correct": (
        lambda s: s.own.add_correction(
            Correction("k", s.lesson.id, s.child.pseudonym, utc_now(), utc_now(), "sad", "", utc_now())
        ),
        lambda s: s.own.add_correction(Correction("k", "zzz", "zzz", utc_now(), utc_now(), "sad", "", utc_now())),
    ),
}


@pytest.mark.parametrize("action", REFUSED)
def test_what_another_teacher_asks_is_refused_like_what_does_not_exist(school: School, action: str) -> None:
    school.who = "boris"
    before = school.whole.audit_entries()
    words = []
    for attempt in REFUSED[action]:
        with pytest.raises((UserError, ValueError)) as refusal:
            attempt(school)
        text = str(refusal.value)
        for own_word in (school.lesson.id, school.lesson.code, school.child.pseudonym, school.code, "2B", "9Z", "zzz"):
            text = text.replace(own_word, "…")
        words.append(text)
    assert words[0] == words[1]
    school.who = "anna"
    assert all(everything_seen(school)), "anna's lesson is as it was"
    assert school.own.find_lesson(school.lesson.id).ended_at is None
    assert school.whole.audit_entries() == before


def test_a_child_of_another_class_cannot_be_put_into_the_own_lesson(school: School) -> None:
    school.who = "boris"
    mine = school.recorder.start_lesson("Loops", "5C", 45)
    with pytest.raises(UserError, match="no child"):
        school.own.add_event(Event("e", mine.id, school.child.pseudonym, utc_now(), "note", "x"))


def test_the_sample_lesson_is_shown_to_all_and_changed_by_nobody(school: School) -> None:
    for who in ("anna", "boris", "head", "new"):
        school.who = who
        assert school.context.lesson(SAMPLE_ID).synthetic
        fox = next(child for child in school.own.children(SAMPLE_CLASS) if child.animal == "fox")
        assert len(school.own.observations(SAMPLE_ID, fox.pseudonym)) > 100
        for attempt in (
            lambda: school.own.add_event(Event("e", SAMPLE_ID, None, utc_now(), "note", "x")),
            lambda fox=fox: school.context.erase(fox, "x"),
            lambda: school.recorder.start_lesson("x", SAMPLE_CLASS, 5),
            lambda: school.recorder.enrol(SAMPLE_CLASS, "parent", "1"),
        ):
            with pytest.raises(UserError, match="sample lesson"):
                attempt()


def test_a_measured_child_in_a_class_that_is_called_like_the_sample_is_not_everybodys(school: School) -> None:
    LessonRecorder(school.whole, b"s" * 32).enrol(SAMPLE_CLASS, "parent", "1")
    school.who = "boris"
    assert {child.pseudonym[:7] for child in school.own.children(SAMPLE_CLASS)} == {"sample-"}


def test_a_teacher_may_have_only_so_many_lessons_open(school: School) -> None:
    for _ in range(2):
        last = school.recorder.start_lesson("More", "3A", 45)
    with pytest.raises(UserError, match="3 lessons open"):
        school.recorder.start_lesson("One too many", "2B", 45)
    school.who = "head"
    assert school.recorder.start_lesson("Another teacher's", "2B", 45).id, "others are not harmed"
    school.who = "anna"
    school.recorder.end_lesson(last.id)
    assert school.recorder.start_lesson("Again", "2B", 45).id


def test_a_lesson_whose_time_is_over_counts_as_closed(school: School) -> None:
    long_ago = utc_now() - timedelta(hours=3)
    for number in range(3):
        old = replace(school.lesson, id=f"old-{number}", code=f"old-{number}", started_at=long_ago)
        school.whole.add_lesson(replace(old, teacher="anna"))
    assert school.recorder.start_lesson("Today", "2B", 45).id


def test_the_audit_trail_names_the_account(school: School) -> None:
    school.recorder.set_consent(school.child.pseudonym, False)
    school.context.erase(school.child, "teacher page")
    actors = {entry.action: entry.actor for entry in school.whole.audit_entries()}
    assert actors["consent_withdrawn"] == "anna (teacher)"
    assert actors["erase_child"] == "anna (teacher page)"


def test_who_starts_a_lesson_of_a_shared_class_leaves_it_to_the_other_teacher_too(school: School) -> None:
    school.who = "head"
    started = school.recorder.start_lesson("Shared", "2B", 45)
    assert school.whole.find_lesson(started.id).teacher == "head"
    school.who = "anna"
    assert school.context.lesson(started.code).id == started.id


def test_the_refusals_have_words_in_both_languages() -> None:
    for language in ("en", "ru"):
        assert {"error_class", "error_lessons_open", "error_synthetic"} <= set(TEXTS[language])


def test_a_teacher_picks_from_the_own_classes_whether_or_not_they_have_children(school: School) -> None:
    assert school.own.class_names() == ["2B", "3A"], "those of the account; the sample's is nobody's"
    school.who = "boris"
    assert school.own.class_names() == ["5C"], "not the 2B in which anna teaches"
    school.who = "head"
    assert school.own.class_names() == ["2B"], "who may see all picks from those that exist"
    school.who = None
    assert school.own.class_names() == []


def test_a_servers_token_sees_its_classes_alone_though_there_are_no_accounts(school: School) -> None:
    """Without accounts whoever sits at the computer sees everything; a token comes from elsewhere."""
    tokens, _ = with_token({}, "server", frozenset({"3A"}), 1, utc_now())
    live = LiveTokens(lambda: tokens)
    view = ClassView(school.whole, Accounts({}), 3, lambda: "token server", tokens=live)
    assert view.find_lesson(school.lesson.id) is None
    assert view.children("2B") == []
    with pytest.raises(UserError):
        view.add_event(Event("e", "sample", None, utc_now(), "note", "x"))
    gone = ClassView(school.whole, Accounts({}), 3, lambda: "token nobody", tokens=live)
    assert gone.reader.classes == frozenset()
    assert (
        ClassView(school.whole, Accounts({}), 3, lambda: "local", tokens=live).find_lesson(school.lesson.id) is not None
    )
