"""Limits of users hold exactly over workers, and most of what is sent asks nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.guard.allowance import Allowances, Treasury, part_of
from gatepost.policy.quota import Limit
from guard.posts import Clock

MINUTE = Limit(60, 60.0)


@dataclass(slots=True)
class Bank:
    """A treasury and the workers joined to it."""

    count: int
    clock: Clock = field(default_factory=Clock)
    asked: int = 0
    broken: bool = False
    workers: list[Allowances] = field(init=False)

    def __post_init__(self) -> None:
        self.treasury = Treasury(self.clock, self._call_back)
        self.workers = [Allowances(self.clock) for _ in range(self.count)]
        for number, worker in enumerate(self.workers):
            worker.join(BankLine(self, number))

    treasury: Treasury = field(init=False)

    async def _call_back(self, worker: Hashable, user: str, use: str) -> int:
        await asyncio.sleep(0)
        assert isinstance(worker, int)
        return self.workers[worker].call_back(user, use)

    async def send(
        self, worker: int, user: str = "ann", limits: tuple[Limit, ...] = (MINUTE,)
    ) -> float | None:
        answer = self.workers[worker].take(user, "messages", limits)
        return answer if answer is None or isinstance(answer, float) else await answer


@dataclass(slots=True)
class BankLine:
    bank: Bank
    number: int

    async def ask(self, verb: str, **fields: Any) -> Any:
        await asyncio.sleep(0)
        if self.bank.broken:
            raise ConnectionError
        assert verb == "quota-take"
        self.bank.asked += 1
        return await self.bank.treasury.take(self.number, fields)


@pytest.mark.parametrize("limit", [1, 7, 60])
def test_n_is_n_under_fifty_sessions_on_two_workers(limit: int) -> None:
    async def facts() -> None:
        bank = Bank(2)
        limits = (Limit(limit, 60.0),)
        answers = await asyncio.gather(*(bank.send(n % 2, limits=limits) for n in range(max(50, 3 * limit))))
        assert sum(answer is None for answer in answers) == limit
        assert all(answer is None or 0 < answer <= 64 for answer in answers)

    asyncio.run(facts())


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), max_size=200))
def test_no_minute_has_more_than_the_limit_nor_much_less_before_a_refusal(
    steps: list[tuple[int, int]],
) -> None:
    async def facts() -> None:
        bank, sent = Bank(3), list[float]()
        limits = (Limit(45, 60.0),)
        for worker, seconds in steps:
            bank.clock.now += seconds / 10
            if await bank.send(worker, limits=limits) is None:
                sent.append(bank.clock.now)
            else:
                assert (
                    sum(at > bank.clock.now - 64 for at in sent) >= 45 - 3 * 2
                )  # lost with leases that ended
        for begins in sent:
            assert sum(begins <= at < begins + 60 for at in sent) <= 45

    asyncio.run(facts())


def test_most_messages_ask_nobody() -> None:
    async def facts() -> None:
        bank = Bank(2)
        day = (Limit(2_000, 86_400.0),)
        for _ in range(1_000):
            assert await bank.send(0, limits=day) is None
        assert bank.asked == 10
        assert part_of([MINUTE]) == 3

    asyncio.run(facts())


def test_a_broken_line_stops_no_mail_and_a_dead_worker_blocks_none() -> None:
    async def facts() -> None:
        bank = Bank(2)
        assert await bank.send(0) is None
        bank.treasury.worker_gone(0)
        assert [await bank.send(1) for _ in range(60)].count(None) == 57
        bank.broken = True
        assert await bank.send(1, "bob") is None
        bank.workers[1].part()
        assert [await bank.send(1, "cat") for _ in range(70)].count(None) == 60

    asyncio.run(facts())


def test_no_limit_asks_nobody_and_tidying_forgets() -> None:
    async def facts() -> None:
        bank = Bank(1)
        assert bank.workers[0].take("ann", "messages", ()) is None
        assert bank.asked == 0
        await bank.send(0)
        bank.clock.now += 10_000
        bank.workers[0].tidy()
        bank.treasury.tidy()
        assert await bank.send(0) is None

    asyncio.run(facts())
