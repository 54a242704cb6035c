"""The demonstration on *Now*: one button plays a synthetic lesson, of which nothing is stored and nothing answered."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from analytics.classroom.recorder import LessonRecorder
from analytics.simulation.demonstration import Demonstration
from analytics.simulation.sample import SAMPLE_ID, ensure_sample_lesson
from analytics.store.clock import LessonClock
from analytics.store.lesson_store import LessonStore
from analytics.teacher.page import build_teacher
from analytics.teacher.tabs import now as tab_now
from analytics.words.texts import TEXTS
from tests.analytics.teacher.page_handlers import handlers

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)  # when the first copy begins
LESSON = "demonstration-10-0"


class Watched:
    """The teacher page, ``seconds`` after noon. ``run`` and ``call``: its handlers and endpoints."""

    def __init__(self, path: Path) -> None:
        self.seconds = 0.0
        self.language = "en"
        self.store = LessonStore(
            path, LessonClock(lambda: NOON + timedelta(seconds=self.seconds), lambda: self.seconds)
        )
        self.recorder = LessonRecorder(self.store, b"s" * 32)
        self.blocks = build_teacher(self.store, self.recorder, lambda _request: self.language)
        self.run = handlers(self.blocks)

    def call(self, name: str, *arguments: Any) -> Any:
        found = next(block.fn for block in self.blocks.fns.values() if block.api_name == name)
        assert found is not None
        return found(*arguments, request=gr.Request(SimpleNamespace(headers={})))  # type: ignore[arg-type]

    def board(self, before: str = "") -> str:
        """The HTML of the tab after ``before`` was shown."""
        return str(self.run("tabs.now", "refresh", "now", LESSON, "UTC", before)[1])

    def everything_stored(self) -> list[object]:
        """The content of every table."""
        tables = self.store.query("SELECT table_name FROM duckdb_tables() ORDER BY 1")["table_name"]
        return [(table, self.store.query(f'SELECT * FROM "{table}"').to_csv()) for table in tables]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "lessons.duckdb"
    with LessonStore(path) as store:
        ensure_sample_lesson(store)
    return path


@pytest.fixture
def page(tmp_path: Path, sample: Path) -> Iterator[Watched]:
    watched = Watched(Path(shutil.copy(sample, tmp_path / "lessons.duckdb")))
    with watched.store:
        yield watched


def test_where_there_is_no_lesson_yet_one_button_plays_one(page: Watched) -> None:
    shown = str(page.run("tabs.now", "refresh", "now", SAMPLE_ID, "UTC", "")[1])
    assert 'data-act="play" data-speed="10"' in shown
    assert "synthetic data" in shown
    chosen = page.run("tabs.now", "play", "UTC", gr.EventData(None, {"speed": "10"}))
    assert chosen.value == LESSON
    assert chosen.choices[0] == ("Loops with the robot · synthetic, being played", LESSON)
    assert page.run("tabs.now", "play", "UTC", gr.EventData(None, {"speed": "1"})).value == "demonstration-1-0"
    assert page.run("tabs.now", "stop", "UTC").value == SAMPLE_ID
    status, end, *_, timer, _ = page.run("page", "choose", LESSON, None)
    assert timer.active
    assert not end.visible, "there is nothing to end"
    assert "synthetic" in status


def test_a_lesson_of_ones_own_has_no_such_button(page: Watched) -> None:
    own = page.recorder.start_lesson("Robots", "2B", 45)
    shown = str(page.run("tabs.now", "refresh", "now", own.id, "UTC", "")[1])
    assert 'data-act="play"' not in shown
    assert 'data-act="stop"' not in shown


def test_now_fills_and_signals_come_and_go(page: Watched) -> None:
    heads = {}
    for page.seconds in (2, 50, 70, 96, 112):
        board = page.board()
        assert 'data-act="stop"' in board
        assert "Synthetic data, played ten times faster" in board
        assert board.count('class="tile') > 10
        heads[page.seconds] = board.partition('role="status">')[2].partition("<")[0]
    assert heads[2] == "All is calm: no signals just now."
    assert heads[50] == "Wolf may need you now."
    assert heads[70] == "All is calm: no signals just now."
    assert heads[96] == "Fox may need you now."
    assert "Bear" in heads[112]
    assert page.call("class_board", LESSON)[0]["child"].startswith("sample-")
    assert page.call("signals", LESSON)["signals"][0]["kind"] == "delighted"


def test_every_tab_says_that_it_is_synthetic(page: Watched) -> None:
    page.seconds = 100
    for page.language, word in (("en", "ynthetic"), ("ru", "интетическ")):
        assert word in page.board()
        assert word in page.run("page", "tick", LESSON)
        assert word in page.run("tabs.now", "play", "UTC", gr.EventData(None, {"speed": "10"})).choices[0][0]
    texts = TEXTS["ru"]
    assert texts["synthetic"] in page.run("tabs.now", "refresh_mood", "now", LESSON, "UTC")[0].to_json()
    assert texts["synthetic_long"] in str(page.run("tabs.report", "refresh", "report", LESSON, None, "UTC")[1])
    figure, _ = page.call("timeline", LESSON, "sample-fox", "en")
    assert TEXTS["en"]["synthetic"] in figure.to_json() if hasattr(figure, "to_json") else str(figure)


def refused(attempt: Callable[[], object]) -> str:
    with pytest.raises(gr.Error) as error:
        attempt()
    return str(error.value.message)


def test_it_is_answered_changed_ended_and_exported_by_nobody(page: Watched) -> None:
    page.seconds = 100
    before = page.everything_stored()
    assert 'data-act="answer"' not in page.board()
    answer = {"child": "sample-fox", "kind": "struggling", "answer": "helped", "signal": "s"}
    at = Demonstration(page.store.clock).time(LESSON).isoformat()
    attempts: list[Callable[[], object]] = [
        lambda: page.run("tabs.now", "answer", LESSON, "UTC", gr.EventData(None, answer)),
        lambda: page.call("annotate", LESSON, "sample-fox", at, at, "sad", "x"),
        lambda: page.call("end_lesson", LESSON),
        lambda: page.run("page", "finish_lesson", LESSON, None, "UTC"),
        lambda: page.run("tabs.report", "make_export", LESSON, "csv", "UTC"),
    ]
    for attempt in attempts:
        assert refused(attempt) == TEXTS["en"]["error_played"]
    assert page.everything_stored() == before


def test_nothing_of_it_is_stored_and_no_station_finds_it(page: Watched) -> None:
    before = page.everything_stored()
    for page.seconds in range(0, 180, 30):
        for tab, handler, *arguments in (
            ("tabs.now", "refresh", "now", LESSON, "UTC", ""),
            ("tabs.child", "refresh", "child", LESSON, "sample-fox", "UTC", ""),
            ("tabs.lesson", "refresh", "lesson", LESSON, "UTC"),
            ("tabs.trends", "refresh", "trends", LESSON, "sample-fox", "valence", "UTC"),
            ("tabs.report", "refresh", "report", LESSON, None, "UTC"),
        ):
            page.run(tab, handler, *arguments)
    assert page.everything_stored() == before
    assert not page.recorder.status(LESSON).found
    assert LESSON not in str(page.call("list_lessons"))


def test_many_viewers_cost_as_much_as_one(page: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    real = tab_now.class_board
    monkeypatch.setattr(tab_now, "class_board", lambda *given: made.append(given) or real(*given))
    for page.seconds in (20.0, 20.3, 21.9):
        boards = {page.board() for _ in range(20)}
        assert len(boards) == 1
    assert len(made) == 1
    page.seconds = 22
    page.board()
    assert len(made) == 2
