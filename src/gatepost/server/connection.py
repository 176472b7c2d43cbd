"""The pump of one connection: bytes between transport, TLS and a conversation.

It knows nothing of SMTP or POP3. A conversation gets clear bytes by `receive`, sends by `send`, and
may ask for TLS, for silence (`hold`) and for the end. A peer that reads nothing or sends without end
costs bounded memory: reading stops while the conversation is busy or the peer's window is full.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Protocol, cast

from gatepost.server.deadlines import Deadlines
from gatepost.server.tls import TlsChannel, TlsFailure, TlsServer

_WRITE_HIGH_BYTES = 256 * 1024
_WRITE_LOW_BYTES = 64 * 1024
_FLUSH_SECONDS = 30
_LEAST_BYTES_A_SECOND = 500  # slower content does not keep a connection open


class Conversation(Protocol):
    """What a connection pumps for. None of these may raise."""

    def begin(self, connection: Connection) -> None:
        """The peer is there, with TLS on already where it is implicit."""

    def receive(self, data: bytes) -> None:
        """Clear bytes came."""

    def secured(self) -> None:
        """The handshake that `start_tls` asked for is done."""

    def ended(self, why: str) -> None:
        """Nothing more comes and nothing more can be sent; called once."""

    def certificate_refused(self, connection: Connection, why: str) -> None:
        """The handshake failed over the client's certificate; `ended` follows."""

    def timed_out(self) -> bool:
        """The peer has been silent too long. False: it waits for us, so it has its time again."""


