"""What a directory answers, and several of them in order.

A name belongs to the first directory that knows it. One that cannot say stops the asking: what the
next one says of the same name could be of somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.user import ScramKeys


class Unavailable(Exception):
    """The directory cannot say now; answered 454 at login, 451 else. The text is for the log."""


class Busy(Unavailable):
    """So many passwords wait to be checked that another would wait too long."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the login is refused. The peer hears `reason.shown`."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Mail for the address is kept in the mailbox of this account, a canonical name."""

    account: str
    quota_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """Mail for the address goes to others, nested aliases resolved and loops cut.

    `mailboxes` are here; `addresses` are to be sent on: outside where the alias says so, or in a
    local domain whose unresolved recipients another server knows. At least one of them is there.
    """

    mailboxes: tuple[Mailbox, ...]
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class UnknownRecipient:
    """No directory knows the address."""


Resolution = Mailbox | Alias | UnknownRecipient


class Directory(Protocol):
    """One source of accounts. Every question may raise `Unavailable`. Names are taken in any case."""

    @property
    def generation(self) -> int:
        """Changes whenever an answer given before may have become wrong."""

    def refresh(self) -> bool:
        """Changes made by others are seen from now on; true when there were any. Cheap."""

    async def identity(self, name: str) -> Identity | None:
        """Who that is now; None when unknown, ambiguous or disabled."""

    async def verify(self, name: str, password: Secret) -> Identity | Refusal:
        """Who that is, the password proving it. As long for unknown and disabled names as for wrong ones."""

    async def scram_keys(self, name: str) -> ScramKeys | None:
        """What a SCRAM exchange with this name needs; None when there is none."""

    async def proven(self, name: str, keys: ScramKeys) -> Identity | Refusal:
        """Who that is, a SCRAM exchange over `keys` having proved it."""

    def resolve(self, address: Address) -> Resolution:
        """Whose mail for a recipient in a local domain is."""


class Directories:
    """Several directories as one."""

    __slots__ = ("__weakref__", "_directories")

    def __init__(self, directories: Sequence[Directory]) -> None:
        self._directories = tuple(directories)

    @property
    def generation(self) -> int:
        return sum(directory.generation for directory in self._directories)

    def refresh(self) -> bool:
        changed = [
            directory.refresh() for directory in self._directories
        ]  # each of them, not up to the first
        return any(changed)

    async def identity(self, name: str) -> Identity | None:
        for directory in self._directories:
            identity = await directory.identity(name)
            if identity is not None:
                return identity
        return None

    async def verify(self, name: str, password: Secret) -> Identity | Refusal:
        if not password:  # RFC 4513 §5.1.2: an LDAP server may take it as anonymous success
            return Refusal(Reason.EMPTY_PASSWORD)
        for directory in self._directories:
            answer = await directory.verify(name, password)
            if not _is_unknown(answer):
                return answer
        return Refusal(Reason.UNKNOWN_USER)

    async def scram_keys(self, name: str) -> ScramKeys | None:
        for directory in self._directories:
            keys = await directory.scram_keys(name)
            if keys is not None:
                return keys
        return None

    async def proven(self, name: str, keys: ScramKeys) -> Identity | Refusal:
        for directory in self._directories:
            answer = await directory.proven(name, keys)
            if not _is_unknown(answer):
                return answer
        return Refusal(Reason.UNKNOWN_USER)

    def resolve(self, address: Address) -> Resolution:
        resolution: Resolution = UnknownRecipient()
        for directory in self._directories:
            resolution = directory.resolve(address)
            if not isinstance(resolution, UnknownRecipient):
                break
        return resolution


def _is_unknown(answer: Identity | Refusal) -> bool:
    return isinstance(answer, Refusal) and answer.reason is Reason.UNKNOWN_USER
