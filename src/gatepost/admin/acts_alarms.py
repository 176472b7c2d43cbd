"""Acts on alarms."""

from __future__ import annotations

from typing import Any

from gatepost.admin.desk import Desk

Row = dict[str, Any]


class AlarmActs:
    """Those in force."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def test(self, name: str) -> list[Row]:
        """Who was told that this is a test, by which way, or why not. Raises Refused, NotRunning."""
        rows: list[Row] = await self._desk.tell("alarm-test", "alarm-test", name=name)
        return rows
