"""The address at which Prometheus asks: HTTP/1.1, one page, GET alone (RFC 9110)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from gatepost.admin.metrics import CONTENT_TYPE

_HEAD_BYTES: Final = 16_384
_SECONDS: Final = 30.0
_AT_ONCE: Final = 20


class MetricsDoor:
    """Answers `/metrics` with what `page` gives."""

    def __init__(self, page: Callable[[], Awaitable[str]]) -> None:
        self._page = page
        self._inside = 0
        self._server: asyncio.Server | None = None

    async def open(self, end: socket.socket) -> None:
        """Whoever connects to the listening socket is answered."""
        self._server = await asyncio.start_server(self._visit, sock=end, limit=_HEAD_BYTES)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._inside += 1
        try:
            if self._inside <= _AT_ONCE:
                async with asyncio.timeout(_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(await self._answer(head))
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever it was has gone, or does not speak HTTP
        finally:
            self._inside -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _response("400 Bad Request", "This is not HTTP/1.\n")
        if words[0] not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", "GET alone.\n", "Allow: GET, HEAD\r\n")
        if words[1].split(b"?", 1)[0] != b"/metrics":
            return _response("404 Not Found", "The numbers are at /metrics.\n")
        return _response("200 OK", await self._page(), has_body=words[0] == b"GET")


def _response(status: str, body: str, more: str = "", *, has_body: bool = True) -> bytes:
    content = body.encode()
    kind = CONTENT_TYPE if status.startswith("200") else "text/plain; charset=utf-8"
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
        f"{more}Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + (content if has_body else b"")
