"""A child shows the network its own faces: the whole way over the running app, from the consent to the next lesson."""

import itertools
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from emotion.faces.quality import Quality
from emotion.station.calibration.teaching import fault_of
from emotion.station.calibration.texts import WORDS
from tests.calibrations import MOODS, Child, child_with_link, picture, show
from tests.composed import ComposedApp, composed_app


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedApp]:
    with composed_app(tmp_path_factory.mktemp("server"), accounts="/nowhere.json") as composed:
        yield composed


@pytest.fixture
def child(server: ComposedApp) -> Child:
    return child_with_link(server)


def answer(child: Child, path: str, content: bytes | None = None, **query: object) -> dict[str, object]:
    given = {"code": child.link, **query}
    return httpx.post(f"{child.server.url}{path}", params=given, content=content, timeout=60).json()  # type: ignore[arg-type]


def observed_model(child: Child) -> str:
    """What is written beside a frame of a lesson that begins now."""
    lesson = child.server.recorder.start_lesson("Loops", child.class_name, 45)
    query = {"lesson": lesson.code, "child": child.code}
    assert httpx.post(f"{child.server.url}/observe", params=query, content=picture(), timeout=60).json()["recorded"]
    return str(child.server.store.observations(lesson.id)["model"].iloc[-1])


def fit(child: Child) -> dict[str, object]:
    return child.call("fit_child", child.pseudonym, "")


@pytest.mark.slow
def test_from_the_link_to_the_next_lesson_and_back(child: Child) -> None:
    state = answer(child, "/teach/state")
    assert (state["open"], state["bursts"], state["needed"]) == (True, [], ["neutral", "happy"])
    assert answer(child, "/teach/finish")["enough"] is False
    show(child)
    state = answer(child, "/teach/state")
    assert [(burst["label"], burst["frames"]) for burst in state["bursts"]] == [(mood, 3) for mood in MOODS] * 3  # type: ignore[index, union-attr]
    assert answer(child, "/teach/finish") == {"photographs": 36, "enough": True}
    outcome = fit(child)
    assert (outcome["frames"], outcome["shown"]) == (36, ["surprise", "sad", "happy", "neutral"])
    assert outcome["adopted"] is True, outcome
    own = observed_model(child)
    assert "+own-" in own
    assert child.call("forget_calibration", child.pseudonym, "") == {"child": child.pseudonym, "frames": 36}
    assert "+own-" not in observed_model(child)
    assert own.startswith(observed_model(child))


@pytest.mark.slow
def test_withdrawing_the_consent_holds_from_the_next_frame_in_a_running_lesson(child: Child) -> None:
    show(child)
    fit(child)
    lesson = child.server.recorder.start_lesson("Loops", child.class_name, 45)
    query = {"lesson": lesson.code, "child": child.code}
    for given in (True, False):
        if not given:
            child.call("set_consent", child.pseudonym, "", False, "parent", 365, "calibration")
        httpx.post(f"{child.server.url}/observe", params=query, content=picture(), timeout=60)
        assert ("+own-" in child.server.store.observations(lesson.id)["model"].iloc[-1]) is given
    assert answer(child, "/teach/state")["open"] is False


@pytest.mark.slow
def test_a_noisy_picture_of_two_hundred_kilobytes_is_taken(child: Child) -> None:
    """A camera in a dim room makes such ones."""
    pixels = np.asarray(Image.open(BytesIO(picture()))).astype(int)
    noise = np.random.default_rng(0).normal(0, 12, pixels.shape)
    content = BytesIO()
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(content, "JPEG", quality=95)
    assert len(content.getvalue()) > 150_000
    assert answer(child, "/teach", content.getvalue(), label="happy", burst=0)["kept"]


@pytest.mark.slow
def test_what_the_child_has_not_found_good_does_not_count(child: Child) -> None:
    assert answer(child, "/teach", picture(), label="happy", burst=0, pending="true")["kept"]
    bursts = answer(child, "/teach/state")["bursts"]
    assert bursts == [{"burst": 0, "label": "happy", "frames": 1, "counted": False}]
    assert answer(child, "/teach/finish")["photographs"] == 0
    assert answer(child, "/teach/keep", burst=0) == {"kept": 1}
    assert answer(child, "/teach/finish")["photographs"] == 1


@pytest.mark.slow
def test_a_burst_is_thrown_away_and_one_expression_stays_one(child: Child) -> None:
    kept = answer(child, "/teach", picture(), label="sad", burst=4, id="a")
    assert (kept["kept"], kept["frames"]) == (True, 1)
    assert answer(child, "/teach", picture(), label="sad", burst=4, id="a")["frames"] == 1, "sent again"
    assert answer(child, "/teach", picture(), label="happy", burst=4)["reason"] == "other_label"
    for _ in range(4):
        assert answer(child, "/teach", picture(), label="sad", burst=4)["kept"]
    assert answer(child, "/teach", picture(), label="sad", burst=4)["reason"] == "burst_full"
    assert answer(child, "/teach/undo", burst=4) == {"removed": 5}
    assert answer(child, "/teach/state")["bursts"] == []


def changed(how: str) -> bytes:
    whole = Image.open(BytesIO(picture())).convert("RGB")
    canvas = Image.new("RGB", (640, 480), "grey")
    small = whole.resize((140, 105))
    if how == "too_far":
        canvas.paste(small, (250, 180))
    elif how == "no_face":
        pass
    elif how == "too_dark":
        canvas = ImageEnhance.Brightness(whole).enhance(0.12)
    elif how == "blurred":
        canvas = whole.filter(ImageFilter.GaussianBlur(9))
    else:
        canvas.paste(whole.resize((320, 240)), (0, 120))
        canvas.paste(whole.resize((320, 240)), (320, 120))
    content = BytesIO()
    canvas.save(content, "JPEG", quality=92)
    return content.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("reason", ["no_face", "second_face", "too_far", "too_dark", "blurred"])
