"""The server's side of SMTP (RFC 5321): bytes in, events out, replies in, bytes out. Pure.

Feed it what was read, take events until NEED_DATA, answer each but Content, Chunk and Closed with
`reply`. Until then the core holds back, so commands that came in one packet (RFC 2920) come out
one after the other. `state.TABLE` says what a reply moves; a command without a row is refused here
and never reaches the driver as anything but BadCommand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gatepost.smtp import event as heard
from gatepost.smtp import refusal, syntax
from gatepost.smtp.chunk import ChunkReader
from gatepost.smtp.command import StartTls
from gatepost.smtp.conditions import Conditions
from gatepost.smtp.error import CommandError, LocalProtocolError
from gatepost.smtp.event import NEED_DATA, BadCommand, Closed, Content, EndOfContent, Event, NeedData
from gatepost.smtp.group import TAKEN, Group, group_of
from gatepost.smtp.remembered import SAID, remember
from gatepost.smtp.reply import Reply
from gatepost.smtp.state import TABLE, State, Verb
from gatepost.wire.dots import ContentScanner, RawScanner

_CLOSED: Final = Closed()
# A line longer than this is not swallowed to its end: who sends it is not speaking SMTP.
_SWALLOW_LIMIT_BYTES: Final = 1 << 20
# Looking up a member of an enum costs 0.1 us, and these stand on the path of every message.
_DATA: Final = State.DATA
_READY: Final = State.READY
_TLS: Final = State.TLS
_OVER: Final = State.CLOSED
_CONTENT: Final = Verb.CONTENT
_BDAT: Final = Verb.BDAT
_STARTTLS: Final = Verb.STARTTLS
# 220 starts TLS, 235 is a login.
_MOMENTOUS: Final = frozenset((220, 235))
_MAIL: Final = Verb.MAIL


class Server:
    """One session. After `greeting` the driver loops: `next_event`, `reply`.

    `size_limit_bytes` bounds the content of a message. `error_limit` bad commands and refused logins are
    answered, the next one ends the session. `tls`: TLS was there before the first byte (implicit TLS).
    `state`, `conditions` and `errors` are to be read only.
    """

    __slots__ = (
        "_at", "_buffer", "_closing", "_content", "_eof", "_error_limit",
        "_hostname", "_pending", "_raw", "_read", "_refused", "_size_limit_bytes",
        "_swallowed_bytes", "_verb", "conditions", "errors", "state",
    )  # fmt: skip

    def __init__(
        self,
        hostname: str,
        *,
        size_limit_bytes: int = 36_700_160,
        error_limit: int = 20,
        tls: bool = False,
    ) -> None:
        self._hostname = hostname
        self._size_limit_bytes = size_limit_bytes
        self._error_limit = error_limit
        self.conditions = Conditions(tls=tls)
        self.state = State.NEW
        self._read: _Reader = Server._hold
        self._buffer = b""  # what was fed and not yet read begins at _at
        self._at = 0
        self._eof = False
        self._swallowed_bytes = 0  # of a line that is too long, while it lasts
        self._verb = Verb.GREETING  # what was said last
        # What the next reply makes of the state; or, when we refuse by ourselves, with what.
        self._pending: Mapping[int, State] | None = TABLE[State.NEW][Verb.GREETING]
        self._refused: Reply | None = None
        self._closing = False  # the next reply is the last
        self._content: ContentScanner | ChunkReader | None = None
        self._raw: RawScanner | None = None  # of all chunks of this message
        self.errors = 0  # bad commands and refused logins so far

    @property
    def closed(self) -> bool:
        """Nothing more will be heard or said: send what `reply` gave and close."""
        return self.state is State.CLOSED

    @property
    def awaits_reply(self) -> bool:
        """An event (or the greeting) waits for `reply`; until then `next_event` says NEED_DATA."""
        return self._pending is not None or self._refused is not None

    @property
    def buffered_bytes(self) -> int:
        """What was fed and not yet read. Before the greeting: the peer talks too early."""
        return len(self._buffer) - self._at

    def feed(self, data: bytes) -> None:
        """Takes what was read; `b""` when the peer has closed its side.

        Raises:
            LocalProtocolError: these bytes belong to the TLS handshake, not here.
        """
        if not data:
            self._eof = True
        elif self.state is _TLS:
            raise LocalProtocolError("what follows STARTTLS belongs to TLS")
        elif self._at == len(self._buffer):
            self._buffer, self._at = data, 0
        else:
            self._buffer, self._at = self._buffer[self._at :] + data, 0

    def next_event(self) -> Event | NeedData:
        """The next thing the peer said, or NEED_DATA."""
        try:
            event = self._read(self)
        except CommandError as error:
            return self._refuse(error)
        if event is NEED_DATA and self._eof and not self.awaits_reply:
            self._close()
            return _CLOSED
        return event

    def group(self) -> Group | None:
        """The commands of a transaction that came together, in order here; none of them is read yet."""
        is_due = self.state is _READY and self._read is _READ_COMMAND and not self._at
        return group_of(self._buffer) if is_due else None

    def group_taken(self) -> None:
        """Every command of the group was accepted, DATA with 354: now comes the content."""
        self._buffer = b""
        self.state = TAKEN
        self._read = Server._read_content
        self._verb = _CONTENT
        self.conditions.smtputf8 = self.conditions.mail_refused = False
        self._content = ContentScanner(self._size_limit_bytes)

    def exhausted(self) -> bool:
        """After a reply: all that was fed has been read, so the next event needs more bytes."""
        if self._at < len(self._buffer) or self._eof or self.state is _OVER:
            return False
        self._buffer, self._at = b"", 0  # an idle session keeps nothing
        return True

    def greeting(self, reply: Reply) -> bytes:
        """The bytes of the greeting; commands are read from now on (after 4xx or 5xx: QUIT alone)."""
        return self.reply(reply)

    def reply(self, reply: Reply) -> bytes:
        """The bytes that answer the last event; the state has moved as the table says.

        421 closes whatever it answers. `b""`: bytes in clear came behind STARTTLS; close at once.

        Raises:
            LocalProtocolError: nothing waits for a reply, or this one does not answer it.
        """
        pending = self._pending
        if pending is None:
            return self._reply_to_refused(reply)
        code = reply.code
        state = pending.get(code // 100)
        if state is None:
            raise LocalProtocolError(f"{code} is no answer to {self._verb.name} in {self.state.name}")
        self._pending = None
        self.state = state
        self._read = _READERS[state]
        if state is _DATA:
            self.conditions.mail_refused = False
            self._content = ContentScanner(self._size_limit_bytes)
            self._verb = _CONTENT
        elif code >= 400 or code in _MOMENTOUS or self._closing:
            return self._after(reply)
        return reply.wire or reply.encode()

    def hang_up(self, reply: Reply) -> bytes:
        """The bytes of a 421 that answers nothing: time is up, or we stop (RFC 5321 §3.8)."""
        if self.state is State.CLOSED:
            raise LocalProtocolError("the session is over")
        self._close()
        return reply.encode()

    def tls_started(self) -> None:
        """TLS is on and everything said before is forgotten (RFC 3207 §4.2).

        Raises:
            LocalProtocolError: STARTTLS was not answered 220 just before.
        """
        if self.state is not _TLS:
            raise LocalProtocolError("no STARTTLS went before")
        self.conditions = Conditions(tls=True)
        self.state = State.START
        self._read = Server._read_command

    def _reply_to_refused(self, reply: Reply) -> bytes:
        if self._refused is None:
            raise LocalProtocolError("nothing waits for a reply")
        if reply.is_positive:
            raise LocalProtocolError("a bad command is refused")
        self._refused = None
        # A refusal moves nothing; but it ends an AUTH exchange (RFC 4954 §4).
        if self.state is State.AUTH:
            self.state = TABLE[State.AUTH][Verb.RESPONSE][5]
        self._read = _READERS[self.state]
        if reply.code == 421 or self._closing:
            self._close()
        return reply.encode()

    def _after(self, reply: Reply) -> bytes:
        """What a reply changes besides the state."""
        code = reply.code
        if code == 421 or self._closing:
            self._close()
        elif self.state is _TLS and self.buffered_bytes:
            # They came between STARTTLS and its reply.
            self._close()
            return b""
        elif code == 235:
            self.conditions.authenticated = True
        elif code >= 500 and self._verb in (Verb.AUTH, Verb.RESPONSE):
            self.errors += 1
            if self.errors > self._error_limit:
                self._read = Server._give_up
        return reply.encode()

    def _close(self) -> None:
        self.state = State.CLOSED
        self._read = Server._over
        self._pending = self._refused = self._content = self._raw = None
        self._buffer, self._at = b"", 0

    # Readers: one of them is what next_event does in this state.

    def _hold(self) -> Event | NeedData:
        return NEED_DATA

    def _over(self) -> Event | NeedData:
        return _CLOSED

    def _give_up(self) -> Event | NeedData:
        if self._line() is None:
            return NEED_DATA
        raise CommandError(refusal.UNKNOWN_COMMAND)  # one error more than there may be

    def _read_command(self) -> Event | NeedData:
        buffer, at = self._buffer, self._at
        end = buffer.find(b"\n", at)
        if end < 0:
            return self._no_line()
        self._at = end + 1
        octets = buffer[at:end]
        said = SAID.get(octets)
        if said is None:
            return self._read_line(octets)
        verb, event = said
        self._verb = verb
        pending = TABLE[self.state].get(verb)
        if pending is None:
            raise self.conditions.out_of_order(self.state, verb)
        if verb is _MAIL:
            self.conditions.check(event, "")
        self._pending = pending
        self._read = _HOLD
        return event

    def _read_line(self, octets: bytes) -> Event | NeedData:
        """One that has not been seen lately."""
        line = syntax.command_line(octets, self.state)
        grammar = syntax.GRAMMAR.get(line[:4].upper())
        # The verb ends here, with a space (`in` is also true of nothing at all), or is longer.
        if grammar is None or (line[4:5] not in " " and grammar.verb is not _STARTTLS):
            raise CommandError(syntax.unknown_command(line))
        verb, read, conditional, _ = grammar
        self._verb = verb
        if verb is _BDAT:
            return self._begin_chunk(line)
        pending = TABLE[self.state].get(verb)
        if pending is None:
            raise self.conditions.out_of_order(self.state, verb)
        event = read(line)
        if conditional or not line.isascii():
            self.conditions.check(event, line)
        self._pending = pending
        self._read = _HOLD
        remember(octets, verb, event)
        return self._starttls() if verb is _STARTTLS else event

    def _starttls(self) -> StartTls:
        if not self.buffered_bytes:
            return StartTls()
        # RFC 3207 §4.2 and the injection it forgot: never parsed, never given to TLS.
        self._buffer, self._at = b"", 0
        self._closing = True
        return StartTls(injected=True)

    def _read_response(self) -> Event | NeedData:
        line = self._line()
        if line is None:
            return NEED_DATA
        self._verb = Verb.RESPONSE
        event = syntax.parse_response(line)
        self._pending = TABLE[State.AUTH][Verb.RESPONSE]
        self._read = Server._hold
        return event

    def _line(self) -> str | None:
        """The next command line without CRLF, None when it has not ended."""
        buffer, at = self._buffer, self._at
        end = buffer.find(b"\n", at)
        if end >= 0:
            self._at = end + 1
            return syntax.command_line(buffer[at:end], self.state)
        self._no_line()
        return None

    def _no_line(self) -> NeedData:
        """The line has not ended, or not begun. What is kept is bounded, and nothing where it is all."""
        self._buffer, self._at = self._buffer[self._at :], 0
        # One more than the limit: it may be the CR.
        if self._buffer and len(self._buffer) > syntax.line_limit_bytes(self._buffer, self.state) + 1:
            self._swallowed_bytes = 0
            self._read = Server._swallow
            self._swallow()
        return NEED_DATA

    def _swallow(self) -> Event | NeedData:
        end = self._buffer.find(b"\n", self._at)
        if end >= 0:
            self._at = end + 1
            raise CommandError(refusal.LINE_TOO_LONG)
        self._swallowed_bytes += self.buffered_bytes
        self._buffer, self._at = b"", 0
        if self._swallowed_bytes > _SWALLOW_LIMIT_BYTES:
            raise CommandError(refusal.ENDLESS_LINE)
        return NEED_DATA

    def _refuse(self, error: CommandError) -> BadCommand | heard.TooManyErrors:
        self._refused = error.reply
        self._read = Server._hold
        self._closing |= error.reply.code == 421 or error.closes
        self.errors += error.counts
        if error.counts and self.errors > self._error_limit:
            self._closing = True
            return heard.TooManyErrors(Reply(421, "4.7.0", (f"{self._hostname} Too many errors",)))
        return BadCommand(error.reply)

    def _read_content(self) -> Event | NeedData:
        content = self._content
        assert content is not None
        data = self._buffer[self._at :]
        if not data and self._verb is _CONTENT:
            return NEED_DATA  # a chunk may have no octets
        scan = content.feed(data)
        self._buffer, self._at = scan.rest, 0
        if scan.ended:
            self._read = Server._end_content
            return Content(scan.content) if scan.content else self._end_content()
        return Content(scan.content) if scan.content else NEED_DATA

    def _end_content(self) -> Event | NeedData:
        content, verb = self._content, self._verb
        assert content is not None
        self._content = None
        pending = TABLE[self.state].get(verb)
        if pending is None:
            raise self.conditions.out_of_order(self.state, verb)
        self._pending = pending
        self._read = Server._hold
        return EndOfContent(content.fault, content.size_bytes, verb is not _BDAT)

    def _begin_chunk(self, line: str) -> Event | NeedData:
        chunk = syntax.parse_chunk(line)
        self._verb = chunk.verb
        self._read = Server._read_content
        if self._verb not in TABLE[self.state]:
            self._content = ChunkReader(None, chunk)
            return self._read_content()
        if self._raw is None or self.state is State.RCPT:
            self._raw = RawScanner(self._size_limit_bytes)
        self.conditions.mail_refused = False
        self._content = ChunkReader(self._raw, chunk)
        return chunk


_HOLD: Final = Server._hold
_READ_COMMAND: Final = Server._read_command
_Reader = Callable[[Server], Event | NeedData]
_READERS: Final[tuple[_Reader, ...]] = tuple(
    {
        State.NEW: Server._hold,
        State.AUTH: Server._read_response,
        State.TLS: Server._hold,
        State.DATA: Server._read_content,
        State.CLOSED: Server._over,
    }.get(state, Server._read_command)
    for state in State
)
