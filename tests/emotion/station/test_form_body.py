"""A frame in a form: taken out in memory, or refused in a sentence that says what to send."""

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from emotion.station.form_body import read_form
from emotion.station.http_routes import add_frame_routes
from emotion.station.observing import RefusedError
from emotion.station.tablet_marks import TabletMarks

FRAME = b"\xff\xd8\xff" + bytes(range(256)) * 20


def posted(**options: object) -> tuple[bytes, str]:
    """Body and content type of a request as httpx makes it."""
    request = httpx.Request("POST", "http://x", **options)  # type: ignore[arg-type]
    return request.read(), request.headers.get("content-type", "")


def test_the_picture_and_the_fields_of_a_form_are_taken_apart():
    body, kind = posted(files={"image": ("frame.jpg", FRAME, "image/jpeg")}, data={"lesson": "abc", "child": "лиса"})
    assert read_form(body, kind, "en") == (FRAME, {"lesson": "abc", "child": "лиса"})


def test_the_file_may_have_any_field_name_and_no_type():
    body, kind = posted(files={"upload": ("x", FRAME)})
    assert read_form(body, kind, "en")[0] == FRAME
    body = body.replace(b'filename="x"', b"filename*=UTF-8''%D0%BB%D0%B8%D1%81%D0%B0.jpg")
    assert read_form(body, kind, "en")[0] == FRAME


@pytest.mark.parametrize("kind", ["", "image/jpeg", "application/octet-stream", "application/x-www-form-urlencoded"])
def test_a_body_that_is_no_form_is_the_picture(kind):
    assert read_form(FRAME, kind, "en") == (FRAME, {})


@pytest.mark.parametrize(
    "options",
    [
        {"files": [("image", ("a.jpg", FRAME)), ("image", ("b.jpg", FRAME))]},
        {"files": {"image": ("empty.jpg", b"")}},
        {"files": {"lesson": (None, "abc")}},
        {"files": [("image", ("a.jpg", FRAME)), *(("note", (None, "x")) for _ in range(40))]},
        {"json": {"image": "data:image/jpeg;base64,AAAA"}},
        {"content": b"data:image/jpeg;base64,AAAA"},
    ],
    ids=["two files", "an empty file", "no file", "forty fields", "JSON", "a data address"],
)
@pytest.mark.parametrize(("language", "words"), [("en", "curl --data-binary"), ("ru", "Пришлите сам снимок")])
def test_what_holds_no_single_picture_is_refused_with_the_remedy(options, language, words):
    with pytest.raises(RefusedError, match=words) as caught:
        read_form(*posted(**options), language)
    assert (caught.value.reason, caught.value.status) == ("bad_form", 415)


def test_a_file_whose_name_is_not_ascii_is_a_file():
    """As requests sends it."""
    head = "--xx\r\nContent-Disposition: form-data; name=photo; filename*=utf-8''%D0%BB%D0%B8%D1%81%D0%B0.jpg\r\n\r\n"
    assert (
        read_form(head.encode() + b"picture\r\n--xx--\r\n", "multipart/form-data; boundary=xx", "en")[0] == b"picture"
    )


@pytest.mark.parametrize("alphabet", ["\0utf-8", "idna", "punycode", "hex", "no such", ""])
def test_a_name_in_an_unreadable_alphabet_is_no_name(alphabet):
    """Found by fuzzing: a zero in the alphabet's name was a 500, and so were parts of a name beside a whole one."""
    head = f"--xx\r\nContent-Disposition: form-data; name*={alphabet}''%FFimage; name*0=b; filename=a.jpg\r\n\r\n"
    body = head.encode() + b"picture\r\n--xx--\r\n"
    assert (
        read_form(body, f"multipart/form-data; boundary=xx; other*={alphabet}''%FF; other*0=b", "en")[0] == b"picture"
    )


@given(st.data())
def test_a_damaged_form_is_read_or_refused_but_nothing_else_happens(data):
    body, kind = posted(files={"image": ("frame.jpg", FRAME[:300])}, data={"lesson": "abc"})
    content = bytearray(body)
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(0, len(content))) :]
    boundary = (
        kind
        if data.draw(st.booleans())
        else "multipart/form-data" + data.draw(st.text(st.characters(codec="latin-1"), max_size=80))
    )
    try:
        picture, fields = read_form(bytes(content), boundary, "en")
    except RefusedError as error:
        assert error.reason == "bad_form"  # noqa: PT017 - either is right
    else:
        assert isinstance(picture, bytes)
        assert all(isinstance(value, str) for value in fields.values())


class SeenIntake:
    """Stands in for the lesson: answers with what it was given."""

    async def observe(self, lesson, child, image, at, id, source, client, language, station, mark):
        return {"recorded": True, "given": [lesson, child, image.hex(), at, id]}


def test_the_route_takes_a_form_and_its_own_query_comes_first():
    app = FastAPI()
    add_frame_routes(app, SeenIntake(), TabletMarks(b"k" * 32))  # type: ignore[arg-type]
    client = TestClient(app)
    answer = client.post(
        "/observe?lesson=query", files={"image": ("f.jpg", FRAME)}, data={"lesson": "form", "child": "fox", "id": "7"}
    )
    assert answer.json()["given"] == ["query", "fox", FRAME.hex(), None, "7"]
    assert client.post("/observe?lesson=a&child=b", content=FRAME).json()["given"][2] == FRAME.hex()
    refused = client.post("/observe?lesson=a&child=b", json={"image": "x"})
    assert (refused.status_code, refused.json()["reason"]) == (415, "bad_form")
