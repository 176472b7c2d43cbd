"""What is kept on the disk part by part: only what changed is written, a little at a time, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from gatepost.log import Log
from gatepost.store.guarddb import GuardStore
from gatepost.store.moment import moment

_AT_ONCE: Final = 500


class InParts(Protocol):
    """A memory of many users or sources, each for itself."""

    def changed(self, most: int) -> Mapping[str, Any]:
        """Up to so many that changed since they were last asked for; None: there is nothing to remember."""

    def not_kept(self, keys: Iterable[str]) -> None:
        """These are asked for again."""

    def restore(self, key: str, part: Any, elapsed_seconds: float) -> None:
        """As it was so long ago. Raises ValueError for what is no part."""


class Keeper:
    """Of one memory, in the guard's store as `kind`. A disk that fails costs only that."""

    def __init__(self, store: GuardStore, kind: str, memory: InParts, log: Log) -> None:
        self._store = store
        self._kind = kind
        self._memory = memory
        self._log = log
        self._failing = False  # said once, not every few seconds

    def open(self) -> None:
        """What was kept is known again."""
        now = moment()
        try:
            parts = self._store.parts(self._kind)
        except (sqlite3.Error, ValueError) as problem:
            self._log.error("guard-memory-lost", kind=self._kind, problem=str(problem))
            return
        for part in parts:
            try:
                self._memory.restore(part.key, part.value, now.seconds_since(part.at))
            except ValueError as problem:
                self._log.error("guard-memory-lost", kind=self._kind, key=part.key, problem=str(problem))

    async def run(self, every_seconds: float) -> None:
        """Until cancelled; then everything is kept a last time."""
        writing: asyncio.Future[bool] | None = None
        try:
            while True:
                await asyncio.sleep(every_seconds)
                while parts := self._memory.changed(_AT_ONCE):
                    writing = asyncio.ensure_future(asyncio.to_thread(self._keep, parts))
                    if not await asyncio.shield(writing):
                        break
        finally:
            if writing is not None:
                await writing  # what is written now must not come after the last
            while (parts := self._memory.changed(_AT_ONCE)) and self._keep(parts):
                pass

    def _keep(self, parts: Mapping[str, Any]) -> bool:
        try:
            self._store.keep_parts(self._kind, parts, moment())
        except sqlite3.Error as problem:
            self._memory.not_kept(parts)
            if not self._failing:
                self._log.error("guard-memory-not-kept", kind=self._kind, problem=str(problem))
            self._failing = True
            return False
        self._failing = False
        return True


async def ended(task: asyncio.Task[None]) -> None:
    """The task is cancelled and over."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
