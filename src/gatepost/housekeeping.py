"""What the daemon does beside serving: the service manager, certificates that end or are renewed, metrics."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from gatepost.admin.expiry import Expiry
from gatepost.admin.link import NotRunning, Refused
from gatepost.config.schema import Settings
from gatepost.log import Log
from gatepost.service.notify import ServiceManager
from gatepost.supervisor import Supervisor

_EXPIRY_SECONDS = 3_600.0
_ANSWER_SECONDS = 20.0


class Housekeeping:
    """`settings` gives what is in force. Every chore runs from `start` until `stop`."""

    def __init__(
        self, settings: Callable[[], Settings], workers: Supervisor, manager: ServiceManager, log: Log
    ) -> None:
        self._settings = settings
        self._workers = workers
        self._manager = manager
        self._log = log
        self._expiry = Expiry(log)
        self._chores: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._run(self._watch_expiry())
        if self._manager.watchdog_seconds is not None:
            self._run(self._say_alive(self._manager.watchdog_seconds / 3))

    def ready(self, generation: int) -> None:
        """The manager knows that everything serves, in this generation."""
        count = len(self._workers.shards)
        self._manager.ready(
            f"Serving with {count} worker{'s' if count != 1 else ''}, generation {generation}"
        )

    @asynccontextmanager
    async def reload(self, generation: Callable[[], int]) -> AsyncIterator[None]:
        """The manager knows that a file is being taken over, and how it ended."""
        self._manager.reloading()
        try:
            yield
        finally:
            self.ready(generation())

    async def stop(self) -> None:
        self._manager.stopping()
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)

    def _run(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _watch_expiry(self) -> None:
        while True:
            self._expiry.look(self._settings(), datetime.now(UTC))
            await asyncio.sleep(_EXPIRY_SECONDS)

    async def _say_alive(self, seconds: float) -> None:
        """The watchdog hears of us only while every worker that serves answers."""
        while True:
            if await self._all_answer():
                self._manager.alive()
            await asyncio.sleep(seconds)

    async def _all_answer(self) -> bool:
        # one that is still reading its spool is the supervisor's to watch
        links = [shard.link for shard in self._workers.shards if shard.link and shard.ready.is_set()]
        with contextlib.suppress(NotRunning, Refused):
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await asyncio.gather(*(link.ask("alive") for link in links))
            except TimeoutError:
                self._log.error("worker-silent", seconds=_ANSWER_SECONDS)
                return False
        return True
