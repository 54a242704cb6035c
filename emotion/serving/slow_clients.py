"""Limits for connections: a timeout for the head of a request, and how many an address, and all together, may hold.

uvicorn waits for the headers of a request for as long as it takes. A program that opens connections and sends a letter
now and then ("slowloris"), or nothing, would use up the files that a process may have open, and shut the class out.
Where there are too many, those that ask for nothing make room for new ones: first those that never asked, then those
whose body has been on its way the longest, then those whose last answer lies longest back, then those that do not take
their answer. A tablet in a lesson asks every second, its frame is there at once, and it opens a new one where it has
to.

A body in chunks of a letter each costs thousands of times what it carries; it ends the connection.
"""

import asyncio
import logging
import resource
from collections import Counter, OrderedDict
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from emotion.serving.addresses import network_of, plain_address

TAKING_TIMEOUT_SECONDS = 30.0  # seconds for the next 48 kB of an answer
HEADER_TIMEOUT_SECONDS = 15.0  # seconds for the head of a request; a browser on a bad network takes one or two
# Of one address (of IPv6 64 bits of it) at a time: a school of a hundred tablets may be behind one, with a handful of
# connections each.
MAXIMUM_CONNECTIONS = 600
MAXIMUM_IN_ALL = 3000
HEAD_BYTES = 16 * 1024  # of the head of a request, as uvicorn has it
OTHER_FILES = 200  # that the process may have open beside its connections: the database, models, pipes

# A body may come in so many pieces, and in one more for each so many bytes.
MOST_PIECES, BYTES_OF_A_PIECE = 256, 64

logger = logging.getLogger(__name__)


def allow_open_files() -> None:
    """Raises this process's own limit of open files, often 1,024, as far as `MAXIMUM_IN_ALL` needs and the system
    allows; where it allows fewer, fewer connections are accepted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAXIMUM_IN_ALL + OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    SlowClientProtocol.most_in_all = max(1, min(MAXIMUM_IN_ALL, soft - OTHER_FILES))
    logger.info("At most %s connections at a time", SlowClientProtocol.most_in_all)


class _PiecesConnection(h11.Connection):
    """HTTP/1.1 that refuses bodies in tiny pieces."""

    _pieces = _bytes = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """The next event. Raises h11.RemoteProtocolError for a body in too many pieces."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = self._bytes = 0
        elif isinstance(event, h11.Data):
            self._pieces += 1
            self._bytes += len(event.data)
            if self._pieces > MOST_PIECES + self._bytes // BYTES_OF_A_PIECE:
                raise h11.RemoteProtocolError("a body in too many pieces")
        return event


class SlowClientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with a time for the head of a request and a number of connections."""

    most_in_all: ClassVar[int] = MAXIMUM_IN_ALL
    open_by_address: ClassVar[Counter[str]] = Counter()
    # Those that wait for a request, longest first; apart, those that have not made one yet, those whose body is on its
    # way, and those of which we wait that they take more of an answer.
    unasked: ClassVar["OrderedDict[SlowClientProtocol, None]"] = OrderedDict()
    answered: ClassVar["OrderedDict[SlowClientProtocol, None]"] = OrderedDict()
    arriving: ClassVar["OrderedDict[SlowClientProtocol, None]"] = OrderedDict()
    stalled: ClassVar["OrderedDict[SlowClientProtocol, None]"] = OrderedDict()
    head_timer: asyncio.TimerHandle | None = None
    taking_timer: asyncio.TimerHandle | None = None
    counted: str | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        most = self.config.h11_max_incomplete_event_size
        self.conn = _PiecesConnection(h11.SERVER, HEAD_BYTES if most is None else most)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection; one too many takes the place of one that asks for nothing, or is closed."""
        super().connection_made(transport)
        if self.client:
            self.client = (plain_address(self.client[0]), self.client[1])
        self.counted = network_of(self.client[0]) if self.client else ""
        self.open_by_address[self.counted] += 1
        if not self._has_room():
            transport.close()
        else:
            self.unasked[self] = None
            self._await_head()

    def data_received(self, data: bytes) -> None:
        """Serve what came; the time runs from the first letter of a head to its last."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._is_busy()
            if self.cycle.more_body:
                self.arriving.setdefault(self, None)
            else:
                self.arriving.pop(self, None)
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._await_head()
        else:
            self._head_is_there()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; an answer that has begun already is broken off."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.abort()

    def on_response_complete(self) -> None:
        """The connection waits for its next request, which may be there already."""
        super().on_response_complete()
        self.arriving.pop(self, None)
        if self.counted is not None and self.cycle.response_complete:
            self.answered[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._head_is_there()
        self._answer_goes_on()
        self._is_gone()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """More of an answer waits than is held for a client; it has some time to take it."""
        super().pause_writing()
        self.stalled[self] = None
        self.taking_timer = self.loop.call_later(TAKING_TIMEOUT_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has taken enough for the answer to go on."""
        super().resume_writing()
        self._answer_goes_on()

    def _answer_goes_on(self) -> None:
        self.stalled.pop(self, None)
        if self.taking_timer is not None:
            self.taking_timer.cancel()
            self.taking_timer = None

    def _has_room(self) -> bool:
        """Whether there is room for this connection, or one that waits could make some."""
        if self.counted is not None and self.open_by_address[self.counted] > MAXIMUM_CONNECTIONS:
            return self._displace(self.counted)
        return self.open_by_address.total() <= self.most_in_all or self._displace(None)

    def _displace(self, address: str | None) -> bool:
        """Closes the connection, of ``address`` or of any, that asks for nothing the longest; False if all are asked
        for something."""
        for waiting in (self.unasked, self.arriving, self.answered, self.stalled):
            for connection in waiting:
                if address in (None, connection.counted):
                    connection._is_gone()
                    connection.transport.abort()
                    return True
        return False

    def _is_busy(self) -> None:
        self.unasked.pop(self, None)
        self.answered.pop(self, None)

    def _is_gone(self) -> None:
        self._is_busy()
        self.arriving.pop(self, None)
        self._answer_goes_on()
        if self.counted is not None:
            self.open_by_address[self.counted] -= 1
            if self.open_by_address[self.counted] <= 0:
                del self.open_by_address[self.counted]
            self.counted = None

    def _await_head(self) -> None:
        if self.head_timer is None:
            self.head_timer = self.loop.call_later(HEADER_TIMEOUT_SECONDS, self.transport.close)

    def _head_is_there(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None
