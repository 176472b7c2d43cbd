"""What goes before a conversation through a load balancer: the PROXY header, which names the client.

Nothing is said and no TLS begins before it is there. Then the connection is what it would have been had the
client connected by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from gatepost.server.balancers import Balancers
from gatepost.server.connection import Connection
from gatepost.wire.proxy import ProxyFault, header

PeerName = tuple[str, int]


class Preface(asyncio.Protocol):
    """One accepted connection until it is known whose it is. `make` begins the connection of that client."""

    __slots__ = ("_balancers", "_data", "_loop", "_make", "_seconds", "_timer", "_transport")

    def __init__(
        self, make: Callable[[PeerName | None], Connection], balancers: Balancers, seconds: float
    ) -> None:
        self._make = make
        self._balancers = balancers
        self._seconds = seconds
        self._data = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._balancers.speak_for_others(self._peer_name):
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._fail, "it says nothing")
        else:
            self._hand_over(None)

    def data_received(self, data: bytes) -> None:
        self._data += data
        try:
            found = header(self._data)
        except ProxyFault as fault:
            self._fail(str(fault))
            return
        if found is None:
            return
        client = self._peer_name if found.source is None else (str(found.source), found.port)
        self._hand_over(client, self._data[found.length_bytes :])

    def connection_lost(self, exc: Exception | None) -> None:
        """A balancer that only looked whether somebody listens."""
        self._over()

    def _hand_over(self, client: PeerName | None, behind: bytes = b"") -> None:
        self._over()
        connection = self._make(client)
        self._transport.set_protocol(connection)
        connection.connection_made(self._transport)
        if behind:
            connection.data_received(behind)

    def _fail(self, why: str) -> None:
        self._over()
        self._balancers.failed(self._peer_name[0], why)
        self._transport.abort()

    def _over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def _peer_name(self) -> PeerName:
        name = self._transport.get_extra_info("peername") or ("::", 0)
        return str(name[0]), int(name[1])
