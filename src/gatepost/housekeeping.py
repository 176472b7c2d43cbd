"""What the daemon does beside serving: the service manager, certificates that end or are renewed, metrics."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gatepost.admin.expiry import Expiry
from gatepost.admin.generation import Generations
from gatepost.admin.link import Link, NotRunning, Refused, Value
from gatepost.admin.metrics import House, Totals, certificate_ends, exposition
from gatepost.admin.metrics_door import MetricsDoor
from gatepost.admin.overview import sampled
from gatepost.config.schema import Endpoint, Settings
from gatepost.consoling import Consoling
from gatepost.log import Log
from gatepost.renewing import Renewing
from gatepost.server.bind import CannotListen, listening_socket
from gatepost.service.notify import ServiceManager
from gatepost.store.history import History
from gatepost.store.place import Place
from gatepost.supervisor import Shard, Supervisor

_EXPIRY_SECONDS = 3_600.0
_SAMPLE_SECONDS = 60.0
_HISTORY_SECONDS = 31 * 86_400.0
_ANSWER_SECONDS = 20.0


class Housekeeping:
    """`settings` and `generation` give what is in force. Every chore runs from `start` until `stop`."""

    def __init__(
        self,
        file: Path,
        settings: Callable[[], Settings],
        generation: Callable[[], int],
        workers: Supervisor,
        manager: ServiceManager,
        console: Consoling,
        log: Log,
    ) -> None:
        self._settings = settings
        self._generation = generation
        self._workers = workers
        self._manager = manager
        self._log = log
        self._started_at = time.time()
        self._expiry = Expiry(log)
        self._totals = Totals()
        self._renewing = Renewing(file, self._in_force, settings, workers, log)
        self._console = console
        self._door = MetricsDoor(self.metrics)
        self._door_at: Endpoint | None = None
        self._chores: set[asyncio.Task[None]] = set()

    def _in_force(self) -> Path:
        """Where the text in force lies."""
        return Generations(Place(self._settings().state).generations).path(self._generation())

    async def start(self) -> None:
        """Everything serves."""
        self._run(self._watch_expiry())
        self._run(self._renewing.run())
        self._run(self._keep_history())
        self._run(self._console.run())
        if self._manager.watchdog_seconds is not None:
            self._run(self._say_alive(self._manager.watchdog_seconds / 3))
        await self._changed()

    @asynccontextmanager
    async def reload(self) -> AsyncIterator[None]:
        """The manager knows that a file is being taken over, and when that has ended."""
        self._manager.reloading()
        try:
            yield
        finally:
            await self._changed()

    def stop(self) -> None:
        """The manager knows, and every chore ends; `ended` waits for that."""
        self._manager.stopping()
        self._door.close()
        for chore in self._chores:
            chore.cancel()

    async def ended(self) -> None:
        await asyncio.gather(*self._chores, return_exceptions=True)

    async def _answers(self) -> list[Value]:
        serving = [
            (shard, shard.link) for shard in self._workers.shards if shard.link and shard.ready.is_set()
        ]
        asked = [self._asked(shard, link) for shard, link in serving]
        return [answer for answer in await asyncio.gather(*asked) if answer is not None]

    async def metrics(self) -> str:
        """The numbers of all workers, as Prometheus reads them."""
        answers = await self._answers()
        house = House(self._generation(), len(answers), self._workers.restarts, self._started_at)
        ends = await asyncio.to_thread(certificate_ends, self._settings())
        return exposition(house, self._totals, answers, ends, datetime.now(UTC))

    async def _asked(self, shard: Shard, link: Link) -> Value:
        with contextlib.suppress(NotRunning, Refused, TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await link.ask("metrics")
            self._totals.hear(shard.index, answer["life"], answer)
            return answer
        return None

    async def _changed(self) -> None:
        """What hangs on the configuration is as the one in force has it."""
        count = len(self._workers.shards)
        workers = f"{count} worker{'s' if count != 1 else ''}"
        self._manager.ready(f"Serving with {workers}, generation {self._generation()}")
        self._renewing.changed()
        self._console.changed()
        metrics = self._settings().metrics
        wanted = None if metrics is None else metrics.listen
        if wanted != self._door_at:
            self._door.close()
            self._door_at = None
            if wanted is not None:
                await self._open_door(wanted)

    async def _open_door(self, place: Endpoint) -> None:
        try:
            await self._door.open(listening_socket(place.host, place.port))
            self._door_at = place
        except CannotListen as problem:
            self._log.error("cannot-listen", server="metrics", problem=str(problem))

    def _run(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _watch_expiry(self) -> None:
        while True:
            await asyncio.to_thread(self._expiry.look, self._settings(), datetime.now(UTC))
            await asyncio.sleep(_EXPIRY_SECONDS)

    async def _keep_history(self) -> None:
        """Each minute it is written down what was counted, for the curves of the console."""
        history, before = History(Place(self._settings().state).history), dict(self._totals.all().counts)
        while True:
            answers, now = await self._answers(), time.time()
            counts = self._totals.all().counts
            sample, before = sampled(now, counts, before, answers), counts
            try:
                await asyncio.to_thread(history.keep, sample, forget_before=now - _HISTORY_SECONDS)
            except sqlite3.Error as problem:
                self._log.warning("history-not-kept", problem=str(problem))
            await asyncio.sleep(_SAMPLE_SECONDS)

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
