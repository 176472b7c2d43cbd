"""Acts on virtual servers and on sessions."""

from __future__ import annotations

from typing import Any

from gatepost.admin.desk import Desk

Row = dict[str, Any]


class ServerActs:
    """`name` is smtp.NAME or pop3.NAME, or NAME alone where it is clear. Each gives name and state."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def start(self, name: str) -> Row:
        """It accepts connections again."""
        return await self._switch("start", name)

    async def stop(self, name: str) -> Row:
        """Its addresses are closed; open sessions go on. It stays so over a restart."""
        return await self._switch("stop", name)

    async def pause(self, name: str) -> Row:
        """New connections hear 421; open sessions go on. It stays so over a restart."""
        return await self._switch("pause", name)

    async def _switch(self, verb: str, name: str) -> Row:
        act = f"server-{verb}"
        self._desk.require(act)
        states = (await self._desk.house.ask("status"))["states"]
        row: Row = await self._desk.house.ask(verb, name=name)
        server, state = row["virtual_server"], row["state"]
        before = {"state": states.get(server, "running")}
        if before["state"] != state:
            await self._desk.note(act, server, before=before, after={"state": state})
        return row


class SessionActs:
    """Who is connected."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def all(self) -> list[Row]:
        """Every session, longest first."""
        rows: list[Row] = await self._desk.tell("session-list", "sessions")
        return sorted(rows, key=lambda row: str(row["since"]))

    async def close(self, *, session: str | None = None, user: str | None = None) -> list[str]:
        """The ids of the sessions that were ended: the one named, or all of a user."""
        act = "session-close"
        self._desk.require(act)
        closed: list[str] = await self._desk.house.ask("session-close", session=session, user=user)
        if closed:
            await self._desk.note(act, session or user or "", before={"sessions": closed})
        return closed
