"""The sample lesson, the class board and the summary of a lesson, on a real store."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.charts.timeline import timeline_figure
from analytics.insight.lesson_summary import class_course, lesson_summary, valence_grid
from analytics.insight.task_effects import student_quantile, welch_interval
from analytics.insight.timeline import SILENT, SPARKLINE_POINTS, binned_means, child_timeline, class_board
from analytics.signals.episodes import AWAY
from analytics.signals.lesson_signals import earlier_baselines, lesson_signals
from analytics.signals.support import KINDS, TROUBLES
from analytics.simulation.sample import SAMPLE_CHILDREN, SAMPLE_MODEL, ensure_sample_lesson
from analytics.store.lesson_store import LessonStore
from analytics.store.records import SAMPLE_CLASS, Child, Event, Lesson, Observation, StoreError
from analytics.teacher.board import tiles_html
from analytics.teacher.summaries import child_summary
from emotion.labels import KEYS

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NEUTRAL = (0.02, 0.01, 0.05, 0.02, 0.01, 0.05, 0.01, 0.83)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LessonStore, Lesson]]:
    with LessonStore(tmp_path_factory.mktemp("sample") / "lessons.duckdb") as store:
        yield store, ensure_sample_lesson(store)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LessonStore]:
    with LessonStore(tmp_path / "lessons.duckdb") as opened:
        opened.add_lesson(Lesson("lesson", "abc234", "Loops", "2B", START, 45.0))
        opened.put_child(Child("fox-pseudonym", "2B", "fox"))
        opened.put_child(Child("owl-pseudonym", "2B", "owl"))
        yield opened


def observed(child: str, second: float, face: bool = True) -> Observation:
    return Observation(
        id=f"{child}-{second}",
        lesson="lesson",
        child=child,
        at=START + timedelta(seconds=second),
        probabilities=NEUTRAL if face else None,
        face_quality=0.8 if face else None,
        faces_seen=int(face),
        source="test",
        model="test",
    )


def test_the_sample_lesson_is_synthetic_has_ended_and_is_made_once(sample: tuple[LessonStore, Lesson]) -> None:
    store, lesson = sample
    assert lesson.synthetic
    assert lesson.ended_at is not None
    assert ensure_sample_lesson(store) == lesson
    assert len(store.children(SAMPLE_CLASS)) == len(SAMPLE_CHILDREN)
    assert len(store.lessons(SAMPLE_CLASS)) == 5


def test_an_interrupted_sample_is_completed(tmp_path: Path, sample: tuple[LessonStore, Lesson]) -> None:
    complete, lesson = sample
    with LessonStore(tmp_path / "lessons.duckdb") as store:
        store.add_lesson(replace(lesson, ended_at=None))
        ensure_sample_lesson(store)
        assert store.find_lesson(lesson.id) == lesson
        assert len(store.observations(lesson.id)) == len(complete.observations(lesson.id))


def test_in_the_sample_the_fox_and_nobody_else_needed_help_after_failing_task_4_twice(
    sample: tuple[LessonStore, Lesson],
) -> None:
    store, lesson = sample
    signals = lesson_signals(store, lesson, lesson.ended_at or START)
    help_needed = [signal for signal in signals if signal.kind in TROUBLES]
    assert [signal.child for signal in help_needed] == ["sample-fox"]
    assert help_needed[0].reason_key == "struggling_after_failure"
    assert help_needed[0].evidence["task"] == "task 4"
    assert help_needed[0].evidence["failures"] == 2
    others = {(signal.child, signal.kind) for signal in signals}
    assert {("sample-bear", "tired"), ("sample-wolf", "away"), ("sample-hare", "delighted")} <= others


def test_a_childs_timeline_has_curves_episodes_and_the_events_of_the_class(sample: tuple[LessonStore, Lesson]) -> None:
    store, lesson = sample
    timeline = child_timeline(store, lesson.id, "sample-wolf")
    assert timeline.animal == "wolf"
    assert any(span.state == AWAY and span.seconds > 170 for span in timeline.episodes)
    assert {"task_started", "task_solved"} <= {event.kind for event in timeline.events}
    assert len(timeline.smoothed) == len(store.observations(lesson.id, "sample-wolf"))


def test_the_board_puts_the_child_that_needs_attention_first(sample: tuple[LessonStore, Lesson]) -> None:
    store, lesson = sample
    rows = class_board(store, lesson.id, lesson.started_at + timedelta(minutes=17))
    assert (rows[0].animal, rows[0].signal) == ("fox", "struggling")
    assert len(rows) == len(SAMPLE_CHILDREN)
    assert all(len(row.sparkline) == SPARKLINE_POINTS for row in rows)


def test_an_enrolled_child_without_frames_is_silent_and_one_without_a_face_is_away(store: LessonStore) -> None:
    store.add_observations([observed("fox-pseudonym", second, face=False) for second in range(30)])
    rows = {row.animal: row for row in class_board(store, "lesson", START + timedelta(seconds=30))}
    assert rows["fox"].state == AWAY
    assert rows["fox"].seconds == pytest.approx(30)
    assert rows["owl"].state == SILENT


def test_a_tablet_that_stops_sending_becomes_silent_since_its_last_frame(store: LessonStore) -> None:
    store.add_observations([observed("fox-pseudonym", second) for second in range(30)])
    rows = {row.animal: row for row in class_board(store, "lesson", START + timedelta(seconds=60))}
    assert rows["fox"].state == SILENT
    assert rows["fox"].since == START + timedelta(seconds=29)


def test_a_tile_tells_the_task_that_a_child_fails_and_who_is_not_here_yet(store: LessonStore) -> None:
    store.add_observations([observed("fox-pseudonym", second) for second in range(30)])
    steps = (("task_started", "2"), ("task_failed", "2"), ("task_failed", "2"), ("task_failed", "2"))
    for place, (kind, task) in enumerate(steps):
        at = START + timedelta(seconds=place)
        store.add_event(Event(f"e{place}", "lesson", "fox-pseudonym", at, kind, task))
    rows = {row.animal: row for row in class_board(store, "lesson", START + timedelta(seconds=29))}
    assert (rows["fox"].failing, rows["fox"].joined) == (("2", 3), True)
    assert (rows["owl"].failing, rows["owl"].joined) == (None, False)
    html = tiles_html(list(rows.values()), [], "en")
    assert "task 2, failed ×3" in html
    assert "not here yet" in html
    store.add_event(Event("solved", "lesson", "fox-pseudonym", START + timedelta(seconds=9), "task_solved", "2"))
    rows = {row.animal: row for row in class_board(store, "lesson", START + timedelta(seconds=29))}
    assert rows["fox"].failing is None


def test_signals_are_worked_out_once_for_all_who_ask_within_four_seconds(store: LessonStore) -> None:
    store.add_observations([observed("fox-pseudonym", second) for second in range(60)])
    lesson = store.find_lesson("lesson")
    assert lesson is not None
    first = lesson_signals(store, lesson, START + timedelta(seconds=60))
    assert lesson_signals(store, lesson, START + timedelta(seconds=62)) is first
    assert lesson_signals(store, lesson, START + timedelta(seconds=70)) is not first


def test_baselines_come_from_earlier_lessons_of_the_class(sample: tuple[LessonStore, Lesson]) -> None:
    store, lesson = sample
    baselines = earlier_baselines(store, lesson)
    assert set(baselines) == {(child.pseudonym, SAMPLE_MODEL) for child in store.children(SAMPLE_CLASS)}
    owl, squirrel = (baselines[f"sample-{animal}", SAMPLE_MODEL] for animal in ("owl", "squirrel"))
    assert owl.negative > squirrel.negative


def test_what_another_network_saw_is_no_baseline_for_this_one(store: LessonStore) -> None:
    for place, model in enumerate(("network-1", "network-1", "network-1+own-1234")):
        began = START - timedelta(days=3 - place)
        store.add_lesson(Lesson(f"earlier-{place}", f"code-{place}", "Loops", "2B", began, 45))
        rows = [
            replace(
                observed("fox-pseudonym", second),
                lesson=f"earlier-{place}",
                model=model,
                at=began + timedelta(seconds=second),
            )
            for second in range(90)
        ]
        store.add_observations(rows)
    lesson = store.find_lesson("lesson")
    assert lesson is not None
    baselines = earlier_baselines(store, lesson)
    assert {model: round(baseline.seconds) for (_, model), baseline in baselines.items()} == {
        "network-1": 180,
        "network-1+own-1234": 90,
    }


def test_an_unknown_lesson_is_named(store: LessonStore) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        class_board(store, "nowhere", START)


def test_the_summary_tells_the_hardest_task_and_what_the_hint_changed(sample: tuple[LessonStore, Lesson]) -> None:
    store, lesson = sample
    summary = lesson_summary(store, lesson.id)
    hardest = max(summary.tasks, key=lambda task: (task.children_struggling, task.failures))
    assert (hardest.task, hardest.failures, hardest.children_failed) == ("task 4", 3, 2)
    hint = next(change for change in summary.changes if change.event.kind == "hint")
    assert hint.child == "sample-fox"
    assert hint.difference > 0
    fox = next(child for child in summary.children if child.animal == "fox")
    assert sum((fox.shares or {}).values()) == pytest.approx(1.0, abs=1e-4)
    wolf = next(child for child in summary.children if child.animal == "wolf")
    assert wolf.seconds_away > 170
    assert {signal.kind for signal in summary.signals} <= set(KINDS)
    assert summary.heat.shape[0] == len(SAMPLE_CHILDREN)
    assert len(summary.course) == summary.heat.shape[1]


def test_a_task_reaches_until_a_child_solves_it_or_the_next_one_starts(store: LessonStore) -> None:
    for number, second in ((1, 0), (2, 100)):
        store.add_event(
            Event(f"t{number}", "lesson", None, START + timedelta(seconds=second), "task_started", f"task {number}")
        )
    store.add_event(Event("s", "lesson", "fox-pseudonym", START + timedelta(seconds=90), "task_solved", "task 1"))
    store.add_observations([observed("fox-pseudonym", second) for second in range(200)])
    earlier, later = lesson_summary(store, "lesson").tasks
    assert (earlier.ended_at, later.started_at) == (START + timedelta(seconds=90), START + timedelta(seconds=100))
    assert earlier.median_minutes == pytest.approx(1.5)
    assert (earlier.children_solved, later.children_solved) == (1, 0)


def test_the_heat_map_leaves_absence_empty_and_the_course_counts_who_was_there() -> None:
    lesson = Lesson("lesson", "abc234", "Loops", "2B", START, 45.0)
    times = pd.to_datetime([START + timedelta(seconds=s) for s in (1, 12, 1, 12)], utc=True)
    smoothed = pd.DataFrame(
        {
            "child": ["a", "a", "b", "b"],
            "at": times,
            "valence": [0.4, np.nan, 0.0, 0.2],
            "face": [True, False, True, True],
        }
    )
    heat = valence_grid(smoothed, lesson)
    np.testing.assert_allclose(heat.loc["a"], [0.4, np.nan])
    course = class_course(heat)
    assert course["present"].tolist() == [2, 1]
    np.testing.assert_allclose(course["valence"], [0.2, 0.2])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=8), st.floats(-0.5, 0.5))
@example([0.0, 0.0, 1e-101], 0.0)  # the square of its variance is too small for a number
def test_the_interval_of_a_change_is_centred_on_it_and_moves_with_it(values: list[float], shift: float) -> None:
    low, high = welch_interval(values, [value + shift for value in values]) or (0.0, 0.0)
    assert (low + high) / 2 == pytest.approx(shift, abs=1e-9)
    assert low <= high


def test_two_values_are_too_few_for_an_interval() -> None:
    assert welch_interval([0.1, 0.2], [0.1, 0.2, 0.3]) is None


def test_students_quantiles_match_the_printed_table() -> None:
    for freedom, printed in ((3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042)):
        assert student_quantile(0.975, freedom) == pytest.approx(printed, rel=0.01)


def test_the_sparkline_averages_five_seconds_per_point_and_leaves_gaps_empty() -> None:
    line = binned_means(np.array([96.0, 99.0, 81.0]), np.array([0.2, 0.4, np.nan]), 100.0)
    assert line[-1] == pytest.approx(0.3)
    assert line[-4] is None
    assert len(line) == SPARKLINE_POINTS


@pytest.mark.slow
def test_the_board_of_a_full_class_is_drawn_fast(store: LessonStore) -> None:
    for number in range(30):
        store.put_child(Child(f"child-{number:02d}", "2B", f"animal-{number}"))
    rng = np.random.default_rng(1)
    rows = []
    for number in range(30):
        for second, weights in enumerate(rng.dirichlet(np.ones(len(KEYS)), 300).tolist()):
            rows.append(replace(observed(f"child-{number:02d}", second), probabilities=tuple(weights)))
    store.add_observations(rows)
    now = START + timedelta(seconds=300)
    class_board(store, "lesson", now)
    started = time.process_time()
    class_board(store, "lesson", now + timedelta(seconds=2))
    assert time.process_time() - started < 1.0  # 0.1 s on a free core; generous, because other tests run beside


def test_the_timeline_says_where_the_child_s_own_layer_read_it(store: LessonStore) -> None:
    models = ["net"] * 3 + ["net+own-12ab34cd"] * 3 + [""] + ["net+own-12ab34cd"] + ["net"]
    for second, model in enumerate(models):
        store.add_observations([replace(observed("fox-pseudonym", second, face=bool(model)), model=model)])
    timeline = child_timeline(store, "lesson", "fox-pseudonym")
    assert [((at - START).seconds, own) for at, own in timeline.layers] == [(0, ""), (3, "own"), (8, "")]
    assert "changed during the lesson" in child_summary(timeline, [], "en")
    assert len(timeline_figure(timeline, "en", "UTC").layout.shapes) == 2
    assert child_timeline(store, "lesson", "owl-pseudonym").layers == []
