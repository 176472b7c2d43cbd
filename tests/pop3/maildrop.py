"""A POP3 service in memory: the pure core with a mailbox of bytes behind it, driven without any socket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gatepost.pop3 import content, event
from gatepost.pop3.capability import Capabilities, language
from gatepost.pop3.reply import Code, Reply, challenge, err, ok
from gatepost.pop3.server import NEED_DATA, Server
from gatepost.pop3.view import View
from gatepost.wire import scram
from gatepost.wire.sasl import Challenge, KeysWanted, SaslError
from gatepost.wire.scram_server import ScramOffer, ScramServer

MESSAGES = (
    b"Subject: one\n\nfirst\n.dot\n..two\n",
    b"Subject: two\r\n\r\nsecond, without an end",
    b"Subject: three\n\n" + b"".join(b"line %d\n" % n for n in range(1, 5)),
)
NAME, PASSWORD = "bob", "pass word"


_SALTED = scram.salted_password(PASSWORD, b"0123456789abcdef", 4096)


@dataclass(frozen=True, slots=True)
class Keys:
    """Bob's."""

    salt: bytes = b"0123456789abcdef"
    iterations: int = 4096
    stored_key: bytes = field(default=scram.stored_key(scram.client_key(_SALTED)), repr=False)
    server_key: bytes = field(default=scram.server_key(_SALTED), repr=False)


class Maildrop:
    """Bob's mailbox. `removed` are the indexes that QUIT removed; `intruded`: bytes lay behind STLS."""

    def __init__(self, messages: Sequence[bytes] = MESSAGES) -> None:
        self.core = Server()
        self.messages = messages
        self.view: View | None = None
        self.removed: tuple[int, ...] = ()
        self.tls = False
        self.intruded = False
        self.closed = False
        self.scram: ScramServer | None = None

    def greet(self) -> bytes:
        return self.core.greeting(ok("ready"))

    def start_tls(self) -> None:
        self.core.tls_started()
        self.tls = True

    def give(self, data: bytes) -> bytes:
        """What is sent back for these bytes."""
        self.core.feed(data)
        out = b""
        while (asked := self.core.next_event()) is not NEED_DATA:
            match asked:
                case event.Closed():
                    self.closed = True
                    return out
                case event.Intrusion():
                    self.intruded = True
                case _:
                    out += self.core.reply(self._answer(asked))
        return out

    def _answer(self, asked: event.Request) -> Reply:
        match asked:
            case event.BadCommand() | event.TooManyErrors() | event.AuthCancelled():
                return asked.reply
            case event.Capa():
                return Capabilities(user=True, stls=not self.tls, mechanisms=("PLAIN",)).reply()
            case event.Lang():
                return language(asked.tag)
            case event.AuthMechanisms():
                return Capabilities(user=True, stls=True, mechanisms=("PLAIN",)).mechanisms_reply()
            case event.Pass():
                return self._login(asked.name, asked.password.reveal())
            case event.Auth(mechanism="SCRAM-SHA-256"):
                self.scram = ScramServer(ScramOffer(b"s" * 18, b"k" * 32, 4096), plus=False)
                return challenge() if asked.initial is None else self._scram(asked.initial)
            case event.Auth():
                return challenge() if asked.initial is None else self._plain(asked.initial)
            case event.AuthResponse():
                return self._plain(asked.content) if self.scram is None else self._scram(asked.content)
            case event.Stat() | event.List() | event.Uidl() | event.Dele() | event.Rset():
                assert self.view is not None
                return self.view.answer(asked)
            case event.Retr() | event.Top():
                return self._message(asked)
            case event.Quit(update=True):
                assert self.view is not None
                self.removed = self.view.deleted()
                return ok("good bye")
            case event.Stls():
                return ok("begin TLS")
            case _:
                return ok()

    def _login(self, name: str, password: str) -> Reply:
        if (name, password) != (NAME, PASSWORD):
            return err("wrong name or password", Code.AUTH)
        sizes = [content.size_bytes(message) for message in self.messages]
        self.view = View(sizes, [f"uid{index}" for index in range(len(sizes))])
        return ok("welcome")

    def _plain(self, response: bytes) -> Reply:
        _authzid, _nul, rest = response.partition(b"\0")
        name, _nul, password = rest.partition(b"\0")
        return self._login(name.decode("utf-8", "replace"), password.decode("utf-8", "replace"))

    def _scram(self, response: bytes) -> Reply:
        assert self.scram is not None
        try:
            step = self.scram.step(response)
        except SaslError:
            self.scram = None
            return err("wrong name or password", Code.AUTH)
        if isinstance(step, KeysWanted):
            step = step.give([Keys()], [])
        if isinstance(step, Challenge):
            return challenge(step.data)
        self.scram = None
        return self._login(NAME, PASSWORD)

    def _message(self, asked: event.Retr | event.Top) -> Reply:
        assert self.view is not None
        index = self.view.index(asked.number)
        if isinstance(index, Reply):
            return index
        message = self.messages[index]
        if isinstance(asked, event.Top):
            return ok("", content.top(message, asked.lines))
        return ok(f"{content.size_bytes(message)} octets", content.wire(message))
