"""Who may be recorded, in which lesson, and at which time."""

from datetime import datetime, timedelta

import pytest

from analytics.classroom.recorder import CLOCK_SLACK, WHOLE_SECONDS, LessonRecorder, RecordingOutcome
from analytics.store.clock import LessonClock
from analytics.store.lesson_store import LessonStore
from analytics.store.records import OVERTIME, Lesson
from emotion.labels import Prediction
from tests.analytics.examples import HAPPY, START

PREDICTION = Prediction(HAPPY, 0.9, "model-1")
OK = RecordingOutcome(True)


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def go(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(store: LessonStore, clock: Clock) -> LessonRecorder:
    store.clock = LessonClock(clock, lambda: clock().timestamp())
    return LessonRecorder(store, b"a secret of this test")


@pytest.fixture
def lesson(recorder: LessonRecorder) -> Lesson:
    return recorder.start_lesson("Loops", "2B", 45)


@pytest.fixture
def code(recorder: LessonRecorder) -> str:
    return recorder.enrol("2B", "parent", "1")[0]


def record(
    recorder: LessonRecorder, lesson: str, code: str, at: datetime | None = None, identity: str | None = None
) -> RecordingOutcome:
    return recorder.record(lesson, code, at, PREDICTION, 1, "webcam", identity)


def test_a_frame_of_an_enrolled_child_is_stored_under_its_pseudonym(
    store: LessonStore, recorder: LessonRecorder, lesson: Lesson, code: str
) -> None:
    assert recorder.admit(lesson.code, code) == OK
    assert record(recorder, lesson.code.upper(), code.upper().replace("-", " ")) == OK
    frame = store.observations(lesson.id)
    child = recorder.resolve_child("2B", code)
    assert child is not None
    assert frame["child"].tolist() == [child.pseudonym]
    assert frame["model"].tolist() == ["model-1"]
    assert code not in child.pseudonym


def test_a_frame_without_a_face_is_recorded_as_absence(
    store: LessonStore, recorder: LessonRecorder, lesson: Lesson, code: str
) -> None:
    assert recorder.record(lesson.id, code, None, None, 0, "webcam", None) == OK
    frame = store.observations(lesson.id)
    assert frame["happy"].isna().tolist() == [True]
    assert frame["faces_seen"].tolist() == [0]


@pytest.mark.parametrize("faces", [1, 255, 256, 272, 100_000])
def test_however_many_faces_a_frame_has_it_is_recorded(
    store: LessonStore, recorder: LessonRecorder, lesson: Lesson, code: str, faces: int
) -> None:
    assert recorder.record(lesson.id, code, None, PREDICTION, faces, "webcam", None) == OK
    assert store.observations(lesson.id)["faces_seen"].tolist() == [min(faces, 255)]


def test_the_same_frame_sent_again_is_recorded_once(
    store: LessonStore, recorder: LessonRecorder, lesson: Lesson, code: str
) -> None:
    assert record(recorder, lesson.id, code, identity="frame-1") == OK
    assert record(recorder, lesson.id, code, identity="frame-1") == OK
    assert len(store.observations(lesson.id)) == 1


def test_the_code_itself_is_stored_nowhere(
    store: LessonStore, recorder: LessonRecorder, lesson: Lesson, code: str
) -> None:
    record(recorder, lesson.code, code)
    recorder.log_event(lesson.code, "hint", "arrow", code)
    store.close()
    raw = b"".join(file.read_bytes() for file in store.path.parent.iterdir())
    assert b"parent" in raw  # the search can find what is there
    assert code.encode() not in raw
    assert code.rpartition("-")[2].encode() not in raw


@pytest.mark.parametrize("child", ["fox-2222", "", "nonsense", "' OR 1=1"])
def test_an_unknown_child_is_refused(store: LessonStore, recorder: LessonRecorder, lesson: Lesson, child: str) -> None:
    recorder.enrol("2B", "parent", "1", child_code="bear-3333")
    assert record(recorder, lesson.id, child) == RecordingOutcome(False, "unknown_child")
    assert store.observations(lesson.id).empty


def test_a_pseudonym_or_the_code_of_another_class_opens_nothing_to_a_station(
    recorder: LessonRecorder, lesson: Lesson, code: str
) -> None:
    child = recorder.resolve_child("2B", code)
    assert child is not None
    assert recorder.admit(lesson.id, child.pseudonym) == RecordingOutcome(False, "unknown_child")
    other, _ = recorder.enrol("5A", "parent", "1", child_code="owl-9999")
    assert recorder.admit(lesson.id, other) == RecordingOutcome(False, "unknown_child")


@pytest.mark.parametrize("text", ["zzzzzz", "", "no such lesson", "\x00"])
def test_an_unknown_lesson_is_refused(recorder: LessonRecorder, code: str, text: str) -> None:
    assert record(recorder, text, code) == RecordingOutcome(False, "unknown_lesson")
    assert not recorder.status(text).found


def test_withdrawn_consent_stops_the_very_next_frame_and_late_ones(
    recorder: LessonRecorder, lesson: Lesson, code: str, clock: Clock
) -> None:
    assert record(recorder, lesson.id, code) == OK
    clock.go(seconds=10)
    recorder.set_consent(code, given=False, class_name="2B")
    assert record(recorder, lesson.id, code) == RecordingOutcome(False, "no_consent")
    assert record(recorder, lesson.id, code, START + timedelta(seconds=5)) == RecordingOutcome(False, "no_consent")
    recorder.set_consent(code, given=True, class_name="2B", role="parent")
    assert record(recorder, lesson.id, code) == OK


def test_consent_expires(recorder: LessonRecorder, clock: Clock) -> None:
    code, _ = recorder.enrol("2B", "parent", "1", days_valid=1)
    clock.go(hours=23)
    lesson = recorder.start_lesson("Loops", "2B", 90)
    assert recorder.admit(lesson.id, code) == OK
    clock.go(hours=1)
    assert recorder.admit(lesson.id, code) == RecordingOutcome(False, "no_consent")


def test_what_happened_before_consent_was_given_is_not_recorded(
    recorder: LessonRecorder, lesson: Lesson, clock: Clock
) -> None:
    clock.go(minutes=5)
    code, _ = recorder.enrol("2B", "parent", "1")
    assert record(recorder, lesson.id, code, START + timedelta(minutes=1)) == RecordingOutcome(False, "before_consent")


def test_a_time_in_whole_seconds_counts_in_the_second_in_which_lesson_and_consent_began(
    store: LessonStore, recorder: LessonRecorder, clock: Clock
) -> None:
    clock.go(milliseconds=400)
    lesson = recorder.start_lesson("Loops", "2B", 45)
    code, child = recorder.enrol("2B", "parent", "1")
    assert record(recorder, lesson.id, code, START) == OK
    assert recorder.log_event(lesson.id, "task_started", "1", None, START)[0] == OK
    assert recorder.log_event(lesson.id, "task_failed", "1", code, START)[0] == OK
    assert record(recorder, lesson.id, code, START - timedelta(milliseconds=601)).reason == "before_lesson"
    clock.go(minutes=5, milliseconds=200)
    late, other = recorder.enrol("2B", "parent", "1")
    assert record(recorder, lesson.id, late, START + timedelta(minutes=5)) == OK
    assert recorder.log_event(lesson.id, "hint", "", late, START + timedelta(minutes=5))[0] == OK
    assert recorder.log_event(lesson.id, "hint", "", late, START + timedelta(minutes=4))[0].reason == "before_consent"
    # What is stored lies in the lesson and under the consent all the same.
    times = store.observations(lesson.id).groupby("child")["at"].min()
    assert times[child.pseudonym] == lesson.started_at
    assert other.consent is not None
    assert times[other.pseudonym] == other.consent.given_at
    assert min(event.at for event in store.events(lesson.id)) == lesson.started_at


def test_each_change_of_consent_is_written_down_without_code_or_pseudonym(
    store: LessonStore, recorder: LessonRecorder, code: str
) -> None:
    child = recorder.set_consent(code, given=False, class_name="2B", role="parent")
    entries = store.audit_entries()
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("consent_given", "parent"),
        ("consent_withdrawn", "parent"),
    ]
    assert all(code not in entry.detail and child.pseudonym not in entry.detail for entry in entries)


