"""The client's side of SMTP (RFC 5321): commands in, bytes out, bytes in, answers out. Pure.

`send` gives the bytes of a command and `next_reply` the answer with the command it belongs to. Where
the server offers PIPELINING (RFC 2920) several may be sent before their answers: the core looks ahead
as if each were accepted, and what the answers really made of the session is `state`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from gatepost.smtp.answers import ReplyReader
from gatepost.smtp.command import Auth, Chunk, Command, Data, Helo, Mail, Rcpt, StartTls
from gatepost.smtp.error import LocalProtocolError, RemoteProtocolError
from gatepost.smtp.event import NEED_DATA, NeedData
from gatepost.smtp.extension import Extensions, parse_extensions
from gatepost.smtp.reply import Reply
from gatepost.smtp.state import TABLE, TOLERATED, State, Verb

_NOTHING_OFFERED: Final = Extensions()
# RFC 2920 §3.1: more may be sent before these are answered; every other one ends its group.
_MAY_BE_FOLLOWED: Final = frozenset(
    (Verb.RSET, Verb.MAIL, Verb.RCPT, Verb.CONTENT, Verb.BDAT, Verb.LAST)  # RFC 3030 §4.2 for BDAT
)
_NO_ROW: Final[Mapping[int, State]] = {}
# Neither an argument nor a condition: nothing to check.
_ALWAYS_THE_SAME: Final = frozenset((Verb.DATA, Verb.CONTENT, Verb.RSET, Verb.NOOP, Verb.QUIT))
# Looking up a member of an enum costs 0.1 us, and these stand on the path of every message.
_CONTENT: Final = Verb.CONTENT
_GREETING: Final = Verb.GREETING
_HELO: Final = Verb.HELO
_MAIL: Final = Verb.MAIL
_RCPT: Final = Verb.RCPT
_DATA_VERB: Final = Verb.DATA
_DATA_DUE: Final = (Verb.DATA, Data())
_NO_GROUP: Final = -1
_DATA_LINE: Final = Data().encode()
_DATA: Final = State.DATA
_READY: Final = State.READY
_CLOSED: Final = State.CLOSED
_TLS: Final = State.TLS
# The digit a command hopes for; 2 where it is not named.
_HOPE: Final = {Verb.DATA: 3, Verb.AUTH: 3}
# What becomes of a state when a command gets what it hopes for.
_HOPED: Final[Mapping[State, Mapping[Verb, State]]] = {
    state: {verb: row[hope] for verb, row in rows.items() if (hope := _HOPE.get(verb, 2)) in row}
    for state, rows in TABLE.items()
}


class Answer(NamedTuple):
    """A reply and the command it answers: None for the greeting, and for a 421 that answers nothing."""

    command: Command | None
    reply: Reply
    verb: Verb


class Client:
    """One session. The first answer is the greeting's.

    `tls`: TLS was there before the first byte (implicit TLS).
    """

    __slots__ = (
        "_ahead",
        "_authenticated",
        "_due",
        "_eof",
        "_extensions",
        "_group",
        "_last",
        "_replies",
        "_state",
        "_tls",
    )

    def __init__(self, *, tls: bool = False) -> None:
        self._tls = tls
        self._state = State.NEW
        self._ahead = State.NEW  # what the state will be if all that is due is accepted
        self._due: deque[tuple[Verb, Command | None]] = deque(((_GREETING, None),))
        self._group = _NO_GROUP  # how many commands `begin` gave, until the first of them is answered
        self._last = Verb.GREETING  # what was sent last
        self._replies = ReplyReader()
        self._extensions = _NOTHING_OFFERED
        self._authenticated = False
        self._eof = False

    @property
    def state(self) -> State:
        """What the answers read so far have made of the session."""
        return self._state

    @property
    def closed(self) -> bool:
        return self._state is _CLOSED

    @property
    def tls(self) -> bool:
        return self._tls

    @property
    def authenticated(self) -> bool:
        return self._authenticated

    @property
    def extensions(self) -> Extensions:
        """What the last EHLO offered; nothing before it and after HELO or STARTTLS."""
        return self._extensions

    @property
    def answers_due(self) -> int:
        """How many replies are still to come, the greeting's among them."""
        return len(self._due)

    def send(self, command: Command) -> bytes:
        """The bytes of this command. Behind `Dot` goes nothing; before it goes the content, in wire form;
        behind `Chunk` its octets, raw.

        Raises:
            LocalProtocolError: out of order, not offered by the server, or not to be pipelined here.
        """
        verb = command.verb
        due = self._due
        if verb is _CONTENT:
            # The content goes only when 354 has come (RFC 2920 §3.1).
            ahead = _READY if self._state is _DATA and not due else None
        else:
            ahead = _HOPED[self._ahead].get(verb)
        if ahead is None:
            raise LocalProtocolError(f"{verb.name} is out of order in {self._ahead.name}")
        if due and not (self._last in _MAY_BE_FOLLOWED and self._extensions.pipelining):
            raise LocalProtocolError(f"the answer to {self._last.name} comes first")
        line = command.encode()
        if verb not in _ALWAYS_THE_SAME:
            self._check(command, line)
        due.append((verb, command))
        self._last = verb
        self._ahead = ahead
        return line

    def begin(self, mail: Mail, recipients: Sequence[Rcpt]) -> bytes:
        """MAIL, RCPT for each and DATA as one group, to a server that offers PIPELINING (RFC 2920 §3.1).

        When the server took them all and said so at once, the answer to DATA stands for all of theirs.

        Raises:
            LocalProtocolError: as `send` does.
        """
        due, offered = self._due, self._extensions
        if self._ahead is not _READY or not offered.pipelining or not recipients:
            raise LocalProtocolError(f"a group of MAIL, RCPT, DATA is out of order in {self._ahead.name}")
        if due and self._last not in _MAY_BE_FOLLOWED:
            raise LocalProtocolError(f"the answer to {self._last.name} comes first")
        missing = _missing_for_mail(mail, offered)
        lines = mail.encode()
        for command in recipients:
            if command.notify is not None or command.orcpt is not None:
                missing = missing or _missing(command, offered)
            lines += command.encode()
        if missing is not None:
            raise LocalProtocolError(f"the server does not offer {missing}")
        ends = lines.count(b"\r\n")
        if not ends == lines.count(b"\n") == lines.count(b"\r") == len(recipients) + 1 or 0 in lines:
            raise LocalProtocolError("a line break or NUL within a command")
        due.append((_MAIL, mail))
        due.extend([(_RCPT, command) for command in recipients])
        due.append(_DATA_DUE)
        self._last, self._ahead = _DATA_VERB, _DATA
        self._group = len(recipients) + 2
        return lines + _DATA_LINE

    def feed(self, data: bytes) -> None:
        """Takes what was read; `b""` when the peer has closed its side."""
        if not data:
            self._eof = True
        elif self._state is _TLS:
            raise LocalProtocolError("what follows the 220 to STARTTLS belongs to TLS")
        else:
            self._replies.feed(data)

    def next_reply(self) -> Answer | NeedData:
        """The next of `replies`, or NEED_DATA."""
        return next(self.replies(), NEED_DATA)

    def replies(self) -> Iterator[Answer]:
        """The answers that are there, each read when it is asked for.

        421 closes, whatever it answers; commands still due get no answer then.

        Raises:
            RemoteProtocolError: no reply, one to nothing, one that does not answer its command, bytes in
                clear behind the 220 to STARTTLS, or the end of the connection while answers are due.
        """
        due, next_reply = self._due, self._replies.next_reply
        while self._state is not _CLOSED:
            if len(due) == self._group and self._state is _READY:
                taken = self._replies.group(self._group)
                if taken is not None:
                    due.clear()
                    self._state, self._group = _DATA, _NO_GROUP
                    yield Answer(_DATA_DUE[1], taken, _DATA_VERB)
                    continue
            if (reply := next_reply()) is None:
                break
            code = reply.code
            if code == 421:
                verb, command = due[0] if due else (_GREETING, None)
                self._close()
                yield Answer(command, reply, verb)
                return
            if not due:
                raise RemoteProtocolError(f"{code} answers nothing")
            verb, command = due.popleft()
            row = TABLE[self._state].get(verb)
            after = None if row is None else row.get(code // 100)
            self._state = after = self._exception(verb, code) if after is None else after
            if not due:
                self._ahead = after
            if verb is _MAIL:
                self._group = _NO_GROUP
            elif verb is _HELO or after is _TLS or code == 235:
                self._learn(command, reply)
            yield Answer(command, reply, verb)
        if self._eof and self._state is not _CLOSED and (due or len(self._replies)):
            self._close()
            raise RemoteProtocolError("the connection was closed before the answer")

    def tls_started(self) -> None:
        """TLS is on: what the server offered in clear is forgotten (RFC 3207 §4.2).

        Raises:
            LocalProtocolError: no 220 to STARTTLS went before.
        """
        if self._state is not State.TLS:
            raise LocalProtocolError("no 220 to STARTTLS went before")
        self._state = self._ahead = State.START
        self._tls = True
        self._authenticated = False
        self._extensions = _NOTHING_OFFERED

    def _exception(self, verb: Verb, code: int) -> State:
        """The state after a reply that the table does not have."""
        state, digit = self._state, code // 100
        # What was sent ahead of a refusal is refused as well, and moves nothing.
        after = state if digit in (4, 5) else TOLERATED.get(state, {}).get(verb, _NO_ROW).get(digit)
        if after is None:
            raise RemoteProtocolError(f"{code} is no answer to {verb.name} in {state.name}")
        return after

    def _learn(self, command: Command | None, reply: Reply) -> None:
        """What a reply changes besides the state."""
        if self._state is _TLS and len(self._replies):
            raise RemoteProtocolError("bytes in clear behind the 220 to STARTTLS")
        if reply.code == 235:
            self._authenticated = True
        if isinstance(command, Helo):
            accepted = command.extended and reply.is_positive
            self._extensions = parse_extensions(reply) if accepted else _NOTHING_OFFERED

    def _check(self, command: Command, line: bytes) -> None:
        """Raises LocalProtocolError unless the server offers what this command needs and it is one line."""
        offered = self._extensions
        missing = (
            _missing_for_mail(command, offered) if isinstance(command, Mail) else _missing(command, offered)
        )
        if missing is not None:
            raise LocalProtocolError(f"the server does not offer {missing}")
        if self._authenticated and isinstance(command, Auth):
            raise LocalProtocolError("already authenticated")
        end = len(line) - 2
        if line.find(b"\r") != end or line.find(b"\n") != end + 1 or 0 in line:
            raise LocalProtocolError("a line break or NUL within a command")

    def _close(self) -> None:
        self._state = self._ahead = State.CLOSED
        self._due.clear()


def _missing(command: Command, offered: Extensions) -> str | None:
    """The extension this command, which is no MAIL, needs and the server does not offer."""
    if isinstance(command, Rcpt):
        return None if offered.dsn or command.notify is command.orcpt is None else "DSN"
    if isinstance(command, StartTls):
        return None if offered.starttls else "STARTTLS"
    if isinstance(command, Chunk):
        return None if offered.chunking else "CHUNKING"
    return "AUTH" if isinstance(command, Auth) and not offered.auth else None


def _missing_for_mail(mail: Mail, offered: Extensions) -> str | None:
    if mail.size_bytes is not None and offered.size_bytes is None:
        return "SIZE"
    if mail.body is not None and not offered.eight_bit_mime:
        return "8BITMIME"
    if mail.smtputf8 and not offered.smtputf8:
        return "SMTPUTF8"
    if not (mail.ret is mail.envid is None or offered.dsn):
        return "DSN"
    if mail.auth is not None and not offered.auth:
        return "AUTH"
    return "REQUIRETLS" if mail.require_tls and not offered.require_tls else None
