"""What the README promises of privacy, sentence by sentence, and which tests hold it to that.

A sentence that is added or changed fails here until it is said what proves it.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import httpx
import pytest

from analytics.access import known_devices
from analytics.store.lesson_store import LessonStore
from analytics.store.records import utc_now
from emotion.labels import KEYS
from emotion.station import tablet_marks
from tests.benchmarks.analytics import add_lesson
from tests.composed import CLASSES, PASSWORD, account_variable, composed_app
from tests.running_app import free_port, running_app

TESTS = Path(__file__).parent
README = (TESTS.parent / "README.md").read_text(encoding="utf-8")
SECTIONS = ("Responsible use and the law", "Privacy and storage")

STORE, CLASSROOM = "analytics/store", "analytics/classroom"
HERE = "test_promises.py::"
# By the beginning of each sentence. "": a statement on the law, or advice, which no program can prove.
PROVED_BY: dict[str, str] = {
    "An expression is how": "",
    "A signal is a reason to look up": "",
    "Never use it for grades": "",
    "EU: the AI Act": "",
    "Do not use this on pupils": "",
    "GDPR Art": "",
    "Russia: 152-FZ": "",
    "A public Space is a demonstration": HERE + "test_a_space_without_a_secret_records_nothing",
    "Consent is on file before the first frame": f"{CLASSROOM}/test_recorder.py::"
    "test_what_happened_before_consent_was_given_is_not_recorded "
    "test_station_rights.py::test_withdrawing_consent_stops_the_next_frame_admission_and_event "
    f"{STORE}/test_upkeep.py::test_an_erased_child_is_gone_from_tables_file_log_backups_and_exports",
    "A consent form": f"{CLASSROOM}/test_consent.py::test_both_forms_are_of_one_version",
    "FER+ shows mostly grown-ups": "",
    "How the model does on faces": "test_readme.py::test_every_link_leads_to_a_file_and_a_heading",
    "Stored for each frame": HERE + "test_the_tables_hold_what_the_readme_names_and_nothing_else",
    "For each child": HERE + "test_the_tables_hold_what_the_readme_names_and_nothing_else",
    "With a consent of its own": HERE + "test_the_tables_hold_what_the_readme_names_and_nothing_else "
    f"{CLASSROOM}/test_calibrator.py::test_without_a_consent_of_its_own_there_is_no_link",
    "They are not used to tell": f"{STORE}/test_calibrations.py::"
    "test_forgetting_leaves_no_byte_in_the_file_and_the_child_stays "
    f"{CLASSROOM}/test_calibrator.py::test_withdrawing_it_ends_the_link_and_deletes_what_was_taught",
    "Also: lessons, events": HERE + "test_the_tables_hold_what_the_readme_names_and_nothing_else "
    f"{CLASSROOM}/test_recorder.py::test_each_change_of_consent_is_written_down_without_code_or_pseudonym "
    "analytics/teacher/test_export.py::test_an_export_is_written_down_and_for_its_owner_only",
    "Never stored: pictures": "test_no_image_on_disk.py::test_in_a_whole_lesson_no_picture_is_written_to_a_disk "
    f"{CLASSROOM}/test_recorder.py::test_the_code_itself_is_stored_nowhere",
    "In browsers: both codes": HERE + "test_browsers_keep_cookies_without_name_or_code_for_so_many_days "
    "browser/test_walks.py::test_a_child_comes_by_its_link_reloads_and_stops",
    "What parents may ask for": "analytics/teacher/test_child_export.py::test_it_holds_all_about_the_child "
    "analytics/teacher/test_child_export.py::test_it_is_written_down_and_lies_among_the_copies_to_be_fetched_alone",
    "EMOTION_RETENTION_DAYS, backups": f"{STORE}/test_upkeep.py::test_retention_deletes_what_is_older_and_nothing_else "
    f"{STORE}/test_erasing.py::test_retention_reaches_files_that_were_kept_aside",
    "Who sees it": "test_who_may_what.py::test_every_function_is_in_the_table "
    "test_programs.py::test_a_token_opens_its_classes_until_it_is_revoked_while_the_app_runs "
    "test_programs.py::test_a_tablet_reads_the_signals_of_its_own_child_and_learns_nothing_else",
    "Erasing a child removes it": f"{STORE}/test_upkeep.py::"
    "test_an_erased_child_is_gone_from_tables_file_log_backups_and_exports "
    f"{STORE}/test_erasing.py::test_files_that_were_kept_aside_or_left_half_made_are_reached_too "
    f"{STORE}/test_hub_backup.py::"
    "test_an_erased_child_is_gone_from_the_copy_and_from_its_history_after_the_next_round",
    "What stays is a hash": f"{STORE}/test_revocations.py::test_the_list_names_nobody_and_is_for_its_owner_alone "
    f"{STORE}/test_revocations.py::test_a_child_erased_since_the_backup_stays_erased",
    "Each step is done or still due": f"{STORE}/test_erasing_stopped.py::"
    "test_a_kill_at_some_lines_leaves_it_done_or_still_due "
    f"{STORE}/test_erasing.py::"
    "test_on_a_full_disk_nothing_is_begun_or_the_rest_stays_due_until_there_is_room",
    "A lesson that nobody ends": f"{CLASSROOM}/test_recorder.py::"
    "test_a_lesson_that_nobody_ends_closes_itself_after_its_overtime",
    "The pseudonym is an HMAC": f"{CLASSROOM}/test_pseudonyms.py::"
    "test_a_pseudonym_is_the_start_of_an_hmac_and_does_not_show_the_code "
    f"{CLASSROOM}/test_pseudonyms.py::test_a_secret_is_generated_once_for_its_owner_only",
    "The data are pseudonymised": "",
    "All lessons are in one DuckDB file": f"{STORE}/test_store_files.py::"
    "test_every_connection_is_made_in_one_place_which_installs_and_loads_nothing",
    "One thread writes it": f"{STORE}/test_store_faults.py::test_a_killed_process_loses_no_acknowledged_row",
    "One process may open the file": f"{STORE}/test_store_faults.py::"
    "test_a_second_process_gets_a_clear_message_and_the_first_goes_on",
    "A million frames take": HERE + "test_a_million_frames_take_what_the_readme_says",
    "A damaged file is kept": f"{STORE}/test_upkeep.py::"
    "test_a_damaged_database_is_kept_aside_and_a_fresh_one_started_loudly",
    "A file deleted under the running app": f"{STORE}/test_store_faults.py::"
    "test_a_file_that_is_taken_away_from_a_running_app_is_written_anew_and_loses_nothing "
    f"{STORE}/test_store_faults.py::"
    "test_a_file_that_is_damaged_under_a_running_app_is_said_and_restored_without_a_restart",
    "A file of DuckDB 1": f"{STORE}/test_storage_upgrade.py::"
    "test_every_row_is_there_and_one_copy_in_the_old_format_is_kept",
    "Commands read EMOTION_DATABASE": "analytics/access/test_command_settings.py::"
    "test_a_backup_is_made_of_the_database_that_the_app_opens",
    "Each may be a link": f"{STORE}/test_links_and_mounts.py::"
    "test_a_restore_fills_the_same_file_and_keeps_what_was_there",
    "With EMOTION_BACKUP_DATASET": f"{STORE}/test_hub_backup.py::"
    "test_what_was_uploaded_comes_back_where_the_disk_is_empty",
    "Off by default": f"{STORE}/test_hub_backup.py::test_nothing_is_uploaded_where_no_data_set_is_named",
}


def sentences() -> Iterator[str]:
    """The sentences of the two sections, without marks, links and code blocks."""
    for section in SECTIONS:
        _, _, rest = README.partition(f"### {section}\n")
        text = re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]
        text = re.sub(r"```.*?```", "\n\n", text, flags=re.DOTALL)
        text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text).replace("**", "").replace("`", "")
        text = re.sub(r"(?<![\w*])\*([^*]+)\*", r"\1", text)
        for paragraph in re.split(r"\n\s*\n|^- ", text, flags=re.MULTILINE):
            whole = " ".join(paragraph.split())
            yield from (part for part in re.split(r"(?<=[.:!?]) (?=[A-Z])(?<!Art\. )", whole) if len(part) > 12)


def beginning_of(sentence: str) -> list[str]:
    return [beginning for beginning in PROVED_BY if sentence.startswith(beginning)]


@pytest.mark.parametrize("sentence", list(sentences()))
def test_every_sentence_on_privacy_says_what_proves_it(sentence: str) -> None:
    assert len(beginning_of(sentence)) == 1, sentence


def test_no_proof_is_of_a_sentence_that_is_gone() -> None:
    used = {beginning for sentence in sentences() for beginning in beginning_of(sentence)}
    assert set(PROVED_BY) - used == set()


@pytest.mark.parametrize("proof", sorted({proof for proofs in PROVED_BY.values() for proof in proofs.split()}))
def test_every_proof_is_a_test(proof: str) -> None:
    file, _, name = proof.partition("::")
    assert re.search(rf"^def {name}\(", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE)


# What the README calls by a word, or leaves out as it is of the program alone.
COLUMNS = {
    "observation": {"lesson", "child", "at", "fingerprint", *KEYS, "face_quality", "faces_seen", "source", "model"},
    "class_calibration": {"class_name", "at", "network", "frames", "shown", "recall_before", "recall_after", "gain_low"}
    | {"gain_high", "adopted", "in_use", "head"},
    "calibration_frame": {"child", "id", "burst", "label", "at", "network", "features", "left_out"},
    "calibration": {
        "child",
        "at",
        "network",
        "frames",
        "shown",
        "recall_before",
        "recall_after",
        "gain_low",
        "gain_high",
    }
    | {"adopted", "in_use", "head"},
    "child": {"number", "pseudonym", "class_name", "animal", "calibration_consent_at"}
    | {f"consent_{part}" for part in ("version", "role", "given_at", "expires_at", "withdrawn_at")},
    "lesson": {"number", "id", "code", "title", "class_name", "started_at", "planned_minutes", "ended_at"}
    | {"synthetic", "teacher"},
    "event": {"id", "lesson", "child", "at", "kind", "detail"},
    "correction": {"id", "lesson", "child", "start", "end", "label", "note", "at"},
    "audit": {"at", "actor", "action", "detail"},
    "schema_version": {"version", "applied_at"},
}


def test_the_tables_hold_what_the_readme_names_and_nothing_else(tmp_path: Path) -> None:
    with LessonStore(tmp_path / "lessons.duckdb"):
        pass
    with duckdb.connect(tmp_path / "lessons.duckdb", read_only=True) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'main'"
        ).fetchall()
    found: dict[str, set[str]] = {}
    for table, column in rows:
        found.setdefault(table, set()).add(column)
    assert found == COLUMNS


def test_browsers_keep_cookies_without_name_or_code_for_so_many_days(tmp_path: Path) -> None:
    day = 24 * 3600
    assert (90 * day, 180 * day) == (tablet_marks.VALID_SECONDS, known_devices.VALID_SECONDS)
    with composed_app(tmp_path) as composed:
        taught = composed.taught["anna"]
        form = {"username": "anna", "password": PASSWORD}
        answers = [
            httpx.post(composed.url + "/teacher/login", data=form),
            httpx.post(composed.url + "/admission", params={"lesson": taught.lesson.code, "child": taught.codes[0]}),
        ]
        cookies = [cookie for answer in answers for cookie in answer.headers.get_list("set-cookie")]
    assert len(cookies) == 4, "a session for the page and one for programs, the computer's and the tablet's"
    child = taught.children[0]
    for cookie in cookies:
        for word in ("anna", PASSWORD, taught.lesson.code, taught.codes[0], child.pseudonym, child.animal):
            assert word.lower() not in cookie.lower()
        assert "HttpOnly" in cookie


@pytest.mark.slow
def test_a_space_without_a_secret_records_nothing(tmp_path: Path) -> None:
    with running_app(
        tmp_path,
        free_port(),
        SPACE_ID="owner/space",
        EMOTION_SECRET="",
        EMOTION_ACCOUNTS=account_variable(CLASSES),
        GRADIO_SERVER_NAME="127.0.0.1",
    ) as app:
        picture = (TESTS.parent / "emotion/station/examples/astronaut.jpg").read_bytes()
        answer = httpx.post(app.url + "/observe?lesson=sample&child=fox-aaaa", content=picture, timeout=60)
    assert not answer.json()["recorded"]
    with LessonStore(tmp_path / "lessons.duckdb") as store:
        assert all(lesson.synthetic for lesson in store.lessons())


@pytest.mark.slow
def test_a_million_frames_take_what_the_readme_says(tmp_path: Path) -> None:
    """Measured on six lessons of thirty children and 45 minutes, half a million frames."""
    with LessonStore(tmp_path / "lessons.duckdb") as store:
        for number in range(6):
            add_lesson(store, number, utc_now() - timedelta(days=7 - number), 2700, ended=True)
        with store.database.cursor() as cursor:
            cursor.execute("CHECKPOINT")
            ((rows,),) = cursor.execute("SELECT count(*) FROM observation").fetchall()
    megabytes = (tmp_path / "lessons.duckdb").stat().st_size / 1e6
    assert 50 <= megabytes / rows * 1e6 <= 62
