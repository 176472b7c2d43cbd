"""HOW MUCH MAY A USER SEND: messages a minute, recipients an hour and a day. Pure: the time is an argument.

`now` is seconds on any clock; one that steps back is taken to stand still.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

MINUTE_SECONDS = 60.0
HOUR_SECONDS = 3_600.0
DAY_SECONDS = 86_400.0
# A day is counted in 5-minute steps: a user's whole state stays under some 290 numbers.
_STEPS = 288
_USERS_AT_MOST: Final = 100_000

Kept = list[list[object]]
"""What one user has used up, as JSON can hold it."""


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

    def give_back(self, count: int, taken_at: float = math.inf) -> None:
        """So many of those that were taken then, or before, were not used."""
        for step in reversed(self._steps):
            if step.begins <= taken_at and count > 0:
                back = min(count, step.count)
                step.count -= back
                self._total -= back
                count -= back
        self._steps = deque(step for step in self._steps if step.count)

    def snapshot(self, now: float) -> list[float]:
        """How many seconds ago how many were taken, in turn."""
        now = self._forget(now)
        return [number for step in self._steps for number in (round(now - step.begins, 3), step.count)]

    def restore(self, rows: Sequence[float], now: float) -> None:
        """What was taken before; `now` is the time of the snapshot on this clock."""
        self._steps = deque(
            _Step(now - age, int(count)) for age, count in zip(rows[::2], rows[1::2], strict=True)
        )
        self._total = sum(step.count for step in self._steps)

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
    """What each of at most `users` users has used up of its allowances; the longest idle is forgotten first.

    The counts are one, whatever limits are asked about: a virtual server with another limit sees
    what was taken at the others.
    """

    def __init__(self, *, users: int = _USERS_AT_MOST) -> None:
        self._users_at_most = users
        self._windows: OrderedDict[str, dict[tuple[str, float], Window]] = OrderedDict()

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

    def give_back(self, user: str, use: str, count: int, taken_at: float = math.inf) -> None:
        """So many were counted, then or before, and not used."""
        for (kind, _), window in self._windows.get(user, {}).items():
            if kind == use:
                window.give_back(count, taken_at)

    def __contains__(self, user: str) -> bool:
        return user in self._windows

    def snapshot(self, user: str, now: float) -> Kept:
        """Empty when nothing is used up."""
        windows = self._windows.get(user, {})
        rows = ([use, span, window.snapshot(now)] for (use, span), window in windows.items())
        return [row for row in rows if row[2]]

    def restore(self, user: str, rows: Kept, now: float) -> None:
        """As it was; `now` is the time of the snapshot on this clock. Raises ValueError for rubbish."""
        for row in rows:
            try:
                use, span, taken = row
                self._window(user, str(use), Limit(0, float(span))).restore(taken, now)  # type: ignore[arg-type]
            except TypeError as problem:
                raise ValueError(f"no row of a quota: {problem}") from None

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
        self._windows.move_to_end(user)
        if len(self._windows) > self._users_at_most:
            self._windows.popitem(last=False)
        window = windows.get((use, limit.span_seconds))
        if window is None:
            window = windows[use, limit.span_seconds] = Window(limit.most, limit.span_seconds)
        window.limit = limit.most
        return window