def test_a_frame_of_the_future_is_refused_beyond_the_slack_of_a_clock(
    recorder: LessonRecorder, lesson: Lesson, code: str
) -> None:
    assert record(recorder, lesson.id, code, START + CLOCK_SLACK) == OK
    late = START + CLOCK_SLACK + timedelta(milliseconds=1)
    assert record(recorder, lesson.id, code, late) == RecordingOutcome(False, "in_future")


def test_a_frame_from_before_the_lesson_is_refused(
    recorder: LessonRecorder, lesson: Lesson, code: str, clock: Clock
) -> None:
    clock.go(minutes=1)
    early = START - WHOLE_SECONDS - timedelta(milliseconds=1)
    assert record(recorder, lesson.id, code, early) == RecordingOutcome(False, "before_lesson")
    assert record(recorder, lesson.id, code, START) == OK


def test_a_lesson_that_was_ended_takes_nothing(
    store: LessonStore, recorder: LessonRecorder, lesson: Lesson, code: str
) -> None:
    ended = recorder.end_lesson(lesson.code)
    assert recorder.end_lesson(lesson.id) == ended
    assert record(recorder, lesson.id, code) == RecordingOutcome(False, "lesson_ended")
    assert recorder.log_event(lesson.id, "note", "", None) == (RecordingOutcome(False, "lesson_ended"), "")
    assert not recorder.status(lesson.id).open
    assert store.observations(lesson.id).empty


