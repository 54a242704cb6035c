"""How many wrong passwords are looked at: for a name at one place, on a device that is known, and in the world.

A lock for a name everywhere would let anybody shut a teacher out, and one for an address everybody who shares it. So
five wrong passwords lock a name at that place alone; who comes with a device on which the name logged in before
(`analytics.access.known_devices`) has a count of his own. What many places guess of one name together is limited too,
but slowly: with 30 at once and 12 an hour the ten thousand most usual passwords take five weeks.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

FREE_FAILURES = 5  # wrong passwords before one has to wait
FIRST_WAIT, LONGEST_WAIT = 30.0, 900.0  # seconds; doubles with each further failure
FORGET_FAILURES = 3600.0  # seconds after which failures are forgotten
# Of one name, at all places but known devices: so many at once, and one more every so many seconds.
NAME_BURST, NAME_SECONDS = 30.0, 300.0
# Of one place, whatever the names: each costs a hash.
PLACE_BURST, PLACE_SECONDS = 60.0, 5.0
MOST_REMEMBERED = 10_000  # of places, and of names that nobody has; those that somebody has are never forgotten
LONGEST_KEY = 80  # characters: a name has up to 40, and a caller's kilobytes are not kept


@dataclass
class FailedLogins:
    """How often a login failed lately, and until when no further attempt is looked at."""

    count: int = 0
    last: float = 0.0
    blocked_until: float = 0.0


@dataclass
class Allowance:
    """``burst`` at once, one more every ``seconds``, for each key."""

    burst: float
    seconds: float
    used: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def wait(self, key: str, now: float) -> float:
        """Seconds until there is one; 0 if at once."""
        return max(0.0, (self._used(key, now) + 1 - self.burst) * self.seconds)

    def take(self, key: str, now: float) -> None:
        """One of it."""
        self._set(key, self._used(key, now) + 1, now)

    def give_back(self, key: str, now: float) -> None:
        """One that was taken."""
        self._set(key, max(0.0, self._used(key, now) - 1), now)

    def _used(self, key: str, now: float) -> float:
        used, then = self.used.get(key, (0.0, now))
        return max(0.0, used - (now - then) / self.seconds)

    def _set(self, key: str, used: float, now: float) -> None:
        self.used[key] = used, now
        self.used.move_to_end(key)
        if len(self.used) > MOST_REMEMBERED:
            self.used.popitem(last=False)


class LoginLimits:
    """``names``: those that somebody has. ``place``: the addresses that one client may have. ``device``: of a known
    one, or "" for any other."""

    def __init__(self, names: Collection[str] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self.names = frozenset(names)
        self.clock = clock
        self.failures: OrderedDict[str, FailedLogins] = OrderedDict()
        self.known, self.unknown = Allowance(NAME_BURST, NAME_SECONDS), Allowance(NAME_BURST, NAME_SECONDS)
        self.places = Allowance(PLACE_BURST, PLACE_SECONDS)

    def wait(self, name: str, place: str, device: str) -> float:
        """Seconds until the next attempt is looked at; 0 if at once."""
        now = self.clock()
        entry = self.failures.get(_key(name, place, device))
        own = max(0.0, entry.blocked_until - now) if entry else 0.0
        if device:
            return own
        return max(own, self._of_name(name).wait(name[:LONGEST_KEY], now), self.places.wait(place, now))

    def failed(self, name: str, place: str, device: str) -> None:
        """Count a failure."""
        now, key = self.clock(), _key(name, place, device)
        entry = self.failures.pop(key, FailedLogins())
        if now - entry.last > FORGET_FAILURES:
            entry = FailedLogins()
        entry.count, entry.last = entry.count + 1, now
        if entry.count >= FREE_FAILURES:
            entry.blocked_until = now + min(LONGEST_WAIT, FIRST_WAIT * 2 ** (entry.count - FREE_FAILURES))
        self.failures[key] = entry
        if len(self.failures) > MOST_REMEMBERED:
            self.failures.popitem(last=False)
        if not device:
            self._of_name(name).take(name[:LONGEST_KEY], now)
            self.places.take(place, now)

    def succeeded(self, name: str, place: str, device: str) -> None:
        """Forget the failures at this place or on this device, and that this one was counted as another."""
        self.failures.pop(_key(name, place, device), None)
        if not device:
            now = self.clock()
            self._of_name(name).give_back(name[:LONGEST_KEY], now)
            self.places.give_back(place, now)

    def _of_name(self, name: str) -> Allowance:
        return self.known if name in self.names else self.unknown


def _key(name: str, place: str, device: str) -> str:
    return f"{name[:LONGEST_KEY]} on {device}" if device else f"{name[:LONGEST_KEY]} at {place}"
