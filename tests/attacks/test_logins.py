"""A stranger or a pupil behind the school's address types wrong passwords: whom that shuts out, and what it costs."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.attack_target import Target
from tests.class_in_lesson import class_in_lesson, stranger
from tests.composed import PASSWORD

pytestmark = pytest.mark.slow


def log_in(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/teacher/login", data={"username": name, "password": password})


def test_a_teacher_gets_in_elsewhere_and_a_colleague_at_the_same_place(target: Target) -> None:
    with stranger(target, "127.0.6.1") as pupil:
        answers = Counter(log_in(pupil, "anna", f"wrong {number}").status_code for number in range(40))
        assert answers[429] > 30, answers
        assert log_in(pupil, "boris").status_code == 200
    with stranger(target, "127.0.6.2") as elsewhere:
        assert log_in(elsewhere, "anna").status_code == 200


def test_a_known_device_gets_in_behind_the_address_of_whoever_guesses(target: Target) -> None:
    with stranger(target, "127.0.6.3") as laptop, stranger(target, "127.0.6.3") as pupil:
        assert log_in(laptop, "anna").status_code == 200
        assert laptop.post("/teacher/logout").status_code == 303
        for number in range(10):
            log_in(pupil, "anna", f"wrong {number}")
        assert log_in(pupil, "anna").status_code == 429
        again = log_in(laptop, "anna")
        assert again.status_code == 200
        cookies = again.headers.get_list("set-cookie")
        assert len(cookies) == 3
        for cookie in cookies:
            assert "HttpOnly" in cookie
            assert "SameSite=strict" in cookie
            assert ("Path=/api/v1" if cookie.startswith("teacher_session_programs") else "Path=/teacher") in cookie
        pupil.cookies = httpx.Cookies({name: laptop.cookies[name] + "0" for name in laptop.cookies})
        assert log_in(pupil, "anna").status_code == 429, "a cookie that was changed"


def test_the_cookie_of_a_known_device_opens_nothing(target: Target) -> None:
    with stranger(target, "127.0.6.4") as laptop:
        log_in(laptop, "anna")
        laptop.cookies.delete("teacher_session")
        assert laptop.get("/teacher/config").status_code == 401


def test_a_known_device_gets_in_while_forty_addresses_make_hashes_cost_what_they_can(target: Target) -> None:
    """Each hash takes 64 MB and the frames' processors: together they took 2.5 GB, and frames waited for 22 s."""
    stop = threading.Event()

    def burn(place: int) -> Counter[int]:
        answers: Counter[int] = Counter()
        with stranger(target, f"127.0.7.{place}") as client:
            while not stop.is_set():
                answers[log_in(client, f"nobody{sum(answers.values())}", "wrong" * 4).status_code] += 1
                time.sleep(0.25)  # a flood of ordinary requests is another attack
        return answers

    with stranger(target, "127.0.6.5") as laptop:
        assert log_in(laptop, "boris").status_code == 200
        with class_in_lesson(target), ThreadPoolExecutor(40) as threads:
            burning = [threads.submit(burn, place) for place in range(1, 41)]
            try:
                time.sleep(4)
                for _ in range(5):
                    began = time.monotonic()
                    assert log_in(laptop, "boris").status_code == 200
                    assert time.monotonic() - began < 15
            finally:
                stop.set()
            answers = sum((one.result() for one in burning), Counter())
    assert set(answers) <= {401, 429, 503}, answers
    assert answers[503] > 0
