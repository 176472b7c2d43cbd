"""What all users have used up of their allowances: the one count, which workers lease parts of.

It outlives a restart in parts, one a user: what changed is asked for and kept.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any

from gatepost.guard.allowance import DOMAIN_SECONDS, LIVES, Fields, Unused
from gatepost.policy.quota import DAY_SECONDS, Limit, Quota
from gatepost.policy.spread import Spread

Part = dict[str, Any]


class Treasury:
    """The one count. `call_back` gets from a worker what it leased and did not use."""

    def __init__(
        self,
        clock: Callable[[], float],
        call_back: Callable[[Hashable, str, str], Awaitable[Unused | None]],
    ) -> None:
        self._clock = clock
        self._call_back = call_back
        self._quota = Quota()
        self._spread = Spread(DAY_SECONDS + DOMAIN_SECONDS)
        self._holders: defaultdict[tuple[str, str], set[Hashable]] = defaultdict(set)
        self._locks: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changed: dict[str, None] = {}
        self._kept: set[str] = set()

    async def take(self, worker: Hashable, fields: Fields) -> Fields:
        """What the worker gets, at least one where the limits let one more happen."""
        user, use = str(fields["user"]), str(fields["use"])
        # what is leased now may be used when the lease ends, and counts from then on
        limits = [Limit(int(most), float(span) * (1 + 1 / LIVES)) for most, span in fields["limits"]]
        self.unused([fields["unused"]] if fields.get("unused") else [])
        async with self._locks[user, use]:
            at = self._clock()
            grant = self._quota.take(user, use, limits, at, want=int(fields["want"]))
            if not grant.count and await self._recall(worker, user, use):
                at = self._clock()
                grant = self._quota.take(user, use, limits, at)
        if grant.count:
            self._holders[user, use].add(worker)
            self._changed[user] = None
        return {"count": grant.count, "wait": grant.wait_seconds, "at": at}

    def domain(self, fields: Fields) -> Fields:
        """How long the user has to wait before it may send to the domain too; None: not at all."""
        user, domain, most = str(fields["user"]), str(fields["domain"]), int(fields["most"])
        self._changed[user] = None
        return {"wait": self._spread.take(user, domain, most, self._clock())}

    def unused(self, leases: Iterable[Unused]) -> None:
        """Of these leases so much was not used, and never will be."""
        for user, use, count, taken_at in leases:
            self._quota.give_back(user, use, count, taken_at)
            self._changed[user] = None

    def worker_gone(self, worker: Hashable) -> None:
        """What it had leased counts as used: nobody knows."""
        for holders in self._holders.values():
            holders.discard(worker)

    def tidy(self) -> None:
        """Call it now and then."""
        self._quota.forget_idle(self._clock())
        self._spread.forget_idle(self._clock())
        self.not_kept(user for user in self._kept if user not in self._quota and user not in self._spread)
        for key in [key for key, lock in self._locks.items() if not lock.locked()]:
            del self._locks[key]
        for key in [key for key, holders in self._holders.items() if not holders]:
            del self._holders[key]

    async def _recall(self, worker: Hashable, user: str, use: str) -> int:
        others = self._holders[user, use] - {worker}
        self._holders[user, use].clear()
        answers = [await self._call_back(other, user, use) for other in others]
        unused = [answer for answer in answers if answer is not None]
        self.unused(unused)
        return sum(count for _, _, count, _ in unused)

    # what a restart must not forget

    def changed(self, most: int) -> dict[str, Part | None]:
        """Up to so many users whose count changed since they were last asked for; None: nothing is left."""
        users = list(self._changed)[:most]
        parts = {user: self._part(user) for user in users}
        for user, part in parts.items():
            del self._changed[user]
            (self._kept.discard if part is None else self._kept.add)(user)
        return parts

    def not_kept(self, users: Iterable[str]) -> None:
        """They are asked for again."""
        self._changed |= dict.fromkeys(users)

    def restore(self, user: str, part: Any, elapsed_seconds: float) -> None:
        """As it was so long ago. Raises ValueError for what is no part."""
        try:
            taken, places = part["taken"], part["places"]
        except (KeyError, TypeError) as problem:
            raise ValueError(f"no allowance: {problem}") from None
        then = self._clock() - elapsed_seconds
        self._quota.restore(user, taken, then)
        if places:
            self._spread.restore(user, places, then)
        self._kept.add(user)

    def _part(self, user: str) -> Part | None:
        now = self._clock()
        taken, places = self._quota.snapshot(user, now), self._spread.snapshot(user, now)
        return {"taken": taken, "places": places} if taken or places else None
