"""The SMTP conversation of one connection: every event of the core gets its one reply.

What SMTP is lies in `smtp.server`, what is decided in `policy`; here the one is asked with the
other's facts. An answer that must wait (a login, a lookup, the disk) leaves the session busy: no
further event is taken, and reading stops when too much is waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from gatepost.config.schema import TlsMode
from gatepost.guard.ledger import Offence
from gatepost.login import Rejected
from gatepost.policy.access import Right
from gatepost.policy.reasons import Reason
from gatepost.server import phrases
from gatepost.server.admission import refusal_at_accept
from gatepost.server.auth import AuthExchange, Turn, for_submission
from gatepost.server.client import Client, peer_address
from gatepost.server.connection import Connection
from gatepost.server.doorstep import certificate_refused, secured
from gatepost.server.hostname import confirmed_hostnames
from gatepost.server.phrases import BEFORE_TLS
from gatepost.server.record import Record
from gatepost.server.refuse import refused, refused_right
from gatepost.server.sessions import SessionReport, session_report
from gatepost.server.shard import Shard, SmtpVirtualServer
from gatepost.server.transaction import GO_AHEAD, Transaction
from gatepost.smtp import command
from gatepost.smtp import event as heard
from gatepost.smtp.event import NEED_DATA
from gatepost.smtp.group import Group
from gatepost.smtp.reply import Reply
from gatepost.smtp.server import Server
from gatepost.smtp.state import State
from gatepost.wire.proxy import looks_like_header
from gatepost.wire.sasl import Challenge, encode

_WAITING_LIMIT_BYTES: Final = 128 * 1024
# Looking up a member of an enum costs 0.1 us, and these stand on the path of every message.
_IN_DATA: Final = State.DATA
_IN_TLS: Final = State.TLS
_BETWEEN_TRANSACTIONS: Final = (State.START, State.READY)
# Reply: say it. None: nothing is to be said. An awaitable: busy until it comes true.
Answer = Reply | Awaitable[Any] | None


class SmtpConversation:
    """A session from accept to end."""

    __slots__ = (
        "_auth", "_busy", "_client", "_connection", "_core", "_draining", "_ended", "_guarded", "_out",
        "_parked", "_parting", "_record", "_server", "_shard", "_spoke", "_task", "_transaction",
    )  # fmt: skip

    def __init__(self, shard: Shard, server: SmtpVirtualServer) -> None:
        self._shard = shard
        self._server = server
        self._auth: AuthExchange | None = None
        self._busy = False
        self._draining = False
        self._ended = False
        self._guarded = server.settings.tls is TlsMode.REQUIRE
        self._parked = False
        self._spoke = False
        self._parting = "told to leave"
        self._out: list[bytes] = []
        self._task: asyncio.Future[Any] | None = None

    # what the connection calls

    def begin(self, connection: Connection) -> None:
        shard = self._shard = self._shard.facing(peer_name := connection.peer_name)
        settings, peer = self._server.settings, peer_address(peer_name[0])
        self._connection = connection
        self._client = Client(shard.sessions.new_id(), peer, settings.access, now=shard.clock())
        if connection.channel is not None:
            secured(shard, self._server.name, self._client, connection.channel)
        self._core = Server(
            shard.settings.hostname,
            size_limit_bytes=settings.limits.message_size_bytes,
            error_limit=settings.limits.errors_per_session,
            tls=connection.channel is not None,
        )
        self._record = Record(shard.log, shard.tracking, shard.clock, self._server.name, self._client)
        self._transaction = Transaction(shard, self._server, self._client, self._record)
        refusal = self._refusal_of_connection()
        shard.sessions.opened(self, self._server.name, peer)
        if refusal is not None:
            self._spoke = True  # it was not let
            self._end_with(self._core.greeting(refusal), "refused")
        elif settings.access.needs_hostnames:
            self._await(self._greeting_once_named())
        else:
            self._out.append(self._core.greeting(self._greeting()))
            self._flush()

    def receive(self, data: bytes) -> None:
        if not self._spoke:
            self._spoke = True
            if looks_like_header(data):
                self._end_with(self._core.hang_up(self._record.forged(self._shard.guard)), "forged header")
                return
        try:
            self._core.feed(data)
            if not self._busy:
                group = None if self._guarded else self._core.group()
                whole = self._advance() if group is None else self._begin_together(group)
                if not whole and self._core.buffered_bytes:  # a command that is not whole yet
                    self._connection.hurry(self._server.settings.command_seconds)
            elif self._core.buffered_bytes > _WAITING_LIMIT_BYTES and not self._parked:
                self._parked = True
                self._connection.hold()
        except Exception as fault:
            self._fault(fault)

    def secured(self) -> None:
        assert self._connection.channel is not None
        self._core.tls_started()
        self._guarded = False
        secured(self._shard, self._server.name, self._client, self._connection.channel)

    def certificate_refused(self, connection: Connection, why: str) -> None:
        client = getattr(self, "_client", None)
        certificate_refused(self._shard, self._server.name, connection, client, why)

    def timed_out(self) -> bool:
        if self._busy or self._core.closed:
            return not self._busy
        self._connection.send(self._core.hang_up(self._record.refuse("idle", Reason.IDLE_TIMEOUT)))
        return True

    def ended(self, why: str) -> None:
        self._ended = True
        if not hasattr(self, "_client"):
            return  # the TLS handshake before the first byte failed
        self._transaction.abandon()
        if self._task is not None:
            self._task.cancel()
        if not self._spoke and not self._draining:
            self._shard.guard.offend(Offence.SILENT, self._client.peer)
        self._shard.sessions.ended(self, self._server.name, self._client.peer)
        self._record.closed(why)

    # what the operator asks

    @property
    def id(self) -> str:
        return self._client.id

    def report(self) -> SessionReport:
        return session_report(self._client, "smtp", self._server.name, self._record.accepted_count)

    def drain(self) -> None:
        self._draining = True
        if not self._busy:
            self._end_if_drained()

    def close(self, why: str, reason: Reason = Reason.STOPPING) -> None:
        if not self._core.closed:
            self._connection.send(self._core.hang_up(self._record.last_word(reason)))
        self._connection.close(why)

    # the pump of events

    def _advance(self) -> bool:
        """Every event that is there is answered; the replies go out in one write. The hot path.

        True: all that came was read.
        """
        core, out, guarded, transaction = self._core, self._out, self._guarded, self._transaction
        next_event, encoded = core.next_event, core.reply
        while (event := next_event()) is not NEED_DATA:
            kind = type(event)
            if guarded and kind not in BEFORE_TLS:
                answer: Answer = self._record.refuse("command", Reason.TLS_REQUIRED)
            else:
                mailing = _MAILING.get(kind)
                answer = _ANSWERS[kind](self, event) if mailing is None else mailing(transaction, event)
            if isinstance(answer, Reply):
                out.append(encoded(answer))
                if core.exhausted():
                    self._rest()
                    return True
            elif answer is not None:
                self._await(answer)
                return False
            elif self._ended:
                return False
        self._rest()
        return False

    def _begin_together(self, group: Group) -> bool:
        """As `_advance`, of commands that came together: if all are accepted the core is told once."""
        core, out = self._core, self._out
        answers = self._transaction.begin(group)
        if answers[-1] is GO_AHEAD:
            core.group_taken()
            out += [one.wire or one.encode() for one in answers if isinstance(one, Reply)]
            self._rest()
            return True
        for answer in answers:
            core.next_event()  # it has its answer already
            if not isinstance(answer, Reply):
                self._await(answer)
                return False
            out.append(core.reply(answer))
        return self._advance()

    def _rest(self) -> None:
        """All that can be answered now is: it goes out."""
        if self._out:
            self._flush()
        if self._core.state is _IN_TLS:
            self._connection.start_tls()
        elif self._draining:
            self._end_if_drained()

    def _flush(self) -> None:
        out = self._out
        self._connection.say(out)
        out.clear()
        if self._core.state is _IN_DATA:
            self._connection.within(self._server.settings.data_seconds)

    def _await(self, answer: Awaitable[Any]) -> None:
        """The session is busy until the answer comes."""
        if self._out:
            self._flush()
        self._busy = True
        self._task = answer if isinstance(answer, asyncio.Future) else asyncio.ensure_future(answer)
        self._task.add_done_callback(self._answered)

    def _answered(self, future: asyncio.Future[Any]) -> None:
        self._task = None
        self._busy = False
        if future.cancelled() or self._ended:
            return
        try:
            transaction = self._transaction
            answer = transaction.committed(future) if transaction.is_committing else future.result()
            if answer is not None:
                self._out.append(self._core.reply(answer))
            if self._parked:
                self._parked = False
                self._connection.unhold()
            if answer is not None and self._core.exhausted():
                self._rest()
            else:
                self._advance()
        except Exception as fault:
            self._fault(fault)

    def _fault(self, fault: Exception) -> None:
        """Top of everything a peer can cause: it hears 421, we log what it was."""
        self._shard.log.error("internal-fault", session=self.id, fault=f"{type(fault).__name__}: {fault}")
        if not self._core.closed:
            self._connection.send(
                self._core.hang_up(Reply(421, "4.3.0", (f"Fault on our side [{self.id}]",)))
            )
        self._connection.close("internal fault")

    def _end_with(self, data: bytes, why: str) -> None:
        self._connection.send(data)
        self._connection.close(why)

    def _end_if_drained(self) -> None:
        if self._core.state in _BETWEEN_TRANSACTIONS and not self._ended:
            self._end_with(self._core.hang_up(refused(Reason.STOPPING, self.id)), "draining")

    # the connection

    def _refusal_of_connection(self) -> Reply | None:
        server = self._server
        reason = refusal_at_accept(
            self._shard.sessions, server.name, self._client.peer, server.settings, server.running
        )
        if reason is not None:
            return self._record.refuse("connect", reason)
        return None if server.settings.access.needs_hostnames else self._refusal_by_right()

    def _refusal_by_right(self) -> Reply | None:
        verdict = self._client.may(Right.CONNECT)
        if verdict.allowed:
            return None
        reason, reply = refused_right(Right.CONNECT, verdict, self.id)
        self._record.refused("connect", reason, reply)
        return reply

    async def _greeting_once_named(self) -> Reply:
        self._client.named(await confirmed_hostnames(self._client.peer, self._shard.resolver))
        return self._refusal_by_right() or self._greeting()

    def _greeting(self) -> Reply:
        return Reply(220, None, (f"{self._shard.settings.hostname} ESMTP Gatepost",))

    # commands

    def _gone(self, event: heard.Closed) -> Answer:
        """The last reply was given: QUIT, or one that ends the session."""
        if self._out:
            self._flush()
        if not self._ended:
            self._connection.close(self._parting)
        return None

    def _hello(self, event: command.Helo) -> Answer:
        self._transaction.abandon()
        self._transaction.introduced(event)
        if not event.extended:
            return Reply(250, None, (self._shard.settings.hostname,))
        return self._server.ehlo(self._shard.settings.hostname, self._client.channel)

    def _start_tls(self, event: command.StartTls) -> Answer:
        if self._server.settings.tls not in (TlsMode.OFFER, TlsMode.REQUIRE) or self._server.tls is None:
            return self._record.refuse("starttls", Reason.NOT_IMPLEMENTED)
        if event.injected:
            return self._record.refuse("starttls", Reason.PLAINTEXT_AFTER_STARTTLS)
        self._transaction.abandon()
        return phrases.READY_FOR_TLS

    def _begin_auth(self, event: command.Auth) -> Answer:
        self._auth = for_submission(event, self._shard.login, self._client, self._connection, self._server)
        return self._auth_reply(self._auth.begin(event.initial))

    def _continue_auth(self, event: command.AuthResponse) -> Answer:
        assert self._auth is not None
        return self._auth_reply(self._auth.respond(event.response))

    async def _auth_reply(self, coming: Coroutine[Any, Any, Turn]) -> Reply:
        generation = self._shard.directories.generation
        turn = await coming
        if isinstance(turn, Challenge):
            return Reply(334, None, (encode(turn.data).decode("ascii"),))
        self._auth = None
        if isinstance(turn, Rejected):
            if turn.reason is Reason.AUTH_NOT_OFFERED:
                self._shard.guard.offend(Offence.AUTH_NOT_OFFERED, self._client.peer)
            return self._record.refuse("auth", turn.reason)
        self._client.logged_in(turn.identity, generation)
        if self._connection.channel is not None:
            self._connection.channel.forget_bindings()
        return phrases.WELCOME

    def _cancel_auth(self, event: command.AuthCancelled) -> Answer:
        return self._record.refuse("auth", Reason.AUTH_CANCELLED)

    def _quit(self, event: command.Quit) -> Answer:
        self._parting = "said goodbye"
        return phrases.BYE

    def _reset(self, event: command.Rset) -> Answer:
        self._transaction.abandon()
        return phrases.OK

    def _chunk(self, event: command.Chunk) -> Answer:
        self._connection.within(self._server.settings.data_seconds)
        self._transaction.chunk()
        return None

    def _content(self, event: heard.Content) -> Answer:
        self._connection.trickled(len(event.data))
        return self._transaction.content(event.data)

    def _bad(self, event: heard.BadCommand | heard.TooManyErrors) -> Answer:
        return self._record.bad(event, self._shard.guard)


# What a transaction answers by itself.
_MAILING: Final[dict[type, Callable[[Transaction, Any], Answer]]] = {
    command.Mail: Transaction.mail,
    command.Rcpt: Transaction.rcpt,
    command.Data: Transaction.data,
    heard.EndOfContent: Transaction.end,
}
_ANSWERS: Final[dict[type, Callable[[SmtpConversation, Any], Answer]]] = {
    command.Helo: SmtpConversation._hello,
    command.StartTls: SmtpConversation._start_tls,
    command.Auth: SmtpConversation._begin_auth,
    command.AuthResponse: SmtpConversation._continue_auth,
    command.AuthCancelled: SmtpConversation._cancel_auth,
    command.Chunk: SmtpConversation._chunk,
    heard.Content: SmtpConversation._content,
    command.Rset: SmtpConversation._reset,
    command.Noop: lambda self, event: phrases.OK,
    command.Vrfy: lambda self, event: phrases.CANNOT_VERIFY,
    command.Expn: lambda self, event: self._record.refuse("command", Reason.NOT_IMPLEMENTED),
    command.Help: lambda self, event: self._server.help(self._client.channel),
    command.Quit: SmtpConversation._quit,
    heard.BadCommand: SmtpConversation._bad,
    heard.Closed: SmtpConversation._gone,
    heard.TooManyErrors: SmtpConversation._bad,
}
