"""The machine's clock is set, or the machine sleeps, in the middle of a lesson: rows, page, endpoints and housekeeping
go by one clock, so nobody is silent who is not, and nobody is told to set a clock that is right."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from analytics.store.clock import LessonClock
from analytics.store.housekeeping import Housekeeper
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Observation
from emotion.labels import KEYS, Prediction
from tests.analytics.teacher.page import Page

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NEUTRAL = Prediction(tuple(0.93 if key == "neutral" else 0.01 for key in KEYS), 0.9, "test")
SAD = Prediction(tuple(0.93 if key == "sad" else 0.01 for key in KEYS), 0.9, "test")
JUMPS = [timedelta(hours=1), timedelta(hours=-1), timedelta(minutes=20), timedelta(minutes=-20)]


class Machine:
    """Its clock can be set, it can sleep, and time passes."""

    def __init__(self) -> None:
        self.wall, self.passed = START, 5000.0

    def go(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.passed += seconds

    def set(self, by: timedelta) -> None:
        self.wall += by


class Classroom:
    """A lesson of 45 minutes on the page, in which a child has been seen for two minutes."""

    def __init__(self, page: Page, machine: Machine) -> None:
        self.page, self.machine = page, machine
        self.lesson = page.recorder.start_lesson("Loops", "2B", 45)
        self.code, self.child = page.recorder.enrol("2B", "parent", "1")
        self.seen(120)

    def seen(self, seconds: int, prediction: Prediction = NEUTRAL) -> None:
        """A frame a second, dated by the server as the station's are; the last one through the recorder."""
        store, rows = self.page.store, []
        for _ in range(seconds - 1):
            self.machine.go(1)
            at, face = store.clock.now(self.lesson), prediction.probabilities
            rows.append(
                Observation(uuid4().hex, self.lesson.id, self.child.pseudonym, at, face, 0.9, 1, "station", "test")
            )
        store.add_observations(rows)
        self.machine.go(1)
        outcome = self.page.recorder.record(self.lesson.code, self.code, None, prediction, 1, "station", None)
        assert outcome.recorded, outcome

    def state(self) -> str:
        (row,) = self.page.call("class_board", self.lesson.id)
        return str(row["state"])


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, machine: Machine) -> Iterator[Page]:
    folder: Path = tmp_path_factory.mktemp("page")
    with LessonStore(folder / "lessons.duckdb", LessonClock(lambda: machine.wall, lambda: machine.passed)) as store:
        yield Page(store)


