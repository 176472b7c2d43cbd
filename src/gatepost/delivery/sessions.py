"""Opens connections for lanes: the hosts of the next hop one after another, within a limit for all lanes."""

from __future__ import annotations

import asyncio

from gatepost.delivery.client import Client
from gatepost.delivery.lane import Carrier, Lane, NoCarrier
from gatepost.delivery.mx import Exchangers, Host, NoHost
from gatepost.delivery.opening import CannotOpen, Opener
from gatepost.delivery.parcel import Problem
from gatepost.log import Log

# RFC 5321 §5.1: at least two addresses are to be tried.
_HOSTS_TRIED = 5


class Sessions:
    """At most `connections` are open at once; `messages` go over one."""

    def __init__(
        self, exchangers: Exchangers, opener: Opener, log: Log, *, connections: int, messages: int
    ) -> None:
        self._exchangers = exchangers
        self._opener = opener
        self._log = log
        self._messages = messages
        self._free = asyncio.Semaphore(connections)

    async def open(self, lane: Lane) -> Carrier:
        """A connection to one of the lane's hosts.

        Raises:
            NoCarrier: there is none, for now or for good.
        """
        await self._free.acquire()
        try:
            return await self._open(lane)
        except BaseException:
            self._free.release()
            raise

    async def _open(self, lane: Lane) -> Carrier:
        try:
            hosts = await self._exchangers.hosts(lane.hop)
        except NoHost as none:
            raise NoCarrier(Problem(none.code, none.enhanced, none.text)) from None
        refused: NoCarrier | None = None
        for host in hosts[:_HOSTS_TRIED]:
            try:
                return await self._open_one(lane, host)
            except CannotOpen as cannot:
                self._log.event("next-hop-failed", hop=lane.hop, host=host, problem=cannot.problem.text)
                # one that may take it later is stronger than one that never will
                if refused is None or cannot.problem.code < 500:
                    refused = NoCarrier(cannot.problem, host.name)
        raise refused or NoCarrier(Problem(451, "4.4.1", "no host to try"))

    async def _open_one(self, lane: Lane, host: Host) -> Carrier:
        opening = await self._opener.open(lane.hop, host)
        if opening.session is None:
            raise CannotOpen(451, "4.4.2", "no session")
        self._log.event("next-hop-connected", hop=lane.hop, host=host, tls=opening.session.tls)
        return Client(
            opening.dialogue,
            opening.session,
            host.name,
            lane,
            self._opener.timeouts,
            max_messages=self._messages,
            released=self._free.release,
        )
