"""What each worker may still let its users send, leased in small parts from the one count of all workers.

A part that is leased counts as used, so the sum is never more than the limit; before anybody is
refused the unused parts of the others are called back, so that it is not less either.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gatepost.policy.quota import Grant, Limit, Quota

_PARTS: Final = 20  # of an allowance: more would be called back too often, fewer asked for too often
_MOST_AT_ONCE: Final = 1_000
_LIVES: Final = 20  # a lease lives so small a part of the span
_ANSWER_SECONDS: Final = 2.0

Fields = dict[str, Any]


class Line(Protocol):
    """The way to the one count. `ask` raises when there is no answer."""

    async def ask(self, verb: str, **fields: Any) -> Any: ...


@dataclass(slots=True)
class _Lease:
    """What is left of it, and until when it may be used."""

    count: int
    ends: float


class Allowances:
    """In one worker. Alone (before `join`, after `part`) it is itself the count. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._own = Quota()
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
        if self._use_lease(user, use):
            return None
        return self._ask(user, use, limits)

    def call_back(self, user: str, use: str) -> int:
        """What was leased and not used; it is not the worker's any more."""
        lease = self._leases.pop((user, use), None)
        return 0 if lease is None or lease.ends <= self._clock() else lease.count

    def tidy(self) -> None:
        """Call it now and then."""
        now = self._clock()
        self._own.forget_idle(now)
        self._leases = {key: lease for key, lease in self._leases.items() if lease.ends > now}
        for key in [key for key, lock in self._asking.items() if not lock.locked()]:
            del self._asking[key]

    def _use_lease(self, user: str, use: str) -> bool:
        lease = self._leases.get((user, use))
        if lease is None or lease.count <= 0 or lease.ends <= self._clock():
            return False
        lease.count -= 1
        return True

    async def _ask(self, user: str, use: str, limits: Sequence[Limit]) -> float | None:
        async with self._asking[user, use]:
            if self._use_lease(user, use):
                return None
            fields: Fields = {"user": user, "use": use, "want": part_of(limits)}
            fields["limits"] = [[limit.most, limit.span_seconds] for limit in limits]
            answer = None
            if self._line is not None:
                try:
                    answer = await asyncio.wait_for(self._line.ask("quota-take", **fields), _ANSWER_SECONDS)
                except Exception:  # whatever is wrong with the line, mail goes on
                    answer = None
            if answer is None:
                return _wait(self._own.take(user, use, limits, self._clock()))
            if not answer["count"]:
                return float(answer["wait"])
            ends = self._clock() + min(limit.span_seconds for limit in limits) / _LIVES
            self._leases[user, use] = _Lease(answer["count"] - 1, ends)
            return None


def part_of(limits: Sequence[Limit]) -> int:
    """How many are leased at once."""
    return max(1, min(_MOST_AT_ONCE, min(limit.most for limit in limits) // _PARTS))


class Treasury:
    """The one count. `call_back` gets from a worker what it leased and did not use."""

    def __init__(
        self,
        clock: Callable[[], float],
        call_back: Callable[[Hashable, str, str], Awaitable[int]],
    ) -> None:
        self._clock = clock
        self._call_back = call_back
        self._quota = Quota()
        self._holders: defaultdict[tuple[str, str], set[Hashable]] = defaultdict(set)
        self._locks: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, worker: Hashable, fields: Fields) -> Fields:
        """What the worker gets, at least one where the limits let one more happen."""
        user, use = str(fields["user"]), str(fields["use"])
        # what is leased now may be used when the lease ends, and counts from then on
        limits = [Limit(int(most), float(span) * (1 + 1 / _LIVES)) for most, span in fields["limits"]]
        async with self._locks[user, use]:
            grant = self._quota.take(user, use, limits, self._clock(), want=int(fields["want"]))
            if not grant.count and await self._recall(worker, user, use):
                grant = self._quota.take(user, use, limits, self._clock())
        if grant.count > 1:
            self._holders[user, use].add(worker)
        return {"count": grant.count, "wait": grant.wait_seconds}

    def worker_gone(self, worker: Hashable) -> None:
        """What it had leased counts as used: nobody knows."""
        for holders in self._holders.values():
            holders.discard(worker)

    def tidy(self) -> None:
        """Call it now and then."""
        self._quota.forget_idle(self._clock())
        for key in [key for key, lock in self._locks.items() if not lock.locked()]:
            del self._locks[key]
        for key in [key for key, holders in self._holders.items() if not holders]:
            del self._holders[key]

    async def _recall(self, worker: Hashable, user: str, use: str) -> int:
        others = self._holders[user, use] - {worker}
        self._holders[user, use].clear()
        total = 0
        for other in others:
            total += await self._call_back(other, user, use)
        self._quota.give_back(user, use, total)
        return total


def _wait(grant: Grant) -> float | None:
    return None if grant.count else grant.wait_seconds
