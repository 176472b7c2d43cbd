"""One AUTH exchange, for SMTP (RFC 4954) and POP3 (RFC 5034): a mechanism, driven by `login`."""

from __future__ import annotations

import asyncio
import secrets

from gatepost.directory.devices import KeyRing
from gatepost.login import Attempt, Login, Rejected, Welcome
from gatepost.policy.access import Right
from gatepost.policy.login import TOKENS, LoginRules, login_refused, offered
from gatepost.policy.reasons import Reason
from gatepost.server.client import Client
from gatepost.server.connection import Connection
from gatepost.server.shard import SmtpVirtualServer
from gatepost.smtp.command import Auth
from gatepost.store.scram import SCRAM_ITERATIONS
from gatepost.wire.bearer import BearerServer
from gatepost.wire.gssapi import GssapiServer
from gatepost.wire.mechanisms import server_mechanism
from gatepost.wire.sasl import (
    Bearer,
    Challenge,
    Credentials,
    External,
    KeysWanted,
    Proven,
    SaslError,
    SaslFault,
    ServerMechanism,
    Step,
    Vouched,
)
from gatepost.wire.scram_server import ScramOffer

_EXCHANGE_SECONDS = 30.0
_FAULTS = {
    SaslFault.MALFORMED: Reason.AUTH_MALFORMED,
    SaslFault.CHANNEL: Reason.CHANNEL_BINDING,
    SaslFault.REFUSED: Reason.WRONG_PASSWORD,
}

Turn = Challenge | Welcome | Rejected


class AuthExchange:
    """From the AUTH command to its end: each turn is a challenge to send, or the outcome."""

    def __init__(
        self, login: Login, client: Client, connection: Connection, attempt: Attempt, rules: LoginRules
    ):
        self._login = login
        self._attempt = attempt
        self._rules = rules
        self._channel = client.channel
        self._certificate = client.facts.certificate
        self._connection = connection
        self._until = 0.0
        self._name = ""
        self._ring = KeyRing()
        self._verdict: Rejected | None = None

    async def begin(self, initial: bytes | None) -> Turn:
        """The first turn. `attempt.mechanism` is what the peer asked for."""
        refused = login_refused(self._attempt.mechanism, self._rules, self._channel)
        if refused is not None:
            return Rejected(refused)
        mechanism: ServerMechanism | None
        if self._attempt.mechanism in TOKENS and self._login.issuers is not None:
            mechanism = BearerServer(self._attempt.mechanism, self._login.issuers.advice)
        elif self._attempt.mechanism == "GSSAPI" and self._login.acceptor is not None:
            mechanism = GssapiServer(self._login.acceptor())
        else:
            mechanism = server_mechanism(self._attempt.mechanism, self._offer)
        if mechanism is None:
            return Rejected(Reason.UNKNOWN_MECHANISM)
        self._mechanism = mechanism
        return await self.respond(initial)

    async def respond(self, response: bytes | None) -> Turn:
        """The turn after the peer's response."""
        if self._verdict is not None:  # it has been told why, whatever it says to that
            return self._verdict
        try:
            if isinstance(self._mechanism, GssapiServer):  # it reads files
                return await self._next(await asyncio.to_thread(self._mechanism.step, response))
            return await self._next(self._mechanism.step(response))
        except SaslError as error:
            return await self._failed(error)

    def _offer(self) -> ScramOffer:
        channel = self._connection.channel
        return ScramOffer(
            nonce=secrets.token_bytes(18),
            unknown_key=b"",  # `login.keys` gives keys for unknown names too
            unknown_iterations=SCRAM_ITERATIONS,
            bindings={} if channel is None else channel.channel_bindings(),
            plus_offered=any(name.endswith("-PLUS") for name in offered(self._rules, self._channel)),
        )

    async def _next(self, step: Step) -> Turn:
        if isinstance(step, Challenge):
            return step
        if isinstance(step, Bearer):
            return await self._borne(step)
        if step.authzid and not isinstance(step, External) and not _is_own(step):
            # nobody may act as somebody else
            return await self._login.disproven(self._attempt, step.name, Reason.AUTHORIZATION_IDENTITY)
        match step:
            case Credentials(_, name, password):
                return await self._login.password(self._attempt, name, password)
            case KeysWanted():
                return await self._keys_for(step)
            case External(authzid):
                assert self._certificate is not None
                return await self._login.certified(self._attempt, self._certificate, authzid)
            case Vouched(_, name, groups):
                return await self._login.vouched(self._attempt, name, groups)
            case Proven(_, name, proved):
                keys = next(keys for keys in self._ring.good if keys == proved)
                if asyncio.get_running_loop().time() > self._until:
                    # the guard counts it no longer as under way: else many could be begun and kept for later
                    self._login.forget(self._attempt)
                    return Rejected(Reason.LOGIN_LATER)
                return await self._login.proven(self._attempt, name, keys)

    async def _borne(self, step: Bearer) -> Turn:
        """What is wrong with a token is said first, and refused after the peer's answer to that."""
        outcome: Welcome | Rejected = Rejected(Reason.TOKEN_REFUSED)
        if step.token:  # without one the peer only asks (RFC 7628 §4.3)
            outcome = await self._login.bearer(self._attempt, step.authzid, step.token)
        if isinstance(outcome, Welcome) or outcome.reason.shown is not Reason.BAD_CREDENTIALS:
            return outcome
        self._verdict = outcome
        assert isinstance(self._mechanism, BearerServer)
        return self._mechanism.refusal()

    async def _keys_for(self, wanted: KeysWanted) -> Turn:
        ring = await self._login.keys(self._attempt, wanted.name)
        if isinstance(ring, Rejected):
            return ring
        self._name, self._ring = wanted.name, ring
        self._until = asyncio.get_running_loop().time() + _EXCHANGE_SECONDS
        return wanted.give(ring.good, tuple(ring.spent))

    async def _failed(self, error: SaslError) -> Rejected:
        reason = _FAULTS[error.fault]
        if error.proved is not None:
            reason = next((why for keys, why in self._ring.spent.items() if keys == error.proved), reason)
        if reason is Reason.AUTH_MALFORMED or not self._name:
            return Rejected(reason)
        return await self._login.disproven(self._attempt, self._name, reason)


def for_submission(
    asked: Auth, login: Login, client: Client, connection: Connection, server: SmtpVirtualServer
) -> AuthExchange:
    """Of a client of an SMTP virtual server, which may then submit."""
    settings = server.settings
    attempt = Attempt(
        asked.mechanism.upper(),
        server.name,
        client.peer,
        client.tls is not None,
        client.id,
        settings.auth_in_clear,
        Right.SUBMIT,
    )
    return AuthExchange(login, client, connection, attempt, LoginRules(settings.auth, settings.auth_in_clear))


def _is_own(step: Credentials | KeysWanted | Proven | Vouched) -> bool:
    """Whether the name to act as is the one that logs in; of a ticket also without its realm."""
    wanted, name = step.authzid.lower(), step.name.lower()
    if not isinstance(step, Vouched):
        return wanted == name
    realm, _, user = name.partition("\\")
    return wanted in (name, user, f"{user}@{realm}")
