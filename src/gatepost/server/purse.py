"""What one client may still send: its account's allowance, and within it that of its device.

Who has not logged in has what the file says of its certificate and of its address, or no bounds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Final

from gatepost.guard.conduct import Conduct, Wait
from gatepost.policy.allotment import NOTHING_SAID, Allotment, Allotments
from gatepost.policy.facts import UNKNOWN, Facts, Identity
from gatepost.policy.quota import HOUR_SECONDS, Limit
from gatepost.policy.reasons import Reason
from gatepost.value import value

_MESSAGES: Final = "messages"
_RECIPIENTS: Final = "recipients"
_HOURLY_WAIT: Final = 2 * HOUR_SECONDS  # who waits longer waits for the day


@value
class Spent:
    """Nothing more fits now; something does in so many seconds."""

    reason: Reason
    seconds: float


Answer = Spent | Awaitable[Spent | None] | None


@value
class Payer:
    """One of those that what is sent is counted for."""

    key: str
    allotment: Allotment

    def limits(self, use: str) -> tuple[Limit, ...]:
        return self.allotment.message_limits if use is _MESSAGES else self.allotment.recipient_limits


class Purse:
    """Of one client at one virtual server; `most_bytes` is the largest message there. `payers` is not empty.

    What a device was counted is given back where its account has nothing left, and the account is not asked
    where the device has nothing left: a device that goes on trying uses up nobody's allowance.
    """

    __slots__ = (
        "_conduct", "_is_simple", "_key", "_message_limits", "_payers", "_recipient_limits", "_take",
        "identity", "size_bytes",
    )  # fmt: skip

    def __init__(
        self, conduct: Conduct, payers: Sequence[Payer], most_bytes: int, identity: Identity | None = None
    ) -> None:
        self._conduct = conduct
        self.identity = identity
        self._payers = payers
        last = payers[-1]
        self._key = last.key
        self._is_simple = len(payers) == 1 and last.allotment.domains_per_day is None
        self._take = conduct.take
        self._message_limits, self._recipient_limits = last.limits(_MESSAGES), last.limits(_RECIPIENTS)
        sizes = [one.allotment.message_size_bytes for one in payers]
        self.size_bytes = min([most_bytes, *(size for size in sizes if size is not None)])

    def message(self) -> Answer:
        """Counts a message, or says why not; an awaitable when others must be asked."""
        if self._is_simple:
            wait = self._take(self._key, _MESSAGES, self._message_limits)
            return None if wait is None else _answer(_MESSAGES, self._message_limits, wait)
        return self._paid_by_all(_MESSAGES, None)

    def recipient(self, domain: str | None) -> Answer:
        """Counts a recipient in the domain; None: in one of our own, which is nowhere to spread to."""
        if self._is_simple:
            wait = self._take(self._key, _RECIPIENTS, self._recipient_limits)
            return None if wait is None else _answer(_RECIPIENTS, self._recipient_limits, wait)
        return self._paid_by_all(_RECIPIENTS, domain)

    async def _paid_by_all(self, use: str, domain: str | None) -> Spent | None:
        paid: list[Payer] = []
        for payer in self._payers:
            spent = await self._paid_by(payer, use, domain)
            if spent is not None:
                for one in paid:
                    self._conduct.give_back(one.key, use)
                return spent
            paid.append(payer)
        return None

    async def _paid_by(self, payer: Payer, use: str, domain: str | None) -> Spent | None:
        limits, most = payer.limits(use), payer.allotment.domains_per_day
        if domain is not None and most is not None:
            # before the recipient: what is taken and given back would be missed by others meanwhile
            wait = await _settled(self._conduct.take_domain(payer.key, domain, most))
            if wait is not None:
                return Spent(Reason.DOMAINS_PER_DAY, wait)
        wait = await _settled(self._conduct.take(payer.key, use, limits))
        return None if wait is None else _told(use, limits, wait)


def purse_of(conduct: Conduct, identity: Identity, tables: Allotments, everybody: Allotment) -> Purse:
    """Of somebody who has logged in, where anybody may send what `everybody` says."""
    allotment = everybody
    if not tables.is_empty:
        allotment = _of_account(identity, tables, everybody)
        if identity.groups is not UNKNOWN:
            conduct.allowed(identity.name, tables.given(sorted(identity.names), identity.groups))
    payers = [Payer(identity.name, allotment)]
    if identity.device is not None:
        payers.insert(0, Payer(f"{identity.name}\0{identity.device.name}", identity.device.allotment))
    return Purse(conduct, payers, _most_bytes(everybody), identity)


def purse_without_login(
    conduct: Conduct, facts: Facts, tables: Allotments, everybody: Allotment
) -> Purse | None:
    """Of whoever has not logged in; None where nothing is said of it.

    No account is called as its keys are, since a blank is in them.
    """
    payers = [Payer(f"address {facts.peer}", tables.of_address(facts.peer))]
    if facts.certificate is not None:
        allotment = tables.of_certificate(facts.certificate.names)
        payers.append(Payer(f"certificate {facts.certificate.name}", allotment))
    payers = [one for one in payers if one.allotment != NOTHING_SAID]
    return Purse(conduct, payers, _most_bytes(everybody)) if payers else None


def _most_bytes(everybody: Allotment) -> int:
    assert everybody.message_size_bytes is not None  # it has a default
    return everybody.message_size_bytes


def _of_account(identity: Identity, tables: Allotments, everybody: Allotment) -> Allotment:
    groups = None if identity.groups is UNKNOWN else identity.groups
    return tables.of(sorted(identity.names), groups, everybody)


def _told(use: str, limits: Sequence[Limit], seconds: float) -> Spent:
    if use is _MESSAGES:
        return Spent(Reason.RATE_LIMITED, seconds)
    hourly = limits[0].span_seconds == HOUR_SECONDS and seconds <= _HOURLY_WAIT
    return Spent(Reason.RECIPIENTS_PER_HOUR if hourly else Reason.RECIPIENTS_PER_DAY, seconds)


def _answer(use: str, limits: Sequence[Limit], wait: float | Awaitable[float | None]) -> Answer:
    return _told(use, limits, wait) if isinstance(wait, float) else _later(use, limits, wait)


async def _later(use: str, limits: Sequence[Limit], coming: Awaitable[float | None]) -> Spent | None:
    wait = await coming
    return None if wait is None else _told(use, limits, wait)


async def _settled(wait: Wait) -> float | None:
    return await wait if isinstance(wait, Awaitable) else wait
