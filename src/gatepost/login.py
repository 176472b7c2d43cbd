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
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from gatepost.directory.certified import user_of
from gatepost.directory.devices import Devices, KeyRing
from gatepost.directory.directory import Directory, Refusal, Unavailable
from gatepost.directory.granted import TokenIssuers, TokenRefused, bearer_of, ticketed
from gatepost.guard.attempt import Attempt, Outcome, Rejected, Tried, Welcome
from gatepost.guard.limits import OPEN, Treatment
from gatepost.log import Log
from gatepost.policy.facts import ClientCertificate, Identity
from gatepost.policy.login import password_refused
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store import naming
from gatepost.store.scram import SCRAM_ITERATIONS, SCRAM_SALT_BYTES
from gatepost.store.user import ScramKeys
from gatepost.wire.gssapi import GssContext

__all__ = ["Attempt", "Guard", "Login", "Outcome", "Rejected", "Treatment", "Tried", "Welcome"]

_NAME_SHOWN: Final = 254


class Guard(Protocol):
    """Decides how those that failed are treated."""

    def admit(self, attempt: Attempt, name: str, proof: bytes | None) -> Treatment | Awaitable[Treatment]:
        """How this attempt is treated before anything is asked. `note` or `gone` follows."""

    def note(self, tried: Tried) -> None:
        """The attempt counts from now on."""

    def gone(self, session_id: str) -> None:
        """What was admitted in this session is not decided and will not be."""


