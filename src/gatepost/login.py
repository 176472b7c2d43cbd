"""THE WHOLE LOGIN. SMTP AUTH, POP3 and the console all come here, and there is no other way in.

In order: may a password be sent over this channel; does the guard let this peer try; is the
password one at all; what does the directory say; and whatever came of it is told to the guard, the
log and the records. The peer hears one and the same refusal for everything that is its fault.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final, Protocol

from gatepost.directory.cache import Cache
from gatepost.directory.directory import Directory, Refusal, Unavailable
from gatepost.directory.password import SCRAM_ITERATIONS, SCRAM_SALT_BYTES
from gatepost.log import Log
from gatepost.policy.facts import Identity, Peer
from gatepost.policy.login import password_refused
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store import naming
from gatepost.store.user import ScramKeys

_NAME_SHOWN: Final = 254


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where and how somebody tries to log in. `in_clear_allowed`: the virtual server says so."""

    mechanism: str
    virtual_server: str
    peer: Peer
    tls: bool
    session_id: str
    in_clear_allowed: bool = False


@dataclass(frozen=True, slots=True)
class Welcome:
    """The login is good."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class Rejected:
    """The login is refused. `reason` is for us; the peer is told `reason.shown`."""

    reason: Reason


Outcome = Welcome | Rejected


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt and what came of it, for guard and records.

    `name` is as the peer gave it, at most 254 characters. `proof` tells two passwords apart and
    says nothing else of them; None where there was none to see (SCRAM).
    """

    attempt: Attempt
    name: str
    outcome: Outcome
    proof: bytes | None


@dataclass(frozen=True, slots=True)
class Treatment:
    """What the guard does with a peer: lets it wait, or refuses it altogether."""

    delay_seconds: float = 0.0
    refused: bool = False


class Guard(Protocol):
    """Decides how peers that failed are treated. Both are quick and never wait."""

    def treatment(self, attempt: Attempt, name: str) -> Treatment:
        """How this attempt is treated before anything is asked."""

    def note(self, tried: Tried) -> None:
        """The attempt counts from now on."""


