"""The cookie of a known device: for one name, signed, and void with the password that it was made for."""

from hypothesis import given
from hypothesis import strategies as st

from analytics.access.known_devices import VALID_SECONDS, KnownDevices

DEVICES = KnownDevices(b"k" * 32, {"anna": "aa", "boris": "bb"})


def cookies(name: str = "anna", devices: KnownDevices = DEVICES) -> dict[str, str]:
    return {devices.cookie_name(name): devices.make(name)}


def test_a_device_is_known_for_the_name_that_logged_in_on_it() -> None:
    both = cookies("anna") | cookies("boris")
    assert DEVICES.device("anna", both)
    assert DEVICES.device("anna", both) != DEVICES.device("boris", both)
    assert DEVICES.device("anna", cookies("boris")) == ""
    assert "anna" not in str(both), "who shares the computer need not know who else does"


def test_the_cookie_of_one_name_is_none_of_another_s() -> None:
    assert DEVICES.device("anna", {DEVICES.cookie_name("anna"): DEVICES.make("boris")}) == ""


def test_a_new_password_or_key_and_half_a_year_make_it_void() -> None:
    given_out = cookies()
    now = [0.0]
    assert KnownDevices(b"k" * 32, {"anna": "other"}).device("anna", given_out) == ""
    assert KnownDevices(b"l" * 32, {"anna": "aa"}).device("anna", given_out) == ""
    aged = KnownDevices(b"k" * 32, {"anna": "aa"}, lambda: now[0])
    old = cookies(devices=aged)
    assert aged.device("anna", old)
    now[0] += VALID_SECONDS + 1
    assert aged.device("anna", old) == ""


@given(st.text())
def test_no_text_is_a_device(text: str) -> None:
    assert DEVICES.device("anna", {DEVICES.cookie_name("anna"): text}) == ""
