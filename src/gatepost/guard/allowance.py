"""What each worker may still let its users send, leased in small parts from the one count of all workers.

A part that is leased counts as used, so the sum is never more than the limit; before anybody is
refused the unused parts of the others are called back, so that it is not less either.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gatepost.policy.quota import DAY_SECONDS, Grant, Limit, Quota
from gatepost.policy.spread import Spread

_PARTS: Final = 20  # of an allowance: more would be called back too often, fewer asked for too often
_MOST_AT_ONCE: Final = 1_000
LIVES: Final = 20
"""A lease lives so small a part of the span."""
_ANSWER_SECONDS: Final = 2.0
DOMAIN_SECONDS: Final = DAY_SECONDS / LIVES
"""For so long a domain that was counted is not asked about."""
_DOMAINS_KNOWN: Final = 20_000

Fields = dict[str, Any]
Unused = tuple[str, str, int, float]
"""Of whose lease for what how many were not used, and when it was leased."""


class Line(Protocol):
    """The way to the one count. `ask` raises when there is no answer."""

    async def ask(self, verb: str, **fields: Any) -> Any: ...
    def tell(self, verb: str, **fields: Any) -> None: ...


@dataclass(slots=True)
class _Lease:
    """What is left of it, until when it may be used, and when the one count gave it."""

    count: int
    ends: float
    at: float

    def serves(self, now: float) -> bool:
        """One of it is used; False when nothing is left."""
        if self.count <= 0 or self.ends <= now:
            return False
        self.count -= 1
        return True


class Allowances:
    """In one worker. Alone (before `join`, after `part`) it is itself the count. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._own = Quota()
        self._own_spread = Spread(DAY_SECONDS)
        self._counted: dict[tuple[str, str], float] = {}
        self._line: Line | None = None
        self._leases: dict[tuple[str, str], _Lease] = {}
        self._asking: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    def join(self, line: Line) -> None:
        self._line = line

    def part(self) -> None:
        self._line = None

    def take(self, user: str, use: str, limits: Sequence[Limit]) -> float | Awaitable[float | None] | None:
        """Counts one and answers None, or the seconds to wait; an awaitable when others must be asked."""
        if not limits:
            return None
        if self._line is None:
            return _wait(self._own.take(user, use, limits, self._clock()))
        lease = self._leases.get((user, use))
        if lease is not None and lease.serves(self._clock()):
            return None
        return self._ask(user, use, limits)

    def give_back(self, user: str, use: str) -> None:
        """The last that was taken is not used."""
        lease = self._leases.get((user, use))
        if lease is not None and lease.ends > self._clock():
            lease.count += 1
        else:
            self._own.give_back(user, use, 1)

    def take_domain(self, user: str, domain: str, most: int) -> float | Awaitable[float | None] | None:
        """Counts the domain among the different ones of a day; answers as `take` does."""
        if self._line is None:
            return self._own_spread.take(user, domain, most, self._clock())
        if self._counted.get((user, domain), 0.0) > self._clock():
            return None
        return self._ask_domain(user, domain, most)

    def call_back(self, user: str, use: str) -> Unused | None:
        """What was leased and not used; it is not the worker's any more."""
        lease = self._leases.pop((user, use), None)
        return None if lease is None or not lease.count else (user, use, lease.count, lease.at)

    async def close(self) -> None:
        """What was leased is given back; nothing is taken any more."""
        unused = self._unused(list(self._leases))
        if unused:
            await self._answer("quota-unused", {"leases": unused})

    def tidy(self) -> None:
        """Call it now and then."""
        now = self._clock()
        unused = self._unused([key for key, lease in self._leases.items() if lease.ends <= now])
        if unused and self._line is not None:
            self._line.tell("quota-unused", leases=unused)
        self._own.forget_idle(now)
        self._own_spread.forget_idle(now)
        self._counted = {key: until for key, until in self._counted.items() if until > now}
        for key in [key for key, lock in self._asking.items() if not lock.locked()]:
            del self._asking[key]

    def _unused(self, keys: Iterable[tuple[str, str]]) -> list[Unused]:
        return [unused for key in keys if (unused := self.call_back(*key)) is not None]

    async def _ask(self, user: str, use: str, limits: Sequence[Limit]) -> float | None:
        async with self._asking[user, use]:
            lease = self._leases.get((user, use))
            if lease is not None and lease.serves(self._clock()):  # somebody else asked for it meanwhile
                return None
            fields: Fields = {"user": user, "use": use, "want": part_of(limits)}
            fields["unused"] = self.call_back(user, use)
            fields["limits"] = [[limit.most, limit.span_seconds] for limit in limits]
            answer = await self._answer("quota-take", fields)
            if answer is None:
                return _wait(self._own.take(user, use, limits, self._clock()))
            if not answer["count"]:
                return float(answer["wait"])
            ends = self._clock() + min(limit.span_seconds for limit in limits) / LIVES
            self._leases[user, use] = _Lease(answer["count"] - 1, ends, answer["at"])
            return None

    async def _ask_domain(self, user: str, domain: str, most: int) -> float | None:
        fields: Fields = {"user": user, "domain": domain, "most": most}
        answer = await self._answer("quota-domain", fields)
        if answer is None:
            return self._own_spread.take(user, domain, most, self._clock())
        if answer["wait"] is not None:
            return float(answer["wait"])
        if len(self._counted) >= _DOMAINS_KNOWN:
            self._counted.clear()
        self._counted[user, domain] = self._clock() + DOMAIN_SECONDS
        return None

    async def _answer(self, verb: str, fields: Fields) -> Any:
        """What the one count says; None when it cannot be asked: whatever is wrong there, mail goes on."""
        if self._line is None:
            return None
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._line.ask(verb, **fields)
        except Exception:
            return None


def part_of(limits: Sequence[Limit]) -> int:
    """How many are leased at once."""
    return max(1, min(_MOST_AT_ONCE, min(limit.most for limit in limits) // _PARTS))


def _wait(grant: Grant) -> float | None:
    return None if grant.count else grant.wait_seconds
