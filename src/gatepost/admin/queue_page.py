"""A page of the queue, put together from what the workers say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from gatepost.admin.queue import Filter
from gatepost.store.queueid import id_number, id_order

Row = dict[str, Any]
Ask = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class QueuePage:
    """`rows` in order; `next` is the id behind which more may be, None at the end.

    Fewer rows than were asked for and a `next`: it did not look further yet; ask again from there.
    """

    rows: list[Row]
    next: str | None
    looked_at: int


async def queue_page(
    ask: Ask, wanted: Filter, *, after: str | None = None, limit: int = 50, newest_first: bool = True
) -> QueuePage:
    """What `ask("queue-page", ...)` of all workers gives. Raises NotRunning, Refused."""
    parts: list[Row] = await ask(
        "queue-page", filter=wanted.fields(), after=after, limit=limit, newest_first=newest_first
    )
    return joined(parts, limit=limit, newest_first=newest_first)


def joined(parts: list[Row], *, limit: int, newest_first: bool) -> QueuePage:
    """The parts as one page: nothing stands on it that a part has not looked so far as."""
    looked = sum(part["looked_at"] for part in parts)
    rows = sorted((row for part in parts for row in part["rows"]), key=_order, reverse=newest_first)
    ends = [part["until"] for part in parts if part["until"] is not None]
    if not ends:
        kept = rows[:limit]
        return QueuePage(kept, kept[-1]["id"] if len(rows) > limit else None, looked)
    first = (max if newest_first else min)(ends, key=_place)
    kept = [row for row in rows if _is_within(row["id"], first, newest_first=newest_first)]
    more = kept[limit - 1]["id"] if len(kept) >= limit else first
    return QueuePage(kept[:limit], more, looked)


def _is_within(queue_id: str, end: str, *, newest_first: bool) -> bool:
    at, last = _place(queue_id), _place(end)
    return at >= last if newest_first else at <= last


def _order(row: Row) -> int:
    return _place(row["id"])


def _place(queue_id: str) -> int:
    return id_order(id_number(queue_id) or 0)