def test_a_face_that_cannot_be_learnt_from_gets_a_hint_and_is_not_kept(child: Child, reason: str) -> None:
    found = answer(child, "/teach", changed(reason), label="happy", burst=0)
    assert (found["kept"], found["reason"], found["message"]) == (False, reason, WORDS["en"][reason])
    assert answer(child, "/teach/state")["bursts"] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"code": "aaaaaaaaaa"}, "unknown_code"),
        ({"code": ""}, "unknown_code"),
        ({"label": "joy"}, "bad_label"),
        ({"label": ""}, "bad_label"),
        ({"burst": "-1"}, "bad_burst"),
        ({"burst": "1e3"}, "bad_burst"),
        ({"burst": "٣"}, "bad_burst"),
        ({"burst": "99999"}, "bad_burst"),
        ({"id": "a b"}, "bad_identifier"),
    ],
)
def test_a_mistake_is_told_and_keeps_nothing(child: Child, query: dict[str, str], reason: str) -> None:
    given = {"code": child.link, "label": "happy", "burst": 0, **query}
    response = httpx.post(f"{child.server.url}/teach", params=given, content=picture(), timeout=60)
    assert 400 <= response.status_code < 500
    assert (response.json()["kept"], response.json()["reason"]) == (False, reason)
    assert answer(child, "/teach/state")["bursts"] == []


@pytest.mark.slow
def test_the_endpoint_says_the_same_as_the_route(child: Child) -> None:
    from gradio_client import Client, handle_file

    station = Client(child.server.url, verbose=False)
    file = handle_file(str(Path("emotion/station/examples/astronaut.jpg").resolve()))
    found = station.predict(child.link, "happy", 0, file, api_name="/teach")
    assert (found["kept"], found["frames"]) == (True, 1)
    with pytest.raises(Exception, match="no expression"):
        station.predict(child.link, "joy", 0, file, api_name="/teach")


@pytest.mark.slow
def test_a_thousand_calls_of_garbage_break_nothing_and_keep_nothing(child: Child) -> None:
    values = ("", "\0", "x" * 2000, "-1", "NaN", "happy", "[]", "٣", "🦊", child.pseudonym, child.code, "0", "None")
    keys = ("code", "label", "burst", "id")
    mixed = itertools.cycle(itertools.product(values, values, values))
    statuses: dict[int, int] = {}
    with httpx.Client(base_url=child.server.url, timeout=60) as client:
        for place, three in zip(range(800), mixed, strict=False):
            path = ("/teach", "/teach/state", "/teach/undo", "/teach/finish")[place % 4]
            query = dict(zip(keys, three, strict=False))
            if place % 3 == 0:
                query["code"] = child.link
            content = (b"", b"\xff\xd8\xff", b"{}", picture()[:500])[place // 4 % 4]
            status = client.post(path, params=query, content=content).status_code
            statuses[status] = statuses.get(status, 0) + 1
        for place, three in zip(range(200), mixed, strict=False):
            name = ("teach", "fit_child", "calibration_link", "forget_calibration")[place % 4]
            folder = "" if name == "teach" else "/teacher"
            called = client.post(f"{folder}/gradio_api/call/{name}", json={"data": list(three)})
            statuses[called.status_code] = statuses.get(called.status_code, 0) + 1
            if called.status_code == 200:
                heard = client.get(f"{folder}/gradio_api/call/{name}/{called.json()['event_id']}").text
                assert "Traceback" not in heard
    assert not [status for status in statuses if status >= 500], statuses
    assert child.server.store.calibrations.frames(child.pseudonym) == []
    assert child.server.store.calibrations.find(child.pseudonym) is None


@pytest.mark.slow
def test_no_more_frames_a_second_than_a_game_takes(child: Child) -> None:
    reasons = [answer(child, "/teach", picture()[:100], label="happy", burst=0).get("reason") for _ in range(40)]
    assert "busy" in reasons


@pytest.mark.slow
def test_links_are_guessed_no_faster_than_codes(server: ComposedApp) -> None:
    with httpx.Client(base_url=server.url, timeout=60, transport=httpx.HTTPTransport(local_address="127.0.5.1")) as one:
        reasons = [
            one.post("/teach/state", params={"code": f"aaaaaa{place:04d}"}).json()["reason"] for place in range(140)
        ]
    assert reasons.count("busy") >= 10


# without a server


def face(side: float = 200.0, **quality: float) -> SimpleNamespace:
    fine = {"size": 1.0, "sharpness": 1.0, "exposure": 1.0, "frontality": 1.0}
    return SimpleNamespace(box=(0.0, 0.0, side, side), quality=Quality(**{**fine, **quality}))


@pytest.mark.parametrize(
    ("faces", "reason"),
    [
        ([], "no_face"),
        ([face()], None),
        ([face(), face(90)], None),
        ([face(), face(110)], "second_face"),
        ([face(70)], "too_far"),
        ([face(exposure=0.1)], "too_dark"),
        ([face(frontality=0.1)], "turned_away"),
        ([face(sharpness=0.1)], "blurred"),
    ],
)
def test_what_is_wrong_with_a_frame(faces: list[SimpleNamespace], reason: str | None) -> None:
    assert fault_of(faces) == reason  # type: ignore[arg-type]


def test_the_words_have_the_same_keys_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["ru"].keys()
