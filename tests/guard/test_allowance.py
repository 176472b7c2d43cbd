"""Limits of users hold exactly over workers, and most of what is sent asks nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.guard.allowance import Allowances, Unused, part_of
from gatepost.guard.treasury import Treasury
from gatepost.policy.quota import DAY_SECONDS, Limit
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

    async def _call_back(self, worker: Hashable, user: str, use: str) -> Unused | None:
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
        if verb == "quota-unused":
            return self.bank.treasury.unused(fields["leases"])
        assert verb == "quota-take"
        self.bank.asked += 1
        return await self.bank.treasury.take(self.number, fields)

    def tell(self, verb: str, **fields: Any) -> None:
        assert verb == "quota-unused"
        self.bank.treasury.unused(fields["leases"])


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
                assert sum(at > bank.clock.now - 64 for at in sent) == 45  # nothing is lost with leases
        for begins in sent:
            assert sum(begins <= at < begins + 60 for at in sent) <= 45

    asyncio.run(facts())


def test_who_sends_now_and_then_is_not_charged_for_what_was_leased() -> None:
    async def facts() -> None:
        bank = Bank(2)
        day = (Limit(200, DAY_SECONDS),)
        for number in range(48):  # a message each half hour, of leases of ten
            assert await bank.send(number % 2, limits=day) is None
            bank.clock.now += 1_800
            if number % 5 == 0:
                bank.workers[0].tidy()
        answers = [await bank.send(number % 2, limits=day) for number in range(200)]
        assert answers.count(None) in (200 - 48, 200 - 47)

    asyncio.run(facts())


def restarted(bank: Bank, down_seconds: float) -> Bank:
    """Another one that knows what this one had to keep; its clock began anew."""
    again = Bank(bank.count, Clock())
    parts = json.loads(json.dumps(bank.treasury.changed(99)))
    for user, part in parts.items():
        again.treasury.restore(user, part, down_seconds)
    return again


def test_a_restart_gives_nobody_a_fresh_allowance() -> None:
    async def facts() -> None:
        bank, day = Bank(2), (Limit(100, 3_600.0), Limit(200, DAY_SECONDS))
        assert [await bank.send(n % 2, limits=day) for n in range(70)].count(None) == 70
        assert bank.treasury.domain({"user": "ann", "domain": "x.example", "most": 1}) == {"wait": None}
        for worker in bank.workers:
            await worker.close()
        assert set(bank.treasury.changed(9)) == {"ann"}
        assert bank.treasury.changed(9) == {}
        bank.treasury.not_kept(["ann"])
        again = restarted(bank, 600)
        assert again.treasury.domain({"user": "ann", "domain": "y.example", "most": 1})["wait"] > 80_000
        assert [await again.send(n % 2, limits=day) for n in range(50)].count(None) == 30
        again.clock.now += 3_200  # the hour of the first is over
        assert [await again.send(n % 2, limits=day) for n in range(200)].count(None) == 70
        again.clock.now += 100_000
        assert [await again.send(n % 2, limits=day) for n in range(200)].count(None) == 100

    asyncio.run(facts())


def test_what_is_over_when_it_comes_back_is_forgotten() -> None:
    async def facts() -> None:
        bank = Bank(1)
        await bank.send(0)
        again = restarted(bank, 70)
        assert [await again.send(0) for _ in range(70)].count(None) == 60
        again.clock.now += 100
        again.treasury.tidy()
        assert again.treasury.changed(9) == {"ann": None}

    asyncio.run(facts())


@pytest.mark.parametrize(
    "part", [None, {}, {"taken": [[1]], "places": {}}, {"taken": [], "places": {"x": None}}]
)
def test_rubbish_is_no_allowance(part: Any) -> None:
    with pytest.raises(ValueError):
        Bank(1).treasury.restore("ann", part, 0.0)


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
