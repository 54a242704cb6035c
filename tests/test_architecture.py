"""The house: which wing may import which. Reads every import of both packages, those inside functions too."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# From the ground up: a wing (or a module at the root) imports only what stands before it here.
FLOORS = {
    "emotion": (
        ["labels", "images", "network", "runtime", "faces", "classifier", "personal", "training", "serving", "station"]
    ),
    "analytics": (
        ["access", "store", "classroom", "signals", "simulation", "insight", "words", "charts", "teacher"]
    ),
}  # fmt: skip
# Libraries that a package knows nothing of.
FOREIGN = {"emotion": {"duckdb", "plotly"}, "analytics": {"torch", "torchvision", "cv2", "openvino"}}
# Drawing the losses of a training run is the one thing that `emotion` needs Plotly for.
EXCEPTIONS = {("emotion.training.tracking.metric_files", "plotly"), ("emotion.training.report", "plotly")}
ALIASES = "analytics/former_commands"  # commands of earlier releases, above everything
LARGEST_WING = 20
LONGEST_FILE = 400
ROOT_ENTRIES = 10


def modules(package: str) -> dict[str, Path]:
    """Dotted name -> file of every module of a package, those of former commands apart."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        inside = path.relative_to(ROOT)
        if not inside.as_posix().startswith(ALIASES):
            found[".".join(inside.with_suffix("").parts).removesuffix(".__init__")] = path
    return found


MODULES = modules("emotion") | modules("analytics")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it. A name imported from a wing counts as its module if it is one;
    what only a type checker reads counts as well.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are written out, not relative"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module


def floor_of(module: str) -> int:
    """The floor of a module in its package; a package's own front door stands above everything."""
    package, *rest = module.split(".")
    return FLOORS[package].index(rest[0]) if rest else len(FLOORS[package])


def arrows() -> Iterator[tuple[str, str]]:
    """(importing module, imported module), both of this project."""
    for module, path in MODULES.items():
        for name in imports(path):
            if name.split(".")[0] in FLOORS:
                yield module, name


def test_every_wing_has_its_floor_and_says_what_lives_there():
    for package, floors in FLOORS.items():
        folder = ROOT / package
        present = {
            entry.stem for entry in folder.iterdir() if entry.suffix == ".py" or (entry / "__init__.py").exists()
        }
        assert present - {"__init__"} == set(floors)
        for wing in (folder / name for name in floors if (folder / name).is_dir()):
            assert ast.get_docstring(ast.parse((wing / "__init__.py").read_text(encoding="utf-8"))), wing


def test_no_import_runs_upwards_or_beside_its_floor():
    wrong = [
        f"{module} -> {name}"
        for module, name in arrows()
        if module.split(".")[0] == name.split(".")[0]
        and module.split(".")[1:2] != name.split(".")[1:2]
        and floor_of(name) >= floor_of(module)
    ]
    assert wrong == []


@pytest.mark.parametrize("package", FLOORS)
def test_no_modules_import_each_other_in_a_circle(package):
    graph: dict[str, set[str]] = {}
    for module, name in arrows():
        if module != name:
            graph.setdefault(module, set()).add(name)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_analytics_knows_the_labels_and_the_prediction_of_emotion_alone():
    assert {name for module, name in arrows() if module.startswith("analytics") and name.startswith("emotion")} == {
        "emotion.labels"
    }


def test_emotion_knows_nothing_of_analytics():
    assert [pair for pair in arrows() if pair[0].startswith("emotion") and pair[1].startswith("analytics")] == []


def test_neither_package_imports_the_libraries_of_the_other():
    wrong = {
        (module, library)
        for module, path in MODULES.items()
        for library in {name.split(".")[0] for name in imports(path)} & FOREIGN[module.split(".")[0]]
    }
    assert wrong == EXCEPTIONS


def test_nothing_imports_the_tests_or_the_app():
    for path in MODULES.values():
        assert not {"tests", "app"} & {name.split(".")[0] for name in imports(path)}, path


def test_no_wing_is_crowded_and_no_file_long():
    for package in FLOORS:
        entries = [entry for entry in (ROOT / package).iterdir() if entry.name not in ("__init__.py", "__pycache__")]
        assert len(entries) <= ROOT_ENTRIES, sorted(entry.name for entry in entries)
    wings: dict[Path, int] = {}
    for path in (*MODULES.values(), ROOT / "app.py", *(ROOT / "tests").rglob("*.py")):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, path
        if path.name != "__init__.py" and path in MODULES.values():
            wings[path.parent] = wings.get(path.parent, 0) + 1
    assert max(wings.values()) <= LARGEST_WING, wings
