"""The messages of a spool in the order in which they came in, a page at a time.

Ids lie in indexes, so finding where a page begins reads no message; only those that are shown, or that
a filter has to look at, are read.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import chain
from typing import Final

from gatepost.store.orders import Item, Orders
from gatepost.store.queueid import id_order

# A first page is small; whoever reads on reads much, and every portion costs a look at all ids.
_PORTIONS: Final = (200, 20_000)
_PLACE: Final = (1 << 64) - 1


class Listing:
    """A message that goes while it is read is left out."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def read(self, *, after: int | None = None, newest_first: bool = False) -> Iterator[Item | None]:
        """Every message behind the id `after`; None for one that has gone, or cannot be read."""
        bound = None if after is None else id_order(after)
        size, more = _PORTIONS
        while portion := self._portion(bound, size, newest_first=newest_first):
            for row in portion:
                order, place = row >> 64, row & _PLACE
                if order != bound:  # one that is being moved lies in two segments
                    yield self._orders.item_at(place)
                bound = order
            if len(portion) < size:
                return
            size = more

    def _portion(self, bound: int | None, size: int, *, newest_first: bool) -> list[int]:
        behind = chain.from_iterable(self._behind(bound, newest_first=newest_first))
        return heapq.nlargest(size, behind) if newest_first else heapq.nsmallest(size, behind)

    def _behind(self, bound: int | None, *, newest_first: bool) -> Iterator[list[int]]:
        for rows in self._orders.live():
            if bound is None:
                yield rows
            elif newest_first:
                yield [row for row in rows if row < bound << 64]
            else:
                yield [row for row in rows if row >= bound + 1 << 64]
