"""Who carries what waits: connections that are busy first, idle ones soon after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gatepost.delivery.lane import Lane, LaneLimits
from gatepost.delivery.nexthop import Kind, NextHop
from gatepost.delivery.parcel import Errand, Parcel
from gatepost.mail.outcome import Outcome
from gatepost.store.job import Job
from patience import PATIENCE_SECONDS


class Carrier:
    """Takes one parcel and keeps it, until it is told that the host has answered."""

    def __init__(self, lane: Lane, woken: Callable[[], None]) -> None:
        self.lane = lane
        self.woken = woken
        self.taken: list[Parcel] = []

    def carry(self) -> None:
        parcel = self.lane.next_parcel()
        if parcel is None:
            self.lane.idle(self)
        else:
            self.taken.append(parcel)
            self.woken()

    def close(self) -> None: ...

    def abort(self, reason: str) -> None: ...


class Road:
    """A lane whose carriers are all open and idle."""

    def __init__(self) -> None:
        self.carriers: list[Carrier] = []
        self._all_open = asyncio.Event()
        self.woken = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.lane = Lane(
            NextHop(Kind.MX), self._open, self._settle, clock=loop.time, limits=LaneLimits(connections=4)
        )

    async def _open(self, lane: Lane) -> Carrier:
        self.carriers.append(Carrier(lane, self.woken.set))
        if len(self.carriers) == 4:
            self._all_open.set()
        return self.carriers[-1]

    def _settle(self, parcel: Parcel, outcomes: list[Outcome], *, more: bool) -> None: ...

    async def opened(self) -> Road:
        """One carrier is busy, three are idle."""
        for _ in range(20):
            self.add()
        await asyncio.wait_for(self._all_open.wait(), PATIENCE_SECONDS)
        await asyncio.sleep(0)  # the last one begins to carry
        while self.lane.waiting:
            self.carriers[0].carry()
        for carrier in self.carriers:
            carrier.taken.clear()
        for carrier in self.carriers[1:]:
            carrier.carry()
        self.woken.clear()
        return self

    def add(self) -> None:
        # The lane looks neither at the job nor at the recipients.
        self.lane.add(Parcel(Errand(Job.__new__(Job)), (0,), self.lane.hop))

    @property
    def carried(self) -> list[int]:
        return [len(carrier.taken) for carrier in self.carriers]


async def _waits_for_the_busy_one() -> None:
    road = await Road().opened()
    for _ in range(3):
        road.add()
    assert road.carried == [0, 0, 0, 0]
    for _ in range(3):
        road.carriers[0].carry()
    assert road.carried == [3, 0, 0, 0]
    assert not road.lane.waiting
    road.lane.stop()


def test_a_few_parcels_wait_for_the_busy_connection() -> None:
    asyncio.run(_waits_for_the_busy_one())


async def _more_wake_an_idle_one() -> None:
    road = await Road().opened()
    for _ in range(4):
        road.add()
    assert sum(road.carried[1:]) == 1
    assert road.lane.waiting == 3
    road.lane.stop()


def test_more_than_a_few_wake_an_idle_connection() -> None:
    asyncio.run(_more_wake_an_idle_one())


async def _not_for_long() -> None:
    road = await Road().opened()
    road.add()
    await asyncio.wait_for(road.woken.wait(), PATIENCE_SECONDS)
    assert sum(road.carried[1:]) == 1
    road.lane.stop()


def test_nothing_waits_for_long_behind_a_slow_answer() -> None:
    asyncio.run(_not_for_long())
