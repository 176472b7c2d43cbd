"""When connections are to be looked at again: one timer of the event loop for all of them.

A timer for each costs more than half a KiB, which an idle connection has no use for.
"""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

_SLOTS_A_SECOND = 4


class Waiting(Protocol):
    """Who waits for a time."""

    def due(self) -> None:
        """It has come. Must not raise."""


class Deadlines:
    """Calls `due` of whoever waits, at most a quarter of a second late."""

    __slots__ = ("_loop", "_next", "_slots", "_timer")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._slots: dict[int, set[Waiting]] = {}
        self._next = 0  # for this slot the timer is set
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, who: Waiting, until: float) -> int:
        """`who` is called then (in the loop's time), once. Gives what `forget` wants."""
        slot = math.ceil(until * _SLOTS_A_SECOND)
        waiting = self._slots.get(slot)
        if waiting is None:
            waiting = self._slots[slot] = set()
            if self._timer is None or slot < self._next:
                self._set(slot)
        waiting.add(who)
        return slot

    def forget(self, who: Waiting, slot: int) -> None:
        """`who` waits no more."""
        waiting = self._slots.get(slot)
        if waiting is not None:
            waiting.discard(who)
            if not waiting:
                del self._slots[slot]

    def _set(self, slot: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = slot
        self._timer = self._loop.call_at(slot / _SLOTS_A_SECOND, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._loop.time() * _SLOTS_A_SECOND
        for slot in sorted(slot for slot in self._slots if slot <= now):
            for who in self._slots.pop(slot, ()):
                who.due()
        if self._slots and self._timer is None:
            self._set(min(self._slots))
