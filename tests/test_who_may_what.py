"""Every function behind the pages, named or not, from the server's own configuration, tried by everybody.

Anna teaches a class, Boris another one. Whatever Boris (or a stranger) asks about anna's lesson and children is
answered exactly as if they did not exist, and nothing of hers is in any answer. A function that is not in the table
fails.
"""

import inspect
import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.context import LocalContext

from analytics.store.records import utc_now
from tests.calibrations import Child, called, show
from tests.composed import HINT, NOTE, PASSWORD, TITLE, ComposedApp, composed_app

pytestmark = pytest.mark.slow

# What the functions of the teacher page are for. "class": only who teaches the class of the lesson or child gets an
# answer. "own": takes no lesson; answers of the caller's own classes alone. "nothing": tells nothing of any child.
# In the order in which they are tried, so that what ends or erases comes last.
TEACHER_FUNCTIONS = {
    "page.settle": "nothing",
    "page.arrive": "own",
    "page.choose": "class",
    "page.tick": "class",
    "page.<lambda>": "nothing",
    "layout.choose": "class",
    "layout.<lambda>": "nothing",
    "now.refresh": "class",
    "now.refresh_mood": "class",
    "now.play": "own",
    "now.stop": "own",
    "child.refresh": "class",
    "child.compare": "class",
    "child.show_table": "class",
    "child.take_span": "nothing",
    "child.<lambda>": "nothing",
    "calibration.refresh": "class",
    "calibration.<lambda>": "nothing",
    "lesson.refresh": "class",
    "trends.refresh": "class",
    "report.refresh": "class",
    "classes.refresh": "class",
    "classes.<lambda>": "nothing",
    "projector.show_code": "class",
    "projector.<lambda>": "nothing",
    "about.refresh": "own",
    "endpoints.list_lessons": "own",
    "endpoints.timeline": "class",
    "endpoints.class_board_endpoint": "class",
    "endpoints.lesson_summary": "class",
    "endpoints.signals": "class",
    "report.make_export": "class",
    "endpoints.export_lesson": "class",
    "endpoints.export_child": "class",
    "classes.tell_all": "class",
    "now.answer": "class",
    "child.store_correction": "class",
    "endpoints.annotate": "class",
    "endpoints.start_lesson": "class",
    "classes.begin_lesson": "class",
    "classes.enrol_class": "class",
    "classes.begin_with_codes": "class",
    "calibration.show_link": "class",
    "calibration_endpoints.calibration_link": "class",
    "calibration.fit_anew": "class",
    "calibration_endpoints.fit_child": "class",
    "calibration.switched": "class",
    "calibration.fit_to_class": "class",
    "calibration.show_class": "class",
    "calibration.forget_class": "own",
    "calibration.forget": "class",
    "calibration_endpoints.forget_calibration": "class",
    "calibration.change": "class",
    "endpoints.set_consent": "class",
    "classes.change": "class",
    "page.finish_lesson": "class",
    "endpoints.end_lesson": "class",
    "classes.erase_chosen": "class",
    "endpoints.erase_child": "class",
}
# The station's functions. "self": what was sent is answered, nothing else is read.
STATION_FUNCTIONS = {
    "try_it.predict": "self",
    "try_it.predict_batch": "self",
    "endpoints.observe": "lesson and child by code",
    "endpoints.log_event": "lesson and child by code",
    "endpoints.lesson_status": "lesson by code",
    "endpoints.teach": "child by the code of a link",
}
PUBLIC = {
    "": {"predict", "predict_batch", "observe", "log_event", "lesson_status", "teach"},
    "/teacher": {
        "start_lesson", "end_lesson", "list_lessons", "timeline", "class_board", "lesson_summary", "signals",
        "annotate", "export_lesson", "export_child", "set_consent", "erase_child", "calibration_link", "fit_child",
        "forget_calibration",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("server")) as composed:
        yield composed


@pytest.fixture(scope="module")
def people(server: ComposedApp) -> Iterator[dict[str, httpx.Client]]:
    """A client for each; a station is a visitor, and knows two codes besides."""
    clients = {name: httpx.Client(base_url=server.url, timeout=120) for name in ("visitor", "anna", "boris")}
    for name in ("anna", "boris"):
        answer = clients[name].post("/teacher/login", data={"username": name, "password": PASSWORD})
        assert answer.status_code == 200
    taught = server.taught["anna"]
    child = Child(server, taught.lesson.class_name, taught.codes[0], taught.children[0].pseudonym)
    called(server.url, "set_consent", child.pseudonym, "", True, "parent", 365, "calibration", client=clients["anna"])
    child.link = called(server.url, "calibration_link", child.pseudonym, "", client=clients["anna"])["code"]
    show(child)
    for place in (1, 2):  # a layer of a class wants three
        other = taught.children[place]
        server.store.put_child(replace(other, calibration_consent=utc_now()))
        for frame in server.store.calibrations.frames(child.pseudonym):
            server.store.calibrations.add_frame(other.pseudonym, frame, 5, 240)
    yield clients
    for client in clients.values():
        client.close()


def functions(server: ComposedApp, path: str) -> dict[str, Callable[..., Any]]:
    """Module and name -> function, of everything that the server runs for a page; a name may occur once only."""
    found: dict[str, Callable[..., Any]] = {}
    for block in server.page(path).fns.values():
        if block.fn is not None:
            name = f"{block.fn.__module__.rpartition('.')[2]}.{block.fn.__qualname__.rpartition('.')[2]}"
            same = inspect.unwrap(found.get(name, block.fn)).__qualname__ == inspect.unwrap(block.fn).__qualname__
            assert same, f"two functions are called {name}"
            found[name] = block.fn
    return found


def test_every_function_is_in_the_table(server: ComposedApp) -> None:
    assert set(functions(server, "/teacher")) == set(TEACHER_FUNCTIONS)
    assert set(functions(server, "")) == set(STATION_FUNCTIONS)


def test_only_the_documented_endpoints_are_public(people: dict[str, httpx.Client]) -> None:
    for path, who in (("", "visitor"), ("/teacher", "anna")):
        config = people[who].get(path + "/config").json()
        public = {item["api_name"] for item in config["dependencies"] if item["api_visibility"] == "public"}
        assert public == PUBLIC[path]
    station = people["visitor"].get("/config").text
    assert not [name for name in PUBLIC["/teacher"] if f'"{name}"' in station], "not even among those that are hidden"


# What is asked for: anna's lesson and child, or ones that were never there.


def asked(server: ComposedApp, real: bool, child: int = 0) -> dict[str, Any]:
    """Values for the parameters of the functions, by name."""
    taught = server.taught["anna"]
    lesson = taught.lesson.id if real else uuid.uuid4().hex
    pseudonym = taught.children[child].pseudonym if real else uuid.uuid4().hex[:20]
    now = utc_now()
    class_name = taught.lesson.class_name if real else "Class-of-Nobody"
    event = {
        "child": pseudonym, "kind": "struggling", "answer": "seen", "signal": "s", "at": now.isoformat(),
        "speed": "10", "first": now.isoformat(), "last": now.isoformat(),
        "class_name": class_name, "codes": [pseudonym],
    }  # fmt: skip
    return {
        "lesson": lesson, "lesson_id": lesson, "_lesson_id": lesson,
        "child": pseudonym, "chosen_child": pseudonym, "chosen": pseudonym,
        "class_name": class_name, "class_typed": class_name, "typed_class": class_name, "zone": "UTC",
        "zone_name": "UTC", "language": "en", "at": "", "before": "", "after": "", "name": "valence", "title": "x",
        "minutes": 5, "length": 5, "format": "csv", "wanted": "csv", "given": True, "role": "parent", "days": 30,
        "from_": (now - timedelta(seconds=1)).isoformat(), "to": now.isoformat(), "label": "sad", "note": "x",
        "first": f"{now:%H:%M:%S}", "last": f"{now:%H:%M:%S}", "words_said": "x", "number": 1, "who": "parent",
        "valid": 30, "sure": True, "typed": "ERASE", "place": "", "address": "", "counting": list(map(str, range(12))),
        "purpose": "recording", "asking": True, "event": gr.EventData(None, event),
    }  # fmt: skip


# Parameters whose name means something else in one function.
OTHERWISE: dict[str, dict[str, Any]] = {
    "child.store_correction": {"chosen": "sad"},
    "classes.begin_lesson": {"name": "x"},
}
OTHER_CHILD = {"classes.erase_chosen": 1, "endpoints.erase_child": 2}  # each can be erased once


def outcome(server: ComposedApp, name: str, who: str, real: bool) -> str:
    """What ``who`` gets of a function, in words; what the caller said itself is replaced by dots."""
    function = functions(server, "/teacher")[name]
    values = {**asked(server, real, OTHER_CHILD.get(name, 0)), **OTHERWISE.get(name, {})}
    values["request"] = gr.Request(SimpleNamespace(headers={}), username=who)  # type: ignore[arg-type]
    tabs = [block.id for block in server.page("/teacher").blocks.values() if isinstance(block, gr.Tab)]
    parameters = inspect.signature(function).parameters
    unknown = set(parameters) - set(values) - {"open_tab"}
    assert not unknown, f"say in this test what {name} is given for {unknown}"
    answers = []
    token = LocalContext.request.set(values["request"])
    try:
        for tab in tabs if "open_tab" in parameters else ("",):
            given = [tab if key == "open_tab" else values[key] for key in parameters]
            try:
                answers.append(told(function(*given)))
            except gr.Error as error:
                answers.append(f"refused: {error.message}")
    finally:
        LocalContext.request.reset(token)
    text = " ".join(answers)
    for said in (values["lesson"], values["child"], values["class_name"]):
        text = text.replace(said, "…").replace(said[:6], "…")
    return text


def told(answer: object) -> str:
    """An answer with all that its components carry."""
    if isinstance(answer, tuple | list):
        return " ".join(told(part) for part in answer)
    if isinstance(answer, dict):
        return " ".join(told(part) for part in answer.values())
    if isinstance(answer, gr.blocks.Block):
        return told(answer.get_config().get("choices")) + told(getattr(answer, "value", None))
    return answer.to_json() if hasattr(answer, "to_json") else str(answer)


def secrets_of_anna(server: ComposedApp) -> list[str]:
    """Words that stand in anna's data and nowhere else."""
    taught = server.taught["anna"]
    return [
        TITLE, NOTE, HINT, "Canary-task", taught.lesson.id, taught.lesson.code, taught.lesson.class_name,
        *taught.codes, *(child.pseudonym for child in taught.children),
    ]  # fmt: skip


def state_of_anna(server: ComposedApp) -> list[object]:
    """All that is stored for anna's class."""
    store, taught = server.store, server.taught["anna"]
    return [
        store.lessons(taught.lesson.class_name),
        store.children(taught.lesson.class_name),
        store.observations(taught.lesson.id).to_dict("records"),
        store.events(taught.lesson.id),
        store.corrections(taught.lesson.id),
        store.calibrations.frames(taught.children[0].pseudonym),
        store.calibrations.find(taught.children[0].pseudonym),
    ]


@pytest.mark.parametrize("who", ["boris", "nobody", ""])
def test_another_teachers_data_is_answered_as_if_it_did_not_exist(
    server: ComposedApp, people: dict[str, httpx.Client], who: str
) -> None:
    before = state_of_anna(server)
    for name, meant in TEACHER_FUNCTIONS.items():
        about_anna = outcome(server, name, who, real=True)
        assert not [word for word in secrets_of_anna(server) if word in about_anna], name
        if meant == "class":
            assert about_anna == outcome(server, name, who, real=False), name
    assert str(state_of_anna(server)) == str(before), "and nothing of hers was changed"


def test_the_teacher_of_the_class_gets_an_answer_from_every_function(server: ComposedApp) -> None:
    """Without this, the test above would pass for functions that answer nobody."""
    for name, meant in TEACHER_FUNCTIONS.items():
        answer = outcome(server, name, "anna", real=True)
        assert "refused:" not in answer, (name, answer)
        if meant == "class":
            assert answer != outcome(server, name, "anna", real=False), name
    kept = state_of_anna(server)
    assert len(kept[1]) == 6 + 1 - 2, "one was enrolled, two were erased"


# The same over HTTP, as programs and browsers ask: is the name that the gate let in the one that the functions see?


def ask(client: httpx.Client, server: ComposedApp, path: str, dependency: dict[str, Any], types: dict[int, str]) -> str:
    """The whole answer of a function of a page to a request about anna's lesson."""
    taught = server.taught["anna"]
    ids = {"lesson": taught.lesson.id, "child": taught.children[0].pseudonym, "class_name": taught.lesson.class_name}
    names = [name for name, _ in _api_parameters(server, path, dependency)]
    by_type: dict[str, Any] = {"dropdown": taught.lesson.id, "textbox": taught.lesson.id, "number": 1, "checkbox": True,
                               "radio": "csv", "state": None}  # fmt: skip
    data = [
        ids.get(name, by_type.get(types.get(component, ""), ""))
        for component, name in zip(dependency["inputs"], names, strict=True)
    ]
    session = uuid.uuid4().hex
    body = {"data": data, "fn_index": dependency["id"], "session_hash": session, "event_data": None, "trigger_id": None}
    joined = client.post(path + "/gradio_api/queue/join", json=body)
    if joined.status_code != 200:
        return f"status {joined.status_code}: {joined.text}"
    lines = []
    with client.stream("GET", path + "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        for line in stream.iter_lines():
            lines.append(line)
            if '"process_completed"' in line or '"close_stream"' in line:
                break
    return "\n".join(lines)


def _api_parameters(server: ComposedApp, path: str, dependency: dict[str, Any]) -> list[tuple[str, Any]]:
    function = server.page(path).fns[dependency["id"]].fn
    assert function is not None
    found = [
        (name, parameter)
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in ("request", "event")
    ]
    return found[: len(dependency["inputs"])]


def dependencies(client: httpx.Client, path: str) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """What the server says that it runs, and the types of its components."""
    config = client.get(path + "/config").json()
    types = {item["id"]: item["type"] for item in config["components"]}
    return [item for item in config["dependencies"] if item["backend_fn"]], types


def test_no_function_of_the_teacher_page_runs_for_a_visitor_or_a_station(
    server: ComposedApp, people: dict[str, httpx.Client]
) -> None:
    listed, types = dependencies(people["anna"], "/teacher")
    for dependency in listed:
        answer = ask(people["visitor"], server, "/teacher", dependency, types)
        assert answer.startswith("status 401"), dependency["api_name"]
        if dependency["api_visibility"] == "public":
            called = people["visitor"].post(f"/teacher/gradio_api/call/{dependency['api_name']}", json={"data": []})
            assert called.status_code == 401


def test_no_function_tells_another_teacher_anything_over_http(
    server: ComposedApp, people: dict[str, httpx.Client]
) -> None:
    before = state_of_anna(server)
    taught = server.taught["anna"]
    listed, types = dependencies(people["boris"], "/teacher")
    said = (taught.lesson.id, taught.children[0].pseudonym, taught.lesson.class_name)  # by boris himself
    told_anna = 0
    for dependency in listed:
        answer = ask(people["boris"], server, "/teacher", dependency, types)
        leaked = [word for word in secrets_of_anna(server) if word in answer and word not in said]
        assert leaked == [], dependency["api_name"]
        if dependency["api_name"] in ("list_lessons", "class_board", "lesson_summary", "timeline", "arrive"):
            told_anna += TITLE in ask(people["anna"], server, "/teacher", dependency, types)
    assert told_anna >= 2, "the same questions are answered to anna"
    assert str(state_of_anna(server)) == str(before)


def test_an_export_has_an_unguessable_name_and_is_served_to_its_teacher_alone(
    server: ComposedApp, people: dict[str, httpx.Client]
) -> None:
    """An export is fetched from a folder whose name carries 122 random bits; the file's own name is for people."""
    lesson = server.taught["anna"].lesson
    server.store.add_lesson(replace(lesson, id="f" * 32, code="export", title="Циклы: «робот»/№ 2"))
    started = (
        people["anna"]
        .post(
            "/teacher/gradio_api/call/export_lesson",
            json={"data": ["f" * 32, "csv"]},
            headers={"accept-language": "ru"},
        )
        .json()["event_id"]
    )
    answer = people["anna"].get(f"/teacher/gradio_api/call/export_lesson/{started}").text
    path = json.loads(answer.partition("data: ")[2].splitlines()[0])[0]["path"]
    assert re.search(
        r"/[0-9a-f]{32}-[0-9a-f]{16}/урок-\d{4}-\d\d-\d\d-\d{4}-Циклы-робот-2-Class-of-Anna\.csv\.zip$", path
    ), path
    assert people["anna"].get(f"/teacher/gradio_api/file={path}").status_code == 200
    folder = path.split("/")[-2]
    for spelled in (path, path.replace(folder, f"{folder}/../{folder}"), path.replace(folder, folder.upper())):
        refused = people["boris"].get(f"/teacher/gradio_api/file={spelled}")
        assert (refused.status_code, "for somebody else" in refused.text) == (404, True), spelled
    assert people["visitor"].get(f"/teacher/gradio_api/file={path}").status_code == 401
    assert people["visitor"].get(f"/gradio_api/file={path}").status_code >= 400, "the station serves none of it"
