"""The DNS block lists of one virtual server, asked about strangers (RFC 5782).

All are asked together and answers are kept as long as DNS says. A list that does not answer blocks nothing:
the mail is taken as if it were not listed, the log says so, and the list is left alone for a while.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver

from gatepost.guard.bans import Networks
from gatepost.log import Log
from gatepost.policy.access import Right
from gatepost.policy.blocklist import BlockList, is_local, text_shown
from gatepost.policy.facts import UNKNOWN, Peer, UnknownType
from gatepost.server.client import Client

_ANSWER_SECONDS: Final = 3.0
_TEXT_SECONDS: Final = 1.0
_KEPT_SECONDS: Final = (60.0, 3_600.0)  # at least and at most, whatever DNS says
_NOT_LISTED_SECONDS: Final = 600.0
_REST_SECONDS: Final = 60.0
_KEPT: Final = 50_000


@dataclass(frozen=True, slots=True)
class Listing:
    """A list has the peer, and says why."""

    domain: str
    text: str

    def __str__(self) -> str:
        return f"{self.domain}: {self.text}" if self.text else self.domain


@dataclass(slots=True)
class _Kept:
    listing: Listing | None
    until: float


class BlockLists:
    """`trusted` are never asked about. `clock` counts seconds."""

    def __init__(
        self,
        lists: Sequence[BlockList],
        trusted: Networks,
        resolver: dns.asyncresolver.Resolver,
        log: Log,
        clock: Callable[[], float],
    ) -> None:
        self._lists = tuple(lists)
        self._trusted = trusted
        self._resolver = resolver
        self._log = log
        self._clock = clock
        self._kept: OrderedDict[tuple[str, Peer], _Kept] = OrderedDict()
        self._asking: dict[Peer, asyncio.Task[Listing | None]] = {}
        self._resting: dict[str, float] = {}

    def about(self, client: Client) -> Listing | Awaitable[Listing | None] | None:
        """Who lists the client. Nobody is asked about who logged in, may relay, is trusted or near."""
        peer = client.peer
        if client.identity is not None or is_local(peer) or peer in self._trusted:
            return None
        if client.may(Right.RELAY).allowed:
            return None
        known = [self._known(one, peer) for one in self._lists]
        if all(one is not None for one in known):
            return next((one.listing for one in known if one is not None and one.listing is not None), None)
        asking = self._asking.get(peer)
        if asking is None:
            asking = self._asking[peer] = asyncio.ensure_future(self._ask_all(peer))
            asking.add_done_callback(lambda done: self._asking.pop(peer, None))
        return asyncio.shield(asking)

    def _known(self, one: BlockList, peer: Peer) -> _Kept | None:
        now = self._clock()
        if self._resting.get(one.domain, 0.0) > now:
            return _Kept(None, now)
        kept = self._kept.get((one.domain, peer))
        return kept if kept is not None and kept.until > now else None

    async def _ask_all(self, peer: Peer) -> Listing | None:
        """The first list in the file's order that has the peer."""
        found = await asyncio.gather(*(self._ask(one, peer) for one in self._lists))
        return next((listing for listing in found if listing is not None), None)

    async def _ask(self, one: BlockList, peer: Peer) -> Listing | None:
        known = self._known(one, peer)
        if known is not None:
            return known.listing
        name = one.question(peer)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                listed, seconds = await self._answer(one, name)
        except (TimeoutError, dns.exception.DNSException, OSError) as problem:
            self._rest(one, type(problem).__name__)
            return None
        if listed is UNKNOWN:
            self._rest(one, "its answer is none: it refuses our questions, or its domain is sold")
            return None
        listing = Listing(one.domain, await self._text(name)) if listed else None
        self._keep(one, peer, _Kept(listing, self._clock() + seconds))
        return listing

    async def _answer(self, one: BlockList, name: str) -> tuple[bool | UnknownType, float]:
        """Whether it lists what is asked for, and for how many seconds that is to be kept."""
        try:
            answer = await self._resolver.resolve(name, dns.rdatatype.A, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return False, _NOT_LISTED_SECONDS
        least, most = _KEPT_SECONDS
        seconds = 0.0 if answer.rrset is None else float(answer.rrset.ttl)
        return one.lists(record.address for record in answer), min(max(seconds, least), most)

    async def _text(self, name: str) -> str:
        """What the list says of it; nothing where it does not say."""
        try:
            async with asyncio.timeout(_TEXT_SECONDS):
                answer = await self._resolver.resolve(name, dns.rdatatype.TXT, search=False)
        except (TimeoutError, dns.exception.DNSException, OSError):
            return ""
        texts = [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
        return text_shown(texts[:1])

    def _keep(self, one: BlockList, peer: Peer, kept: _Kept) -> None:
        self._kept[one.domain, peer] = kept
        self._kept.move_to_end((one.domain, peer))
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def _rest(self, one: BlockList, why: str) -> None:
        """Every stranger would wait for it otherwise."""
        now = self._clock()
        if self._resting.get(one.domain, 0.0) <= now:
            self._log.warning("block-list-silent", list=one.domain, problem=why, mail="taken unasked")
        self._resting[one.domain] = now + _REST_SECONDS
