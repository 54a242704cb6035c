"""Whatever a hostile or broken client sends to the running server: an answer in words, no 500, nothing half written.

The functions are taken from the server's own description, so that a new one is tried without anybody's remembering it.
The network is left out (a photograph that can be read shows one face at once): what is tried is everything around it.
"""

import json
import re
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from emotion.classifier import EmotionClassifier, Recognition
from emotion.faces.detector import Face
from emotion.images import read_image
from emotion.network.checkpoint import load_checkpoint
from tests.composed import PASSWORD, ComposedApp, composed_app
from tests.stations import PICTURE

PLAIN_CASES, LOGIN_CASES, FUNCTION_CASES = 7_000, 200, 2_800  # together the ten thousand of the slow run
CALLS = 4  # calls of named functions in one example, under way together
QUOTED = re.compile(r"(“|\\u201c).*?(”|\\u201d)")
FOLDERS = (str(Path(__file__).parent.parent), tempfile.gettempdir(), "/dev/shm")
LEAK = re.compile("|".join([r"Traceback|\.py\b|site-packages|duckdb", *map(re.escape, FOLDERS)]), re.IGNORECASE)


class QuickClassifier(EmotionClassifier):
    """Reads the picture as the real one does, and sees no face in it."""

    def __init__(self, checkpoint: str, *_: object, **__: object) -> None:
        self.checkpoint = load_checkpoint(checkpoint)
        quick = SimpleNamespace(name="none", version="none", failed=False, warm_up=lambda crop: None)
        self.runtime = self.lesson_runtime = quick  # type: ignore[assignment]

    def _recognise(self, images: Any, *_: object) -> list[Recognition]:
        sizes = [read_image(image).shape for image in images]
        return [Recognition((), 0, size[1], size[0], self.checkpoint.version, 0.0) for size in sizes]

    def features_of_frame(self, image: Any) -> tuple[list[Face], np.ndarray]:
        read_image(image)
        return [], np.zeros(0, np.float32)

    _detector = SimpleNamespace(detect=None, detect_in_frame=None)  # type: ignore[assignment]


@dataclass(repr=False)
class Target:
    """The server with anna logged in. ``functions``: (page, name, names of the arguments). ``said``: outcomes."""

    composed: ComposedApp
    client: httpx.Client
    functions: list[tuple[str, str, list[str]]] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    recorded: set[str] = field(default_factory=set)  # ids of frames: the same id again changes nothing
    cases: int = 0
    upload: str = str(PICTURE)

    def upload_picture(self) -> None:
        """Puts a photograph where Gradio takes one from; `observe` removes what it has read."""
        with PICTURE.open("rb") as file:
            answer = self.client.post("/gradio_api/upload", files={"files": file})
        (self.upload,) = answer.json()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    import app as application

    with pytest.MonkeyPatch.context() as patch, ExitStack() as opened:
        patch.setattr(application, "EmotionClassifier", QuickClassifier)
        composed = opened.enter_context(composed_app(tmp_path_factory.mktemp("fuzz")))
        client = opened.enter_context(httpx.Client(base_url=composed.url, timeout=60))
        entered = client.post("/teacher/login", data={"username": "anna", "password": PASSWORD})
        assert entered.status_code == 200
        found = Target(composed, client)
        for page in ("", "/teacher"):
            described = client.get(f"{page}/gradio_api/info").json()["named_endpoints"]
            public = [
                item["api_name"]
                for item in client.get(f"{page}/config").json()["dependencies"]
                if item["api_name"] and item["api_visibility"] == "public"
            ]
            assert {f"/{name}" for name in public} == set(described)
            for name, what in described.items():
                arguments = [parameter["parameter_name"] for parameter in what["parameters"]]
                found.functions.append((page, name.strip("/"), arguments))
        assert len(found.functions) >= 16
        yield found
        judge_what_is_left(found)


def judge_what_is_left(target: Target) -> None:
    """No row without its lesson or child, no frame that was acknowledged and is not there, a file that reads whole."""
    store = target.composed.store
    for table in ("observation", "event", "correction"):
        orphans = store.query(
            f"SELECT count(*) FROM {table} WHERE lesson NOT IN (SELECT number FROM lesson) "
            f"OR (child IS NOT NULL AND child NOT IN (SELECT number FROM child))"
        )
        assert int(orphans.iloc[0, 0]) == 0, table
    rows = store.query(
        "SELECT count(*) FROM observation WHERE source <> 'test' "
        "AND lesson NOT IN (SELECT number FROM lesson WHERE synthetic)"
    )
    assert int(rows.iloc[0, 0]) == len(target.recorded)
    assert target.client.get("/healthz").status_code == 200
    assert target.client.get("/readyz").status_code == 200
    store.database.verify()


