"""The one door for codes: how many unknown ones a client may name, at all routes and endpoints together.

What is looked up is paid for before, and given back unless the code is unknown: a hundred guesses at one moment count
as a hundred. The codes that a client has shown to be right cost nothing, whatever a neighbour behind the same address
tries. Neither do the neighbours who do not even know the lesson shut out its new children: where somebody takes part in
a lesson, guesses at its children have an allowance of their own. And a tablet that took part before has one, too: it
carries a mark (`emotion.station.tablet_marks`).

A lesson has one allowance more, for everybody at addresses where nobody takes part in it: many addresses guess no
faster than a few. Who knows the lesson's code and has many addresses can use it up, and so keep out children at such
addresses who come without a mark; a new lesson has a new code.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from emotion.serving.addresses import network_of
from emotion.serving.rate_limits import TokenBuckets
from emotion.station.observing import RefusedError
from emotion.station.texts import say

# Unknown codes of one client: a class behind one address may mistype a hundred times, a program that tries may not.
UNKNOWN_CODES_PER_SECOND, UNKNOWN_CODES_BURST = 0.5, 100.0
# Of all addresses together where nobody takes part, at the children of one lesson.
STRANGERS_PER_SECOND, STRANGERS_BURST = 2.0, 1000.0
# Of the tablets that a child has taken part with: as many as a child mistypes.
MARKED_PER_SECOND, MARKED_BURST = 0.05, 10.0
MOST_RIGHT_CODES = 20_000  # remembered at a time; no one but who has them can fill this
MOST_PLACES = 8  # of a code: networks from which it was shown to be right
VOUCHING_PLACES = 2  # of a code: with more, one child would vouch for a thousand addresses

Answer = TypeVar("Answer")


class CodeDoor:
    """``plain``: one and the same for all spellings of a lesson's and a child's code."""

    def __init__(
        self, plain: Callable[[str, str], tuple[str, str]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.plain = plain
        self.clients = TokenBuckets(UNKNOWN_CODES_PER_SECOND, UNKNOWN_CODES_BURST, clock)
        self.lessons = TokenBuckets(STRANGERS_PER_SECOND, STRANGERS_BURST, clock)
        self.marked = TokenBuckets(MARKED_PER_SECOND, MARKED_BURST, clock)
        # (lesson, child) -> the networks from which they were shown to be right, oldest first.
        self.right: OrderedDict[tuple[str, str], OrderedDict[str, None]] = OrderedDict()
        self.places: OrderedDict[tuple[str, str], None] = OrderedDict()  # (network, lesson) where somebody takes part

    async def enter(
        self,
        lesson: str,
        child: str,
        look_up: Callable[[], tuple[Answer, str]],
        client: str,
        language: str,
        mark: str = "",
    ) -> Answer:
        """What ``look_up`` answers; beside it stands who was found, "" for nobody. ``client``: an address. ``mark``: of
        the tablet's child, "" for none. Raises `RefusedError`: the one of ``look_up``, whose 404 means a code that is
        unknown, or 429 for a client that has named too many of those.
        """
        network, codes = network_of(client), self.plain(lesson, child)
        known = self.knows(lesson, child, client)
        paid = [] if known else self._pay(network, codes[0], mark, language)
        try:
            answer, found = await run_in_threadpool(look_up)
        except RefusedError as error:
            if error.status != 404:
                _give_back(paid)
            elif known:  # it was right: a child that was erased
                self.right.pop(codes, None)
                self.clients.take(network)
            elif error.reason == "unknown_child" and paid == [(self.clients, network)]:
                self.lessons.take(codes[0])  # there is such a lesson: from now on it has an allowance
            raise
        _give_back(paid)
        if found:
            self._remember(network, codes)
        return answer

    def knows(self, lesson: str, child: str, client: str) -> bool:
        """Whether the codes were right before, from the address ``client``."""
        return network_of(client) in self.right.get(self.plain(lesson, child), ())

    def _pay(self, network: str, lesson: str, mark: str, language: str) -> list[tuple[TokenBuckets, str]]:
        """What was taken, and from whom. Raises `RefusedError` where there is nothing to take."""
        if (network, lesson) in self.places:
            due = [(self.clients, f"{network} {lesson}")]
        elif self.lessons.knows(lesson):
            due = [(self.clients, network), (self.lessons, lesson)]
        else:
            due = [(self.clients, network)]
        wait = _take(due)
        if wait == 0:
            return due
        if mark and self.marked.take(mark) == 0:
            return [(self.marked, mark)]
        raise RefusedError("busy", say(language, "error_too_often", seconds=round(wait) + 1), 429, wait)

    def _remember(self, network: str, codes: tuple[str, str]) -> None:
        networks = self.right.setdefault(codes, OrderedDict())
        is_new = network not in networks
        networks[network] = None
        networks.move_to_end(network)
        self.right.move_to_end(codes)
        if is_new and codes[1] and len(networks) <= VOUCHING_PLACES:
            self.places[network, codes[0]] = None
        if len(networks) > MOST_PLACES:
            networks.popitem(last=False)
        for remembered in (self.right, self.places):
            if len(remembered) > MOST_RIGHT_CODES:
                remembered.popitem(last=False)


def _take(due: list[tuple[TokenBuckets, str]]) -> float:
    """0 if there was one of each, else the seconds after which there is, and nothing was taken."""
    for place, (buckets, key) in enumerate(due):
        wait = buckets.take(key)
        if wait > 0:
            _give_back(due[:place])
            return wait
    return 0.0


def _give_back(paid: list[tuple[TokenBuckets, str]]) -> None:
    for buckets, key in paid:
        buckets.give_back(key)
