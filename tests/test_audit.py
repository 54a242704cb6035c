"""What the dependency audit of CI makes of the answers of a vulnerability service."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

HOLE = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.0"], "description": ""}
FINE, BAD = {"name": "fine", "version": "1", "vulns": []}, {"name": "bad", "version": "1", "vulns": [HOLE]}


@pytest.fixture
def audit() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / ".ci" / "audit.py"
    description = importlib.util.spec_from_file_location("audit", path)
    assert description is not None
    assert description.loader is not None
    module = importlib.util.module_from_spec(description)
    description.loader.exec_module(module)
    return module


def answering(*installed: object) -> object:
    return lambda _, *arguments: [BAD] if "--requirement" in arguments else list(installed)


def test_a_known_vulnerability_in_an_installed_package_fails_the_build(audit, monkeypatch, capsys):
    monkeypatch.setattr(audit, "audit", answering(FINE, BAD))
    assert audit.main() == 1
    assert "bad 1: CVE-1, PYSEC-1, fixed in 2.0" in capsys.readouterr().out


def test_an_accepted_vulnerability_passes_with_its_reason(audit, monkeypatch, capsys):
    monkeypatch.setattr(audit, "audit", answering(FINE, BAD))
    monkeypatch.setitem(audit.ACCEPTED, "CVE-1", "2026-11-22: the function is never called")
    assert audit.main() == 0
    assert "accepted: 2026-11-22" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [None, [FINE]], ids=["nothing answers", "a mirror finds everything fine"])
def test_a_service_that_misses_a_known_vulnerability_counts_as_out_of_reach(audit, monkeypatch, capsys, answer):
    monkeypatch.setattr(audit, "audit", lambda *_: answer)
    assert audit.main() == 0
    assert "NOTHING WAS AUDITED" in capsys.readouterr().out


def test_every_accepted_vulnerability_has_a_reason_with_a_date(audit):
    assert all(len(reason) > 20 and reason[:4].isdigit() for reason in audit.ACCEPTED.values())
