"""Queue ids: 15 hex digits, two of the worker that took the message in, then microseconds.

Unique for ever: a spool begins with the time at which it was opened and counts on, which is slower
than time goes by; and never below an id that it still holds.
"""

from __future__ import annotations

import re

BITS = 52  # microseconds since 1970 until the year 2112
_TEXT = re.compile(r"[0-9A-F]{15}")
LOW = (1 << BITS) - 1
WORKERS = 256


def first_id(worker: int, now_microseconds: int, highest: int) -> int:
    """The first id to give out, above `highest` (0 for none) if that was this worker's."""
    first = worker << BITS | now_microseconds & LOW
    return max(first, highest + 1) if highest >> BITS == worker else first


def id_text(number: int) -> str:
    return f"{number:015X}"


def id_number(text: str) -> int | None:
    """The number again; None when `text` is no queue id."""
    text = text.upper()
    return int(text, 16) if _TEXT.fullmatch(text) else None


def id_seconds(number: int) -> float:
    """When the message of this id came in, Unix seconds."""
    return (number & LOW) / 1_000_000


def id_order(number: int) -> int:
    """By this ids of several workers sort in the order of time."""
    return (number & LOW) << 8 | number >> BITS


def worker_of(text: str) -> int | None:
    """The worker that took this message in; None when `text` is no queue id."""
    number = id_number(text)
    return None if number is None else number >> BITS
