"""The consent form that comes along, and the version under which an agreement to it is put on file."""

import re
from pathlib import Path

FORMS = {language: Path(__file__).with_name("documents") / f"consent-form.{language}.md" for language in ("en", "ru")}
VERSION_PATTERN = re.compile(r"(?:Version|Версия) (\S+?)\.\*$", re.MULTILINE)


def consent_form_version(language: str = "en") -> str:
    """The version that stands in the head of the form. ValueError where there is none."""
    found = VERSION_PATTERN.search(FORMS[language].read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{FORMS[language]} names no version: end its second paragraph with “Version 1.*”")
    return found[1]