class Login:
    """The login over `directory` (which may be several).

    `decoy_key` makes lasting SCRAM salts for names that are not there. `note` is called with every
    attempt that was decided.
    """

    def __init__(
        self,
        directory: Directory,
        guard: Guard,
        log: Log,
        *,
        decoy_key: bytes,
        note: Callable[[Tried], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._directory = directory
        self._guard = guard
        self._log = log
        self._decoy_key = decoy_key
        self._proof_key = secrets.token_bytes(32)
        self._note = note
        self._sleep = sleep

    async def password(self, attempt: Attempt, name: str, password: Secret) -> Outcome:
        """Whether the name with the password may in. May wait: for a thread, a directory, the guard."""
        proof = self._proof(name, password)
        reason = await self._not_tried(attempt, name) or password_refused(password)
        if reason is not None:
            return self._done(attempt, name, Rejected(reason), proof)
        try:
            answer = await self._directory.verify(name, password)
        except Unavailable as error:
            return self._unavailable(attempt, name, error)
        return self._done(attempt, name, _outcome(answer), proof)

    async def keys(self, attempt: Attempt, name: str) -> ScramKeys | Rejected:
        """The keys for a SCRAM exchange; for an unknown name keys that nobody can prove."""
        reason = await self._not_tried(attempt, name)
        if reason is not None:
            rejected = Rejected(reason)
            self._done(attempt, name, rejected, None)
            return rejected
        try:
            keys = await self._directory.scram_keys(name)
        except Unavailable as error:
            return self._unavailable(attempt, name, error)
        return keys or self._decoy(name)

    async def proven(self, attempt: Attempt, name: str, keys: ScramKeys) -> Outcome:
        """Whether the name may in, a SCRAM exchange over `keys` having proved the password."""
        try:
            answer = await self._directory.proven(name, keys)
        except Unavailable as error:
            return self._unavailable(attempt, name, error)
        return self._done(attempt, name, _outcome(answer), None)

    async def disproven(
        self, attempt: Attempt, name: str, reason: Reason = Reason.WRONG_PASSWORD
    ) -> Rejected:
        """The SCRAM exchange proved nothing: counted and logged as any wrong password."""
        rejected = Rejected(reason)
        if reason is Reason.WRONG_PASSWORD:
            try:
                if await self._directory.scram_keys(name) is None:
                    rejected = Rejected(Reason.UNKNOWN_USER)
            except Unavailable:
                pass  # the reason is only less exact then
        self._done(attempt, name, rejected, None)
        return rejected

    async def _not_tried(self, attempt: Attempt, name: str) -> Reason | None:
        """Why no directory is asked; None after the wait that the guard imposes."""
        if not attempt.tls and not attempt.in_clear_allowed:
            return Reason.AUTH_NEEDS_TLS
        treatment = self._guard.treatment(attempt, name)
        if treatment.delay_seconds > 0:
            await self._sleep(treatment.delay_seconds)
        return Reason.LOGIN_REFUSED_BY_GUARD if treatment.refused else None

    def _done(self, attempt: Attempt, name: str, outcome: Outcome, proof: bytes | None) -> Outcome:
        tried = Tried(attempt, name[:_NAME_SHOWN], outcome, proof)
        self._guard.note(tried)
        self._write(tried)
        if self._note is not None:
            self._note(tried)
        return outcome

    def _unavailable(self, attempt: Attempt, name: str, error: Unavailable) -> Rejected:
        rejected = Rejected(Reason.DIRECTORY_UNAVAILABLE)
        self._log.warning(
            "login-not-decided",
            session=attempt.session_id,
            server=attempt.virtual_server,
            peer=attempt.peer,
            name=name[:_NAME_SHOWN],
            error=error,
        )
        return rejected

    def _write(self, tried: Tried) -> None:
        attempt, outcome = tried.attempt, tried.outcome
        welcome = isinstance(outcome, Welcome)
        self._log.event(
            "login" if welcome else "login-refused",
            session=attempt.session_id,
            server=attempt.virtual_server,
            peer=attempt.peer,
            mechanism=attempt.mechanism,
            tls=attempt.tls,
            name=tried.name,
            user=outcome.identity.name if isinstance(outcome, Welcome) else None,
            reason=outcome.reason if isinstance(outcome, Rejected) else None,
        )

    def _proof(self, name: str, password: Secret) -> bytes:
        text = f"{naming.canonical(name)}\0{password.reveal()}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._proof_key, digest_size=16).digest()

    def _decoy(self, name: str) -> ScramKeys:
        """Keys that look like a user's: always the same salt for the same name, and no password has them."""
        salt = hmac.digest(
            self._decoy_key, naming.canonical(name.strip()).encode("utf-8", "surrogatepass"), "sha256"
        )
        return ScramKeys(
            salt[:SCRAM_SALT_BYTES], SCRAM_ITERATIONS, secrets.token_bytes(32), secrets.token_bytes(32)
        )


def _outcome(answer: Identity | Refusal) -> Outcome:
    return Rejected(answer.reason) if isinstance(answer, Refusal) else Welcome(answer)


# -- the first guard -------------------------------------------------------------------------------


@dataclass(slots=True)
class _Failures:
    proofs: set[bytes]
    until: float


class PeerFailures:
    """A guard that counts failed logins by peer: slower from the 4th on, refused from the 20th.

    What was counted is forgotten after `forget_seconds` without another. The same wrong password
    again counts once, so that a forgotten device is not an attack. IPv6 counts by /64.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        slow_from: int = 4,
        refuse_from: int = 20,
        forget_seconds: float = 900,
        most_delay_seconds: float = 8,
    ) -> None:
        self._clock = clock
        self._slow_from = slow_from
        self._refuse_from = refuse_from
        self._forget_seconds = forget_seconds
        self._most_delay_seconds = most_delay_seconds
        self._failures: Cache[IPv4Address | IPv6Network, _Failures] = Cache(10_000)

    def treatment(self, attempt: Attempt, name: str) -> Treatment:
        """How the peer is treated, by how often it failed."""
        count = len(self._known(attempt).proofs)
        if count >= self._refuse_from:
            # As slow as before, so that nobody can tell when guessing became pointless.
            return Treatment(self._most_delay_seconds, refused=True)
        if count < self._slow_from:
            return Treatment()
        return Treatment(min(self._most_delay_seconds, 0.25 * 2 ** (count - self._slow_from)))

    def note(self, tried: Tried) -> None:
        """A failure counts; a success takes nothing back, or an attacker's own account would."""
        if isinstance(tried.outcome, Welcome) or tried.outcome.reason not in _COUNTED:
            return
        known = self._known(tried.attempt)
        known.proofs.add(tried.proof or secrets.token_bytes(8))
        known.until = self._clock() + self._forget_seconds
        self._failures.put(_source(tried.attempt.peer), known)

    def _known(self, attempt: Attempt) -> _Failures:
        known = self._failures.get(_source(attempt.peer))
        if known is None or known.until <= self._clock():
            return _Failures(set(), 0.0)
        return known


_COUNTED: Final = frozenset(
    {
        Reason.UNKNOWN_USER,
        Reason.WRONG_PASSWORD,
        Reason.EMPTY_PASSWORD,
        Reason.ACCOUNT_DISABLED,
        Reason.AUTHORIZATION_IDENTITY,
    }
)


def _source(peer: Peer) -> IPv4Address | IPv6Network:
    if isinstance(peer, IPv4Address):
        return peer
    return IPv6Network((int(IPv6Address(peer)) >> 64 << 64, 64))