ANY_TEXT = st.text(st.characters(), max_size=30)
HOSTILE = st.sampled_from(
    ["", " ", "' OR 1=1 --", "<script>alert(1)</script>", "x" * 3000, "\0", "\ud800", "../../etc/passwd", "лиса",
     "=1+1", "NaN", "-1", "1e309", "{{7*7}}", "%s%n", "null", "2026-02-30T10:00:00Z", "9999-12-31T23:59:59-14:00",
     "sample"]
)  # fmt: skip
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | HOSTILE | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=6,
)
# Places that `real_value` fills in: what a client that knows its way would send.
PLACES = [
    "lesson", "code", "child", "pseudonym", "now", "start", "file", "text", "en", "csv", "hint", "happy", "number",
    "class", "cursor", "true", "files",
]  # fmt: skip
VALUE = st.sampled_from([f"@{place}" for place in PLACES]) | ANY_JSON
BODY = st.sampled_from([b"@picture", b"", b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"{}"]) | st.binary(
    max_size=300
)


def real_value(target: Target, value: Any) -> Any:
    """What stands for a place; everything else as it is."""
    if not (isinstance(value, str) and value.startswith("@")):
        return value
    taught = target.composed.taught["anna"]
    file = {"path": target.upload, "meta": {"_type": "gradio.FileData"}}
    values = {
        "lesson": taught.lesson.id,
        "code": taught.lesson.code,
        "child": taught.codes[0],
        "pseudonym": taught.children[1].pseudonym,
        "now": taught.lesson.started_at.isoformat(),
        "start": taught.lesson.started_at.isoformat(),
        "file": file,
        "files": [file, file],
        "text": "a note",
        "number": 5,
        "class": "Class-of-Anna",
        "cursor": f"{0:017d}-x",
        "true": True,
    }
    return values.get(value[1:], value[1:])


def without_echo(target: Target, text: str) -> str:
    """An answer without what the client sent itself or may see: its own upload is the only path that a case holds, and
    what a message quotes, perhaps cut short, are the client's words.
    """
    folder = str(Path(target.upload).parents[2])
    return QUOTED.sub("", text).replace(folder, "").replace(str(PICTURE)[:8], "")


def judge(target: Target, kind: str, answer: httpx.Response) -> None:
    """No 500 and nothing of the server's inside in any answer."""
    target.cases += 1
    target.said[f"{kind} {answer.status_code}"] += 1
    assert answer.status_code < 500, (answer.status_code, answer.text[:500])
    if "json" in answer.headers.get("content-type", ""):
        assert not LEAK.search(without_echo(target, answer.text)), answer.text[:500]


