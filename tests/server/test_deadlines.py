"""Many wait on one timer, each for its own time."""

from __future__ import annotations

import asyncio
import random

from gatepost.server.deadlines import Deadlines

Heard = asyncio.Queue[tuple[float, float]]


class _Waiter:
    def __init__(self, heard: Heard, until: float) -> None:
        self._heard = heard
        self.until = until

    def due(self) -> None:
        self._heard.put_nowait((self.until, asyncio.get_running_loop().time()))


def test_each_is_called_once_and_never_early() -> None:
    async def wait() -> None:
        deadlines, heard = Deadlines(), Heard()
        now, chance = asyncio.get_running_loop().time(), random.Random(7)
        waiters = [_Waiter(heard, now + chance.random() / 2) for _ in range(50)]
        for waiter in (*waiters, last := _Waiter(heard, now + 1)):
            deadlines.wait(waiter, waiter.until)
        called = [await heard.get() for _ in range(51)]
        assert sorted(until for until, _ in called) == sorted(w.until for w in (*waiters, last))
        assert all(at >= until for until, at in called)
        assert heard.empty()

    asyncio.run(asyncio.wait_for(wait(), 30))


def test_who_waits_no_more_is_not_called() -> None:
    async def wait() -> None:
        deadlines, heard = Deadlines(), Heard()
        until = asyncio.get_running_loop().time() + 0.1
        gone, other = _Waiter(heard, 0.0), _Waiter(heard, until)
        slot = deadlines.wait(gone, until)
        deadlines.forget(gone, slot)
        deadlines.forget(gone, slot)
        deadlines.wait(other, until)
        assert (await heard.get())[0] == until
        assert heard.empty()

    asyncio.run(asyncio.wait_for(wait(), 30))


def test_a_sooner_one_does_not_wait_for_a_later_one() -> None:
    async def wait() -> None:
        deadlines, heard = Deadlines(), Heard()
        now = asyncio.get_running_loop().time()
        deadlines.wait(_Waiter(heard, now + 3600), now + 3600)
        deadlines.wait(_Waiter(heard, now + 0.1), now + 0.1)
        assert (await heard.get())[0] == now + 0.1

    asyncio.run(asyncio.wait_for(wait(), 30))
