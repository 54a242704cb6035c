"""Debian's nginx in front of the app: with the lines of the README everything works, without them it is told why."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file

from tests.composed import PASSWORD, account_variable
from tests.running_app import ROOT, PreparedLesson, RunningApp, free_port, prepare_lesson, running_app
from tests.stations import PICTURE

NGINX = "/usr/sbin/nginx"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which(NGINX), reason=f"needs {NGINX} (Debian: apt-get install nginx-light)"),
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PreparedLesson]:
    folder = tmp_path_factory.mktemp("app")
    return folder, prepare_lesson(folder)


@pytest.fixture(scope="module")
def app(prepared: tuple[Path, PreparedLesson]) -> Iterator[RunningApp]:
    with running_app(prepared[0], EMOTION_TRUSTED_PROXIES="127.0.0.1,::1") as running:
        yield running


def documented() -> str:
    """The lines of the README for nginx."""
    (lines,) = re.findall(r"`(proxy_set_header Host [^`]+)`", (ROOT / "README.md").read_text(encoding="utf-8"))
    return str(lines)


@contextmanager
def nginx(folder: Path, target: str, lines: str, tls: bool = False) -> Iterator[str]:
    """A proxy in front of ``target`` with ``lines`` in its location; its address. ``tls``: over https, with a
    certificate of its own making."""
    port = free_port()
    folder.mkdir()
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    listen = f"listen 127.0.0.1:{port}"
    if tls:
        command = (
            "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=school -addext subjectAltName=IP:127.0.0.1"
        )
        files = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"]
        subprocess.run([*command.split(), *files], check=True, capture_output=True)
        listen += f" ssl; ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem"
    user = "user root; " if os.geteuid() == 0 else ""  # whose folder it is
    configuration.write_text(
        f"{user}daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}} "
        f"http {{ {paths} access_log off; "
        f"server {{ {listen}; location / {{ proxy_pass {target}; {lines} }} }} }}"
    )
    process = subprocess.Popen([NGINX, "-c", str(configuration), "-e", f"{folder}/error.log"])
    try:
        address = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        for _ in range(100):
            try:
                httpx.get(address + "/healthz", timeout=20, verify=False).raise_for_status()
                break
            except httpx.TransportError:
                assert process.poll() is None, (folder / "error.log").read_text()
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def test_with_the_lines_of_the_readme_stations_and_programs_work(
    app: RunningApp, prepared: tuple[Path, PreparedLesson], tmp_path: Path
) -> None:
    lesson = prepared[1]
    with nginx(tmp_path / "nginx", app.url, documented()) as address:
        query = {"lesson": lesson.lesson.code, "child": lesson.codes[0]}
        browser = {"Origin": address}  # over http no browser sends Fetch Metadata
        seen = httpx.post(address + "/observe", params=query, content=PICTURE.read_bytes(), headers=browser, timeout=60)
        assert seen.json()["recorded"] is True, seen.text
        assert f'"root":"{address}' in httpx.get(address + "/").text
        large = {"files": ("photo.jpg", PICTURE.read_bytes() + bytes(5_000_000), "image/jpeg")}
        assert httpx.post(address + "/gradio_api/upload", files=large, timeout=60).status_code == 200
        client = Client(address, verbose=False)
        told = client.predict(lesson.lesson.code, lesson.codes[1], handle_file(PICTURE), api_name="/observe")
        assert told["recorded"] is True
        assert httpx.head(address + "/healthz").status_code == 200
        assert httpx.post(address + "/observe", params=query, headers={"Origin": "http://evil.example"}).is_error
        assert httpx.get(address + "/teacher/").status_code == 403, "who comes through a proxy is not this computer"
        assert httpx.get(address + "/metrics").status_code == 403


def test_without_those_lines_a_browser_is_told_what_the_proxy_must_send(
    app: RunningApp, prepared: tuple[Path, PreparedLesson], tmp_path: Path
) -> None:
    with nginx(tmp_path / "nginx", app.url, "") as address:
        answer = httpx.post(address + "/admission", headers={"Origin": address, "Accept-Language": "en"})
        assert answer.status_code == 403
        assert "Host" in answer.json()["error"]
        assert "README" in answer.json()["error"]
        closed = httpx.get(address + "/teacher/")
        assert closed.status_code == 403, "nginx says nothing of itself, yet nobody behind it is this computer"


def test_a_teacher_logs_in_through_the_proxy_and_is_known_by_the_own_address(app: RunningApp, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    accounts = account_variable({"anna": "2B"})
    with (
        running_app(
            own, EMOTION_ACCOUNTS=accounts, GRADIO_SERVER_NAME="::", EMOTION_TRUSTED_PROXIES="127.0.0.1,::1"
        ) as other,
        nginx(tmp_path / "nginx", other.url, documented().replace("$remote_addr", "203.0.113.$arg_who")) as address,
        httpx.Client(base_url=address, headers={"Origin": address}, timeout=60) as browser,
    ):
        for _ in range(5):
            assert browser.post("/teacher/login?who=1", data={"username": "x", "password": "wrong"}).status_code == 401
        assert browser.post("/teacher/login?who=1", data={"username": "x", "password": "wrong"}).status_code == 429
        answer = browser.post("/teacher/login?who=2", data={"username": "anna", "password": PASSWORD})
        assert answer.status_code == 200, "another client's mistakes cost only that client"
        assert browser.get("/teacher/").status_code == 200


def test_what_a_client_says_of_its_address_is_believed_of_named_proxies_alone(tmp_path: Path) -> None:
    """From this computer it was believed of everybody: each frame could come from an address of its own."""
    prepared = prepare_lesson(tmp_path, 1)
    with running_app(tmp_path) as running:
        answers = []
        for place in range(150):
            headers = {"X-Forwarded-For": f"10.0.{place}.1", "X-Forwarded-Proto": "https"}
            query = {"lesson": prepared.lesson.code, "child": f"fox-{place:04d}"}
            answers.append(httpx.post(running.url + "/admission", params=query, headers=headers).status_code)
    assert 429 in answers, "all were charged to one"


def test_over_tls_cookies_and_addresses_are_those_of_https(
    app: RunningApp, prepared: tuple[Path, PreparedLesson], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    lesson = prepared[1]
    with (
        running_app(
            own, EMOTION_ACCOUNTS=account_variable({"anna": "2B"}), EMOTION_TRUSTED_PROXIES="127.0.0.1,::1"
        ) as school,
        nginx(tmp_path / "school", school.url, documented(), tls=True) as address,
        httpx.Client(base_url=address, headers={"Origin": address}, timeout=60, verify=False) as browser,
    ):
        answer = browser.post("/teacher/login", data={"username": "anna", "password": PASSWORD})
        assert answer.is_success or answer.is_redirect
        cookies = answer.headers.get_list("set-cookie")
        assert cookies
        assert all("Secure" in cookie and "HttpOnly" in cookie for cookie in cookies), cookies
        page = browser.get("/teacher/")
        assert page.status_code == 200
        assert f'"root":"{address}' in page.text, "what the page asks for, it asks for over https"
        evil = {"Origin": "https://evil.example"}
        assert browser.post("/teacher/login", data={"username": "anna"}, headers=evil).status_code == 403
    with nginx(tmp_path / "class", app.url, documented(), tls=True) as address:
        query = {"lesson": lesson.lesson.code, "child": lesson.codes[2]}
        headers = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
        seen = httpx.post(
            address + "/observe", params=query, content=PICTURE.read_bytes(), headers=headers, timeout=60, verify=False
        )
        assert seen.json()["recorded"] is True, seen.text
        client = Client(address, verbose=False, ssl_verify=False)
        told = client.predict(lesson.lesson.code, lesson.codes[2], handle_file(PICTURE), api_name="/observe")
        assert told["recorded"] is True
