"""What programs import and start by name: it is there, and it loads no more than it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "openvino", "gradio", "plotly"}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    "line", ["from emotion import Emotion, EmotionClassifier, Prediction", "from analytics import LessonStore"]
)
def test_the_public_names_are_there_and_load_nothing_heavy(line):
    answer = python("-c", f"{line}\nimport sys\nprint(*sys.modules)")
    assert answer.returncode == 0, answer.stderr
    assert HEAVY & set(answer.stdout.split()) == set()


@pytest.mark.parametrize(
    ("former", "present"),
    [("analytics.accounts", "analytics.access.accounts"), ("analytics.backup", "analytics.store.backup")],
)
def test_the_commands_of_earlier_releases_work_and_name_the_present_ones(former, present):
    answer = python("-m", former, "--help")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("usage:")
    assert f"python -m {present}" in answer.stderr