class Login:
    """The login over `directory` (which may be several).

    `decoy_key` makes lasting SCRAM salts for names that are not there. `note` is called with every
    attempt that was decided. `devices` know app passwords. `acceptor` begins a context that checks
    Kerberos tickets; `issuers` check tokens.
    """

    def __init__(
        self,
        directory: Directory,
        guard: Guard,
        log: Log,
        *,
        decoy_key: bytes,
        devices: Devices | None = None,
        note: Callable[[Tried], None] | None = None,
        acceptor: Callable[[], GssContext] | None = None,
        issuers: TokenIssuers | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._directory = directory
        self._guard = guard
        self._log = log
        self._devices = devices
        self._decoy_key = decoy_key
        # the same in all workers, so that they count a password once; proofs are never written down
        self._proof_key = hmac.digest(decoy_key, b"proofs of passwords", "sha256")
        self._note = note
        self.acceptor = acceptor
        self.issuers = issuers
        self._sleep = sleep

    async def password(self, attempt: Attempt, name: str, password: Secret) -> Outcome:
        """Whether the name with the password may in. May wait: for a thread, a directory, the guard."""
        proof = self._proof(name, password)
        treatment, reason = OPEN, self._too_open(attempt) or password_refused(password)
        if reason is None:
            treatment = await self._treated(attempt, name, proof)
            reason = _refusal(treatment)
        if reason is not None:
            return self._done(attempt, name, Rejected(reason), proof, treatment)
        with self._undecided(attempt):
            try:
                answer = await self._verified(attempt, name, password)
            except Unavailable as error:
                return self._unavailable(attempt, name, error)
        return self._done(attempt, name, _outcome(answer), proof, treatment)

    async def _verified(self, attempt: Attempt, name: str, password: Secret) -> Identity | Refusal:
        """By the device's secret or the account's own. Raises Unavailable."""
        if self._devices is not None and attempt.use is not None:
            answer = await self._devices.verify(name, password, attempt.peer, attempt.use)
            if answer is not None:
                return answer
        return await self._directory.verify(name, password)

    async def renewed(self, identity: Identity) -> Identity | None:
        """The identity as it is now; None when it may not be logged in any more. Raises Unavailable."""
        if self._devices is not None:
            fresh = await self._devices.renewed(identity)
        else:
            fresh = await self._directory.identity(identity.name)
        return None if fresh is None else identity.learnt_anew(fresh)

    async def keys(self, attempt: Attempt, name: str) -> KeyRing | Rejected:
        """The keys for a SCRAM exchange; for an unknown name keys that nobody can prove.

        The guard counts the exchange as under way until `proven`, `disproven` or the session's end.
        """
        treatment, reason = OPEN, self._too_open(attempt)
        if reason is None:
            treatment = await self._treated(attempt, name, None)
            reason = _refusal(treatment)
        if reason is not None:
            rejected = Rejected(reason)
            self._done(attempt, name, rejected, None, treatment)
            return rejected
        with self._undecided(attempt):
            try:
                ring = await self._keys(attempt, name)
            except Unavailable as error:
                return self._unavailable(attempt, name, error)
        return KeyRing((self._decoy(name),)) if ring.is_empty else ring

    async def _keys(self, attempt: Attempt, name: str) -> KeyRing:
        """The account's own and those of its devices. Raises Unavailable."""
        own = await self._directory.scram_keys(name)
        if self._devices is not None and attempt.use is not None:
            return self._devices.scram_keys(name, own, attempt.peer, attempt.use)
        return KeyRing((own,) if own else ())

    async def proven(self, attempt: Attempt, name: str, keys: ScramKeys) -> Outcome:
        """Whether the name may in, a SCRAM exchange over `keys` having proved the password."""
        with self._undecided(attempt):
            try:
                answer = await self._proved(attempt, name, keys)
            except Unavailable as error:
                return self._unavailable(attempt, name, error)
        return self._done(attempt, name, _outcome(answer), None)

    async def _proved(self, attempt: Attempt, name: str, keys: ScramKeys) -> Identity | Refusal:
        """By a device's keys or the account's own. Raises Unavailable."""
        if self._devices is not None and attempt.use is not None:
            answer = await self._devices.proven(name, keys, attempt.peer, attempt.use)
            if answer is not None:
                return answer
        return await self._directory.proven(name, keys)

    async def further(
        self, attempt: Attempt, identity: Identity, code: Secret, is_right: Callable[[], bool]
    ) -> Outcome:
        """Whether a second proof is right, the password having been; a wrong one counts as a guess."""
        proof = self._proof(identity.name, code)
        treatment = await self._treated(attempt, identity.name, proof)
        reason = _refusal(treatment)
        if reason is not None:
            return self._done(attempt, identity.name, Rejected(reason), proof, treatment)
        with self._undecided(attempt):
            good = is_right()
        outcome: Outcome = Welcome(identity) if good else Rejected(Reason.WRONG_PASSWORD)
        return self._done(attempt, identity.name, outcome, proof, treatment)

    async def vouched(self, attempt: Attempt, name: str, sids: frozenset[str] = frozenset()) -> Outcome:
        """Whether the name may in, a ticket having proved it and that it is in the groups of these SIDs."""

        async def asked() -> Identity | Refusal:
            identity = await self._directory.identity(name)
            return await self._why_nobody(name) if identity is None else ticketed(identity, sids)

        return await self._without_password(attempt, name, asked)

    async def _without_password(
        self,
        attempt: Attempt,
        name: str,
        ask: Callable[[], Awaitable[Identity | Refusal]],
        proof: bytes | None = None,
    ) -> Outcome:
        """Whether those whom somebody else has proved may in; `ask` says who they are."""
        treatment, reason = OPEN, self._too_open(attempt)
        if reason is None:
            treatment = await self._treated(attempt, name, proof)
            reason = _refusal(treatment)
        if reason is not None:
            return self._done(attempt, name, Rejected(reason), proof, treatment)
        with self._undecided(attempt):
            try:
                answer = await ask()
            except Unavailable as error:
                return self._unavailable(attempt, name, error)
        return self._done(attempt, name, _outcome(answer), proof, treatment)

    async def certified(self, attempt: Attempt, certificate: ClientCertificate, wanted: str) -> Outcome:
        """Whether the holder of the certificate may in, as `wanted`, or as whom it means."""
        name = wanted or certificate.name
        return await self._without_password(
            attempt, name, lambda: user_of(self._directory, certificate, wanted)
        )

    async def bearer(self, attempt: Attempt, wanted: str, token: Secret) -> Outcome:
        """Whether the bearer of the token may in, as `wanted`, or as whom it means."""
        issuers = self.issuers
        if issuers is None:
            return Rejected(Reason.UNKNOWN_MECHANISM)
        name = wanted or issuers.said_of(token)

        async def asked() -> Identity | Refusal:
            try:
                return await bearer_of(self._directory, await issuers.granted(token), wanted)
            except TokenRefused as refused:
                note = {"session": attempt.session_id, "problem": str(refused)}
                self._log.event("token-refused", server=attempt.virtual_server, peer=attempt.peer, **note)
                return Refusal(refused.reason)

        return await self._without_password(attempt, name, asked, self._proof(name, token))

    async def elsewhere(self, attempt: Attempt, ask: Callable[[], Awaitable[Identity | Refusal]]) -> Outcome:
        """Whether he may in whom somebody else has signed in; `ask` says who that is.

        Until it has said so the guard counts by the peer: no name can be shut out by strangers' failures.
        """
        unnamed = f"{attempt.mechanism} from {attempt.peer}"
        return await self._without_password(attempt, unnamed, ask)

    async def _why_nobody(self, name: str) -> Refusal:
        known = await self._directory.knows(name)
        return Refusal(Reason.ACCOUNT_DISABLED if known else Reason.UNKNOWN_USER)

    def forget(self, attempt: Attempt) -> None:
        """What was begun by `keys` is not decided and will not be."""
        self._guard.gone(attempt.session_id)

    async def disproven(
        self, attempt: Attempt, name: str, reason: Reason = Reason.WRONG_PASSWORD
    ) -> Rejected:
        """The SCRAM exchange proved nothing: counted and logged as any wrong password."""
        rejected = Rejected(reason)
        if reason is Reason.WRONG_PASSWORD:
            try:
                if (await self._keys(attempt, name)).is_empty:
                    rejected = Rejected(Reason.UNKNOWN_USER)
            except Unavailable:
                pass  # the reason is only less exact then
        self._done(attempt, name, rejected, None)
        return rejected

    @staticmethod
    def _too_open(attempt: Attempt) -> Reason | None:
        """Why nothing is tried over this channel."""
        return None if attempt.tls or attempt.in_clear_allowed else Reason.AUTH_NEEDS_TLS

    async def _treated(self, attempt: Attempt, name: str, proof: bytes | None) -> Treatment:
        """The guard's treatment, the wait that it imposes being over."""
        treatment = self._guard.admit(attempt, name, proof)
        if not isinstance(treatment, Treatment):
            treatment = await treatment
        if treatment.delay_seconds > 0:
            await self._sleep(treatment.delay_seconds)
        return treatment

    @contextmanager
    def _undecided(self, attempt: Attempt) -> Iterator[None]:
        """The guard hears of it when the session ends before the directory has answered."""
        try:
            yield
        except BaseException:
            self._guard.gone(attempt.session_id)
            raise

    def _done(
        self,
        attempt: Attempt,
        name: str,
        outcome: Outcome,
        proof: bytes | None,
        treatment: Treatment = OPEN,
    ) -> Outcome:
        tried = Tried(attempt, name[:_NAME_SHOWN], outcome, proof, treatment)
        self._guard.note(tried)
        self._write(tried)
        if self._note is not None:
            self._note(tried)
        return outcome

    def _unavailable(self, attempt: Attempt, name: str, error: Unavailable) -> Rejected:
        self._guard.gone(attempt.session_id)
        rejected = Rejected(error.reason)
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
            device=outcome.device if isinstance(outcome, Welcome) else None,
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


def _refusal(treatment: Treatment) -> Reason | None:
    """Why the guard does not let the login go on; None when it does."""
    if treatment.later:
        return Reason.LOGIN_LATER
    return Reason.LOGIN_REFUSED_BY_GUARD if treatment.refused else None
