"""The server's side of SMTP (RFC 5321): bytes in, events out, replies in, bytes out. Pure.

Feed it what was read, take events until NEED_DATA, answer each but Content, Chunk and Closed with
`reply`. Until then the core holds back, so commands that came in one packet (RFC 2920) come out
one after the other. `state.TABLE` says what a reply moves; a command without a row is refused here
and never reaches the driver as anything but BadCommand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gatepost.smtp import refusal
from gatepost.smtp.chunk import ChunkReader
from gatepost.smtp.command import Auth, Mail, Rcpt, StartTls
from gatepost.smtp.error import CommandError, LocalProtocolError
from gatepost.smtp.event import (
    NEED_DATA,
    BadCommand,
    Closed,
    Content,
    EndOfContent,
    Event,
    NeedData,
    TooManyErrors,
)
from gatepost.smtp.input import Input
from gatepost.smtp.reply import Reply
from gatepost.smtp.state import PERMITTED, TABLE, State, Verb
from gatepost.smtp.syntax import (
    GRAMMAR,
    Grammar,
    Readable,
    parse_chunk,
    parse_response,
    unknown_command,
)
from gatepost.wire.dots import ContentScanner, RawScanner

_CLOSED: Final = Closed()
# Where octets beyond ASCII may stand: addresses and free text (RFC 6531 §3.3, §3.7.4).
_MAY_BE_UTF8: Final = frozenset((Verb.MAIL, Verb.RCPT, Verb.VRFY, Verb.EXPN, Verb.HELP, Verb.NOOP))
# They follow a refused MAIL by themselves when the client pipelines: no errors of its making.
_FOLLOWS_MAIL: Final = frozenset((Verb.RCPT, Verb.DATA, Verb.BDAT, Verb.LAST))


# Their replies change more than the state.
_SPECIAL: Final = frozenset((Verb.STARTTLS, Verb.AUTH, Verb.RESPONSE, Verb.MAIL))


class Server:
    """One session. After `greeting` the driver loops: `next_event`, `reply`.

    `size_limit_bytes` bounds the content of a message. `error_limit` bad commands are answered, the
    next one ends the session. `tls`: TLS was there before the first byte (implicit TLS).
    """

    __slots__ = (
        "_answered",
        "_authenticated",
        "_closing",
        "_content",
        "_eof",
        "_error_limit",
        "_errors",
        "_hostname",
        "_input",
        "_mail_refused",
        "_pending",
        "_raw",
        "_read",
        "_refused",
        "_size_limit_bytes",
        "_smtputf8",
        "_state",
        "_tls",
    )

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
        self._tls = tls
        self._state = State.NEW
        self._input = Input()
        self._eof = False
        self._pending: Verb | None = Verb.GREETING  # what the next reply answers;
        self._refused: Reply | None = None  # or this, a refusal of our own
        self._closing = False  # the next reply is the last
        self._read: _Reader = Server._hold
        self._content: ContentScanner | ChunkReader | None = None
        self._answered = Verb.CONTENT  # what the end of the content is, in the table
        self._raw: RawScanner | None = None
        self._errors = 0
        self._authenticated = False
        self._smtputf8 = False
        self._mail_refused = False

    @property
    def state(self) -> State:
        return self._state

    @property
    def closed(self) -> bool:
        """Nothing more will be heard or said: send what `reply` gave and close."""
        return self._state is State.CLOSED

    @property
    def tls(self) -> bool:
        return self._tls

    @property
    def authenticated(self) -> bool:
        return self._authenticated

    @property
    def awaits_reply(self) -> bool:
        """An event (or the greeting) waits for `reply`; until then `next_event` says NEED_DATA."""
        return self._pending is not None or self._refused is not None

    @property
    def errors(self) -> int:
        """Bad commands and refused logins so far."""
        return self._errors

    @property
    def buffered_bytes(self) -> int:
        """What was fed and not yet consumed. Before the greeting: the peer talks too early."""
        return len(self._input)

    def feed(self, data: bytes) -> None:
        """Takes what was read; `b""` when the peer has closed its side.

        Raises:
            LocalProtocolError: these bytes belong to the TLS handshake, not here.
        """
        if not data:
            self._eof = True
        elif self._state is State.TLS:
            raise LocalProtocolError("what follows STARTTLS belongs to TLS")
        elif self._state is not State.CLOSED:
            self._input.feed(data)

    def next_event(self) -> Event | NeedData:
        """The next thing the peer said, or NEED_DATA."""
        event = self._read(self)
        if event is NEED_DATA and self._eof and not self.awaits_reply:
            self._close()
            return _CLOSED
        return event

    def greeting(self, reply: Reply) -> bytes:
        """The bytes of the greeting; commands are read from now on (after 4xx or 5xx: QUIT alone)."""
        return self.reply(reply)

    def reply(self, reply: Reply) -> bytes:
        """The bytes that answer the last event; the state has moved as the table says.

        421 closes whatever it answers. `b""`: bytes in clear came behind STARTTLS; close at once.

        Raises:
            LocalProtocolError: nothing waits for a reply, or this one does not answer it.
        """
        verb = self._pending
        if verb is None:
            return self._reply_to_refused(reply)
        code = reply.code
        state = TABLE.get((self._state, verb, code // 100))
        if state is None:
            raise LocalProtocolError(f"{code} is no answer to {verb.name} in {self._state.name}")
        self._pending = None
        if code == 421 or self._closing:
            self._close()
            return reply.encode()
        self._state = state
        self._read = _READERS[state]
        if state is State.DATA:
            self._content = ContentScanner(self._size_limit_bytes)
            self._answered = Verb.CONTENT
        elif verb in _SPECIAL:
            return self._after(verb, reply)
        return reply.encode()

    def hang_up(self, reply: Reply) -> bytes:
        """The bytes of a 421 that answers nothing: time is up, or we stop (RFC 5321 §3.8)."""
        if self._state is State.CLOSED:
            raise LocalProtocolError("the session is over")
        self._close()
        return reply.encode()

    def tls_started(self) -> None:
        """TLS is on and everything said before is forgotten (RFC 3207 §4.2).

        Raises:
            LocalProtocolError: STARTTLS was not answered 220 just before.
        """
        if self._state is not State.TLS:
            raise LocalProtocolError("no STARTTLS went before")
        self._tls = True
        self._authenticated = False
        self._state = State.START
        self._read = Server._read_command

    def _reply_to_refused(self, reply: Reply) -> bytes:
        if self._refused is None:
            raise LocalProtocolError("nothing waits for a reply")
        if reply.is_positive:
            raise LocalProtocolError("a bad command is refused")
        self._refused = None
        if reply.code == 421 or self._closing:
            self._close()
        else:
            # A refusal moves nothing; but it ends an AUTH exchange (RFC 4954 §4).
            self._state = TABLE.get((self._state, Verb.RESPONSE, 5), self._state)
            self._read = _READERS[self._state]
        return reply.encode()

    def _after(self, verb: Verb, reply: Reply) -> bytes:
        """What a reply changes besides the state."""
        if verb is Verb.MAIL:
            self._mail_refused = not reply.is_positive
        elif verb is Verb.STARTTLS:
            if self._state is State.TLS and self._input:
                self._close()
                return b""
        elif reply.code < 300:
            self._authenticated = True
        elif reply.code >= 500:
            self._errors += 1
        return reply.encode()

    def _close(self) -> None:
        self._state = State.CLOSED
        self._read = Server._over
        self._pending = self._refused = self._content = self._raw = None
        self._input.clear()

    # Readers: one of them is what next_event does in this state.

    def _hold(self) -> Event | NeedData:
        return NEED_DATA

    def _over(self) -> Event | NeedData:
        return _CLOSED

    def _read_command(self) -> Event | NeedData:
        try:
            line = self._input.line()
        except CommandError as error:
            return self._refuse(error.reply)
        if line is None:
            return NEED_DATA
        grammar = GRAMMAR.get(line[:4].upper())
        # The verb ends here, with a space (`in` is also true of nothing at all), or is longer.
        if grammar is None or (line[4:5] not in b" " and grammar.verb is not Verb.STARTTLS):
            return self._refuse(unknown_command(line))
        return self._command(grammar, line)

    def _read_response(self) -> Event | NeedData:
        try:
            line = self._input.line(response=True)
            if line is None:
                return NEED_DATA
            event = parse_response(line)
        except CommandError as error:
            return self._refuse(error.reply)
        self._pending = Verb.RESPONSE
        self._read = Server._hold
        return event

    def _command(self, grammar: Grammar, line: bytes) -> Event | NeedData:
        verb = grammar.verb
        if verb is Verb.BDAT:
            return self._begin_chunk(line)
        if (self._state, verb) not in PERMITTED:
            return self._refuse_order(verb)
        if not line.isascii() and verb not in _MAY_BE_UTF8:
            return self._refuse(refusal.NOT_ASCII)
        try:
            event = grammar.read(line)
        except CommandError as error:
            return self._refuse(error.reply)
        if verb is Verb.AUTH and self._errors >= self._error_limit:
            return self._refuse(refusal.UNKNOWN_COMMAND)  # becomes TooManyErrors
        objection = self._objection(event, line)
        if objection is not None:
            return self._refuse(objection)
        if type(event) is StartTls and self._input:
            # RFC 3207 §4.2 and the injection it forgot: never parsed, never given to TLS.
            self._input.clear()
            self._closing = True
            event = StartTls(injected=True)
        self._pending = verb
        self._read = Server._hold
        return event

    def _objection(self, event: Readable, line: bytes) -> Reply | None:
        """Why this command, well formed and in order, is refused all the same."""
        kind = type(event)
        if kind is Rcpt:
            return None if self._smtputf8 or line.isascii() else refusal.NEEDS_SMTPUTF8
        if isinstance(event, Mail):
            self._smtputf8 = event.smtputf8
            if event.require_tls and not self._tls:
                return refusal.NEEDS_TLS
            return None if event.smtputf8 or line.isascii() else refusal.NEEDS_SMTPUTF8
        if kind is StartTls and self._tls:
            return refusal.TLS_ACTIVE
        return refusal.AUTHENTICATED if kind is Auth and self._authenticated else None

    def _refuse_order(self, verb: Verb) -> Event:
        reply = refusal.out_of_order(self._state, verb)
        innocent = self._mail_refused and self._state is State.READY and verb in _FOLLOWS_MAIL
        return self._refuse(reply, counts=not innocent)

    def _refuse(self, reply: Reply, *, counts: bool = True) -> Event:
        self._refused = reply
        self._read = Server._hold
        self._closing |= reply.code == 421
        self._errors += counts
        if counts and self._errors > self._error_limit:
            self._closing = True
            return TooManyErrors(Reply(421, "4.7.0", (f"{self._hostname} Too many errors",)))
        return BadCommand(reply)

    def _read_content(self) -> Event | NeedData:
        return self._read_chunk() if self._input else NEED_DATA

    def _read_chunk(self) -> Event | NeedData:
        content = self._content
        assert content is not None
        scan = content.feed(self._input.take())
        if scan.rest:
            self._input.feed(scan.rest)
        if scan.ended:
            self._read = Server._end_content
            return Content(scan.content) if scan.content else self._end_content()
        return Content(scan.content) if scan.content else NEED_DATA

    def _end_content(self) -> Event | NeedData:
        content, verb = self._content, self._answered
        assert content is not None
        self._content = None
        if (self._state, verb) not in PERMITTED:
            return self._refuse_order(verb)
        self._pending = verb
        self._read = Server._hold
        return EndOfContent(content.fault, content.size_bytes, last=verb is not Verb.BDAT)

    def _begin_chunk(self, line: bytes) -> Event | NeedData:
        try:
            chunk = parse_chunk(line)
        except CommandError as error:
            # How many octets follow cannot be known: nothing behind this line can be trusted.
            self._closing = True
            return self._refuse(error.reply)
        self._answered = chunk.verb
        self._read = Server._read_chunk
        if (self._state, chunk.verb) not in PERMITTED:
            self._content = ChunkReader(None, chunk)
            return self._read_chunk()
        if self._raw is None or self._state is State.RCPT:
            self._raw = RawScanner(self._size_limit_bytes)
        self._content = ChunkReader(self._raw, chunk)
        return chunk


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
