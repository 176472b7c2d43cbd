"""Which virtual servers an operator has stopped or paused: remembered over restarts."""

from __future__ import annotations

import json
from pathlib import Path

from gatepost.wholefile import replace_file


class Switches:
    """Every virtual server runs unless it stands here."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._states: dict[str, str] = json.loads(path.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            self._states = {}

    def state(self, server: str) -> str:
        """`running`, `paused` or `stopped`."""
        return self._states.get(server, "running")

    def set(self, server: str, state: str) -> None:
        """Raises OSError."""
        if state == "running":
            self._states.pop(server, None)
        else:
            self._states[server] = state
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(self._path, json.dumps(self._states).encode())

    @property
    def stopped(self) -> frozenset[str]:
        return frozenset(server for server, state in self._states.items() if state == "stopped")

    @property
    def paused(self) -> frozenset[str]:
        return frozenset(server for server, state in self._states.items() if state == "paused")
