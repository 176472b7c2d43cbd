"""Serves listening sockets: every accepted connection gets its conversation."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gatepost.config.schema import TlsMode, VirtualServer
from gatepost.server.balancers import Balancers
from gatepost.server.connection import Connection, Conversation
from gatepost.server.deadlines import Deadlines
from gatepost.server.preface import Preface
from gatepost.server.tls import TlsServer

_BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class Target:
    """Where a new connection leads: a virtual server as it is now."""

    settings: VirtualServer
    tls: TlsServer | None
    conversation: Callable[[], Conversation]
    turned_away: Callable[[str], bytes | None] | None = None
    balancers: Balancers | None = None
    rubbish: Callable[[str], None] | None = None


class Listener:
    """Open doors that all lead to one target, which may be changed while they are open."""

    def __init__(
        self, settings: VirtualServer, tls: TlsServer | None, conversation: Callable[[], Conversation]
    ) -> None:
        self.target = Target(settings, tls, conversation)
        self._servers: list[asyncio.Server] = []
        self._deadlines = Deadlines()

    async def open(self, ends: Sequence[socket.socket]) -> None:
        """Connections to these sockets are accepted from now on."""
        loop = asyncio.get_running_loop()
        for end in ends:
            self._servers.append(await loop.create_server(self._connection, sock=end, backlog=_BACKLOG))

    def close(self) -> None:
        """Nothing more is accepted here; open connections go on."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _connection(self) -> asyncio.Protocol:
        target = self.target
        if target.balancers is None:
            return _connection_to(target, self._deadlines)
        make = partial(_connection_to, target, self._deadlines)
        return Preface(make, target.balancers, target.settings.handshake_seconds)


def _connection_to(
    target: Target, deadlines: Deadlines, proxied: tuple[str, int] | None = None
) -> Connection:
    settings = target.settings
    return Connection(
        target.conversation(),
        tls=target.tls,
        implicit=settings.tls is TlsMode.IMPLICIT,
        idle_seconds=settings.idle_seconds,
        handshake_seconds=settings.handshake_seconds,
        deadlines=deadlines,
        turned_away=target.turned_away,
        proxied=proxied,
        rubbish=target.rubbish,
    )


class Doors:
    """All listeners of a worker, by the key of their address."""

    def __init__(self) -> None:
        self._open: dict[str, Listener] = {}

    @property
    def keys(self) -> set[str]:
        """The addresses that are open."""
        return set(self._open)

    async def take_over(self, targets: Mapping[str, Target], arrived: Mapping[str, socket.socket]) -> None:
        """Exactly these addresses are open and lead there. `arrived` has the sockets that are new.

        An address that stays is never closed, so no connection is lost.
        """
        for key, target in targets.items():
            listener = self._open.get(key)
            if listener is None:
                listener = Listener(target.settings, target.tls, target.conversation)
                listener.target = target
                await listener.open([arrived[key]])
                self._open[key] = listener
            else:
                listener.target = target
        for key in self._open.keys() - targets.keys():
            self._open.pop(key).close()

    def close(self) -> None:
        """Nothing more is accepted anywhere."""
        for listener in self._open.values():
            listener.close()
        self._open.clear()
