"""Acts against guessing and on stolen accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gatepost.admin import attacks as admin
from gatepost.admin.accounts import whole_name
from gatepost.admin.desk import Desk
from gatepost.store.audit import Fact

Row = dict[str, Any]
_SHOWN: Final = 100  # so many stand in the audit


class GuardActs:
    """Sources are addresses or networks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house

    async def ban(self, source: str, *, seconds: float | None = None, note: str = "") -> Row:
        """Connections from the source are refused; `seconds` None: until pardoned. Raises NotASource."""
        place, by = self._house.place, self._desk.by
        row = await self._desk.work(
            "ban", lambda: admin.ban(place, source, seconds=seconds, note=note, by=by)
        )
        await self._desk.note("ban", row["source"], after={"until": row["until"], "note": note})
        return row

    async def ban_all(
        self, sources: Sequence[str], *, seconds: float | None = None, note: str = ""
    ) -> list[Row]:
        """The same for all of them, or for none. Raises NotASource."""
        place, by = self._house.place, self._desk.by
        rows = await self._desk.work(
            "ban", lambda: admin.ban_all(place, sources, seconds=seconds, note=note, by=by)
        )
        shown = [str(row["source"]) for row in rows]
        subject = shown[0] if len(shown) == 1 else f"{len(shown)} sources"
        after: dict[str, Fact] = {"until": rows[0]["until"] if rows else None, "note": note}
        await self._desk.note("ban", subject, after=after | {"sources": shown[:_SHOWN]})
        return rows

    async def pardon(self, source: str) -> None:
        """The source is neither banned nor refused. Raises NotASource."""
        place, by = self._house.place, self._desk.by
        await self._desk.work("pardon", lambda: admin.pardon(place, source, by=by))
        await self._desk.note("pardon", source)

    async def pardon_name(self, name: str) -> None:
        """The name is not under attack any more."""
        place, by = self._house.place, self._desk.by
        await self._desk.work("pardon", lambda: admin.pardon_name(place, name, by=by))
        await self._desk.note("pardon", name)

    async def contain(self, user: str, *, why: str = "by hand") -> Row:
        """The account may not relay, its sessions are closed, its queued mail is held."""
        name = self._name(user)
        row: Row = await self._desk.tell("contain", "contain", user=name, why=why, by=self._desk.by)
        await self._desk.note("contain", name, after={"why": why, "held": len(row["held"])})
        return row

    async def release(self, user: str) -> Row:
        """Everything is given back: relay, and the mail that was held."""
        name = self._name(user)
        row: Row = await self._desk.tell("release", "release", user=name, by=self._desk.by)
        await self._desk.note("release", name, before={"why": row["why"], "held": len(row["held"])})
        return row

    def _name(self, user: str) -> str:
        return whole_name(self._house.settings(), user).lower()
