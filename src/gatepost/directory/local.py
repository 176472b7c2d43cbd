"""The local directory: the accounts in Gatepost's own database. It is always there.

People log in by their primary address, its bare name, or a further address: no two have the same one.

Answers are remembered until anything in the database changes; `refresh` looks for that in two
microseconds. A login looks each time, running sessions and recipients once a second.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DBAPIError

from gatepost.directory.cache import Cache
from gatepost.directory.directory import Refusal, Resolution, Unavailable
from gatepost.directory.password import PASSWORD_BYTES, Passwords, Proven
from gatepost.directory.recipients import Recipients
from gatepost.log import Log
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store import groups, naming, user
from gatepost.store.accounts import Accounts
from gatepost.store.database import DatabaseError
from gatepost.store.user import Credential, ScramKeys

_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Account:
    """A user as the database has it now. `credential` is None without a password."""

    number: int
    identity: Identity
    disabled: bool
    credential: Credential | None


@dataclass(frozen=True, slots=True)
class _Nobody:
    """The name is unknown, or means several."""


class LocalDirectory:
    """Answers from `accounts`. Bare names are tried in `domains`; `guessable` are names attackers try."""

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        proven: Proven,
        recipients: Recipients,
        *,
        domains: Collection[str],
        guessable: Collection[str],
        log: Log,
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._proven = proven
        self._recipients = recipients
        self._domains = tuple(domains)
        self._guessable = frozenset(naming.canonical(name) for name in guessable)
        self._log = log
        self._known: Cache[str, _Account | _Nobody] = Cache(_REMEMBERED)
        self._resolved: Cache[Address, Resolution] = Cache(_REMEMBERED)
        self._named: Cache[Address, Resolution] = Cache(_REMEMBERED)
        self._version = accounts.version()
        self._generation = 0

    @property
    def generation(self) -> int:
        return self._generation

    def refresh(self) -> bool:
        """Raises: Unavailable: the database does not answer."""
        try:
            version = self._accounts.version()
        except DatabaseError as error:
            raise Unavailable(str(error)) from error
        if version == self._version:
            return False
        self._version = version
        self._generation += 1
        self._known.clear()
        self._resolved.clear()
        self._named.clear()
        return True

    def close(self) -> None:
        """The accounts and the threads are others' to close."""

    async def knows(self, name: str) -> bool:
        self.refresh()
        return self._account(name) is not None

    async def pretend(self, password: Secret) -> None:
        await self._passwords.matches(self._proven.key("", password), Secret("wrong"), None)

    async def identity(self, name: str) -> Identity | None:
        account = self._account(name)
        return account.identity if account is not None and not account.disabled else None

    async def verify(self, name: str, password: Secret) -> Identity | Refusal:
        if not password:
            return Refusal(Reason.EMPTY_PASSWORD)
        self.refresh()
        account = self._account(name)
        key = self._proven.key(account.identity.name if account else name, password)
        if account is not None and account.credential is not None:
            number, kept = account.number, account.credential.password_hash
            if not account.disabled and self._proven.holds(key, number, kept):
                return account.identity
        stored = _password_hash(account)
        if len(password.reveal()) > PASSWORD_BYTES:
            password, stored = Secret("too long"), None  # as long as any other, and wrong
        matches = await self._passwords.matches(key, password, stored)
        return await self._judged(name, password, key, stored, matches)

    async def scram_keys(self, name: str) -> ScramKeys | None:
        self.refresh()
        account = self._account(name)
        return account.credential.scram if account is not None and account.credential is not None else None

    async def proven(self, name: str, keys: ScramKeys) -> Identity | Refusal:
        self.refresh()
        account = self._account(name)
        if account is None:
            return Refusal(Reason.UNKNOWN_USER)
        if account.credential is None or account.credential.scram != keys:
            return Refusal(Reason.WRONG_PASSWORD)  # changed during the exchange
        return Refusal(Reason.ACCOUNT_DISABLED) if account.disabled else account.identity

    def resolve(self, address: Address) -> Resolution:
        return self._remembered(self._resolved, address, catch_all=True)

    def named(self, address: Address) -> Resolution:
        return self._remembered(self._named, address, catch_all=False)

    def _remembered(
        self, known: Cache[Address, Resolution], address: Address, *, catch_all: bool
    ) -> Resolution:
        resolution = known.get(address)
        if resolution is None:
            try:
                resolution = self._recipients.resolve(address, catch_all=catch_all)
            except DBAPIError as error:
                raise Unavailable(str(error.orig)) from error
            known.put(address, resolution)
        return resolution

    async def _judged(
        self, name: str, password: Secret, key: bytes, stored: str | None, matches: bool
    ) -> Identity | Refusal:
        """The answer after the password was checked against `stored`, by the account as it is by now."""
        self.refresh()
        account = self._account(name)
        if account is None:
            return Refusal(Reason.UNKNOWN_USER)
        credential = account.credential
        if not matches or credential is None:
            return Refusal(Reason.WRONG_PASSWORD)
        if credential.password_hash != stored:
            return await self.verify(name, password)  # changed meanwhile, or only kept anew by another login
        if account.disabled:
            return Refusal(Reason.ACCOUNT_DISABLED)
        self._proven.remember(key, account.number, credential.password_hash)
        if self._passwords.is_outdated(credential, password):
            await self._renew(account, credential, password)
        return account.identity

    async def _renew(self, account: _Account, old: Credential, password: Secret) -> None:
        """The password is kept under today's parameters. Failing that, it stays as it was."""

        def work() -> None:
            new = self._passwords.credential(
                password, self._accounts.app_passwords.salt(account.identity.name)
            )
            self._accounts.users.renew_credential(account.number, old.password_hash, new)

        try:
            await self._passwords.work(work)
        except (Unavailable, DBAPIError) as error:
            self._log.warning("password-not-renewed", user=account.identity.name, error=error)

    def _account(self, name: str) -> _Account | None:
        """The account of this name, from memory or the database."""
        name = naming.canonical(name.strip())
        known = self._known.get(name)
        if known is None:
            try:
                known = self._read(name)
            except DBAPIError as error:
                raise Unavailable(str(error.orig)) from error
            self._known.put(name, known)
        return known if isinstance(known, _Account) else None

    def _read(self, name: str) -> _Account | _Nobody:
        with self._accounts.database.reading() as connection:
            found = user.numbers(connection, name, self._domains) or user.holders(connection, name)
            if len(found) != 1:
                return _Nobody()
            number = found[0]
            row = user.row_of(connection, number)
            whole = user.read_all(connection, [row])[0]
            bare_means_it = user.numbers(connection, whole.local, self._domains) == found
            keys = groups.keys_of_user(connection, number)
        identity = Identity(
            name=whole.name,
            names=frozenset({whole.name, whole.local} if bare_means_it else {whole.name}),
            addresses=frozenset(_writings((whole.name, *whole.addresses))),
            groups=keys,
            privileged=whole.administrator,
            guessable=not self._guessable.isdisjoint({whole.name, whole.local}),
        )
        return _Account(number, identity, whole.disabled, user.credential_of(row))


def _password_hash(account: _Account | None) -> str | None:
    return account.credential.password_hash if account is not None and account.credential else None


def _writings(texts: Iterable[str]) -> Iterator[Address]:
    """The addresses, those in an international domain in both its forms, as either may be sent."""
    for text in texts:
        local, _, domain = text.rpartition("@")
        yield Address(local, domain)
        if "xn--" in domain:
            with contextlib.suppress(UnicodeError):
                yield Address(local, domain.encode("ascii").decode("idna"))