def test_a_lesson_that_nobody_ends_closes_itself_after_its_overtime(
    store: LessonStore, recorder: LessonRecorder, lesson: Lesson, code: str, clock: Clock
) -> None:
    assert recorder.status(lesson.id).seconds_left == 45 * 60
    clock.go(minutes=46)
    assert recorder.status(lesson.id).open
    assert recorder.status(lesson.id).seconds_left == 0
    assert record(recorder, lesson.id, code) == OK
    clock.go(days=3)
    assert record(recorder, lesson.id, code) == RecordingOutcome(False, "lesson_ended")
    found = store.find_lesson(lesson.id)
    assert found is not None
    assert found.ended_at == START + timedelta(minutes=45) + OVERTIME


def test_an_event_is_logged_for_a_child_or_for_the_class(
    store: LessonStore, recorder: LessonRecorder, lesson: Lesson, code: str
) -> None:
    answer, identity = recorder.log_event(lesson.code, "task_failed", "task 4", code)
    assert answer == OK
    assert recorder.log_event(lesson.code, "break", "", None, None, "mine") == (OK, "mine")
    assert recorder.log_event(lesson.code, "break", "", None, None, "mine") == (OK, "mine"), "sent again"
    other = recorder.log_event(lesson.code, "note", "of something else", None, None, "mine")
    assert other == (RecordingOutcome(False, "other_event"), "")
    assert recorder.log_event(lesson.code, "hint", "", "fox-2222")[0].reason == "unknown_child"
    child = recorder.resolve_child(lesson.code, code)
    assert child is not None
    assert {(event.id, event.child) for event in store.events(lesson.id)} == {
        (identity, child.pseudonym),
        ("mine", None),
    }
    with pytest.raises(ValueError, match="unknown"):
        recorder.log_event(lesson.code, "task_explosion", "", None)


def test_a_child_has_one_owner_of_its_frames_and_events_however_its_code_is_typed(
    recorder: LessonRecorder, lesson: Lesson, code: str
) -> None:
    children = (code, code.upper(), f" {code}", code.replace("-", " "), code.replace("-", "--"), f"{code}.")
    lessons = (lesson.code, lesson.code.upper(), f"{lesson.code[:3]}-{lesson.code[3:]}", lesson.id)
    owners = {recorder.admit(typed, child).owner for typed in lessons for child in children}
    owners |= {recorder.admit_event(typed, child).owner for typed in lessons for child in children}
    assert len(owners) == 1
    assert owners != {""}
    assert len({recorder.plain_codes(lesson.code, child) for child in children}) == 1


def test_an_event_of_the_whole_class_is_for_who_names_the_lesson_s_id_or_is_its_teacher(
    recorder: LessonRecorder, lesson: Lesson
) -> None:
    assert recorder.admit_event(lesson.code, None).reason == "class_event"
    assert recorder.admit_event(f" {lesson.code.upper()}", "").reason == "class_event"
    assert recorder.admit_event(lesson.id, None) == OK
    assert recorder.admit_event(lesson.code, None, of_teacher=True) == OK
    recorder.end_lesson(lesson.id)
    assert recorder.admit_event(lesson.id, None).reason == "lesson_ended"


def test_a_child_is_found_by_code_in_its_class_and_by_pseudonym(
    recorder: LessonRecorder, lesson: Lesson, code: str
) -> None:
    child = recorder.resolve_child("2B", code)
    assert child is not None
    assert child == recorder.resolve_child(lesson.code, code) == recorder.resolve_child("", child.pseudonym)
    assert recorder.resolve_child("5A", child.pseudonym) is None
    assert recorder.resolve_child("5A", code) is None


def test_enrolling_a_code_again_renews_its_consent(
    store: LessonStore, recorder: LessonRecorder, code: str, clock: Clock
) -> None:
    clock.go(days=400)
    same, child = recorder.enrol("2B", "parent", "2", child_code=code)
    assert same == code
    assert [found.pseudonym for found in store.children("2B")] == [child.pseudonym]
    assert child.consent is not None
    assert child.consent.version == "2"


@pytest.mark.parametrize(
    ("class_name", "minutes"), [("", 45), ("  ", 45), ("2B", 0), ("2B", -1), ("2B", float("nan")), ("2B", 1e9)]
)
def test_a_lesson_without_class_or_possible_length_is_refused(
    recorder: LessonRecorder, class_name: str, minutes: float
) -> None:
    with pytest.raises(ValueError, match="lesson"):
        recorder.start_lesson("Loops", class_name, minutes)
