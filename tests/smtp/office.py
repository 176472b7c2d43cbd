"""A small post office: it answers every event of a server core, in memory."""

from __future__ import annotations

from gatepost.smtp import event as ev
from gatepost.smtp.command import (
    Auth,
    AuthCancelled,
    AuthResponse,
    Chunk,
    Data,
    Expn,
    Helo,
    Help,
    Mail,
    Quit,
    Rcpt,
    StartTls,
    Vrfy,
)
from gatepost.smtp.event import NEED_DATA, Event
from gatepost.smtp.extension import Extensions, ehlo_reply
from gatepost.smtp.reply import Reply
from gatepost.smtp.server import Server
from gatepost.smtp.state import State

OFFER = Extensions(
    pipelining=True,
    size_bytes=1000,
    eight_bit_mime=True,
    smtputf8=True,
    chunking=True,
    dsn=True,
    enhanced_status_codes=True,
    starttls=True,
    auth=("PLAIN", "LOGIN"),
)
OK = Reply(250, "2.0.0", ("OK",))


class Office:
    """Whoever is called `no` is refused; ann's password is `secret`."""

    def __init__(self, *, error_limit: int = 20, tls: bool = False) -> None:
        self.core = Server("mx.test", size_limit_bytes=1000, error_limit=error_limit, tls=tls)
        self.events: list[Event] = []
        self.messages: list[bytes] = []
        self.content = b""
        self.intruded = False

    def greet(self, code: int = 220) -> bytes:
        return self.core.greeting(Reply(code, None, ("mx.test ESMTP",)))

    def give(self, data: bytes) -> bytes:
        """The replies to what was sent; `b""` is the end of the connection."""
        self.core.feed(data)
        out = b""
        while (event := self.core.next_event()) is not NEED_DATA:
            self.events.append(event)
            if isinstance(event, ev.Closed):
                break
            if isinstance(event, ev.Content):
                self.content += event.data
                continue
            if isinstance(event, Chunk):
                continue
            out += self.core.reply(self.answer(event))
        return out

    def start_tls(self) -> None:
        assert self.core.state is State.TLS
        self.core.tls_started()

    def answer(self, event: Event) -> Reply:
        if isinstance(event, ev.BadCommand | ev.TooManyErrors):
            return event.reply
        if isinstance(event, ev.EndOfContent):
            return self._taken(event)
        if isinstance(event, Auth | AuthResponse | AuthCancelled):
            return _login(event)
        if isinstance(event, Helo):
            return ehlo_reply("mx.test", OFFER) if event.extended else Reply(250, None, ("mx.test",))
        if isinstance(event, StartTls):
            self.intruded = event.injected
            return Reply(421, "4.7.0", ("Go",)) if event.injected else Reply(220, "2.0.0", ("Go ahead",))
        return self._said(event)

    def _said(self, event: Event) -> Reply:
        if isinstance(event, Mail):
            self.content = b""
            refused = event.sender is not None and event.sender.local == "no"
            return Reply(550, "5.7.1", ("Not you",)) if refused else Reply(250, "2.1.0", ("OK",))
        if isinstance(event, Rcpt):
            refused = event.address.local == "no"
            return Reply(550, "5.1.1", ("Nobody",)) if refused else Reply(250, "2.1.5", ("OK",))
        if isinstance(event, Data):
            return Reply(354, None, ("Go",))
        if isinstance(event, Vrfy | Expn):
            return Reply(252, "2.1.5", ("Try and see",))
        if isinstance(event, Help):
            return Reply(214, "2.0.0", ("RFC 5321",))
        return Reply(221, "2.0.0", ("Bye",)) if isinstance(event, Quit) else OK

    def _taken(self, event: ev.EndOfContent) -> Reply:
        if event.fault is not None:
            return Reply(554, "5.6.0", (event.fault.value,))
        if not event.last:
            return Reply(250, "2.0.0", ("More",))
        self.messages.append(self.content)
        return Reply(250, "2.0.0", (f"Took {event.size_bytes}",))


def _login(event: Auth | AuthResponse | AuthCancelled) -> Reply:
    if isinstance(event, AuthCancelled):
        return Reply(501, "5.7.0", ("Cancelled",))
    said = event.initial if isinstance(event, Auth) else event.response
    if said is None:
        return Reply(334, None, ("",))
    if said == b"\0ann\0secret":
        return Reply(235, "2.7.0", ("Welcome",))
    return Reply(535, "5.7.8", ("Wrong",))
