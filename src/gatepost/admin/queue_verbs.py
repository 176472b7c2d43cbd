"""What takes long when the queue is long: pages of it, and orders for all that a filter lets through.

A queue of a hundred thousand is looked through a little at a time, so that mail goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

from gatepost.admin.link import Refused, Value
from gatepost.admin.queue import Filter, item_row
from gatepost.store.orders import Item, ItemState
from gatepost.store.queueid import id_number
from gatepost.store.spool import Spool

_PAGE: Final = 50
_AT_ONCE: Final = 25  # messages looked at before the connections get their turn
_LOOK_SECONDS: Final = 0.5
Fields = dict[str, Value]
Row = dict[str, Any]


class QueueVerbs:
    """Answers for the spools of one worker. `note` hears what was done with a message, and why."""

    def __init__(self, spools: Sequence[Spool], note: Callable[[str, str, str], None]) -> None:
        self._spools = spools
        self._note = note

    async def page(self, fields: Fields) -> Value:
        """One part: up to `limit` rows behind the id `after`, as far as half a second lets it look.

        `until` is the id up to which it looked, None when there is nothing behind. The list of one is
        what lists of several workers are joined to.
        """
        wanted = Filter(**fields.get("filter", {}))
        limit, newest_first = int(fields.get("limit", _PAGE)), bool(fields.get("newest_first"))
        after = id_number(str(fields.get("after") or ""))
        rows: list[list[Row]] = []
        ends: list[str | None] = []
        looked = 0
        for spool in self._spools:
            found: list[Row] = []
            end, stop_at = None, time.monotonic() + _LOOK_SECONDS / len(self._spools)
            async for item in _read(spool, after, newest_first=newest_first):
                looked += 1
                if wanted.lets(item):
                    found.append(item_row(item))
                if len(found) >= limit or time.monotonic() >= stop_at:
                    end = item.id
                    break
            rows.append(found)
            ends.append(end)
        return [
            {"rows": part, "until": end, "looked_at": looked if index == 0 else 0}
            for index, (part, end) in enumerate(zip(rows, ends, strict=True))
        ]

    async def order(self, fields: Fields, act: Callable[[Spool, str], bool], what: str) -> Value:
        """The ids for which the order was carried out: those named, or all that the filter lets through.

        Without ids and without a filter `all` must be said: a slip must not empty a queue.
        """
        ids = fields.get("ids") or []
        if not ids:
            wanted = Filter(**fields.get("filter", {}))
            if wanted == Filter() and not fields.get("all"):
                raise Refused("say which messages: ids, a filter, or all", exit_code=2)
            ids = [one async for one in self._meant(wanted)]
        done = []
        for number, queue_id in enumerate(ids, 1):
            if any(act(spool, queue_id) for spool in self._spools):
                done.append(queue_id)
                self._note(queue_id, what, str(fields.get("why") or "by the operator"))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return done

    async def contain(self, fields: Fields) -> Value:
        """All mail of this very user is held; the ids of what nobody held before."""
        user, done = str(fields["user"]), list[str]()
        for spool in self._spools:
            async for item in _read(spool, None, newest_first=False):
                if item.user == user and item.state is not ItemState.HELD and spool.hold(item.id):
                    done.append(item.id)
                    self._note(item.id, "held", str(fields["why"]))
        return done

    async def _meant(self, wanted: Filter) -> AsyncIterator[str]:
        for spool in self._spools:
            async for item in _read(spool, None, newest_first=False):
                if wanted.lets(item):
                    yield item.id


async def _read(spool: Spool, after: int | None, *, newest_first: bool) -> AsyncIterator[Item]:
    for number, item in enumerate(spool.listing().read(after=after, newest_first=newest_first), 1):
        if item is not None:
            yield item
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
