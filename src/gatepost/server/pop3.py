"""The POP3 conversation of one connection: every event of the core gets its one reply.

What POP3 is lies in `pop3.server`, the login in `pop3_login`, the mailbox in `pop3_mail`. Messages are
deleted by QUIT alone (RFC 1939 §6): a session that ends otherwise deletes nothing. A peer that asks for
much and reads little is answered no further until it has read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from gatepost.config.schema import TlsMode
from gatepost.guard.ledger import Offence
from gatepost.policy.access import Right
from gatepost.policy.reasons import Reason
from gatepost.pop3 import event
from gatepost.pop3.capability import language
from gatepost.pop3.reply import Reply, ok
from gatepost.pop3.server import NEED_DATA, Server
from gatepost.pop3.state import Sign, State
from gatepost.server.admission import refusal_at_accept
from gatepost.server.client import Client, peer_address
from gatepost.server.connection import Connection
from gatepost.server.doorstep import certificate_refused, secured
from gatepost.server.hostname import confirmed_hostnames
from gatepost.server.pop3_login import Entrance
from gatepost.server.pop3_mail import Collection
from gatepost.server.pop3_record import Pop3Record
from gatepost.server.pop3_refuse import pop3_refused
from gatepost.server.sessions import SessionReport, session_report
from gatepost.server.shard import Pop3VirtualServer, Shard
from gatepost.wire.proxy import looks_like_header

_BATCH_BYTES: Final = 64 * 1024
_AT_ONCE_BYTES: Final = 256 * 1024
_BYE: Final = ok("Goodbye")

# Reply: say it. None: it was said already. An awaitable: busy until it comes true.
Answer = Reply | Awaitable[Reply | None]


class Pop3Conversation:
    """A session from accept to end."""

    __slots__ = (
        "_busy",
        "_client",
        "_connection",
        "_core",
        "_draining",
        "_ended",
        "_entrance",
        "_farewell",
        "_out",
        "_out_bytes",
        "_parked",
        "_record",
        "_server",
        "_shard",
        "_spoke",
        "_task",
    )

    def __init__(self, shard: Shard, server: Pop3VirtualServer) -> None:
        self._shard = shard
        self._server = server
        self._busy = False
        self._draining = False
        self._ended = False
        self._farewell = "said goodbye"
        self._parked = False
        self._spoke = False
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._task: asyncio.Future[Reply | None] | None = None

    # what the connection calls

    def begin(self, connection: Connection) -> None:
        shard = self._shard = self._shard.facing(peer_name := connection.peer_name)
        server, peer = self._server, peer_address(peer_name[0])
        self._connection = connection
        self._client = Client(shard.sessions.new_id(), peer, server.settings.access, now=shard.clock())
        if connection.channel is not None:
            secured(shard, self._server.key, self._client, connection.channel)
        self._core = Server(errors_in_a_row=server.settings.errors_per_session)
        self._record = Pop3Record(shard.log, shard.tracking, shard.clock, server.key, self._client)
        self._entrance = Entrance(shard, server, self._client, connection, self._core, self._record)
        refusal = self._refusal_of_connection()
        shard.sessions.opened(self, server.key, peer)
        if refusal is None and server.settings.access.needs_hostnames:
            self._await(self._greeting_once_named())
            return
        self._spoke = refusal is not None  # it was not let
        self._say(self._greeting() if refusal is None else refusal)
        self._advance()

    def receive(self, data: bytes) -> None:
        if not self._spoke:
            self._spoke = True
            if looks_like_header(data):
                self._connection.send(self._record.forged(self._shard.guard).encode())
                self._connection.close("forged header")
                return
        try:
            self._core.feed(data)
            if not self._busy:
                self._advance()
                if self._core.buffered_bytes:  # a command that is not whole yet
                    self._connection.hurry(self._server.settings.command_seconds)
            elif not self._core.wants_data and not self._parked:
                self._parked = True
                self._connection.hold()
        except Exception as fault:
            self._fault(fault)

    def secured(self) -> None:
        assert self._connection.channel is not None
        self._core.tls_started()
        secured(self._shard, self._server.key, self._client, self._connection.channel)

    def certificate_refused(self, connection: Connection, why: str) -> None:
        client = getattr(self, "_client", None)
        certificate_refused(self._shard, self._server.key, connection, client, why)

    def timed_out(self) -> bool:
        # RFC 1939 §3: closed without a word, and nothing is deleted.
        return not self._busy

    def ended(self, why: str) -> None:
        self._ended = True
        if not hasattr(self, "_client"):
            return  # the TLS handshake before the first byte failed
        if self._task is not None:
            self._task.cancel()
        self._release()
        if not self._spoke and not self._draining:
            self._shard.guard.offend(Offence.SILENT, self._client.peer)
        self._shard.sessions.ended(self, self._server.key, self._client.peer)
        self._record.closed(why)

    # what the operator asks

    @property
    def id(self) -> str:
        return self._client.id

    def report(self) -> SessionReport:
        return session_report(self._client, "pop3", self._server.name, self._record.retrieved)

    def drain(self) -> None:
        """Ends after the command in hand. Nothing is deleted: the client comes again."""
        self._draining = True
        if not self._busy:
            self.close("draining")

    def close(self, why: str, reason: Reason = Reason.STOPPING) -> None:
        """In the middle of a message nothing is said: it would look like a part of it."""
        channel = self._connection.channel
        spoken = self._core.state is not State.CLOSED and (channel is None or channel.established)
        if spoken and not self._busy and not self._ended:
            self._flush()
            self._connection.send(self._record.last_word(reason).encode())
        self._connection.close(why)

    # the pump of events

    def _advance(self) -> None:
        core, connection, said_bytes = self._core, self._connection, 0
        while not self._draining:
            # Whether the peer reads shows only once what was said is on its way.
            if connection.is_full or said_bytes > _AT_ONCE_BYTES:
                self._await(connection.drained())
                return
            asked = core.next_event()
            if asked is NEED_DATA:
                break
            answer = self._answer(asked)
            if answer is None:
                return
            if not isinstance(answer, Reply):
                self._await(answer)
                return
            said_bytes += self._say(answer)
        self._flush()
        if self._ended:
            return
        if self._draining:
            self.close("draining")
        elif core.state is State.SECURING and connection.channel is None:
            connection.start_tls()

    def _answer(self, asked: event.Event) -> Answer | None:
        """The answer to an event; None once the connection is closed."""
        kind = type(asked)
        if kind is event.Closed:
            self._flush()
            self._connection.close(self._farewell)
            return None
        if kind is event.Intrusion:
            self._flush()
            self._record.refused("stls", Reason.PLAINTEXT_AFTER_STARTTLS, None)
            self._connection.close("bytes in clear behind STLS")
            return None
        return _ANSWERS[kind](self, asked)

    def _say(self, reply: Reply) -> int:
        """How many bytes the reply has."""
        data = self._core.reply(reply)
        self._out.append(data)
        self._out_bytes += len(data)
        self._connection.progressed()
        if self._out_bytes > _BATCH_BYTES:
            self._flush()
        return len(data)

    def _flush(self) -> None:
        out = self._out
        if out:
            self._connection.send(out[0] if len(out) == 1 else b"".join(out))
            out.clear()
            self._out_bytes = 0

    def _await(self, answer: Awaitable[Reply | None]) -> None:
        """The session is busy until the answer comes."""
        self._flush()
        self._busy = True
        self._task = asyncio.ensure_future(answer)
        self._task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Future[Reply | None]) -> None:
        self._task = None
        self._busy = False
        if task.cancelled():
            return
        try:
            reply = task.result()
            if self._ended:
                return
            if reply is not None:
                self._say(reply)
            if self._entrance.failures >= self._server.settings.errors_per_session:
                self._flush()
                self._connection.close("too many failed logins")
                return
            if self._parked and self._core.wants_data:
                self._parked = False
                self._connection.unhold()
            self._advance()
        except Exception as fault:
            self._fault(fault)

    def _fault(self, fault: Exception) -> None:
        """Top of everything a peer can cause: it hears little, we log what it was."""
        self._record.failed("internal-fault", fault)
        # Half a message may have been sent; then a broken connection is the clearest answer.
        if not self._ended and self._entrance.collection is None:
            self._connection.send(pop3_refused(Reason.INTERNAL_FAULT, self.id).encode())
        self._connection.close("internal fault")

    def _release(self) -> None:
        collection = self._entrance.collection
        if collection is not None:
            collection.close()

    @property
    def _collection(self) -> Collection:
        collection = self._entrance.collection
        assert collection is not None  # the core lets mail be asked for after a login alone
        return collection

    # the connection

    def _refusal_of_connection(self) -> Reply | None:
        server = self._server
        reason = refusal_at_accept(
            self._shard.sessions, server.key, self._client.peer, server.settings, server.running
        )
        if reason is not None:
            self._farewell = "refused"
            return self._record.refuse("connect", reason)
        return None if server.settings.access.needs_hostnames else self._refusal_by_right()

    def _refusal_by_right(self) -> Reply | None:
        verdict = self._client.may(Right.CONNECT)
        if verdict.allowed:
            return None
        self._farewell = "refused"
        return self._record.refuse_right("connect", Right.CONNECT, verdict)

    async def _greeting_once_named(self) -> Reply:
        self._client.named(await confirmed_hostnames(self._client.peer, self._shard.resolver))
        return self._refusal_by_right() or self._greeting()

    def _greeting(self) -> Reply:
        return ok(f"{self._shard.settings.hostname} POP3 Gatepost")

    # AUTHORIZATION

    def _capabilities(self, asked: event.Capa) -> Answer:
        client = self._client
        return self._server.capabilities(client.channel, logged_in=client.identity is not None).reply()

    def _mechanisms(self, asked: event.AuthMechanisms) -> Answer:
        offered = self._server.capabilities(self._client.channel, logged_in=False)
        return self._entrance.in_clear() or offered.mechanisms_reply()

    def _start_tls(self, asked: event.Stls) -> Answer:
        if self._client.tls is not None:
            return self._record.refuse("stls", Reason.BAD_SEQUENCE, words="TLS is on already")
        if self._server.settings.tls not in (TlsMode.OFFER, TlsMode.REQUIRE) or self._server.tls is None:
            return self._record.refuse("stls", Reason.NOT_IMPLEMENTED)
        return ok("Begin TLS")

    def _cancelled(self, asked: event.AuthCancelled) -> Answer:
        reason = Reason.AUTH_CANCELLED if asked.reply.text == "cancelled" else Reason.AUTH_MALFORMED
        return self._record.refuse("login", reason)

    # the end

    def _quit(self, asked: event.Quit) -> Answer:
        collection = self._entrance.collection
        return self._update(collection) if collection is not None and collection.has_marks else self._bye()

    async def _update(self, collection: Collection) -> Reply:
        """What is marked is removed, then the mailbox is free, then comes the reply."""
        refusal = await collection.update()
        return self._bye() if refusal is None else refusal

    def _bye(self) -> Reply:
        self._release()  # before the reply: who hears it may come again at once
        return _BYE

    def _bad(self, asked: event.BadCommand | event.TooManyErrors) -> Answer:
        reason = _CORE_REASONS.get(asked.reply.text, Reason.SYNTAX_ERROR)
        if isinstance(asked, event.TooManyErrors):
            reason, self._farewell = Reason.TOO_MANY_ERRORS, "too many errors"
            self._shard.guard.offend(Offence.RUBBISH, self._client.peer)
        return self._marked(asked.reply, reason)

    def _language(self, asked: event.Lang) -> Answer:
        reply = language(asked.tag)
        return reply if reply.sign is Sign.OK else self._marked(reply, Reason.UNKNOWN_PARAMETER)

    def _marked(self, reply: Reply, reason: Reason) -> Reply:
        """The refusal with its reason, noted."""
        marked = reply.marked(reason.value, self.id)
        self._record.refused("command", reason, marked)
        return marked


_CORE_REASONS: Final = {
    "no such command": Reason.UNKNOWN_COMMAND,
    "log in first": Reason.BAD_SEQUENCE,
    "USER first": Reason.BAD_SEQUENCE,
    "not after login": Reason.BAD_SEQUENCE,
}
_ANSWERS: Final[dict[type, Callable[[Pop3Conversation, Any], Answer]]] = {
    event.Capa: Pop3Conversation._capabilities,
    event.User: lambda self, asked: self._entrance.user(),
    event.Pass: lambda self, asked: self._entrance.password(asked),
    event.Auth: lambda self, asked: self._entrance.begin(asked),
    event.AuthMechanisms: Pop3Conversation._mechanisms,
    event.AuthResponse: lambda self, asked: self._entrance.respond(asked),
    event.AuthCancelled: Pop3Conversation._cancelled,
    event.Stls: Pop3Conversation._start_tls,
    event.Lang: Pop3Conversation._language,
    event.Utf8: lambda self, asked: ok(),
    event.Stat: lambda self, asked: self._collection.look(asked),
    event.List: lambda self, asked: self._collection.look(asked),
    event.Uidl: lambda self, asked: self._collection.look(asked),
    event.Dele: lambda self, asked: self._collection.look(asked),
    event.Rset: lambda self, asked: self._collection.look(asked),
    event.Retr: lambda self, asked: self._collection.message(asked),
    event.Top: lambda self, asked: self._collection.message(asked),
    event.Noop: lambda self, asked: ok(),
    event.Quit: Pop3Conversation._quit,
    event.BadCommand: Pop3Conversation._bad,
    event.TooManyErrors: Pop3Conversation._bad,
}
