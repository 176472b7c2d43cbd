"""Acts on alarms."""

from __future__ import annotations

from typing import Any

from gatepost.admin.desk import Desk

Row = dict[str, Any]


class AlarmActs:
    """Those in force."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def test(self, name: str | None = None) -> list[Row]:
        """Who was told that this is a test, by which way, or why not; of one alarm, or of all.

        Raises Refused, NotRunning.
        """
        of = {} if name is None else {"name": name}
        rows: list[Row] = await self._desk.tell("alarm-test", "alarm-test", **of)
        return rows
