"""HOW MUCH MAY A USER SEND: messages a minute and recipients a day. Pure: the time is an argument.

`now` is seconds on any clock; one that steps back is taken to stand still.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MINUTE_SECONDS = 60.0
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
        for step in self._steps:
            room += step.count
            if room >= count:
                return self._ends(step) - now
        return self.span_seconds


@dataclass(slots=True)
class _Use:
    messages: Window
    recipients: Window


@dataclass(slots=True)
class Quota:
    """The counts of all users of one virtual server; a limit of None is no limit."""

    messages_per_minute: int | None
    recipients_per_day: int | None
    _users: dict[str, _Use] = field(default_factory=dict)

    def take_message(self, user: str, now: float) -> float | None:
        """Counts a message at MAIL FROM, or answers the seconds to wait."""
        if self.messages_per_minute is None:
            return None
        return self._use(user).messages.take(now)

    def take_recipient(self, user: str, now: float) -> float | None:
        """Counts a recipient at RCPT TO, or answers the seconds to wait."""
        if self.recipients_per_day is None:
            return None
        return self._use(user).recipients.take(now)

    def forget_idle(self, now: float) -> int:
        """Forgets who has sent nothing for a day; answers how many. Call it now and then."""
        idle = [
            name for name, use in self._users.items() if not use.messages.used(now) + use.recipients.used(now)
        ]
        for name in idle:
            del self._users[name]
        return len(idle)

    def _use(self, user: str) -> _Use:
        use = self._users.get(user)
        if use is None:
            use = self._users[user] = _Use(
                Window(self.messages_per_minute or 0, MINUTE_SECONDS),
                Window(self.recipients_per_day or 0, DAY_SECONDS),
            )
        return use
