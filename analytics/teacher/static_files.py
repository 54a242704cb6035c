"""The style sheet of the teacher page, and the scripts that turn clicks in its HTML into events."""

from pathlib import Path

STATIC = Path(__file__).with_name("static")
CSS = (STATIC / "teacher.css").read_text(encoding="utf-8")
ALERTS = (STATIC / "alerts.js").read_text(encoding="utf-8")
CLICKS = (STATIC / "clicks.js").read_text(encoding="utf-8")
DIALOGS = (STATIC / "dialogs.js").read_text(encoding="utf-8")
SPANS = (STATIC / "spans.js").read_text(encoding="utf-8")
