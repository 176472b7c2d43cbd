"""What a directory answers, and several of them in order.

A name belongs to the first directory that knows it. One that cannot say stops the asking: what the
next one says of the same name could be of somebody else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.user import ScramKeys


class Unavailable(Exception):
    """The directory cannot say now; answered 454 at login, 451 else. The text is for the log."""

    reason = Reason.DIRECTORY_UNAVAILABLE


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
_Way = Callable[[Address], Resolution | Awaitable[Resolution]]


class Directory(Protocol):
    """One source of accounts. Every question may raise `Unavailable`. Names are taken in any case."""

    @property
    def generation(self) -> int:
        """Changes whenever an answer given before may have become wrong."""

    def refresh(self) -> bool:
        """Changes made by others are seen from now on; true when there were any. Cheap."""

    async def knows(self, name: str) -> bool:
        """Whether the name is one of its accounts', be it disabled."""

    async def identity(self, name: str) -> Identity | None:
        """Who that is now; None when unknown, ambiguous or disabled."""

    async def verify(self, name: str, password: Secret) -> Identity | Refusal:
        """Who that is, the password proving it. As long for unknown and disabled names as for wrong ones."""

    async def pretend(self, password: Secret) -> None:
        """As long as a wrong password takes here, for a name that is another directory's."""

    async def scram_keys(self, name: str) -> ScramKeys | None:
        """What a SCRAM exchange with this name needs; None when there is none."""

    async def proven(self, name: str, keys: ScramKeys) -> Identity | Refusal:
        """Who that is, a SCRAM exchange over `keys` having proved it."""

    def resolve(self, address: Address) -> Resolution | Awaitable[Resolution]:
        """Whose mail for a recipient in a local domain is; to be waited for where others must be asked."""

    def named(self, address: Address) -> Resolution | Awaitable[Resolution]:
        """The same, catch-alls left out: only who was given the address."""

    def close(self) -> None:
        """Nothing is asked any more."""


class Directories:
    """Several directories as one. `marked` gives an identity with what Gatepost itself knows of it."""

    __slots__ = ("__weakref__", "_directories", "_marked")

    def __init__(
        self,
        directories: Sequence[Directory],
        marked: Callable[[Identity], Identity] = lambda identity: identity,
    ) -> None:
        self._directories = tuple(directories)
        self._marked = marked

    @property
    def generation(self) -> int:
        directories = self._directories
        if len(directories) == 1:
            return directories[0].generation
        return sum(directory.generation for directory in directories)

    def refresh(self) -> bool:
        changed = [
            directory.refresh() for directory in self._directories
        ]  # each of them, not up to the first
        return any(changed)

    async def knows(self, name: str) -> bool:
        for directory in self._directories:
            if await directory.knows(name):
                return True
        return False

    async def identity(self, name: str) -> Identity | None:
        for directory in self._directories:
            identity = await directory.identity(name)
            if identity is not None:
                return self._marked(identity)
            if await directory.knows(name):
                return None  # a name disabled here is not somebody else's elsewhere
        return None

    async def verify(self, name: str, password: Secret) -> Identity | Refusal:
        if not password:  # RFC 4513 §5.1.2: an LDAP server may take it as anonymous success
            return Refusal(Reason.EMPTY_PASSWORD)
        *others, last = self._directories
        for directory in others:
            if await directory.knows(name):
                break
        else:
            directory = last
        answer = await directory.verify(name, password)
        if isinstance(answer, Identity):
            return await self._owned(answer, directory)
        for other in self._directories:
            if other is not directory:
                with contextlib.suppress(Unavailable):  # the answer is known
                    await other.pretend(password)
        return answer

    async def _owned(self, identity: Identity, owner: Directory) -> Identity | Refusal:
        """Who it is, unless an earlier directory has somebody of that name: the mailbox would be theirs."""
        for directory in self._directories:
            if directory is owner:
                break
            if await directory.knows(identity.name):
                return Refusal(Reason.UNKNOWN_USER)
        return self._marked(identity)

    async def pretend(self, password: Secret) -> None:
        for directory in self._directories:
            await directory.pretend(password)

    async def scram_keys(self, name: str) -> ScramKeys | None:
        for directory in self._directories:
            keys = await directory.scram_keys(name)
            if keys is not None:
                return keys
        return None

    async def proven(self, name: str, keys: ScramKeys) -> Identity | Refusal:
        for directory in self._directories:
            answer = await directory.proven(name, keys)
            if isinstance(answer, Identity):
                return self._marked(answer)
            if answer.reason is not Reason.UNKNOWN_USER:
                return answer
        return Refusal(Reason.UNKNOWN_USER)

    def resolve(self, address: Address) -> Resolution | Awaitable[Resolution]:
        if len(self._directories) == 1:
            return self._directories[0].resolve(address)
        # what one of them catches may have been given to somebody in another
        ways = [directory.named for directory in self._directories]
        return _first(address, [*ways, *(directory.resolve for directory in self._directories)])

    def named(self, address: Address) -> Resolution | Awaitable[Resolution]:
        return _first(address, [directory.named for directory in self._directories])

    def close(self) -> None:
        for directory in self._directories:
            directory.close()


def _first(address: Address, ways: Sequence[_Way]) -> Resolution | Awaitable[Resolution]:
    """What the first of them says that knows the address."""
    for index, way in enumerate(ways):
        resolution = way(address)
        if not isinstance(resolution, Mailbox | Alias | UnknownRecipient):
            return _first_later(resolution, address, ways[index + 1 :])
        if not isinstance(resolution, UnknownRecipient):
            return resolution
    return UnknownRecipient()


async def _first_later(coming: Awaitable[Resolution], address: Address, ways: Sequence[_Way]) -> Resolution:
    resolution = await coming
    return await settled(_first(address, ways)) if isinstance(resolution, UnknownRecipient) else resolution


async def settled(resolution: Resolution | Awaitable[Resolution]) -> Resolution:
    """The resolution, waited for where it has to be. Raises Unavailable."""
    if isinstance(resolution, Mailbox | Alias | UnknownRecipient):
        return resolution
    return await resolution
