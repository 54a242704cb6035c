"""What a researcher reads out of an export with pandas: signals with endings, affect, frame ids and times."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.signals.lesson_signals import lesson_signals
from analytics.store.lesson_store import LessonStore
from analytics.teacher.export import DICTIONARY, export_lesson
from emotion.labels import CIRCUMPLEX, Emotion
from tests.analytics.examples import HAPPY, START, make_child, make_lesson, make_observation

END = START + timedelta(seconds=90)


def table(file: Path, name: str) -> pd.DataFrame:
    """Read with nothing but pandas' own defaults."""
    with zipfile.ZipFile(file) as archive:
        content = io.BytesIO(archive.read(f"{name}.{file.suffixes[0][1:]}"))
    return pd.read_csv(content) if file.suffixes[0] == ".csv" else pd.read_parquet(content)


@pytest.fixture
def away(store: LessonStore) -> LessonStore:
    """A child is seen for thirty seconds and is then away to the end of its lesson."""
    store.add_lesson(make_lesson())
    store.put_child(make_child())
    frames = [
        make_observation(second, probabilities=HAPPY if second < 30 else None, identity=f"frame-{second}")
        for second in range(90)
    ]
    store.add_observations(frames)
    return store


def test_a_signal_that_lasts_has_no_ending_while_the_lesson_runs_and_the_lesson_s_afterwards(
    away: LessonStore,
) -> None:
    running = away.find_lesson("lesson-1")
    assert running is not None
    (known,) = lesson_signals(away, running, END)
    assert known.end is None
    away.end_lesson("lesson-1", END)
    for file_format in ("csv", "parquet"):
        rows = table(export_lesson(away, "lesson-1", file_format, "teacher"), "signals")
        assert list(rows["kind"]) == ["away"]
        assert list(rows["animal"]) == ["fox"]
        start, raised, end = (pd.to_datetime(rows[name])[0] for name in ("start", "raised", "end"))
        assert start < raised < end == pd.Timestamp(END)
        assert json.loads(rows["evidence"][0]).keys() == {"seconds"}
        assert rows["suggestion"][0] == "teacher"
        assert rows["id"].astype(str)[0] == known.id, "the page's and the endpoint's own"


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_every_frame_has_its_id_its_time_and_where_it_lies_on_the_circumplex(
    away: LessonStore, file_format: str
) -> None:
    rows = table(export_lesson(away, "lesson-1", file_format, "teacher"), "observations")
    times = pd.to_datetime(rows["at"])
    assert list((times - pd.Timestamp(START)).dt.total_seconds()) == list(range(90))
    expected = np.array(HAPPY) @ np.array([CIRCUMPLEX[emotion] for emotion in Emotion])
    assert rows[["valence", "arousal"]].iloc[0].to_numpy(float) == pytest.approx(expected, abs=1e-6)
    assert list(rows["valence"].isna()) == [False] * 30 + [True] * 60
    frames = [hashlib.sha256(f"{'c' * 20}\0frame-{second}".encode()).hexdigest()[:16] for second in range(90)]
    assert list(rows["frame"].astype(str)) == frames


def test_the_dictionary_gives_the_format_of_every_time() -> None:
    for name, columns in DICTIONARY.items():
        for column in set(columns) & {"at", "start", "end", "raised", "started_at", "ended_at"}:
            assert "%Y-%m-%dT%H:%M:%OSZ" in columns[column], (name, column)
