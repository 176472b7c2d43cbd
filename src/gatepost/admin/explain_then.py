"""Which configuration a session ran under: generations are kept, and a session goes on with its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from gatepost.admin.generation import Generation, Generations
from gatepost.admin.learn import Learning, learning
from gatepost.config.fault import ConfigError
from gatepost.config.load import load_text
from gatepost.store.accounts import Accounts

_LOOKED_BACK: Final = 3  # more reloads than that within one session are rare


@dataclass(frozen=True, slots=True)
class Then:
    """A generation with what it takes to explain by it. `until` is when the next one was taken over.

    `known` is None where its text is of use no more; `problem` says why. `same_file`: the file is that still.
    """

    generation: Generation
    until: str | None
    same_file: bool
    known: Learning | None = None
    problem: str | None = None


class Past:
    """The generations of one house. What is opened for them ends with `ways_out`."""

    def __init__(
        self, generations: Generations, file: Path, accounts: Accounts, now: Learning, ways_out: ExitStack
    ) -> None:
        self._generations = generations
        self._file = file
        self._accounts = accounts
        self._now = now
        self._ways_out = ways_out
        self._history = generations.history()
        self._looked_at: dict[int, Then] = {}

    def around(self, at: str) -> Iterator[Then]:
        """The generation that was in force at that time (ISO 8601), then those before it. Raises OSError."""
        moment = datetime.fromisoformat(at)
        past = [n for n, one in enumerate(self._history) if datetime.fromisoformat(one.at) <= moment]
        for index in past[: -_LOOKED_BACK - 1 : -1]:
            yield self._then(index)

    def _then(self, index: int) -> Then:
        if index not in self._looked_at:
            self._looked_at[index] = self._read(index)
        return self._looked_at[index]

    def _read(self, index: int) -> Then:
        one = self._history[index]
        until = self._history[index + 1].at if index + 1 < len(self._history) else None
        try:
            settings = load_text(self._generations.text(one.number), self._file)
        except (ConfigError, OSError) as problem:
            return Then(one, until, False, None, str(problem).splitlines()[0])
        if settings == self._now.settings:
            return Then(one, until, True, self._now)
        known = self._ways_out.enter_context(learning(settings, self._accounts))
        return Then(one, until, False, known)
