"""HOW MUCH MAY A USER SEND: messages a minute, recipients an hour and a day. Pure: the time is an argument.

`now` is seconds on any clock; one that steps back is taken to stand still.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

MINUTE_SECONDS = 60.0
HOUR_SECONDS = 3_600.0
DAY_SECONDS = 86_400.0
# A day is counted in 5-minute steps: a user's whole state stays under some 290 numbers.
_STEPS = 288


@dataclass(slots=True)
class _Step:
    begins: float
    count: int


@dataclass(slots=True)
class Window:
    """Counts what happened in the last `span_seconds`; never lets more than `limit` into any such span."""

    limit: int
    span_seconds: float
    _steps: deque[_Step] = field(default_factory=deque)
    _total: int = 0
    _latest: float = float("-inf")

    def take(self, now: float, *, count: int = 1) -> float | None:
        """Counts `count` and answers None; or counts nothing and answers how many seconds to wait.

        A count above the limit itself never fits; it waits the whole span.
        """
        now = self._forget(now)
        if self._total + count > self.limit:
            return self._wait_seconds(now, count)
        begins = now - now % (self.span_seconds / _STEPS)
        if self._steps and self._steps[-1].begins == begins:
            self._steps[-1].count += count
        else:
            self._steps.append(_Step(begins, count))
        self._total += count
        return None

    def room(self, now: float) -> int:
        """How many more fit now."""
        return self.limit - self.used(now)

    def wait_seconds(self, now: float) -> float:
        """How long until one fits; 0 when one does, the whole span where none ever does."""
        return self._wait_seconds(self._forget(now), 1)

    def give_back(self, count: int) -> None:
        """So many of the latest were not used."""
        while count > 0 and self._steps:
            step = self._steps[-1]
            taken = min(count, step.count)
            step.count -= taken
            self._total -= taken
            count -= taken
            if not step.count:
                self._steps.pop()

    def used(self, now: float) -> int:
        """What was taken in the span that ends now."""
        self._forget(now)
        return self._total

    def _forget(self, now: float) -> float:
        self._latest = now = max(now, self._latest)
        while self._steps and self._ends(self._steps[0]) <= now:
            self._total -= self._steps.popleft().count
        return now

    def _ends(self, step: _Step) -> float:
        # The last thing counted in a step may have come at its very end.
        return step.begins + self.span_seconds / _STEPS + self.span_seconds

    def _wait_seconds(self, now: float, count: int) -> float:
        room = self.limit - self._total
        if room >= count:
            return 0.0
        for step in self._steps:
            room += step.count
            if room >= count:
                return self._ends(step) - now
        return self.span_seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many in any such span."""

    most: int
    span_seconds: float


@dataclass(frozen=True, slots=True)
class Grant:
    """`count` were counted; when none fitted, `wait_seconds` says how long to wait for one."""

    count: int
    wait_seconds: float = 0.0


class Quota:
    """What each user has used up of each of its allowances.

    The counts are one, whatever limits are asked about: a virtual server with another limit sees
    what was taken at the others.
    """

    def __init__(self) -> None:
        self._windows: dict[str, dict[tuple[str, float], Window]] = {}

    def take(self, user: str, use: str, limits: Sequence[Limit], now: float, *, want: int = 1) -> Grant:
        """Up to `want` are counted against all the limits, as many as fit into each."""
        windows = [self._window(user, use, limit) for limit in limits]
        count = min((window.room(now) for window in windows), default=want)
        if count <= 0:
            return Grant(0, max(window.wait_seconds(now) for window in windows))
        count = min(count, want)
        for window in windows:
            window.take(now, count=count)
        return Grant(count)

    def give_back(self, user: str, use: str, count: int) -> None:
        """So many were counted and not used."""
        for (kind, _), window in self._windows.get(user, {}).items():
            if kind == use:
                window.give_back(count)

    def forget_idle(self, now: float) -> int:
        """Forgets who has used nothing for a whole span; answers how many. Call it now and then."""
        idle = [
            user
            for user, windows in self._windows.items()
            if not any(window.used(now) for window in windows.values())
        ]
        for user in idle:
            del self._windows[user]
        return len(idle)

    def _window(self, user: str, use: str, limit: Limit) -> Window:
        windows = self._windows.setdefault(user, {})
        window = windows.get((use, limit.span_seconds))
        if window is None:
            window = windows[use, limit.span_seconds] = Window(limit.most, limit.span_seconds)
        window.limit = limit.most
        return window