@pytest.fixture
def classroom(page: Page, machine: Machine) -> Iterator[Classroom]:
    for child in page.store.children("2B"):
        page.store.erase_child(child.pseudonym, "test")
    classroom = Classroom(page, machine)
    yield classroom
    if page.recorder.find_lesson(classroom.lesson.id):
        page.recorder.end_lesson(classroom.lesson.id)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_lesson_goes_on_evenly_when_the_clock_is_set(classroom: Classroom, jump: timedelta) -> None:
    page, lesson = classroom.page, classroom.lesson
    classroom.machine.set(jump)
    assert classroom.state() == "neutral"
    classroom.seen(60)
    assert classroom.state() == "neutral"
    rows = page.store.observations(lesson.id)["at"]
    assert rows.diff().max() <= timedelta(seconds=1), "no gap and no step back"
    assert page.recorder.status(lesson.id).seconds_left == 42 * 60
    assert "42 min" in page.run("page", "tick", lesson.id)
    html, _ = page.run("tabs.now", "refresh", "now", lesson.id, "UTC", "")
    assert "silent" not in html
    assert "No pictures" not in html
    figure, table = page.run("tabs.now", "refresh_mood", "now", lesson.id, "UTC")
    assert len(figure.data) == 2
    assert table


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_signals_are_raised_and_answered_after_a_jump(classroom: Classroom, jump: timedelta) -> None:
    page, lesson = classroom.page, classroom.lesson
    classroom.machine.set(jump)
    classroom.seen(300)
    classroom.seen(150, SAD)
    raised = page.call("signals", lesson.id, "")["signals"]
    assert [signal["kind"] for signal in raised if signal["kind"] == "distressed"]
    (row,) = page.call("class_board", lesson.id)
    assert row["signal"]
    assert page.call("lesson_summary", lesson.id, "en")["signals"]
    end = (lesson.started_at + timedelta(seconds=300)).isoformat()
    assert page.call("annotate", lesson.id, classroom.code, lesson.started_at.isoformat(), end, "neutral", "")["id"]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_program_that_dates_by_either_clock_is_understood(classroom: Classroom, jump: timedelta) -> None:
    page, lesson, machine = classroom.page, classroom.lesson, classroom.machine
    machine.go(1)
    tablet = machine.wall  # was right all the time, or wrong with the machine
    machine.set(jump)
    for at, identity in ((tablet, "old"), (machine.wall, "new"), (machine.wall - timedelta(seconds=3), "late")):
        answer = page.recorder.record(lesson.code, classroom.code, at, NEUTRAL, 1, "api", identity)
        assert answer.recorded, (identity, answer)
    assert page.recorder.log_event(lesson.code, "hint", "", classroom.code, machine.wall)[0].recorded
    now = page.store.clock.now(lesson)
    assert page.store.observations(lesson.id)["at"].max() == now
    assert page.store.events(lesson.id)[-1].at == now
    beyond = max(tablet, machine.wall) + timedelta(seconds=30)
    assert page.recorder.record(lesson.code, classroom.code, beyond, NEUTRAL, 1, "api", None).reason == "in_future"


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_child_enrolled_before_or_after_the_jump_takes_part(classroom: Classroom, jump: timedelta) -> None:
    page, machine = classroom.page, classroom.machine
    machine.set(jump)
    assert page.recorder.admit(classroom.lesson.code, classroom.code).recorded
    machine.go(1)
    later, child = page.recorder.enrol("2B", "parent", "1")
    before = page.store.clock.now(classroom.lesson) - timedelta(seconds=30)
    assert (
        page.recorder.record(classroom.lesson.code, later, before, NEUTRAL, 1, "api", None).reason == "before_consent"
    )
    machine.go(1)
    assert page.recorder.record(classroom.lesson.code, later, None, NEUTRAL, 1, "station", None).recorded
    page.recorder.set_consent(child.pseudonym, False)
    assert page.recorder.admit(classroom.lesson.code, later).reason == "no_consent"


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_lesson_that_begins_after_the_jump_has_the_machines_time_though_another_runs(
    classroom: Classroom, jump: timedelta
) -> None:
    page, machine = classroom.page, classroom.machine
    machine.set(jump)
    second = page.call("start_lesson", "Next", "3A", 45.0)
    assert datetime.fromisoformat(second["started_at"]) == machine.wall
    assert page.recorder.admit(second["code"], page.recorder.enrol("3A", "parent", "1")[0]).recorded
    assert page.recorder.status(second["lesson"]).seconds_left == 45 * 60
    classroom.seen(1)
    assert classroom.state() == "neutral"
    ended = page.call("end_lesson", second["lesson"])
    assert datetime.fromisoformat(ended["ended_at"]) == machine.wall
    assert page.recorder.end_lesson(classroom.lesson.id).ended_at == classroom.lesson.started_at + timedelta(
        seconds=121
    )


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_housekeeping_waits_for_the_lesson_by_the_lessons_own_clock(classroom: Classroom, jump: timedelta) -> None:
    housekeeper = Housekeeper(classroom.page.store, 30)
    classroom.machine.set(jump)
    assert housekeeper._lesson_runs()
    classroom.machine.go(44 * 60)
    assert not housekeeper._lesson_runs()
    housekeeper.delete_expired()
    assert len(classroom.page.store.observations(classroom.lesson.id)) == 120


def test_a_machine_that_slept_makes_the_lesson_older_and_goes_on(classroom: Classroom) -> None:
    page, lesson, machine = classroom.page, classroom.lesson, classroom.machine
    machine.go(20 * 60)
    assert classroom.state() == "silent", "nothing came for twenty minutes"
    assert page.recorder.record(lesson.code, classroom.code, machine.wall, NEUTRAL, 1, "api", None).recorded
    classroom.seen(5)
    assert classroom.state() == "neutral"
    assert page.recorder.status(lesson.id).seconds_left == (45 - 2 - 20) * 60 - 5
    machine.go(60 * 60)
    assert page.recorder.admit(lesson.code, classroom.code).reason == "lesson_ended"
    assert datetime.fromisoformat(page.call("start_lesson", "Next", "3A", 45.0)["started_at"]) == machine.wall


def test_after_a_day_of_sleep_the_retention_is_due(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.store.housekeeping.seconds_passed", lambda: classroom.machine.passed)
    page, machine = classroom.page, classroom.machine
    page.recorder.end_lesson(classroom.lesson.id)
    machine.passed += 3 * 24 * 3600  # POSTPONED counts from the start of the machine
    housekeeper = Housekeeper(page.store, 1)
    housekeeper.tick()
    assert len(page.store.observations(classroom.lesson.id)) == 120
    machine.go(25 * 3600)
    housekeeper.tick()
    assert page.store.observations(classroom.lesson.id).empty


def test_the_real_clock_goes_on_evenly_and_tells_the_machines_time() -> None:
    clock = LessonClock()
    assert abs(clock() - datetime.now(UTC)) < timedelta(seconds=1)
    began = clock.begin("x")
    assert abs(began - clock()) < timedelta(seconds=1)
