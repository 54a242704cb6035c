"""The environment becomes settings, or a sentence that says which variable is wrong and what would do."""

import re
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from emotion.serving.settings import Settings, SettingsError, variables

README = Path(__file__).resolve().parents[3] / "README.md"


def test_without_settings_the_app_is_private_to_this_computer():
    settings = Settings.from_environment({})
    assert (settings.host, settings.port) == ("127.0.0.1", 7860)
    assert settings == Settings()


def test_an_empty_value_counts_as_not_set():
    assert Settings.from_environment({"EMOTION_RETENTION_DAYS": "  "}).retention_days == 30


def test_on_a_space_everybody_can_reach_the_app():
    assert Settings.from_environment({"SPACE_ID": "owner/name"}).host == "0.0.0.0"


def test_address_and_port_come_from_gradios_own_variables():
    settings = Settings.from_environment({"GRADIO_SERVER_NAME": "192.168.1.5", "GRADIO_SERVER_PORT": "8000"})
    assert (settings.host, settings.port) == ("192.168.1.5", 8000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMOTION_RETENTION_DAYS", "a month"),
        ("EMOTION_RETENTION_DAYS", "0"),
        ("EMOTION_FRAMES_PER_SECOND", "0.1"),
        ("EMOTION_FRAMES_PER_SECOND", "nan"),
        ("EMOTION_FRAMES_PER_SECOND", "fast"),
        ("EMOTION_DEMONSTRATION", "maybe"),
        ("EMOTION_RUNTIME", "tensorflow"),
        ("EMOTION_DATABASE", "/"),
        ("EMOTION_TLS_CERTIFICATE", "/no/such/file"),
        ("GRADIO_SERVER_PORT", "70000"),
    ],
)
def test_a_bad_value_names_the_variable_and_itself(name, value):
    with pytest.raises(SettingsError, match=re.escape(name)) as caught:
        Settings.from_environment({name: value})
    assert value in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "is_demonstration", "keeps_lessons"),
    [
        ({}, False, True),
        ({"EMOTION_DEMONSTRATION": "1"}, True, False),
        ({"EMOTION_DEMONSTRATION": "1", "EMOTION_SECRET": "s" * 32}, True, True),
        ({"SPACE_ID": "owner/name"}, True, False),
        ({"SPACE_ID": "owner/name", "EMOTION_SECRET": "s" * 32}, False, True),
    ],
)
def test_a_space_without_a_secret_is_a_demonstration_and_lessons_are_kept_with_one(
    environment, is_demonstration, keeps_lessons
):
    settings = Settings.from_environment(environment)
    assert (settings.is_demonstration, settings.keeps_lessons) == (is_demonstration, keeps_lessons)


def test_a_short_secret_is_refused_without_being_repeated():
    with pytest.raises(SettingsError, match="EMOTION_SECRET") as caught:
        Settings.from_environment({"EMOTION_SECRET": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_certificate_and_key_belong_together(tmp_path):
    certificate = tmp_path / "certificate.pem"
    certificate.touch()
    with pytest.raises(SettingsError, match="EMOTION_TLS_KEY"):
        Settings.from_environment({"EMOTION_TLS_CERTIFICATE": str(certificate)})


def test_a_misspelt_variable_gets_a_warning(caplog):
    Settings.from_environment({"EMOTION_SECRT": "x" * 40})
    assert "EMOTION_SECRT" in caplog.text


def test_the_readme_lists_every_setting_with_its_default_and_meaning_and_no_other():
    rows = re.findall(r"^\| `EMOTION_.*$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(row(name, field) for name, field in variables().items())


def row(name: str, field: FieldInfo) -> str:
    default = "" if field.default is None else f"`{str(field.default).removeprefix(f'{README.parent}/')}`"
    return f"| `{name}` | {default} | {field.description} |"
