"""Serves a virtual server's listening sockets: every accepted connection gets its conversation."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

from gatepost.config.schema import TlsMode, VirtualServer
from gatepost.server.connection import Connection, Conversation
from gatepost.server.tls import TlsServer


class Listener:
    """One virtual server's open door in one worker."""

    def __init__(
        self, settings: VirtualServer, tls: TlsServer | None, conversation: Callable[[], Conversation]
    ) -> None:
        self._settings = settings
        self._tls = tls
        self._conversation = conversation
        self._servers: list[asyncio.Server] = []

    async def open(self, ends: Sequence[socket.socket]) -> None:
        """Connections to these sockets are accepted from now on."""
        loop = asyncio.get_running_loop()
        for end in ends:
            self._servers.append(await loop.create_server(self._connection, sock=end, backlog=4096))

    def close(self) -> None:
        """Nothing more is accepted here; open connections go on."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _connection(self) -> Connection:
        settings = self._settings
        return Connection(
            self._conversation(),
            tls=self._tls,
            implicit=settings.tls is TlsMode.IMPLICIT,
            idle_seconds=settings.idle_seconds,
            handshake_seconds=settings.handshake_seconds,
        )
