"""How a POP3 session gets its mailbox: a login by any way, the right `collect`, and the lock.

Whatever is refused, nobody is logged in and nothing stays open.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from gatepost.config.schema import TlsMode
from gatepost.guard.ledger import Offence
from gatepost.login import Attempt, Rejected, Welcome
from gatepost.policy.access import Right
from gatepost.policy.login import LoginRules
from gatepost.policy.reasons import Reason
from gatepost.pop3 import event
from gatepost.pop3.reply import Reply, challenge, ok
from gatepost.pop3.server import Server
from gatepost.server.auth import AuthExchange, Turn
from gatepost.server.client import Client
from gatepost.server.connection import Connection
from gatepost.server.maildrop import Maildrop, TooSoon
from gatepost.server.pop3_mail import Collection
from gatepost.server.pop3_record import Pop3Record
from gatepost.server.shard import Pop3VirtualServer, Shard
from gatepost.store.maildir import MailboxFailed, MailboxInUse
from gatepost.wire.sasl import Challenge


class Entrance:
    """From the first USER or AUTH to the open mailbox. `failures` counts logins that were refused."""

    __slots__ = (
        "_client",
        "_connection",
        "_core",
        "_exchange",
        "_record",
        "_server",
        "_shard",
        "collection",
        "failures",
    )

    def __init__(
        self,
        shard: Shard,
        server: Pop3VirtualServer,
        client: Client,
        connection: Connection,
        core: Server,
        record: Pop3Record,
    ) -> None:
        self._shard = shard
        self._server = server
        self._client = client
        self._connection = connection
        self._core = core
        self._record = record
        self._exchange: AuthExchange | None = None
        self.collection: Collection | None = None
        self.failures = 0

    def in_clear(self) -> Reply | None:
        """The refusal of anything that leads to a password in clear; None where that is no matter."""
        settings = self._server.settings
        if self._client.tls is not None:
            return None
        if settings.tls is TlsMode.REQUIRE:
            return self._record.refuse("login", Reason.TLS_REQUIRED)
        return None if settings.auth_in_clear else self._record.refuse("login", Reason.AUTH_NEEDS_TLS)

    def user(self) -> Reply:
        """The answer to USER: the same for every name (RFC 1939 §7 would let names be guessed)."""
        if not self._server.settings.user_pass:
            return self._not_offered()
        return self.in_clear() or ok()

    async def password(self, asked: event.Pass) -> Reply:
        """The answer to PASS."""
        generation = self._shard.directories.generation
        turn = await self._shard.login.password(self._attempt("USER"), asked.name, asked.password)
        return await self._admitted(turn, generation)

    def begin(self, asked: event.Auth) -> Reply | Coroutine[Any, Any, Reply]:
        """The answer to AUTH."""
        refusal = self.in_clear()
        if refusal is not None:
            return refusal
        settings = self._server.settings
        rules = LoginRules(settings.auth, settings.auth_in_clear)
        self._exchange = AuthExchange(
            self._shard.login, self._client, self._connection, self._attempt(asked.mechanism), rules
        )
        return self._after(self._exchange.begin(asked.initial))

    def respond(self, asked: event.AuthResponse) -> Coroutine[Any, Any, Reply]:
        """The answer to the next step of the exchange."""
        assert self._exchange is not None
        return self._after(self._exchange.respond(asked.content))

    async def _after(self, coming: Coroutine[Any, Any, Turn]) -> Reply:
        generation = self._shard.directories.generation
        turn = await coming
        if isinstance(turn, Challenge):
            return challenge(turn.data)
        self._exchange = None
        return await self._admitted(turn, generation)

    async def _admitted(self, turn: Welcome | Rejected, generation: int) -> Reply:
        """The last word on a login: the mailbox is open, or nobody is logged in."""
        client = self._client
        if isinstance(turn, Rejected):
            self.failures += 1
            if turn.reason is Reason.AUTH_NOT_OFFERED:
                return self._not_offered()
            return self._record.refuse("login", turn.reason)
        client.logged_in(turn.identity, generation)
        verdict = client.may(Right.COLLECT)
        if verdict.allowed:
            opened = await self._opened(turn.identity.name)
        else:
            opened = self._record.refuse_right("login", Right.COLLECT, verdict)
        if isinstance(opened, Reply):
            client.logged_in(None, generation)
            return opened
        self.collection = Collection(opened, self._core, self._connection, self._record)
        return ok(f"{opened.view.count} messages ({opened.view.size_bytes} octets)")

    def _not_offered(self) -> Reply:
        self._shard.guard.offend(Offence.AUTH_NOT_OFFERED, self._client.peer)
        return self._record.refuse("login", Reason.AUTH_NOT_OFFERED)

    async def _opened(self, account: str) -> Maildrop | Reply:
        delay = self._server.settings.login_delay_seconds
        try:
            maildrop = await self._server.maildrops.open(account, delay_seconds=delay)
        except MailboxInUse:
            return self._record.refuse("login", Reason.MAILBOX_IN_USE)
        except MailboxFailed as problem:
            self._record.failed("mailbox-failed", problem)
            return self._record.refuse("login", Reason.MAILBOX_UNAVAILABLE)
        if isinstance(maildrop, TooSoon):
            return self._record.refuse("login", Reason.LOGIN_DELAY, seconds=maildrop.seconds)
        return maildrop

    def _attempt(self, mechanism: str) -> Attempt:
        client = self._client
        return Attempt(
            mechanism,
            self._server.key,
            client.peer,
            client.tls is not None,
            client.id,
            self._server.settings.auth_in_clear,
            Right.COLLECT,
        )
