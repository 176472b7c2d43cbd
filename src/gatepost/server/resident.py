"""Whether mail for a recipient in a local domain can be taken: it is somebody's, and there is room for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from typing import Any, Final

from gatepost.config.schema import LocalDomain
from gatepost.directory.directory import Resolution, UnknownRecipient
from gatepost.directory.elsewhere import NextServers, Standing
from gatepost.mail.address import Address
from gatepost.mail.envelope import Recipient
from gatepost.policy.facts import Peer
from gatepost.policy.reasons import Reason
from gatepost.server.room import Limited, Room
from gatepost.server.shard import Shard

# a route hidden in a local part: the tricks of open relays
_ROUTING: Final = frozenset("%!@")
_UNHEARD: Final = {
    Standing.REFUSED: Reason.NEXT_SERVER_REFUSES,
    Standing.SILENT: Reason.NEXT_SERVER_SILENT,
}

Objection = Reason | None


class Residents:
    """Answers for the recipients of one message that `peer` names."""

    __slots__ = ("_limited", "_peer", "_shard")

    def __init__(self, shard: Shard, peer: Peer) -> None:
        self._shard = shard
        self._peer = peer
        self._limited: dict[Address, Sequence[Limited]] = {}  # of those all of whose mailboxes have a quota

    def objection(
        self, address: Address, domain: LocalDomain, resolution: Resolution, size_bytes: int
    ) -> Objection | Coroutine[Any, Any, Objection]:
        """Why it cannot be taken; `size_bytes` is what the client announced, or 0."""
        shard = self._shard
        if isinstance(resolution, UnknownRecipient):
            kept_elsewhere = domain.deliver != "mailbox" or domain.unknown != "reject"
            if not kept_elsewhere or not _ROUTING.isdisjoint(address.local):
                return self._nobody()
            servers = shard.next_servers
            if domain.call_ahead and servers is not None:
                return self._asked_ahead(address, domain, servers)
        room = shard.room
        if room is None or domain.deliver != "mailbox" or not (limited := room.limited(resolution)):
            return None
        self._limited[address] = limited
        has_room = room.for_mail(limited, size_bytes)
        if isinstance(has_room, Awaitable):
            return _once_measured(room, has_room)
        return None if has_room else room.refusal

    def may_overflow(self, size_bytes: int, announced_bytes: int) -> bool:
        """Whether `overflow` is to be asked now that the message is whole."""
        return bool(self._limited) and size_bytes > announced_bytes

    async def overflow(self, recipients: Iterable[Recipient], size_bytes: int) -> Objection:
        """Why a message larger than announced cannot be taken: nobody it is for has room.

        Where one of them has, the others get a report: one reply is for all (RFC 5321 §4.2.5).
        """
        room = self._shard.room
        if room is None:
            return None
        for recipient in recipients:
            limited = self._limited.get(recipient.address)
            has_room = True if limited is None else room.for_mail(limited, size_bytes)
            if has_room if isinstance(has_room, bool) else await has_room:
                return None
        return room.refusal

    async def _nobody(self) -> Reason:
        """The refusal of a recipient nobody has, as late as the guard says; or of the peer itself."""
        treatment = await self._shard.guard.unknown_recipient(self._peer)
        if treatment.delay_seconds:
            await asyncio.sleep(treatment.delay_seconds)
        return Reason.HARVESTING if treatment.refused else Reason.UNKNOWN_RECIPIENT

    async def _asked_ahead(self, address: Address, domain: LocalDomain, servers: NextServers) -> Objection:
        """What the server that keeps the domain would not take is refused: nothing is to bounce later."""
        standing = await servers.standing(address)
        if standing is Standing.UNKNOWN:
            return await self._nobody()
        if standing is Standing.SILENT and not domain.defers_unheard:
            return None
        return _UNHEARD.get(standing)


async def _once_measured(room: Room, has_room: Awaitable[bool]) -> Objection:
    return None if await has_room else room.refusal
