"""Numbers and sizes as people read them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))
_SPANS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def size(size_bytes: float) -> str:
    """12.3 kB."""
    for unit, name in _UNITS:
        if size_bytes >= unit:
            return f"{size_bytes / unit:.1f} {name}"
    return f"{size_bytes:.0f} B"


def count(number: int, one: str, many: str) -> str:
    """1 message, 2,000 messages."""
    return f"{number:,} {one if number == 1 else many}"


def span(seconds: float) -> str:
    """The largest unit that fits: 3 days, 1 hour, 20 seconds."""
    for unit, name in _SPANS:
        if seconds >= unit:
            return count(int(seconds // unit), name, f"{name}s")
    return count(int(seconds), "second", "seconds")
