"""Passwords: how they are kept, and checking them without holding up the loop.

argon2id with OWASP's parameters takes 19 ms and 19 MiB, so checks run in a few threads behind a
bounded queue, and a password that proved right is remembered for minutes under a keyed hash.

SCRAM keys are made when a password is set.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gatepost.directory.cache import Cache
from gatepost.directory.directory import Busy
from gatepost.secret import Secret
from gatepost.store.scram import SCRAM_ITERATIONS, Salt, fresh_salt, scram_keys, scram_text
from gatepost.store.user import Credential

PASSWORD_BYTES: Final = 1_024  # longer ones are no passwords but load

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cost:
    """argon2id's parameters. The defaults are OWASP's first choice."""

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1


class Passwords:
    """Makes and checks credentials in `slots` threads; `waiting` may queue, more are `Busy`.

    200 waiting are two seconds on two slots.
    """

    def __init__(self, *, slots: int = 2, waiting: int = 200, cost: Cost = Cost()) -> None:
        self._hasher = PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes
        )
        self._dummy = _dummy_hash(cost)
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="password")
        self._most = slots + waiting
        self._working = 0
        self._checks: dict[tuple[bytes, str | None], asyncio.Future[bool]] = {}

    def close(self) -> None:
        """No check is begun any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def matches(self, key: bytes, password: Secret, password_hash: str | None) -> bool:
        """Whether the password is the one of the hash; without a hash false, after the same time.

        The same question (`key`) asked while it is being worked on is not worked on twice: fifty
        sessions of one program begin at once.

        Raises:
            Busy: too many wait.
        """
        question = (key, password_hash)  # with the hash: the password may be changed meanwhile
        check = self._checks.get(question)
        if check is None:
            check = asyncio.ensure_future(self.work(lambda: self._matches(password, password_hash)))
            self._checks[question] = check
            check.add_done_callback(lambda done: self._checked(question, done))
        return await asyncio.shield(check)

    def _checked(self, question: tuple[bytes, str | None], done: asyncio.Future[bool]) -> None:
        del self._checks[question]
        if not done.cancelled():
            done.exception()  # seen, though all who asked may be gone

    def _matches(self, password: Secret, password_hash: str | None) -> bool:
        try:
            self._hasher.verify(password_hash or self._dummy, prepared(password))
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    def is_outdated(self, credential: Credential, password: Secret) -> bool:
        """Whether the same password would be kept otherwise today."""
        if self._hasher.check_needs_rehash(credential.password_hash):
            return True
        scram = credential.scram
        return scram.iterations != SCRAM_ITERATIONS if scram else scram_text(password) is not None

    def credential(self, password: Secret, salt: Salt | None = None) -> Credential:
        """The password as it is to be kept. Takes 50 ms: in a service call it through `work`.

        `salt`: the one that devices of the account have, so that SCRAM goes on serving them.
        """
        return Credential(self._hasher.hash(prepared(password)), scram_keys(password, salt or fresh_salt()))

    async def work(self, work: Callable[[], T]) -> T:
        """What `work` gives, done in one of the threads.

        Raises:
            Busy: too many wait.
        """
        if self._working >= self._most:
            raise Busy(f"{self._working} passwords wait to be checked")
        self._working += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._working -= 1


@dataclass(frozen=True, slots=True)
class _Proof:
    account: int
    fingerprint: bytes
    until: float


class Proven:
    """Remembers credentials that proved right, none that failed.

    Nothing of the password is kept but a hash under a key of this process. A proof counts only for
    the same account with the same stored hash, so a changed password ends it at once.
    """

    def __init__(self, clock: Callable[[], float], *, bound: int = 10_000, seconds: float = 300) -> None:
        self._clock = clock
        self._seconds = seconds
        self._key = secrets.token_bytes(32)
        self._proofs: Cache[bytes, _Proof] = Cache(bound)

    def key(self, name: str, password: Secret) -> bytes:
        """What stands for this name with this password, in this process alone."""
        text = f"{name}\0{password.reveal()}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()

    def remember(self, key: bytes, account: int, password_hash: str) -> None:
        self._proofs.put(
            key, _Proof(account, self._fingerprint(password_hash), self._clock() + self._seconds)
        )

    def holds(self, key: bytes, account: int, password_hash: str) -> bool:
        """Whether this was proved lately for the account as it is now."""
        proof = self._proofs.get(key)
        if proof is None:
            return False
        if proof.until <= self._clock() or proof.account != account:
            self._proofs.forget(key)
            return False
        return hmac.compare_digest(proof.fingerprint, self._fingerprint(password_hash))

    def _fingerprint(self, password_hash: str) -> bytes:
        return hashlib.blake2b(password_hash.encode(), key=self._key, digest_size=16).digest()


def prepared(password: Secret) -> bytes:
    """The octets that are hashed: UTF-8, composed, so that two keyboards give the same."""
    text = password.reveal()
    return unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")


def _dummy_hash(cost: Cost) -> str:
    """A hash that nothing matches, and that takes as long to find out as any other."""
    salt, value = (base64.b64encode(secrets.token_bytes(n)).rstrip(b"=").decode() for n in (16, 32))
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${value}"
