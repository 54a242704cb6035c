"""Limits for connections: a timeout for the head of a request, and a number of connections for each address.

uvicorn waits for the headers of a request for as long as it takes. A program that opens connections and sends a letter
now and then ("slowloris") would use up the files that a process may have open, and shut the class out.
"""

import asyncio
from collections import Counter
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from emotion.serving.addresses import network_of, plain_address

HEADER_TIMEOUT_SECONDS = 15.0  # seconds for the head of a request; a browser on a bad network takes one or two
# Of one address (of IPv6 64 bits of it) at a time: a school of a hundred tablets may be behind one, with a handful of
# connections each.
MAXIMUM_CONNECTIONS = 600


class SlowClientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with a time for the head of a request and a number of connections."""

    open_by_address: ClassVar[Counter[str]] = Counter()
    head_timer: asyncio.TimerHandle | None = None
    counted: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, or close one too many."""
        super().connection_made(transport)
        if self.client:
            self.client = (plain_address(self.client[0]), self.client[1])
        self.counted = network_of(self.client[0]) if self.client else ""
        self.open_by_address[self.counted] += 1
        if self.open_by_address[self.counted] > MAXIMUM_CONNECTIONS:
            transport.close()
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        """Serve what came; the time runs from the first letter of a head to its last."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._await_head()
        else:
            self._head_is_there()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._head_is_there()
        if self.counted is not None:
            self.open_by_address[self.counted] -= 1
            if self.open_by_address[self.counted] <= 0:
                del self.open_by_address[self.counted]
            self.counted = None
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self.head_timer is None:
            self.head_timer = self.loop.call_later(HEADER_TIMEOUT_SECONDS, self.transport.close)

    def _head_is_there(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None
