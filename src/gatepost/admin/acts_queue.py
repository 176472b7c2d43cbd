"""Acts on mail that waits. Which messages: ids, or a filter, or all of them said aloud."""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.admin.desk import Desk
from gatepost.admin.queue import Filter

_SHOWN = 100  # so many ids stand in the audit


class QueueActs:
    """Each gives the ids of the messages to which it was done."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def hold(
        self, ids: Sequence[str] = (), *, wanted: Filter | None = None, everything: bool = False
    ) -> list[str]:
        """They are kept until released; nothing is lost."""
        return await self.order("hold", ids, wanted=wanted, everything=everything)

    async def release(
        self, ids: Sequence[str] = (), *, wanted: Filter | None = None, everything: bool = False
    ) -> list[str]:
        """What was held goes on."""
        return await self.order("release", ids, wanted=wanted, everything=everything)

    async def retry(
        self, ids: Sequence[str] = (), *, wanted: Filter | None = None, everything: bool = False
    ) -> list[str]:
        """They are tried now."""
        return await self.order("retry", ids, wanted=wanted, everything=everything)

    async def bounce(
        self, ids: Sequence[str] = (), *, wanted: Filter | None = None, everything: bool = False
    ) -> list[str]:
        """They are given up, and their senders get a report."""
        return await self.order("bounce", ids, wanted=wanted, everything=everything)

    async def delete(
        self, ids: Sequence[str] = (), *, wanted: Filter | None = None, everything: bool = False
    ) -> list[str]:
        """They are gone for good, and nobody is told."""
        return await self.order("delete", ids, wanted=wanted, everything=everything)

    async def order(
        self, verb: str, ids: Sequence[str] = (), *, wanted: Filter | None = None, everything: bool = False
    ) -> list[str]:
        """The order named: hold, release, retry, delete, bounce."""
        act = f"queue-{verb}"
        self._desk.require(act)
        narrowed = (wanted or Filter()).fields()
        upper = [one.upper() for one in dict.fromkeys(ids)]
        done: list[str] = await self._desk.house.ask(act, ids=upper, filter=narrowed, all=everything)
        if done:
            subject = done[0] if len(done) == 1 else f"{len(done)} messages"
            meant = narrowed | ({"all": "yes"} if everything else {})
            await self._desk.note(act, subject, before={"ids": done[:_SHOWN], **meant})
        return done
