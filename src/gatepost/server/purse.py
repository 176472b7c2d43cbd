"""What one logged-in client may still send: its account's allowance, and within it that of its device."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from gatepost.guard.conduct import Conduct, Wait
from gatepost.policy.allotment import Allotment, Allotments
from gatepost.policy.facts import UNKNOWN, Identity
from gatepost.policy.quota import HOUR_SECONDS, Limit
from gatepost.policy.reasons import Reason

_MESSAGES: Final = "messages"
_RECIPIENTS: Final = "recipients"
_HOURLY_WAIT: Final = 2 * HOUR_SECONDS  # who waits longer waits for the day


@dataclass(frozen=True, slots=True)
class Spent:
    """Nothing more fits now; something does in so many seconds."""

    reason: Reason
    seconds: float


Answer = Spent | Awaitable[Spent | None] | None


@dataclass(frozen=True, slots=True)
class _Payer:
    """One of those that what is sent is counted for."""

    key: str
    allotment: Allotment

    def limits(self, use: str) -> tuple[Limit, ...]:
        return self.allotment.message_limits if use is _MESSAGES else self.allotment.recipient_limits


class Purse:
    """Of one identity at one virtual server, where anybody may send what `everybody` says.

    A device's count is given back where its account has nothing left, and the account is not asked where
    the device has nothing left: a device that goes on trying uses up nobody's allowance.
    """

    __slots__ = (
        "_conduct", "_is_simple", "_message_limits", "_payers", "_recipient_limits", "_take", "identity",
        "size_bytes",
    )  # fmt: skip

    def __init__(
        self, conduct: Conduct, identity: Identity, tables: Allotments, everybody: Allotment
    ) -> None:
        self._conduct = conduct
        self.identity = identity
        allotment = everybody
        if not tables.is_empty:
            allotment = _of_account(identity, tables, everybody)
            if identity.groups is not UNKNOWN:
                conduct.allowed(identity.name, tables.given(sorted(identity.names), identity.groups))
        account = _Payer(identity.name, allotment)
        device = identity.device
        of_device = None if device is None else _Payer(f"{identity.name}\0{device.name}", device.allotment)
        self._payers = (account,) if of_device is None else (of_device, account)
        self._is_simple = of_device is None and allotment.domains_per_day is None
        self._take = conduct.take
        self._message_limits, self._recipient_limits = account.limits(_MESSAGES), account.limits(_RECIPIENTS)
        sizes = [everybody.message_size_bytes, *(one.allotment.message_size_bytes for one in self._payers)]
        self.size_bytes = min(size for size in sizes if size is not None)

    def message(self) -> Answer:
        """Counts a message, or says why not; an awaitable when others must be asked."""
        if self._is_simple:
            wait = self._take(self.identity.name, _MESSAGES, self._message_limits)
            return None if wait is None else _answer(_MESSAGES, self._message_limits, wait)
        return self._paid_by_all(_MESSAGES, None)

    def recipient(self, domain: str | None) -> Answer:
        """Counts a recipient in the domain; None: in one of our own, which is nowhere to spread to."""
        if self._is_simple:
            wait = self._take(self.identity.name, _RECIPIENTS, self._recipient_limits)
            return None if wait is None else _answer(_RECIPIENTS, self._recipient_limits, wait)
        return self._paid_by_all(_RECIPIENTS, domain)

    async def _paid_by_all(self, use: str, domain: str | None) -> Spent | None:
        paid: list[_Payer] = []
        for payer in self._payers:
            spent = await self._paid_by(payer, use, domain)
            if spent is not None:
                for one in paid:
                    self._conduct.give_back(one.key, use)
                return spent
            paid.append(payer)
        return None

    async def _paid_by(self, payer: _Payer, use: str, domain: str | None) -> Spent | None:
        limits, most = payer.limits(use), payer.allotment.domains_per_day
        if domain is not None and most is not None:
            # before the recipient: what is taken and given back would be missed by others meanwhile
            wait = await _settled(self._conduct.take_domain(payer.key, domain, most))
            if wait is not None:
                return Spent(Reason.DOMAINS_PER_DAY, wait)
        wait = await _settled(self._conduct.take(payer.key, use, limits))
        return None if wait is None else _told(use, limits, wait)


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
