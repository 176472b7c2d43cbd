"""Dates as mail writes them (RFC 5322 §3.3). Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Not strftime: its names follow the locale of the process.
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def mail_date(at: datetime) -> str:
    """The date-time in UTC. `at` is aware."""
    return _of_second(int(at.timestamp() // 1))


@lru_cache(maxsize=8)  # a busy server says the same second a thousand times
def _of_second(second: int) -> str:
    at = _EPOCH + timedelta(seconds=second)
    digits = at.isoformat(" ", "seconds")  # half the price of formatting each number
    return f"{_DAYS[at.weekday()]}, {digits[8:10]} {_MONTHS[at.month - 1]} {digits[:4]} {digits[11:19]} +0000"
