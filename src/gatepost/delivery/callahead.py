"""Asks the server that keeps a domain whether it would take mail for a recipient, before we take any.

MAIL with the null sender and RCPT, and no message (RFC 5321 §3.3). Answers are kept for minutes, so that a
stranger who names the same recipient again costs the other server nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from gatepost.config.schema import Settings
from gatepost.delivery.dialogue import ConversationLost, Dialogue
from gatepost.delivery.mx import Exchangers, Host, NoHost
from gatepost.delivery.nexthop import Kind, NextHop
from gatepost.delivery.opening import CannotOpen, Opener
from gatepost.delivery.route import Routing, routing
from gatepost.delivery.timeouts import Timeouts
from gatepost.delivery.tls import Contexts
from gatepost.directory.elsewhere import Standing
from gatepost.log import Log
from gatepost.mail.address import Address
from gatepost.smtp.command import Mail, Rcpt
from gatepost.smtp.error import LocalProtocolError
from gatepost.smtp.reply import Reply

_DEADLINE_SECONDS: Final = 10.0
_AT_ONCE: Final = 8
_KEPT_SECONDS: Final = {Standing.KNOWN: 600.0, Standing.UNKNOWN: 120.0, Standing.REFUSED: 120.0}
# A server that is away is not asked for each recipient anew.
_SILENT_SECONDS: Final = 10.0
_KEPT_AT_MOST: Final = 10_000
_NOBODY: Final = (550, 551, 553)
_ASKED: Final = (Kind.SMTP, Kind.SMTPS, Kind.LMTP)


class _Unheard(Exception):
    """No answer about the recipient; the text says why."""


@dataclass(frozen=True, slots=True)
class _Kept:
    standing: Standing
    until: float


class Callahead:
    """Asks the next servers of one configuration, each question once however many wait for it."""

    def __init__(
        self,
        routes: Routing,
        exchangers: Exchangers,
        opener: Opener,
        log: Log,
        *,
        clock: Callable[[], float] = time.monotonic,
        deadline_seconds: float = _DEADLINE_SECONDS,
    ) -> None:
        self._routing = routes
        self._exchangers = exchangers
        self._opener = opener
        self._log = log
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._kept: dict[Address, _Kept] = {}
        self._asking: dict[Address, asyncio.Future[Standing]] = {}
        self._silent_until: dict[NextHop, float] = {}
        self._places: dict[NextHop, asyncio.Semaphore] = {}

    async def standing(self, address: Address) -> Standing:
        """What the next server would answer to a RCPT; within ten seconds."""
        kept = self._kept.get(address)
        if kept is not None and kept.until > self._clock():
            return kept.standing
        asking = self._asking.get(address)
        if asking is None:
            asking = self._asking[address] = asyncio.ensure_future(self._found_out(address))
            asking.add_done_callback(lambda _done: self._asking.pop(address, None))
        return await asyncio.shield(asking)

    async def _found_out(self, address: Address) -> Standing:
        hop = self._hop(address.domain)
        if hop is None:
            return Standing.KNOWN
        if self._silent_until.get(hop, 0.0) > self._clock():
            return Standing.SILENT
        try:
            standing = await self._in_time(hop, self._asked(hop, address))
        except _Unheard as problem:
            self._log.warning("next-server-silent", server=hop, recipient=address, problem=problem)
            return Standing.SILENT
        self._keep(address, standing)
        return standing

    def _hop(self, domain: str) -> NextHop | None:
        """The server that keeps the domain, or what of it is not here; None where nobody is to be asked."""
        hop: NextHop | None = self._routing.to(domain)
        if hop is not None and hop.kind is Kind.MAILBOX:
            hop = self._routing.forward(domain)
        return hop if hop is not None and hop.kind in _ASKED else None

    async def _in_time(self, hop: NextHop, asked: Coroutine[Any, Any, Standing]) -> Standing:
        place = self._places.setdefault(hop, asyncio.Semaphore(_AT_ONCE))
        try:
            async with asyncio.timeout(self._deadline_seconds), place:
                return await asked
        except TimeoutError:
            self._silent_until[hop] = self._clock() + _SILENT_SECONDS
            raise _Unheard("no answer in time") from None
        finally:
            asked.close()  # it may not have begun

    async def _asked(self, hop: NextHop, address: Address) -> Standing:
        try:
            hosts = await self._exchangers.hosts(hop)
        except NoHost as problem:
            if problem.code >= 500:
                return Standing.REFUSED
            raise _Unheard(problem.text) from None
        problems = []
        for host in hosts:
            try:
                return await self._asked_of(hop, host, address)
            except (CannotOpen, ConversationLost) as problem:
                problems.append(str(problem))
        self._silent_until[hop] = self._clock() + _SILENT_SECONDS
        raise _Unheard("; ".join(problems))

    async def _asked_of(self, hop: NextHop, host: Host, address: Address) -> Standing:
        opening = await self._opener.open(hop, host)
        try:
            return await self._dialogue(opening.dialogue, address)
        finally:
            opening.give_up()

    async def _dialogue(self, dialogue: Dialogue, address: Address) -> Standing:
        seconds = self._deadline_seconds
        utf8 = not address.is_ascii
        try:
            mail = await dialogue.ask(Mail(None, smtputf8=utf8), seconds)
            if mail.code // 100 != 2:
                raise _Unheard(f"the null sender is refused: {mail}")  # against RFC 5321 §4.5.5
            return _said(await dialogue.ask(Rcpt(address), seconds))
        except LocalProtocolError:
            return Standing.REFUSED  # it takes no such addresses (RFC 6531 §3.2)

    def _keep(self, address: Address, standing: Standing) -> None:
        if len(self._kept) >= _KEPT_AT_MOST:
            self._kept.clear()
        self._kept[address] = _Kept(standing, self._clock() + _KEPT_SECONDS[standing])


def _said(reply: Reply) -> Standing:
    """Raises _Unheard for what may be otherwise the next time."""
    digit = reply.code // 100
    if digit == 2:
        return Standing.KNOWN
    if digit != 5:
        raise _Unheard(str(reply))
    nobody = reply.enhanced.startswith("5.1.") if reply.enhanced else reply.code in _NOBODY
    return Standing.UNKNOWN if nobody else Standing.REFUSED


def callahead(settings: Settings, exchangers: Callable[[Settings], Exchangers], log: Log) -> Callahead | None:
    """Who is asked ahead with these settings; None where no domain is kept elsewhere."""
    if not any(
        domain.call_ahead and (domain.deliver != "mailbox" or domain.unknown != "reject")
        for domain in settings.domains.values()
    ):
        return None
    opener = Opener(settings.hostname, Contexts(), Timeouts())
    return Callahead(routing(settings), exchangers(settings), opener, log)
