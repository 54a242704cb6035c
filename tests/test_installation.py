"""What `pip install` makes of the repository: everything that the packages read at run time comes along."""

import os
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import sys
import numpy
import emotion, analytics
from emotion import EmotionClassifier
assert "torch" not in sys.modules and "openvino" not in sys.modules, "loaded before it is used"
assert emotion.__file__.startswith(sys.argv[1]), emotion.__file__
found = EmotionClassifier(cache=None)(sys.argv[2])
print(found.faces[0].prediction.expression.key)
"""


def run(*arguments: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    answer = subprocess.run(
        [*map(str, arguments)], cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=600
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_the_dependencies_are_those_of_the_app() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["dependencies", "version"]
    assert project["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": ["requirements.txt"]}


@pytest.mark.slow
def test_a_clone_of_the_repository_installs_and_recognises_a_face_without_the_checkout(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("needs the repository's history (git clone)")
    place = tmp_path / "installed"
    pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-compile")
    run(*pip, "--target", place, f"git+file://{ROOT}")
    photograph = ROOT / "emotion" / "station" / "examples" / "astronaut.jpg"
    answer = run(sys.executable, "-c", PROGRAM, place, photograph, cwd=tmp_path, PYTHONPATH=str(place))
    assert answer == "happy\n"
    tracked = run("git", "ls-files", "emotion", "analytics", "checkpoints/resnet152-ferplus-224").splitlines()
    missing = [name for name in tracked if not (place / name).is_file()]
    assert missing == []
    assert not [path for path in place.rglob("*") if fnmatch(path.name, "evaluation*.html")]
