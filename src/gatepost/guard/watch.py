"""What is looked at now and then: queue, disk and certificates. Pure."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from gatepost.guard.event import Event, EventKind

_QUEUE_LEAST: Final = 500
_QUEUE_SECONDS: Final = 3_600.0
_DISK_LEAST: Final = 0.05
_CERTIFICATE_DAYS: Final = 7


class QueueWatch:
    """Speaks of a queue that is at least 500 messages long and twice as long as within the last hour."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def look(self, length: int, now: float) -> Event | None:
        while self._seen and not now - _QUEUE_SECONDS <= self._seen[0][0] <= now:
            self._seen.popleft()
        least = min((seen for _, seen in self._seen), default=length)
        self._seen.append((now, length))
        if length < _QUEUE_LEAST or length < 2 * least:
            return None
        self._seen.clear()
        text = f"{length} messages wait; within the last hour there were {least}"
        return Event(EventKind.QUEUE_GROWING, "queue", text)


def disk(folder: str, free_bytes: int, total_bytes: int, least_bytes: int = 0) -> Event | None:
    """Speaks of a disk with less than a twentieth free, or less than `least_bytes`."""
    if total_bytes <= 0 or free_bytes >= max(total_bytes * _DISK_LEAST, least_bytes):
        return None
    text = f"{free_bytes // 1_000_000} MB are free of {total_bytes // 1_000_000} MB at {folder}"
    return Event(EventKind.DISK_NEARLY_FULL, folder, text)


def certificate(name: str, ends: datetime, now: datetime) -> Event | None:
    """Speaks of a certificate with a week left, or none."""
    if ends - now > timedelta(days=_CERTIFICATE_DAYS):
        return None
    return Event(
        EventKind.CERTIFICATE_ENDING,
        name,
        f"the certificate {name} ends on {ends:%Y-%m-%d}; renew it and say `gatepost reload`",
    )
