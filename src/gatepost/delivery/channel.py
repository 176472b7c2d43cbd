"""One connection to a next hop: bytes in and out, TLS or clear, with a time limit. No SMTP.

What arrives goes to `receive`; the end of the connection, for whatever reason, to `lost`, once.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import cast

from gatepost.delivery.tls import TlsFailure, TlsPipe

_TICK_SECONDS = 1.0
# What a streamed message may hold in memory on its way to a slow peer.
_WRITE_LIMIT_BYTES = 256 * 1024


class Channel(asyncio.Protocol):
    """Give it to `loop.create_connection`. `peer_silent` is what `lost` hears when time runs out."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        receive: Callable[[bytes], None],
        lost: Callable[[str], None],
        *,
        tick_seconds: float = _TICK_SECONDS,
    ) -> None:
        self._loop = loop
        self._receive = receive
        self._lost = lost
        self._tick_seconds = tick_seconds
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._waiting_for = ""
        self._writable: asyncio.Future[None] | None = None
        self._handshake: asyncio.Future[None] | None = None
        self.tls: TlsPipe | None = None
        self.is_open = False
        # called instead of losing the connection when time runs out
        self.when_late: Callable[[], None] | None = None

    # the transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_WRITE_LIMIT_BYTES)
        self.is_open = True
        self._timer = self._loop.call_later(self._tick_seconds, self._tick)

    def data_received(self, data: bytes) -> None:
        if self.tls is None:
            self._receive(data)
            return
        try:
            clear = self.tls.receive(data)
        except TlsFailure as failure:
            self._flush_tls()
            self._fail(f"TLS failed: {failure}")
            return
        self._flush_tls()
        if self._handshake is not None and self.tls.established and not self._handshake.done():
            self._handshake.set_result(None)
        if clear:
            self._receive(clear)
        if self.tls is not None and self.tls.closed:
            self._fail("the peer closed the connection")

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the peer closed the connection" if exc is None else f"connection lost: {_words(exc)}")

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # our side

    def write(self, pieces: Sequence[bytes]) -> None:
        """The pieces are on their way, in one write. Nothing happens on a closed connection."""
        transport = self._transport
        if transport is None or not self.is_open:
            return
        if self.tls is None:
            transport.writelines(pieces)
            return
        try:
            transport.write(self.tls.encrypt(pieces[0] if len(pieces) == 1 else b"".join(pieces)))
        except TlsFailure as failure:
            self._fail(f"TLS failed: {failure}")

    async def drained(self) -> None:
        """The write buffer has room again, or the connection is over."""
        if self._writable is not None:
            await self._writable

    def expect(self, seconds: float, what: str) -> None:
        """From now on the peer has so many seconds for `what`."""
        self._deadline = self._loop.time() + seconds
        self._waiting_for = what

    async def start_tls(self, context: ssl.SSLContext, server_name: str) -> None:
        """The handshake is done and everything after it is encrypted.

        Raises:
            TlsFailure: it failed, or the connection ended; the connection is closed.
        """
        self._handshake = self._loop.create_future()
        self.tls = TlsPipe(context, server_name)
        self.tls.receive(b"")
        self._flush_tls()
        try:
            await self._handshake
        finally:
            self._handshake = None

    def close(self, goodbye: bytes = b"") -> None:
        """Says `goodbye` and closes; `lost` is not told. Does not wait for the peer."""
        if not self.is_open:
            return
        if goodbye:
            self.write([goodbye])
        if self.tls is not None:
            last = self.tls.close()
            if last and self._transport is not None:
                self._transport.write(last)
        self._end(abort=False)

    def abort(self) -> None:
        """The connection is cut off; `lost` is not told."""
        if self.is_open:
            self._end(abort=True)

    # inside

    def _flush_tls(self) -> None:
        if self.tls is not None and self._transport is not None and (output := self.tls.take_output()):
            self._transport.write(output)

    def _tick(self) -> None:
        if not self.is_open:
            return
        if self._deadline and self._loop.time() >= self._deadline:
            if self.when_late is None:
                self._fail(f"no answer in time ({self._waiting_for})")
            else:
                self.when_late()
            return
        self._timer = self._loop.call_later(self._tick_seconds, self._tick)

    def _fail(self, reason: str) -> None:
        if not self.is_open:
            return
        self._end(abort=True)
        if self._handshake is not None and not self._handshake.done():
            self._handshake.set_exception(TlsFailure(reason.removeprefix("TLS failed: ")))
        self._lost(reason)

    def _end(self, *, abort: bool) -> None:
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
        self.resume_writing()
        if self._transport is not None:
            if abort:
                self._transport.abort()
            else:
                self._transport.close()


def _words(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or type(problem).__name__
