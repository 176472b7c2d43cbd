"""The two ways in: the Unix socket, where the kernel says who asks, and the address of `[console]`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from gatepost.admin.link import reachable

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

PEER_UID: Final = "gatepost.peer-uid"
"""The key in a scope of the Unix socket. Nothing a client says gets into a scope under it."""

_CREDENTIALS = struct.Struct("3i")
_CONNECTIONS: Final = 500
_KEEP_ALIVE_SECONDS: Final = 15
_HEADER_BYTES: Final = 64 * 1024


class _PeerProtocol(H11Protocol):
    """HTTP/1.1 whose client is the user at the other end of a Unix socket."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        end: socket.socket = transport.get_extra_info("socket")
        raw = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        self.client = ("uid", _CREDENTIALS.unpack(raw)[1])


def known_peer(app: App) -> App:
    """The application behind the Unix socket: each scope says whose request it is."""

    async def behind(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = {**scope, PEER_UID: scope["client"][1], "client": None}
        await app(scope, receive, send)

    return behind


class Server(uvicorn.Server):
    """Signals are the daemon's to hand on."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def socket_server(app: App) -> Server:
    """Serves the Unix socket."""
    return Server(_config(known_peer(app), http=_PeerProtocol, lifespan="off"))


def web_server(app: App, context: ssl.SSLContext | None) -> Server:
    """Serves the address of `[console]`, over TLS when there is a context."""
    config = _config(app, http=H11Protocol, lifespan="on")
    config.load()
    config.ssl = context
    return Server(config)


def _config(app: App, *, http: type[asyncio.Protocol], lifespan: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=http,
        lifespan=lifespan,
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=_HEADER_BYTES,
    )


def end_text(door: socket.socket) -> str:
    """Where it listens: `127.0.0.1:8025`, `[::1]:8025`."""
    host, port = door.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def unix_socket(path: Path) -> socket.socket:
    """A listening Unix socket for its owner alone; one left over is replaced. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        with reachable(path) as short:
            end.bind(short)
    finally:
        os.umask(old)
    end.listen(128)
    end.setblocking(False)
    return end
