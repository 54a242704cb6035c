"""The documents name only files, headings, commands and words of the pages that exist."""

import re
from pathlib import Path

import pytest

from analytics.words.texts import TEXTS as TEACHER_TEXTS
from emotion.serving.texts import SITE_BAR
from emotion.station.texts import TEXTS as STATION_TEXTS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "tests" / "benchmarks" / "RESULTS.md",
    ROOT / "checkpoints" / "resnet152-ferplus-224" / "README.md",
    *sorted((ROOT / "analytics" / "classroom" / "documents").glob("*.md")),
]
each = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def headings(document: Path) -> set[str]:
    """The anchors of a Markdown file, as GitHub and the Hub make them."""
    lines = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


@each
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            file = document.parent / path if path else document
            assert file.is_file(), target
            assert not anchor or anchor in headings(file), target


@each
def test_every_path_of_this_repository_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    paths = re.findall(r"(?<![\w/.-])(?:emotion|analytics|tests|checkpoints)/[\w/.-]*\w", text)
    paths += re.findall(r"(?<![\w/.-])[\w/]+\.py\b", text)
    missing = {path for path in paths if not any((folder / path).exists() for folder in (ROOT, ROOT / "tests"))}
    assert missing == set()


@each
def test_every_command_is_a_module_that_runs(document: Path) -> None:
    for module in re.findall(r"python -m ((?:emotion|analytics|tests)[\w.]*\w)", document.read_text(encoding="utf-8")):
        file = ROOT / f"{module.replace('.', '/')}.py"
        assert file.is_file(), module
        assert '__name__ == "__main__"' in file.read_text(encoding="utf-8"), module


def test_the_russian_page_for_teachers_quotes_the_words_of_the_screen() -> None:
    """Every bold phrase of the Russian page is a text of the program, or the beginning of one."""
    shown = [*TEACHER_TEXTS["ru"].values(), *STATION_TEXTS["ru"].values(), *SITE_BAR["ru"].values()]
    page = (ROOT / "analytics" / "classroom" / "documents" / "teacher.ru.md").read_text(encoding="utf-8")
    for phrase in re.findall(r"\*\*(.+?)\*\*", page, re.DOTALL):
        assert any(text.startswith(phrase) for text in shown), phrase
