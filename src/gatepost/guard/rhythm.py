"""WHEN ONE DEVICE USUALLY SENDS, hour by hour of its week, and how long it may be silent. Pure.

Silence is measured in hours that were missed: each hour that passes without mail adds the share of weeks
in which the device did send at that hour. Nights, Sundays and the days between two weekly reports add
nothing, whatever the device; a busy hour adds nearly one. So one number fits scanners, backups and door
openers, and the longest silence in it that turned out harmless says how regular the device is.

Hours are counted in UTC: a change of the clocks costs one missed hour.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

HOUR_SECONDS: Final = 3_600.0
WEEK_HOURS: Final = 168
_DAY_HOURS: Final = 24
_MEMORY_WEEKS: Final = 8  # a week counts an eighth: a new habit is learnt within two months
_FADE: Final = 0.98  # a week; a long silence counts half after eight months
_LEAST_GAPS: Final = 5
_SURE_GAPS: Final = 20
_IRREGULAR: Final = 3.0  # the longest of twenty silences of a device that sends when it happens to
_LEAST_MISSED: Final = 1.5  # a nightly or weekly report may be missed once
_HALF_AN_HOUR: Final = 0.5
_SHORT_DAYS: Final = 0.8  # who sends in so much of all hours has no days off
_OFTEN: Final = 0.2
_AFTER_ALARM: Final = 1.5
_INTERVALS: Final = 15


@dataclass(frozen=True, slots=True)
class Patience:
    """`learn_days` nothing is said of a new device; never sooner than `least_hours` after its last mail.

    It may miss `factor` times what it missed before without harm.
    """

    learn_days: float = 14.0
    least_hours: float = 6.0
    factor: float = 2.0


@dataclass(slots=True)
class Rhythm:
    """Of one device since `first`; `last` it sent. Times are Unix seconds.

    `shares` are those of weeks with mail, by the hour of the week; `active` marks the hours of the week
    that began at the hour `began`. What was missed is counted up to the hour `upto`.
    """

    first: float
    last: float
    began: int
    upto: int
    active: int = 0
    weeks: int = 0
    empty_weeks: int = 0
    shares: array[float] = field(default_factory=lambda: array("f", bytes(4 * WEEK_HOURS)))
    missed: float = 0.0
    longest: float = 0.0
    gaps: int = 0
    intervals: deque[float] = field(default_factory=lambda: deque(maxlen=_INTERVALS))
    silent_since: float | None = None
    _needed: float | None = None  # the line, until something is learnt

    @classmethod
    def beginning(cls, now: float) -> Rhythm:
        hour = _hour(now)
        return cls(now, now, hour, hour + 1, active=_bit(hour))

    def sent(self, now: float, patience: Patience) -> float | None:
        """It sends; the seconds it had been silent, if that had been told."""
        hour = _hour(now)
        was_silent = self.silent_since is not None
        silence = now - self.last
        self.pass_to(hour)
        if hour >= self.upto:
            self._learn_gap(silence, patience, was_silent=was_silent)
        self.last = max(self.last, now)
        self.upto = max(self.upto, hour + 1)
        self.missed = 0.0
        self.silent_since = None
        self.active |= _bit(hour)
        return silence if was_silent else None

    def falls_silent(self, now: float, patience: Patience, *, heard_from: float = 0.0) -> bool:
        """Whether it is missed from now on; told once for each silence. Since `heard_from` it is listened."""
        self.pass_to(_hour(now))
        if (
            self.silent_since is not None
            or not self.is_learnt(patience)
            or now - max(self.last, heard_from) < patience.least_hours * HOUR_SECONDS
            or self.missed < self.line(patience)
        ):
            return False
        self.silent_since = now
        return True

    def is_learnt(self, patience: Patience) -> bool:
        long_enough = self.last - self.first >= patience.learn_days * 86_400.0
        return long_enough and self.weeks > 0 and self.gaps >= _LEAST_GAPS

    def line(self, patience: Patience) -> float:
        """So many hours may be missed."""
        if self._needed is None:
            guessed = _IRREGULAR * (1 - self.gaps / _SURE_GAPS)  # as long as few silences are known
            needed = max(_LEAST_MISSED, patience.factor * max(self.longest, guessed))
            if self._has_days_off():
                needed = max(needed, self._busiest_day() + _HALF_AN_HOUR)  # a holiday is no failure
            self._needed = needed
        return self._needed

    def usual_interval_seconds(self) -> float | None:
        """Half of the times between two hours with mail were shorter; None before any is known."""
        return median(self.intervals) if self.intervals else None

    def pass_to(self, hour: int) -> None:
        """The hours before `hour` are over."""
        while self.upto < hour:
            self._end_week()
            self.missed += self.shares[self.upto % WEEK_HOURS]
            self.upto += 1
        if self.upto <= hour:
            self._end_week()

    def skip_to(self, hour: int) -> None:
        """Nothing could be heard until `hour`: what was not sent meanwhile was not missed."""
        if self.active and hour >= self.began + WEEK_HOURS:
            self._fold(self.active)
            self.active = 0
        if not self.began <= hour < self.began + WEEK_HOURS:
            self.began, self.active = hour, 0
        ahead = max(0.0, self.last - (hour + 1) * HOUR_SECONDS)
        self.first -= ahead
        self.last -= ahead
        self.upto = hour + 1

    def change(self) -> None:
        """The patience is another."""
        self._needed = None

    # inside

    def _end_week(self) -> None:
        """A week that is over is learnt; one without any mail only when the device turns out to be well."""
        if self.upto < self.began + WEEK_HOURS:
            return
        if self.active:
            self._fold(self.active)
        else:
            self.empty_weeks += 1
        self.began += WEEK_HOURS
        self.active = 0

    def _fold(self, active: int) -> None:
        self.weeks += 1
        weight = 1.0 / min(self.weeks, _MEMORY_WEEKS)
        shares = self.shares
        for slot in range(WEEK_HOURS):
            shares[slot] += weight * ((active >> slot & 1) - shares[slot])
        self.longest *= _FADE
        self._needed = None

    def _learn_gap(self, silence: float, patience: Patience, *, was_silent: bool) -> None:
        if self.weeks:
            self.gaps += 1
            if was_silent:
                # it was down, or it was not: the next time a little more is waited, not for ever more
                likely = self.line(patience) * _AFTER_ALARM / patience.factor
                self.longest = max(self.longest, min(self.missed, likely))
            else:
                self.longest = max(self.longest, self.missed)
        if not was_silent:
            self.intervals.append(silence)
            for _ in range(min(self.empty_weeks, _MEMORY_WEEKS)):
                self._fold(0)
        self.empty_weeks = 0
        self._needed = None

    def _has_days_off(self) -> bool:
        return sum(share > _OFTEN for share in self.shares) < _SHORT_DAYS * WEEK_HOURS

    def _busiest_day(self) -> float:
        """The most that any twenty-four hours add."""
        shares = self.shares
        day = most = sum(shares[:_DAY_HOURS])
        for slot in range(WEEK_HOURS):
            day += shares[(slot + _DAY_HOURS) % WEEK_HOURS] - shares[slot]
            most = max(most, day)
        return most

    # as JSON can hold it

    def snapshot(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "last": self.last,
            "began": self.began,
            "upto": self.upto,
            "active": f"{self.active:x}",
            "weeks": self.weeks,
            "empty_weeks": self.empty_weeks,
            "shares": bytes(round(share * 255) for share in self.shares).hex(),
            "missed": self.missed,
            "longest": self.longest,
            "gaps": self.gaps,
            "intervals": list(self.intervals),
            "silent_since": self.silent_since,
        }

    @classmethod
    def of_snapshot(cls, row: Mapping[str, Any]) -> Rhythm:
        """Raises ValueError, KeyError, TypeError for what is none."""
        shares = bytes.fromhex(row["shares"])
        if len(shares) != WEEK_HOURS:
            raise ValueError("no week of shares")
        since = row["silent_since"]
        return cls(
            first=float(row["first"]),
            last=float(row["last"]),
            began=int(row["began"]),
            upto=int(row["upto"]),
            active=int(row["active"], 16),
            weeks=int(row["weeks"]),
            empty_weeks=int(row["empty_weeks"]),
            shares=array("f", [share / 255 for share in shares]),
            missed=float(row["missed"]),
            longest=float(row["longest"]),
            gaps=int(row["gaps"]),
            intervals=deque(map(float, row["intervals"]), maxlen=_INTERVALS),
            silent_since=None if since is None else float(since),
        )


def _hour(now: float) -> int:
    return int(now // HOUR_SECONDS)


def _bit(hour: int) -> int:
    return 1 << hour % WEEK_HOURS
