"""How often an alarm may sound. Pure: the time is an argument."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from gatepost.guard.event import Event, EventKind

_HOUR_SECONDS: Final = 3_600.0
_REMEMBERED: Final = 1_000


class Pace:
    """The same event is told once in `quiet_seconds`, and in all so many an hour.

    What was left out is counted and told with the next.
    """

    def __init__(self, quiet_seconds: float, at_most_per_hour: int) -> None:
        self._quiet_seconds = quiet_seconds
        self._at_most = at_most_per_hour
        self._last: OrderedDict[tuple[EventKind, str], float] = OrderedDict()
        self._told: deque[float] = deque()
        self._left_out = 0

    def left_out(self, event: Event, now: float) -> int | None:
        """How many were left out since the last one; None: this one is too."""
        key = (event.kind, event.about)
        last = self._last.get(key)
        while self._told and not now - _HOUR_SECONDS < self._told[0] <= now:
            self._told.popleft()
        if (last is not None and 0 <= now - last < self._quiet_seconds) or len(self._told) >= self._at_most:
            self._left_out += 1
            return None
        self._told.append(now)
        self._last[key] = now
        self._last.move_to_end(key)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        left_out, self._left_out = self._left_out, 0
        return left_out
