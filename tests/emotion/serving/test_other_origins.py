"""Which pages of other sites are served, and what the setting that names them may say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from analytics.access.accounts import Accounts
from analytics.access.login import LoginMiddleware
from emotion.serving.other_origins import ORIGIN, OtherOrigins, read_origins
from emotion.serving.response_headers import OwnSiteMiddleware, ResponseHeadersMiddleware
from emotion.serving.settings import Settings, SettingsError

PIKTOMIR = "https://piktomir.example"
NAMED = read_origins(f"{PIKTOMIR}, app://piktomir")
STATION, TEACHER = "/api/v1/station/observe", "/api/v1/lessons"
BEARER = {"Authorization": "Bearer x"}


def served(names: str) -> TestClient:
    async def echo(request: Request) -> JSONResponse:
        origin = request.scope.get("other_origin")
        return JSONResponse({"cookie": request.headers.get("cookie"), "origin": origin})

    paths = (STATION, TEACHER, "/observe", "/admission", "/", "/teacher/", "/live", "/teacher/gradio_api/queue/join")
    app = Starlette(routes=[Route(path, echo, methods=["GET", "POST"]) for path in paths])
    origins = OtherOrigins(frozenset(names.split(",")) if names else frozenset())
    return TestClient(
        ResponseHeadersMiddleware(OwnSiteMiddleware(app, origins), on_space=False, origins=origins),
        base_url="https://school.example",
    )


@pytest.mark.parametrize("path", [STATION, "/observe", "/admission"])
@pytest.mark.parametrize("origin", [PIKTOMIR, "app://piktomir"])
def test_a_named_page_uses_the_stations_routes_without_cookies(path: str, origin: str) -> None:
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Cookie": "teacher_session=x"}
    answer = served(NAMED).post(path, headers=headers)
    assert answer.json() == {"cookie": None, "origin": origin}
    assert answer.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_a_named_page_uses_a_teachers_routes_with_a_token_alone() -> None:
    client, headers = served(NAMED), {"Origin": PIKTOMIR, "Cookie": "teacher_session=x"}
    assert client.post(TEACHER, headers=headers).status_code == 403
    assert "access-control-allow-origin" not in client.get(TEACHER, headers=headers).headers
    assert client.post(TEACHER, headers=headers | BEARER).json() == {"cookie": None, "origin": PIKTOMIR}


@pytest.mark.parametrize("path", ["/", "/teacher/", "/live", "/teacher/gradio_api/queue/join"])
def test_no_page_of_another_site_uses_our_pages(path: str) -> None:
    answer = served(NAMED).post(path, headers={"Origin": PIKTOMIR} | BEARER)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://piktomir.example.evil.example",
        "https://evil.example/https://piktomir.example",
        "https://evilpiktomir.example",
        "https://x.piktomir.example",
        "http://piktomir.example",
        "https://piktomir.example:8443",
        "https://piktomir.example/",
        "https://PIKTOMIR.example",  # no browser writes it so
        "app://piktomir2",
        f"{PIKTOMIR}, https://evil.example",
        "*",
    ],
)
@pytest.mark.parametrize("names", ["", NAMED])
def test_all_others_get_nothing(origin: str, names: str) -> None:
    for path in (STATION, TEACHER):
        for answer in (
            served(names).post(path, headers={"Origin": origin} | BEARER),
            served(names).options(path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
        ):
            assert answer.status_code in (403, 405)
            assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_browser_that_asks_beforehand_is_told_what_may_be_sent() -> None:
    asked = {"Origin": PIKTOMIR, "Access-Control-Request-Method": "POST"}
    station = served(NAMED).options(STATION, headers=asked | {"Access-Control-Request-Headers": "content-type"})
    assert (station.status_code, station.headers["access-control-allow-origin"]) == (204, PIKTOMIR)
    assert "Content-Type" in station.headers["access-control-allow-headers"]
    for headers, status in (("content-type", 405), ("content-type, authorization", 204)):
        answer = served(NAMED).options(TEACHER, headers=asked | {"Access-Control-Request-Headers": headers})
        assert answer.status_code == status
        assert ("access-control-allow-origin" in answer.headers) == (status == 204)


def test_our_own_page_is_no_other_site_even_if_it_is_named() -> None:
    headers = {"Origin": "https://school.example", "Sec-Fetch-Site": "same-origin", "Cookie": "a=b"}
    assert served("https://school.example").post(STATION, headers=headers).json() == {"cookie": "a=b", "origin": None}


def test_a_named_site_may_show_the_station_page_in_a_frame_and_no_other_page() -> None:
    client = served(read_origins(f"{PIKTOMIR},null"))
    assert client.get("/").headers["content-security-policy"].endswith(f"frame-ancestors 'self' {PIKTOMIR}")
    assert client.get("/teacher/").headers["content-security-policy"].endswith("frame-ancestors 'self'")
    assert served("").get("/").headers["content-security-policy"].endswith("frame-ancestors 'self'")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*", "every page of the internet"),
        ("https://a.example,*", "every page of the internet"),
        ("https://a.example/", "without a slash"),
        ("https://a.example/page", "names no origins"),
        ("a.example", "names no origins"),
        ("https://a.example;https://b.example", "names no origins"),
        ("https://пиктомир.рф", "names no origins"),
        ("https://a.example,,", "names no origins"),
        ("https://user@a.example", "names no origins"),
    ],
)
def test_a_setting_that_names_no_origins_stops_the_start_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Settings.from_environment({"EMOTION_ALLOWED_ORIGINS": text})


def test_origins_are_read_as_a_browser_writes_them() -> None:
    given = "HTTPS://A.example:443 , http://b.example:80,http://c.example:8080,http://[::1]:3000,null"
    wanted = {"https://a.example", "http://b.example", "http://c.example:8080", "http://[::1]:3000", "null"}
    assert Settings.from_environment({"EMOTION_ALLOWED_ORIGINS": given}).other_origins.names == wanted
    assert Settings().other_origins.names == frozenset()


@given(st.text(max_size=40))
def test_whatever_is_accepted_is_an_origin_and_is_read_again_as_itself(text: str) -> None:
    try:
        names = read_origins(text)
    except ValueError:
        return
    assert all(name == "null" or ORIGIN.fullmatch(name) for name in names.split(","))
    assert read_origins(names) == names


@pytest.mark.parametrize(("names", "status"), [("", 200), (PIKTOMIR, 403)])
def test_a_named_page_in_a_browser_on_this_computer_has_none_of_this_computers_rights(names: str, status: int) -> None:
    """Without accounts whoever sits at this computer is the teacher; a page that is open there is not."""

    async def page(request: Request) -> JSONResponse:
        return JSONResponse(request.scope.get("teacher"))

    origins = OtherOrigins(frozenset(filter(None, [names])))
    gate = LoginMiddleware(Starlette(routes=[Route(TEACHER, page)]), Accounts({}), lambda _: "en", 60)
    client = TestClient(OwnSiteMiddleware(gate, origins), base_url="http://localhost:7860", client=("127.0.0.1", 1))
    answer = client.get(TEACHER, headers={"Origin": PIKTOMIR} | BEARER)
    assert answer.status_code == status
