"""A demonstration: the teacher page answers everybody, with what is made up alone, and nobody can change anything.

Here it is a Space without a secret. In its database lie anna's lesson and children all the same, as after a secret was
taken away.
"""

from collections.abc import Iterator

import httpx
import pytest

from analytics.access.login import VISITOR
from analytics.teacher.visitors import READING
from analytics.words.texts import TEXTS
from tests.calibrations import called
from tests.composed import PASSWORD, TITLE, ComposedApp, composed_app
from tests.test_who_may_what import TEACHER_FUNCTIONS, ask, dependencies, functions, outcome, secrets_of_anna

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("space"), space="school/expressions", secret=None) as composed:
        yield composed


def everything_stored(server: ComposedApp) -> list[str]:
    """The content of every table."""
    tables = server.store.query("SELECT table_name FROM duckdb_tables() ORDER BY 1")["table_name"]
    return [f"{table}: {server.store.query(f'SELECT * FROM {table}').to_csv()}" for table in tables]


@pytest.mark.parametrize("who", [VISITOR, "anna", "", "local"])
def test_a_visitor_of_a_demonstration_reads_what_is_made_up_and_changes_nothing(space: ComposedApp, who: str) -> None:
    """Whatever a request calls itself: no account is read there, so anna is a visitor too."""
    before, words = everything_stored(space), secrets_of_anna(space)
    refusals = [f"refused: {TEXTS['en']['error_visitor']}"]
    for name, meant in TEACHER_FUNCTIONS.items():
        about_anna = outcome(space, name, who, real=True)
        assert not [word for word in words if word in about_anna], name
        if name not in READING:
            assert about_anna in refusals, name
        elif meant == "class":
            assert about_anna == outcome(space, name, who, real=False), name
    assert everything_stored(space) == before


def test_every_function_that_a_visitor_may_run_is_in_the_table_and_is_no_lambda_by_chance(space: ComposedApp) -> None:
    assert set(functions(space, "/teacher")) == set(TEACHER_FUNCTIONS)
    assert set(TEACHER_FUNCTIONS) > READING


def test_over_http_a_visitor_gets_the_sample_and_nothing_else(space: ComposedApp) -> None:
    with httpx.Client(base_url=space.url, timeout=120) as visitor:
        assert visitor.get("/teacher/").status_code == 200
        before = everything_stored(space)
        listed, types = dependencies(visitor, "/teacher")
        taught = space.taught["anna"]
        said = (taught.lesson.id, taught.children[0].pseudonym, taught.lesson.class_name)
        for dependency in listed:
            answer = ask(visitor, space, "/teacher", dependency, types)
            assert [word for word in secrets_of_anna(space) if word in answer and word not in said] == [], dependency
            assert not answer.startswith("status"), answer
        lessons = called(space.url, "list_lessons", "", client=visitor)
        assert {lesson["synthetic"] for lesson in lessons} == {True}
        assert len(called(space.url, "class_board", "sample", client=visitor)) == 10
        assert len(called(space.url, "class_board", "demonstration-10-0", client=visitor)) == 10
        query = {"lesson": taught.lesson.code, "child": taught.codes[0]}
        assert visitor.post("/admission", params=query).json()["reason"] == "recording_disabled"
        assert everything_stored(space) == before


def test_with_a_secret_a_demonstration_has_visitors_and_teachers(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        composed_app(tmp_path_factory.mktemp("both"), demonstration=True) as both,
        httpx.Client(base_url=both.url, timeout=120) as visitor,
        httpx.Client(base_url=both.url, timeout=120) as anna,
    ):
        assert anna.post("/teacher/login", data={"username": "anna", "password": PASSWORD}).status_code == 200
        assert TITLE in str(called(both.url, "list_lessons", "", client=anna))
        assert TITLE not in str(called(both.url, "list_lessons", "", client=visitor))
        for name in ("anna", "boris", "(visitor)"):
            forged = httpx.Client(base_url=both.url, cookies={"teacher_session": name}, timeout=120)
            assert TITLE not in str(called(both.url, "list_lessons", "", client=forged))
        taught = both.taught["anna"]
        query = {"lesson": taught.lesson.code, "child": taught.codes[0]}
        assert visitor.post("/admission", params=query).json()["admitted"] is True
        assert "refused" not in outcome(both, "endpoints.start_lesson", "anna", real=True)
        assert TEXTS["en"]["error_visitor"] in outcome(both, "endpoints.start_lesson", VISITOR, real=True)
