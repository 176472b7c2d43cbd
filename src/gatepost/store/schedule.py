"""When each waiting message is due: sixteen bytes a message, a million of them in 16 MB.

A place is `segment number << 32 | offset`; a state is the position of the message's last state in
the outcome file of its segment, 0 when it has none. Both are opaque here.
"""

from __future__ import annotations

import heapq
import math
from array import array

_TIDY_AT = 1 << 16  # words of the ready list already taken before they are dropped


class Schedule:
    """Buckets of one second, each an array of place, state, place, state...

    What is due comes out in the order of its time; within a second in the order it was put in.
    """

    __slots__ = ("_at", "_buckets", "_heap", "_ready")

    def __init__(self) -> None:
        self._buckets: dict[int, array[int]] = {}
        self._heap: list[int] = []
        self._ready: array[int] = array("Q")
        self._at = 0

    def __len__(self) -> int:
        waiting = sum(map(len, self._buckets.values()))
        return (waiting + len(self._ready) - self._at) // 2

    @property
    def later(self) -> int:
        """How many are not due yet, as far as is known without looking at the clock."""
        return sum(map(len, self._buckets.values())) // 2

    def add(self, due: float, place: int, state: int) -> None:
        """It comes out of `take` at `due` (Unix seconds) or up to a second later; 0 is at once."""
        if due <= 0:
            self._ready.append(place)
            self._ready.append(state)
            return
        key = math.ceil(due)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = array("Q")
            heapq.heappush(self._heap, key)
        bucket.append(place)
        bucket.append(state)

    def add_ready(self, pairs: array[int]) -> None:
        """All of `pairs` (place, state, ...) are due at once."""
        self._ready.extend(pairs)

    def take(self, now: float, limit: int) -> array[int]:
        """Up to `limit` due pairs, flat; they are no longer scheduled."""
        self._ripen(now)
        start = self._at
        end = min(len(self._ready), start + 2 * limit)
        taken = self._ready[start:end]
        if end == len(self._ready):
            self._ready = array("Q")
            end = 0
        elif end > _TIDY_AT:
            del self._ready[:end]
            end = 0
        self._at = end
        return taken

    def is_due(self, now: float) -> bool:
        """Whether `take` would give something at `now`."""
        return len(self._ready) > self._at or bool(self._heap and self._heap[0] <= now)

    def next_due(self) -> float | None:
        """The earliest time at which something is due; 0 for at once; None when nothing waits."""
        if len(self._ready) > self._at:
            return 0.0
        return float(self._heap[0]) if self._heap else None

    def _ripen(self, now: float) -> None:
        while self._heap and self._heap[0] <= now:
            self._ready.extend(self._buckets.pop(heapq.heappop(self._heap)))
