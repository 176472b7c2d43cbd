"""Which virtual servers an operator has stopped or paused: remembered over restarts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gatepost.admin.generation import Generations
from gatepost.config.load import ConfigError, load_text
from gatepost.config.renames import renames
from gatepost.config.schema import Settings
from gatepost.wholefile import replace_file


def switches_of(path: Path, generations: Generations, settings: Settings, file: Path) -> Switches:
    """What was said, of the names that `settings` has: the file may have been changed while nothing ran.

    Raises OSError.
    """
    switches = Switches(path)
    history = generations.history()
    try:
        before = load_text(generations.text(history[-1].number), file) if history else settings
    except (ConfigError, FileNotFoundError):
        return switches  # a file that it names is gone: then nobody can tell
    with switches.renamed(renames(before, settings)):
        return switches


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
        self._write(self._states)

    @contextmanager
    def renamed(self, names: Mapping[str, str]) -> Iterator[None]:
        """What was said of the old names holds of the new ones; as it was, when what is inside fails.

        Whatever breaks off in between, neither name runs that was stopped. Raises OSError.
        """
        before = self._states
        moved = {names[server]: state for server, state in before.items() if server in names}
        if not moved:
            yield
            return
        self._states = before | moved
        self._write(self._states)
        try:
            yield
        except BaseException:
            self._states = before
            self._write(before)
            raise
        self._states = {server: state for server, state in self._states.items() if server not in names}
        self._write(self._states)

    def _write(self, states: Mapping[str, str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(self._path, json.dumps(states).encode())

    @property
    def stopped(self) -> frozenset[str]:
        return frozenset(server for server, state in self._states.items() if state == "stopped")

    @property
    def paused(self) -> frozenset[str]:
        return frozenset(server for server, state in self._states.items() if state == "paused")