PLAIN = st.tuples(
    st.sampled_from(["/observe", "/admission"]),
    st.dictionaries(st.sampled_from(["lesson", "child", "at", "id", "other"]), VALUE, max_size=5),
    st.booleans(),
    BODY,
    st.dictionaries(
        st.sampled_from(["Accept-Language", "Origin", "Content-Type", "Range", "X-Forwarded-For", "Cookie"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip),
        max_size=2,
    ),
)


def post_plain(target: Target, case: tuple[str, dict[str, Any], bool, bytes, dict[str, str]]) -> None:
    path, query, known, body, headers = case
    if known:  # most of what is refused would be refused for its codes alone
        query = {"lesson": "@code", "child": "@child"} | {key: query[key] for key in ("at", "id") if key in query}
    filled = {key: real_value(target, value) for key, value in query.items()}
    words = {
        key: (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")
        for key, value in filled.items()
    }
    content = PICTURE.read_bytes() if body == b"@picture" else body
    answer = target.client.post(f"{path}?{urlencode(words)}", content=content, headers=headers)
    if answer.status_code == 200 and answer.json().get("recorded"):
        target.recorded.add(words.get("id", b"").decode() or uuid.uuid4().hex)
    judge(target, path, answer)


LOGIN = st.tuples(st.binary(max_size=200) | st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3), st.booleans())


def post_login(target: Target, case: tuple[Any, bool]) -> None:
    content, as_form = case
    if isinstance(content, dict):
        fields = {"username": "anna", "password": "wrong"} if as_form else content
        content = "&".join(f"{key}={value}" for key, value in fields.items()).encode("utf-8", "surrogatepass")
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html" if as_form else "*/*"}
    answer = httpx.post(target.composed.url + "/teacher/login", content=content, headers=kind, timeout=60)
    judge(target, "/teacher/login", answer)
    assert "set-cookie" not in answer.headers


# What each argument is meant to hold, by its name in the server's description; an unknown name gets any value.
MEANT = {
    "lesson": "@lesson", "child": "@child", "image": "@file", "images": "@files", "kind": "@hint", "detail": "@text",
    "title": "@text", "class_name": "@class", "minutes": "@number", "language": "@en", "format": "@csv",
    "after": "@cursor", "from_": "@now", "to": "@now", "at": "@now", "label": "@happy", "note": "@text",
    "role": "@text", "days": "@number", "given": "@true",
}  # fmt: skip
# These would end the game for all calls after them: they get what can be spared.
SPARED = {"end_lesson", "erase_child", "set_consent"}
SPARE = {"@lesson": "sample", "@code": "sample", "@child": "@pseudonym"}

FUNCTION = st.lists(
    st.tuples(
        st.integers(0, 1000),
        st.lists(VALUE, min_size=8, max_size=8),
        st.lists(st.sampled_from([True, True, True, False]), min_size=8, max_size=8),
        st.sampled_from([0] * 12 + [-1, 1]),
    ),
    min_size=CALLS,
    max_size=CALLS,
)


def arguments_of(target: Target, name: str, names: list[str], values: list[Any], meant: list[bool]) -> list[Any]:
    """For each argument (and one more) what it is meant to hold, or anything."""
    asked = [
        MEANT.get(names[place], value) if known and place < len(names) else value
        for place, (value, known) in enumerate(zip(values, meant, strict=True))
    ]
    if name in SPARED:
        asked = [SPARE.get(value, value) if isinstance(value, str) else value for value in asked]
    return [real_value(target, value) for value in asked]


def call_functions(target: Target, case: list[tuple[int, list[Any], list[bool], int]]) -> None:
    """Several calls at once, as gradio_client makes them, and what each answers."""
    waiting = []
    if target.cases % 10 < CALLS:
        target.upload_picture()
    for number, values, meant, surplus in case:
        page, name, arguments = target.functions[(number + target.cases) % len(target.functions)]
        given = arguments_of(target, name, arguments, values, meant)
        data = given[: max(0, len(arguments) + surplus)]
        content = json.dumps({"data": data}).encode("utf-8", "surrogatepass")
        kind = {"Content-Type": "application/json"}
        answer = target.client.post(f"{page}/gradio_api/call/{name}", content=content, headers=kind)
        judge(target, f"{page}/{name}", answer)
        if answer.status_code == 200:
            waiting.append((name, data, f"{page}/gradio_api/call/{name}/{answer.json()['event_id']}"))
    for name, data, address in waiting:
        answer = target.client.get(address)
        assert answer.status_code == 200, (name, data, answer.text[:500])
        event, _, content = answer.text.partition("\n")
        said = content.removeprefix("data: ").strip()
        if event == "event: error":
            target.said[f"{name} refused"] += 1
            assert said != "null", (name, data, "an exception that nobody expected")
            assert not LEAK.search(without_echo(target, said)), (name, data, said[:500])
        else:
            target.said[f"{name} answered"] += 1
            if name == "observe" and json.loads(said)[0]["recorded"]:
                target.recorded.add((data[4] if len(data) > 4 else None) or uuid.uuid4().hex)


def profile(examples: int) -> Any:
    """Shrinking is left to who repeats a failure: the server has changed meanwhile."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )


@pytest.mark.slow
@profile(PLAIN_CASES)
@given(case=PLAIN)
def test_any_frame_is_recorded_or_refused_in_words(target: Target, case: Any) -> None:
    post_plain(target, case)


@pytest.mark.slow
@profile(LOGIN_CASES)
@given(case=LOGIN)
def test_any_login_is_refused_in_words(target: Target, case: Any) -> None:
    post_login(target, case)


@pytest.mark.slow
@profile(FUNCTION_CASES // CALLS)
@given(case=FUNCTION)
def test_any_call_of_any_named_function_is_answered_or_refused_in_words(target: Target, case: Any) -> None:
    call_functions(target, case)


@pytest.mark.slow
def test_every_function_was_called_and_ten_thousand_cases_were_tried(target: Target) -> None:
    print(target.cases, dict(sorted(target.said.items())))
    called = {key.rpartition(" ")[0].rpartition("/")[2] for key in target.said}
    assert {name for _, name, _ in target.functions} <= called
    assert target.cases >= PLAIN_CASES + LOGIN_CASES + FUNCTION_CASES