class Connection(asyncio.Protocol):
    """One accepted connection. `tls` set and `implicit`: TLS starts before the first byte.

    `proxied`: for whom a load balancer speaks. `rubbish` is told who spoke no TLS where there had to be TLS.
    """

    __slots__ = (
        "_conversation", "_corked", "_deadline", "_deadlines", "_drained", "_handshake_seconds",
        "_idle_seconds", "_implicit", "_latest", "_loop", "_outbox", "_over", "_peer_name", "_reading",
        "_reasons", "_rubbish", "_slot", "_timer", "_transport", "_turned_away", "channel", "is_full",
        "tls_server",
    )  # fmt: skip

    def __init__(
        self,
        conversation: Conversation,
        *,
        tls: TlsServer | None,
        implicit: bool,
        idle_seconds: float,
        handshake_seconds: float,
        deadlines: Deadlines,
        turned_away: Callable[[str], bytes | None] | None = None,
        proxied: tuple[str, int] | None = None,
        rubbish: Callable[[str], None] | None = None,
    ) -> None:
        self._turned_away = turned_away
        self._peer_name = proxied
        self._rubbish = rubbish
        self._conversation = conversation
        self._implicit = implicit
        self._idle_seconds = idle_seconds
        self._handshake_seconds = handshake_seconds
        self._loop = asyncio.get_running_loop()
        self._deadlines = deadlines
        self._slot = 0
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._latest = math.inf
        self._reading = True
        self._over = False
        self._reasons = 0
        self._corked = False
        self._outbox: list[bytes] = []
        self._drained: asyncio.Future[None] | None = None
        self.is_full = False
        self.tls_server = tls
        self.channel: TlsChannel | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._peer_name is None:
            name = transport.get_extra_info("peername")  # asks the kernel, so once
            self._peer_name = ("", 0) if name is None else (str(name[0]), int(name[1]))
        if self._turned_away is not None:
            farewell = self._turned_away(self._peer_name[0])
            if farewell is not None:
                self._over = True
                self._transport.write(farewell)
                self._transport.close()
                return
        self._transport.set_write_buffer_limits(high=_WRITE_HIGH_BYTES, low=_WRITE_LOW_BYTES)
        self._expect(self._idle_seconds)
        if self._implicit:
            self.start_tls()
        else:
            self._conversation.begin(self)

    def data_received(self, data: bytes) -> None:
        """What the peer sent is handled whole; all that is said to it meanwhile goes out in one write."""
        if self._over:
            return
        self._corked = True
        try:
            channel = self.channel
            if channel is None:
                self._conversation.receive(data)
            elif channel.established:
                if clear := channel.receive(data):
                    self._conversation.receive(clear)
                if channel.closed:
                    self.close("peer closed TLS")
            else:
                self._shake_hands(channel, data)
        except TlsFailure as failure:
            self._fail(str(failure))
        finally:
            self._corked = False
            if self._outbox:
                self._uncork()

    def _shake_hands(self, channel: TlsChannel, data: bytes) -> None:
        try:
            clear = channel.receive(data)
        except TlsFailure as failure:
            if failure.is_certificate:
                self._conversation.certificate_refused(self, str(failure))
            if failure.is_rubbish and self._rubbish is not None:
                self._rubbish(self.peer_name[0])
            self._fail(str(failure))
            return
        if output := channel.take_output():
            self._write(output)
        if channel.established:
            self._secured()
        if clear and not self._over:
            self._conversation.receive(clear)
        if channel.closed:
            self.close("peer closed TLS")

    def eof_received(self) -> bool:
        # a half-closed peer can still read, but nobody speaks SMTP or POP3 that way
        self.close("peer closed")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadlines.forget(self, self._slot)
        if self._timer is not None:
            self._timer.cancel()
        self._end("peer reset the connection" if exc else "peer closed")

    def pause_writing(self) -> None:
        self.is_full = True
        self.hold()

    def resume_writing(self) -> None:
        self.is_full = False
        self._wake()
        self.unhold()

    # the conversation's side

    @property
    def peer_name(self) -> tuple[str, int]:
        """Address and port of the peer as the socket gives them, or a load balancer that is believed."""
        name = self._peer_name
        return name if name is not None and name[0] else ("::", 0)

    def send(self, data: bytes) -> None:
        """`data` is on its way, encrypted when TLS is on. Silently nothing once the connection is over."""
        if self._corked:
            self._outbox.append(data)
        elif data and not self._over:
            self._send(data)

    def say(self, pieces: list[bytes]) -> None:
        """As `send`, in answer to something whole: the peer has the idle time again."""
        self._deadline = self._loop.time() + self._idle_seconds
        self._latest = math.inf
        if self._corked:
            self._outbox += pieces
        elif not self._over:
            self._send(b"".join(pieces))

    def _send(self, data: bytes) -> None:
        if self.channel is not None:
            try:
                data = self.channel.encrypt(data)
            except TlsFailure as failure:
                self._fail(str(failure))
                return
        if not self._transport.is_closing():
            self._transport.write(data)

    async def drained(self) -> None:
        """The peer has read most of what was sent, or the connection is over; one may wait at a time."""
        if self.is_full and not self._over:
            self._drained = self._loop.create_future()
            await self._drained

    def start_tls(self) -> None:
        """From the next byte on the peer must speak TLS; `secured` is called after the handshake."""
        if self.tls_server is None:
            raise RuntimeError("this virtual server has no certificate")
        self._uncork()  # what was said before is said in clear
        self.channel = TlsChannel(self.tls_server)
        self._expect(self._handshake_seconds)

    def hurry(self, seconds: float) -> None:
        """What the peer has begun must be whole within so many seconds."""
        deadline = self._loop.time() + seconds
        if deadline < self._deadline:
            self._expect(seconds)

    def progressed(self) -> None:
        """The peer did something whole; it has the idle time again. Single bytes do not count."""
        self._deadline = self._loop.time() + self._idle_seconds
        self._latest = math.inf

    def within(self, seconds: float) -> None:
        """Whatever trickles, the content must be whole by then."""
        self._latest = self._loop.time() + seconds

    def trickled(self, size_bytes: int) -> None:
        """Content came; the peer has earned time in proportion, the idle time at most."""
        earned = self._deadline + size_bytes / _LEAST_BYTES_A_SECOND
        self._deadline = min(earned, self._loop.time() + self._idle_seconds, self._latest)

    def hold(self) -> None:
        """Reading stops until as many `unhold` were called."""
        self._reasons += 1
        if self._reading and not self._over:
            self._reading = False
            self._transport.pause_reading()

    def unhold(self) -> None:
        self._reasons -= 1
        if self._reasons == 0 and not self._reading and not self._over:
            self._reading = True
            self._deadline = self._loop.time() + self._idle_seconds
            self._transport.resume_reading()

    def close(self, why: str) -> None:
        """What was sent is flushed, then the connection ends; `ended(why)` is called at once."""
        if self._over:
            return
        self._uncork()
        if self.channel is not None and (goodbye := self.channel.close()):
            self._write(goodbye)
        self._end(why)

    def abort(self, why: str) -> None:
        if not self._over:
            self._end(why)
        self._transport.abort()

    # inside

    def _expect(self, seconds: float) -> None:
        """Also where it was to wait for longer."""
        self._deadline = self._loop.time() + seconds
        self._deadlines.forget(self, self._slot)
        self._slot = self._deadlines.wait(self, self._deadline)

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _uncork(self) -> None:
        if outbox := self._outbox:
            data = outbox[0] if len(outbox) == 1 else b"".join(outbox)
            outbox.clear()
            if data and not self._over:
                self._send(data)

    def _secured(self) -> None:
        self.progressed()
        if self._implicit:
            self._conversation.begin(self)
        else:
            self._conversation.secured()

    def _fail(self, why: str) -> None:
        if self.channel is not None:
            self._write(self.channel.take_output())  # the alert
        self._end(f"TLS failed: {why}")

    def _end(self, why: str) -> None:
        if self._over:
            return
        self._over = True
        self._deadlines.forget(self, self._slot)
        self._uncork()
        self._transport.close()
        if self._transport.get_write_buffer_size():
            # a peer that never reads must not keep the buffer for ever
            self._timer = self._loop.call_later(_FLUSH_SECONDS, self._transport.abort)
        self._conversation.ended(why)
        self._wake()

    def _wake(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def due(self) -> None:
        """Its time has come, if it was not given more since: no timer work for each read."""
        now = self._loop.time()
        if self._over:
            return
        if now < self._deadline:
            self._slot = self._deadlines.wait(self, self._deadline)
        elif self._stuck:
            self.abort("the peer does not read")
        elif not self._reading or not self._conversation.timed_out():
            self._expect(self._idle_seconds)  # we keep the peer waiting, not it us
        else:
            self.close("timed out")

    @property
    def _stuck(self) -> bool:
        """The peer has not read what we sent for a whole idle time."""
        return self._transport.get_write_buffer_size() > _WRITE_LOW_BYTES
