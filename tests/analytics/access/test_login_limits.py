"""Who wrong passwords lock out: a name at one place, never a known device elsewhere, and slowly the whole world."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analytics.access.login_limits import (
    FREE_FAILURES,
    LONGEST_WAIT,
    MOST_REMEMBERED,
    NAME_BURST,
    NAME_SECONDS,
    PLACE_BURST,
    LoginLimits,
)

SCHOOL, HOME, LAPTOP = "192.0.2.1", "203.0.113.5", "laptop"
DAY = 24 * 3600.0


class Limits(LoginLimits):
    """With seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__({"anna", "boris"}, lambda: self.now)

    def try_once(self, name: str, place: str, device: str = "") -> bool:
        """A wrong password; whether it was looked at."""
        if self.wait(name, place, device) > 0:
            return False
        self.failed(name, place, device)
        return True


@pytest.fixture
def limits() -> Limits:
    return Limits()


def test_wrong_passwords_lock_a_name_at_their_place_alone(limits: Limits) -> None:
    assert [limits.try_once("anna", SCHOOL) for _ in range(FREE_FAILURES + 1)] == [True] * FREE_FAILURES + [False]
    assert limits.wait("anna", HOME, "") == 0
    assert limits.wait("boris", SCHOOL, "") == 0, "a colleague behind the same address"


def test_a_known_device_is_not_locked_by_its_neighbours_nor_by_the_world(limits: Limits) -> None:
    for number in range(100):
        limits.try_once("anna", f"198.51.100.{number}")
        limits.try_once("anna", SCHOOL)
    assert limits.wait("anna", HOME, "") > 0
    assert limits.wait("anna", SCHOOL, LAPTOP) == 0


def test_a_known_device_has_no_more_attempts_than_a_place(limits: Limits) -> None:
    assert sum(limits.try_once("anna", SCHOOL, LAPTOP) for _ in range(100)) == FREE_FAILURES
    assert limits.wait("anna", HOME, LAPTOP) > 0, "wherever it is carried"


def test_forty_requests_in_a_school_day_leave_the_login_open(limits: Limits) -> None:
    """They left it open for 39 seconds."""
    for _ in range(40):
        limits.try_once("anna", SCHOOL)
        limits.now += 8 * 3600 / 40
        assert limits.wait("anna", HOME, "") == 0


def test_a_success_forgets_its_own_failures_and_nobody_else_s(limits: Limits) -> None:
    """Who has an account of his own logged in between, and his guesses at others were forgotten."""
    for _ in range(FREE_FAILURES):
        limits.try_once("anna", SCHOOL)
    limits.failed("boris", SCHOOL, "")
    limits.succeeded("boris", SCHOOL, "")
    assert limits.wait("anna", SCHOOL, "") > 0


def test_whoever_logs_in_every_minute_is_never_locked_out(limits: Limits) -> None:
    for _ in range(2000):
        assert limits.try_once("anna", SCHOOL)
        limits.succeeded("anna", SCHOOL, "")
        limits.now += 60


def test_ten_thousand_usual_passwords_take_the_whole_world_five_weeks(limits: Limits) -> None:
    tried = 0
    for place in range(10_000):
        tried += limits.try_once("anna", f"198.51.{place // 250}.{place % 250}")
        limits.now += DAY / 10_000
    assert tried <= NAME_BURST + DAY / NAME_SECONDS
    assert 34 < (10_000 - NAME_BURST) * NAME_SECONDS / DAY < 36


def test_one_place_cannot_go_through_all_names(limits: Limits) -> None:
    assert sum(limits.try_once(f"name{number}", SCHOOL) for number in range(1000)) == PLACE_BURST


def test_a_name_that_nobody_has_is_treated_as_one_that_somebody_has(limits: Limits) -> None:
    for number in range(200):
        place = f"198.51.100.{number % 20}"
        assert limits.wait("anna", place, "") == limits.wait("nobody", place, "")
        assert limits.try_once("anna", place) == limits.try_once("nobody", place)
        limits.now += 7


def test_names_that_somebody_makes_up_are_forgotten_before_those_that_somebody_has(limits: Limits) -> None:
    for number in range(100):
        limits.try_once("anna", f"198.51.100.{number}")
    for number in range(MOST_REMEMBERED + 100):
        limits.try_once(f"{number}" * 500, f"10.{number // 60000}.{number // 250 % 240}.{number % 250}")
    assert limits.wait("anna", HOME, "") > 0
    assert max(map(len, (limits.failures, limits.unknown.used, limits.places.used))) <= MOST_REMEMBERED
    assert max(map(len, limits.failures)) < 200, "characters"


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.floats(0, 2000)), max_size=200))
@example([("a", 0.0)] * 4 + [("a", pause) for pause in (1.1421545032144422, 31, 61, 121, 985, 1999.4)])
def test_a_wait_ends_and_is_never_longer_than_a_quarter_of_an_hour(steps: list[tuple[str, float]]) -> None:
    limits = Limits()
    for place, pause in steps:
        limits.now += pause
        limits.try_once("anna", place)
        wait = limits.wait("anna", place, "")
        assert wait <= LONGEST_WAIT + 1e-6
        limits.now += wait
        assert limits.wait("anna", place, "") == pytest.approx(0, abs=1e-6)
        limits.now -= wait
