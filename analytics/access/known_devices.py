"""Devices on which a teacher logged in before: a signed cookie, by which a login there is not locked from elsewhere.

It is no session and opens nothing: the password is asked for as ever. It ends with the password that it was made for.
"""

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

VALID_SECONDS = 180 * 24 * 3600  # half a school year; renewed with each login
COOKIE = "teacher_device_"  # and what stands for the name
DIGITS = 16  # hexadecimal, of what stands for the name and for the device: 64 bits


@dataclass(frozen=True, slots=True)
class KnownDevices:
    """``key``: secret; with another one, earlier cookies are void. ``salts``: of the names' passwords."""

    key: bytes
    salts: Mapping[str, str]
    clock: Callable[[], float] = time.time

    def cookie_name(self, name: str) -> str:
        """Of the cookie for ``name``: several teachers may share a computer."""
        return f"{COOKIE}{hmac.digest(self.key, f'name {name}'.encode(), 'sha256').hex()[:DIGITS]}"

    def make(self, name: str) -> str:
        """A cookie's value for a device on which ``name`` has just logged in."""
        stated = f"{secrets.token_hex(DIGITS // 2)}.{int(self.clock()) + VALID_SECONDS}"
        return f"{stated}.{self._signature(name, stated)}"

    def device(self, name: str, cookies: Mapping[str, str]) -> str:
        """The device that the cookies of a request name, if ``name`` logged in on it before; else ""."""
        stated, _, signature = cookies.get(self.cookie_name(name), "").rpartition(".")
        device, _, until = stated.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(name, stated).encode()):
            return ""
        return device if int(until) > self.clock() else ""

    def owner(self, cookies: Mapping[str, str]) -> str:
        """The device that the cookies of a request name for any of the teachers; "" for none."""
        if not any(cookie.startswith(COOKIE) for cookie in cookies):
            return ""
        return next((device for name in self.salts if (device := self.device(name, cookies))), "")

    def _signature(self, name: str, stated: str) -> str:
        message = f"device {name} {self.salts.get(name, '')} {stated}"
        return hmac.digest(self.key, message.encode(), "sha256").hex()
