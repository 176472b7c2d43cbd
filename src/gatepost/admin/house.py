"""The Gatepost that is administered: its file, its accounts, its daemon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gatepost.admin.generation import Generations
from gatepost.admin.link import Value, ask_daemon
from gatepost.config.load import load, load_text
from gatepost.config.schema import Settings
from gatepost.store.accounts import Accounts
from gatepost.store.place import Place

T = TypeVar("T")
_ASK_SECONDS = 60.0


class House:
    """`file` is the configuration. What waits for disk or daemon is done in threads."""

    def __init__(self, file: Path, place: Place, accounts: Accounts) -> None:
        self.file = file
        self.place = place
        self.accounts = accounts
        self.generations = Generations(place.generations)
        self.changing = asyncio.Lock()  # of the file: one change after the other
        self._known: tuple[int, Settings] | None = None

    def settings(self) -> Settings:
        """Those in force; the file's where nothing has run yet. Raises ConfigError, OSError."""
        history = self.generations.history()
        if not history:
            return load(self.file)
        number = history[-1].number
        if self._known is None or self._known[0] != number:
            self._known = (number, load_text(self.generations.text(number), self.file))
        return self._known[1]

    def domains(self) -> tuple[str, ...]:
        """The local domains."""
        return tuple(self.settings().domains)

    def ask_now(self, verb: str, **fields: Value) -> Value:
        """The daemon's answer; blocks. Raises NotRunning, Refused."""
        return ask_daemon(self.place.control, verb, _ASK_SECONDS, **fields)

    async def ask(self, verb: str, **fields: Value) -> Value:
        """The daemon's answer. Raises NotRunning, Refused."""
        return await asyncio.to_thread(self.ask_now, verb, **fields)

    async def work(self, does: Callable[[], T]) -> T:
        """What `does` gives, done in a thread."""
        return await asyncio.to_thread(does)
