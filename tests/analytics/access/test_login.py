"""Logging in to the teacher page: who passes, how failures are throttled, and when a session ends."""

import json

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from analytics.access import accounts as accounts_module
from analytics.access.accounts import (
    Accounts,
    AccountsError,
    load_accounts,
    main,
    parse_classes,
    save_accounts,
    with_account,
)
from analytics.access.login import LONGEST_SESSION, TEMPLATES, LoginMiddleware
from analytics.access.login_limits import FREE_FAILURES
from analytics.access.texts import TEXTS

PASSWORD = "correct horse battery"


class Clock:
    """Seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def accounts() -> Accounts:
    return with_account(Accounts({}), "anna", PASSWORD)


def make_client(
    accounts: Accounts, clock: Clock | None = None, host: str = "school.example", language: str = "en"
) -> TestClient:
    """A visitor from another computer, in front of a page that says who came."""

    async def page(request):
        return PlainTextResponse(str(request.scope.get("teacher")))

    app = Starlette(routes=[Route("/{rest:path}", page, methods=["GET", "POST"])])
    gate = LoginMiddleware(app, accounts, lambda request: language, 60, clock or Clock())
    return TestClient(gate, base_url=f"http://{host}", follow_redirects=False, client=("192.168.1.9", 1))


def log_in(client: TestClient, password: str = PASSWORD, name: str = "anna"):
    return client.post("/teacher/login", data={"username": name, "password": password})


def test_the_station_needs_no_account(accounts):
    assert make_client(accounts).get("/").status_code == 200
    assert make_client(accounts).get("/teachers").status_code == 200


@pytest.mark.parametrize(
    "path", ["/teacher/", "/teacher/config", "/teacher/gradio_api/queue/join", "/teacher/../teacher/"]
)
def test_without_a_session_nothing_of_the_teacher_page_answers(accounts, path):
    assert make_client(accounts).get(path).status_code == 401


def test_a_browser_is_led_to_the_form(accounts):
    answer = make_client(accounts).get("/teacher/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/teacher/login")
    assert 'type="password"' in make_client(accounts).get("/teacher/login", headers={"Accept": "text/html"}).text


def test_the_form_says_why_it_refuses_and_never_repeats_what_was_sent(accounts):
    client = make_client(accounts)
    client.headers["Accept"] = "text/html"
    for address in ("/teacher/login", "/teacher/login?next=<script>"):
        refused = client.post(address, data={"username": "<script>", "password": PASSWORD, "next": "<script>"})
        assert refused.status_code == 401
        assert f'<p role="alert">{TEXTS["en"]["login_wrong"]}</p>' in refused.text
        assert "<script" not in refused.text
    entered = client.post("/teacher/login?next=//evil.example", data={"username": "anna", "password": PASSWORD})
    assert (entered.status_code, entered.headers["location"]) == (303, "/teacher/")


def test_the_template_escapes_whatever_it_is_given():
    page = TEMPLATES.get_template("login.html").render(texts=TEXTS["en"], refusal="<script>", prefix='"><script>')
    assert "<script>" not in page


@pytest.mark.parametrize("language", TEXTS)
def test_without_accounts_a_browser_is_told_why_in_its_language(language):
    page = make_client(Accounts({}), language=language).get("/teacher/", headers={"Accept": "text/html"})
    assert page.status_code == 403
    assert f'<html lang="{language}">' in page.text
    assert f"<p>{TEXTS[language]['closed']}</p>" in page.text
    assert "<form" not in page.text


def test_who_logs_in_passes_under_the_own_name(accounts):
    client = make_client(accounts)
    answer = log_in(client)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/teacher" in cookie
    assert client.get("/teacher/").text == "anna"


def test_logging_out_ends_the_session_on_the_server_too(accounts):
    client = make_client(accounts)
    log_in(client)
    token = client.cookies["teacher_session"]
    client.post("/teacher/logout")
    assert client.get("/teacher/", headers={"Cookie": f"teacher_session={token}"}).status_code == 401


def test_a_session_ends_after_an_hour_of_silence_and_after_half_a_day_in_any_case(accounts):
    clock = Clock()
    client = make_client(accounts, clock)
    log_in(client)
    clock.now += 3599
    assert client.get("/teacher/").status_code == 200
    clock.now += 3601
    assert client.get("/teacher/").status_code == 401
    log_in(client)
    for _ in range(int(LONGEST_SESSION / 3000) + 1):
        assert client.get("/teacher/").status_code == 200
        clock.now += 3000
    assert client.get("/teacher/").status_code == 401


def test_guessing_has_to_wait_longer_each_time_even_with_the_right_password(accounts):
    clock = Clock()
    client = make_client(accounts, clock)
    for _ in range(FREE_FAILURES):
        assert log_in(client, "wrong").status_code == 401
    answer = log_in(client)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= 31
    clock.now += 31
    assert log_in(client, "wrong").status_code == 401
    assert int(log_in(client).headers["retry-after"]) > 31
    clock.now += 61
    assert log_in(client).status_code == 200


@pytest.mark.parametrize("typed", ["Anna", " anna ", "аnna", "ａｎｎａ", "an\u200bna"])
def test_a_name_is_known_in_every_spelling(accounts, typed):
    assert log_in(make_client(accounts), name=typed).status_code == 200


def test_an_unknown_name_is_refused_in_the_same_words(accounts):
    client = make_client(accounts)
    assert log_in(client, name="nobody").json() == log_in(client, "wrong").json()


def test_a_login_of_a_megabyte_is_not_read(accounts):
    assert log_in(make_client(accounts), "x" * 1_000_000).status_code == 413


@pytest.mark.parametrize(
    ("address", "host", "status"),
    [
        ("127.0.0.1", "localhost:7860", 200),
        ("::1", "[::1]:7860", 200),
        ("::ffff:127.0.0.1", "localhost:7860", 200),
        ("::1", "[::ffff:7f00:1]:7860", 200),
        ("::ffff:192.168.1.9", "localhost", 403),
        ("2001:db8::7f00:1", "localhost", 403),
        ("192.168.1.9", "localhost", 403),
        ("127.0.0.1", "rebinding.example", 403),
        ("127.0.0.1", "LOCALHOST", 200),
        ("127.0.0.1", "localhost.evil.example", 403),
        ("testclient", "localhost", 403),
    ],
)
def test_without_accounts_only_this_computer_passes(address, host, status):
    client = make_client(Accounts({}), host=host)
    client._transport.client = (address, 1)
    answer = client.get("/teacher/")
    assert answer.status_code == status
    if status == 403:
        assert "accounts" in answer.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:80@localhost"},
        {"Host": "<localhost>"},
        {"Host": "localhost, evil.example"},
        {"Host": ""},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
        {"X-Real-IP": "203.0.113.7"},
        {"X-Forwarded-Host": "school.example"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Port": "443"},
        {"CF-Connecting-IP": "203.0.113.7"},
        {"True-Client-IP": "203.0.113.7"},
        {"X-Client-IP": "203.0.113.7"},
        {"X-Cluster-Client-IP": "203.0.113.7"},
        {"Via": "1.1 proxy"},
    ],
)
def test_what_a_proxy_on_this_computer_passes_on_is_not_taken_for_local(headers):
    client = make_client(Accounts({}), host="localhost")
    client._transport.client = ("127.0.0.1", 1)
    assert client.get("/teacher/").status_code == 200
    assert client.get("/teacher/", headers=headers).status_code == 403


def test_an_unknown_name_costs_the_same_work_and_is_compared_in_constant_time(accounts, monkeypatch):
    work: list[str] = []
    compare, hash_of = accounts_module.hmac.compare_digest, accounts_module._hash
    monkeypatch.setattr(accounts_module, "_hash", lambda *given: work.append("hash") or hash_of(*given))
    monkeypatch.setattr(
        accounts_module.hmac, "compare_digest", lambda *given: work.append("compare") or compare(*given)
    )
    for name, password in (("anna", "wrong password"), ("nobody", "wrong password"), ("anna", PASSWORD)):
        work.clear()
        assert accounts.verify(name, password) == (password == PASSWORD)
        assert work == ["hash", "compare"], name


def test_accounts_survive_their_file_and_hold_no_password(tmp_path, accounts):
    file = tmp_path / "folder" / "accounts.json"
    save_accounts(accounts, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in file.read_text()
    assert load_accounts(file).verify("anna", PASSWORD)
    assert load_accounts(file.read_text()).verify("anna", PASSWORD), "the environment may hold the same"
    assert not load_accounts(file).verify("anna", PASSWORD + " ")


COMPOSED, DECOMPOSED = "пароль учителя й", "пароль учителя и\u0306"


def test_a_password_is_the_same_whether_a_keyboard_composes_its_letters_or_not(accounts):
    for made, typed in ((COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), ("ｐassword wide", "password wide")):
        assert with_account(accounts, "boris", made).verify("boris", typed)
        assert not with_account(accounts, "boris", made).verify("boris", typed + "x")


def test_a_hash_from_before_passwords_were_normalised_still_verifies():
    salt = "00" * accounts_module.SALT_BYTES
    old = Accounts({"anna": (salt, accounts_module._hash(DECOMPOSED, salt))})
    assert old.verify("anna", DECOMPOSED)
    assert not old.verify("anna", DECOMPOSED + "x")
    assert not old.verify("boris", DECOMPOSED)


def test_the_classes_of_an_account_are_each_named_once_in_whatever_spelling():
    assert parse_classes(" 2B , 2\u0412,3a,3А, \u200b,") == {"2B", "3a"}
    assert parse_classes("ALL") == parse_classes(" аll ") == {"all"}


def test_two_accounts_with_one_password_have_different_hashes(accounts):
    assert with_account(accounts, "boris", PASSWORD).hashes["boris"] != accounts.hashes["anna"]


@pytest.mark.parametrize("text", ["{", '{"accounts": 3}', '{"accounts": {"anna": {}}}', '{"other": {}}'])
def test_a_file_that_holds_no_accounts_does_not_mean_that_there_are_none(text, tmp_path):
    file = tmp_path / "accounts.json"
    file.write_text(text)
    with pytest.raises(AccountsError):
        load_accounts(file)


def test_the_command_adds_lists_and_removes(tmp_path, monkeypatch, capsys):
    file = ["--file", str(tmp_path / "accounts.json")]
    monkeypatch.setattr("sys.stdin", __import__("io").StringIO(PASSWORD + "\n"))
    assert main([*file, "add", "anna"]) == 0
    assert list(json.loads((tmp_path / "accounts.json").read_text())["accounts"]) == ["anna"]
    assert main([*file, "list"]) == 0
    said = capsys.readouterr()
    assert said.out == "anna: –\n"
    assert "analytics.access.accounts classes anna" in said.err, "an account without a class is told how to get one"
    assert main([*file, "classes", "anna", "3А, 2B,"]) == 0
    assert main([*file, "list"]) == 0
    assert capsys.readouterr().out == "anna: 2B, 3А\n"
    assert main([*file, "remove", "anna"]) == 0
    assert main([*file, "remove", "anna"]) == 1
    assert not load_accounts(tmp_path / "accounts.json")


@pytest.mark.parametrize(("name", "password"), [("Anna Karenina", PASSWORD), ("anna", "short"), ("", PASSWORD)])
def test_a_name_or_password_that_cannot_be_used_is_refused(name, password):
    with pytest.raises(AccountsError):
        with_account(Accounts({}), name, password)


def test_a_new_password_keeps_the_classes_and_a_removed_account_loses_them(accounts):
    two = with_account(with_account(accounts, "anna", PASSWORD, frozenset({"2B"})), "anna", "another password")
    assert two.classes_of("anna") == {"2B"}
    assert with_account(accounts, "head", PASSWORD, frozenset({"all"})).classes_of("head") is None
    assert Accounts({}, {"gone": frozenset({"all"})}).classes_of("gone") == frozenset()


def test_a_file_from_before_there_were_classes_gives_none(tmp_path, accounts):
    file = tmp_path / "accounts.json"
    salt, digest = accounts.hashes["anna"]
    file.write_text(json.dumps({"accounts": {"anna": {"salt": salt, "scrypt": digest}}}))
    assert load_accounts(file).classes_of("anna") == frozenset()
    file.write_text(json.dumps({"accounts": {"anna": {"salt": salt, "scrypt": digest, "classes": "all"}}}))
    with pytest.raises(AccountsError):
        load_accounts(file)


def test_both_languages_say_the_same():
    assert TEXTS["en"].keys() == TEXTS["ru"].keys()


# As Node's @gradio/client 2 sends it, which puts a second stroke before the name.
PARTS = (
    '------x\r\nContent-Disposition: form-data; name="username"\r\n\r\nanna\r\n'
    '------x\r\nContent-Disposition: form-data; name="password"\r\n\r\n{password}\r\n------x--\r\n'
)
IN_PARTS = {"content-type": "multipart/form-data; boundary=----x"}


def test_a_form_in_parts_logs_in_as_nodes_client_does(accounts):
    client = make_client(accounts)
    answer = client.post("/teacher//login", content=PARTS.format(password=PASSWORD), headers=IN_PARTS)
    assert answer.status_code == 200
    assert client.get("/teacher/").text == "anna"
    wrong = make_client(accounts).post("/teacher//login", content=PARTS.format(password="x" * 12), headers=IN_PARTS)
    assert wrong.status_code == 401


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", PARTS),
        ("multipart/form-data; boundary=----x", "nothing"),
        ("multipart/form-data; boundary=----x", PARTS[:60]),
        ("multipart/form-data; boundary=----x; charset=none", PARTS),
        ("multipart/form-data; boundary=" + "x" * 2000, PARTS),
        ("multipart/form-data; boundary=----x", PARTS.replace('name="password"', 'name="password"; filename="x"')),
        ("multipart/form-data; boundary=----x", PARTS[:70] * 9 + PARTS),
        ("application/x-www-form-urlencoded", "username&password&&&=%ff"),
    ],
)
def test_what_is_no_form_is_a_wrong_password(accounts, kind, body):
    answer = make_client(accounts).post("/teacher/login", content=body, headers={"content-type": kind})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/lessons", "/api/v1/children/erase", "/api/v1/later"])
def test_of_the_interface_for_programs_all_but_the_stations_half_is_the_teachers(accounts, path):
    browser = {"accept": "text/html"}  # a program gets JSON whatever it says
    refused = make_client(accounts).get(path, headers=browser)
    assert (refused.status_code, refused.json()["reason"]) == (401, "login_needed")
    closed = make_client(Accounts({})).get(path)
    assert (closed.status_code, closed.json()["reason"]) == (403, "closed")
    client = make_client(accounts)
    log_in(client)
    assert client.get(path).text == "anna"


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/openapi.json", "/api/v1/station/observe", "/api/v1/station/"])
def test_the_stations_half_and_the_description_need_no_account(accounts, path):
    assert make_client(accounts).get(path).text == "None"


def test_logging_out_ends_the_session_of_a_program_too(accounts):
    client = make_client(accounts)
    log_in(client)
    token = client.cookies["teacher_session_programs"]
    client.get("/teacher/logout")
    assert client.get("/api/v1/lessons", headers={"Cookie": f"teacher_session_programs={token}"}).status_code == 401
