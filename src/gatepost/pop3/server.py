"""The server's side of POP3: bytes in, events out, replies to bytes (RFC 1939, RFC 2449). Pure.

The driver feeds what it read, takes events until `NEED_DATA`, and answers each with one reply. Commands
sent ahead (PIPELINING, RFC 2449 §6.6) wait in the buffer. A line may end in a bare LF: nothing in POP3
can be smuggled by it, and people who type into `nc` get an answer.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Final, Literal

from gatepost.pop3 import command, event
from gatepost.pop3.reply import Reply, err
from gatepost.pop3.state import LocalProtocolError, Sign, State, Verb, after, may_come

# RFC 2449 §4 wants 255 octets; names and passwords in UTF-8 may be longer.
COMMAND_LIMIT_BYTES: Final = 1024
# RFC 4954 §4 (for the same SASL steps): base64 of up to 12288 octets.
RESPONSE_LIMIT_BYTES: Final = 12_288
# More than this need not be read ahead of the replies.
AHEAD_LIMIT_BYTES: Final = 65_536


class NeedData(Enum):
    """Nothing can be said before more bytes come."""

    NEED_DATA = "need data"


NEED_DATA: Final = NeedData.NEED_DATA


class Server:
    """One session. Exactly one event may wait for its reply."""

    __slots__ = (
        "_bad_in_a_row",
        "_bad_limit",
        "_buffer",
        "_name",
        "_position",
        "_searched",
        "_state",
        "_swallowing",
        "_utf8",
        "_waiting",
    )

    def __init__(self, *, errors_in_a_row: int = 10) -> None:
        self._state = State.GREETING
        self._waiting: Verb | None = Verb.CONNECT
        self._buffer = b""
        self._position = 0
        self._searched = 0
        self._swallowing = False
        self._bad_limit = errors_in_a_row
        self._bad_in_a_row = 0
        self._name = ""
        self._utf8 = False

    @property
    def state(self) -> State:
        return self._state

    @property
    def utf8(self) -> bool:
        """The client asked for UTF8 (RFC 6856 §2) and got it."""
        return self._utf8

    @property
    def buffered_bytes(self) -> int:
        return len(self._buffer) - self._position

    @property
    def wants_data(self) -> bool:
        """Whether the driver should go on reading: not while a client runs far ahead of its answers."""
        return self.buffered_bytes < AHEAD_LIMIT_BYTES

    def greeting(self, reply: Reply) -> bytes:
        """The first line of the session; `-ERR` ends it."""
        if self._state is not State.GREETING:
            raise LocalProtocolError("a second greeting")
        return self.reply(reply)

    def feed(self, data: bytes) -> None:
        """Takes what was read. After the end it is dropped."""
        if self._state is State.CLOSED:
            return
        if self._position:
            self._buffer = self._buffer[self._position :]
            self._searched -= self._position
            self._position = 0
        self._buffer = self._buffer + data if self._buffer else data

    def next_event(self) -> event.Event | Literal[NeedData.NEED_DATA]:
        """The next thing asked for.

        Raises:
            LocalProtocolError: the event before this one was not answered.
        """
        if self._state is State.CLOSED:
            return event.Closed()
        if self._waiting is not None:
            raise LocalProtocolError(f"{self._waiting.value} is not answered yet")
        if self._state is State.SECURING:
            return self._intrusion() if self.buffered_bytes else NEED_DATA
        line = self._line()
        if line is None:
            return NEED_DATA
        if isinstance(line, Reply):
            return self._bad(line)
        if self._state is State.AUTHENTICATING:
            return self._response(line)
        return self._command(line)

    def reply(self, reply: Reply) -> bytes:
        """Answers the waiting event; returns what to send. The state has moved when it returns.

        Raises:
            LocalProtocolError: nothing waits, or it can't be answered so.
        """
        verb = self._waiting
        if verb is None:
            raise LocalProtocolError("a reply to nothing")
        self._state = after(self._state, verb, reply.sign)
        self._waiting = None
        if verb is Verb.UTF8 and reply.sign is Sign.OK:
            self._utf8 = True
        if self._state is State.CLOSED:
            self._drop()
        return reply.encode()

    def tls_started(self) -> None:
        """The handshake is done: everything learned before it is forgotten (RFC 2595 §4).

        Raises:
            LocalProtocolError: STLS was not accepted, or bytes in clear lie behind it.
        """
        if self.buffered_bytes:
            raise LocalProtocolError("bytes came in clear behind STLS")
        self._state = after(self._state, Verb.HANDSHAKE, Sign.ASKED)
        self._name = ""
        self._utf8 = False
        self._bad_in_a_row = 0

    def _line(self) -> bytes | Reply | None:
        """The next line without its end, a refusal of an overlong one, or None."""
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            self._searched = len(self._buffer)
            if self._swallowing or self.buffered_bytes > RESPONSE_LIMIT_BYTES:
                self._swallowing = True
                self._drop()
            return None
        line = self._buffer[self._position : end]
        self._position = self._searched = end + 1
        if self._swallowing or len(line) > self._limit_bytes(line):
            self._swallowing = False
            return err("line too long")
        return line[:-1] if line.endswith(b"\r") else line

    def _limit_bytes(self, line: bytes) -> int:
        if self._state is State.AUTHENTICATING or line[:5].upper() == b"AUTH ":
            return RESPONSE_LIMIT_BYTES
        return COMMAND_LIMIT_BYTES

    def _command(self, line: bytes) -> event.Event:
        try:
            verb, read = command.parse(line)
            if not may_come(self._state, verb):
                return self._bad(err(self._out_of_order(verb)))
            request = read()
        except command.CommandError as error:
            return self._bad(err(str(error)))
        self._bad_in_a_row = 0
        self._waiting = verb
        if verb is Verb.QUIT and self._state is State.TRANSACTION:
            self._state = after(self._state, verb, Sign.ASKED)
            return event.Quit(update=True)
        if verb is Verb.STLS and self.buffered_bytes:
            return self._intrusion()
        if isinstance(request, event.AuthMechanisms):
            self._waiting = Verb.MECHANISMS
        elif isinstance(request, event.User):
            self._name = request.name
        elif isinstance(request, event.Pass):
            return replace(request, name=self._name)
        return request

    def _response(self, line: bytes) -> event.Event:
        # RFC 5034 §4: "*" alone cancels.
        if line == b"*":
            return self._cancelled(err("cancelled"))
        try:
            content = command.response(line)
        except command.CommandError as error:
            return self._cancelled(err(str(error)))
        self._waiting = Verb.RESPONSE
        return event.AuthResponse(content)

    def _cancelled(self, reply: Reply) -> event.Event:
        self._waiting = Verb.CANCEL
        return event.AuthCancelled(reply)

    def _bad(self, reply: Reply) -> event.Event:
        """A refusal that moves nothing, until there are too many of them."""
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= self._bad_limit:
            self._waiting = Verb.ABUSE
            return event.TooManyErrors(err("too many errors, good bye"))
        if self._state is State.AUTHENTICATING:
            return self._cancelled(reply)
        self._waiting = Verb.BAD
        return event.BadCommand(reply)

    def _out_of_order(self, verb: Verb) -> str:
        if self._state is State.TRANSACTION:
            return "not after login"
        return "USER first" if verb is Verb.PASS else "log in first"

    def _intrusion(self) -> event.Event:
        self._state = State.CLOSED
        self._waiting = None
        self._drop()
        return event.Intrusion()

    def _drop(self) -> None:
        self._buffer = b""
        self._position = self._searched = 0
