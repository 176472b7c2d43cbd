"""The deliveries of one worker: one for each spool it keeps, made anew when routes change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gatepost.config.schema import Settings
from gatepost.delivery.worker import Delivery
from gatepost.directory.directory import Directories
from gatepost.log import Log
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.spool import Spool
from gatepost.store.tracking import Tracking

_CHANGE_SECONDS = 30.0


class Deliveries:
    """Takes from `spools` until stopped."""

    def __init__(self, spools: Sequence[Spool], mailboxes: Mailboxes, tracking: Tracking, log: Log) -> None:
        self._spools = spools
        self._mailboxes = mailboxes
        self._tracking = tracking
        self._log = log
        self._running: list[tuple[Delivery, asyncio.Task[None]]] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._settings: Settings | None = None

    def start(self, settings: Settings, directories: Directories) -> None:
        """Mail is delivered as these settings say."""
        self._settings = settings
        for spool in self._spools:
            delivery = Delivery(
                spool,
                settings,
                resolver=directories,
                local=self._mailboxes,
                tracking=self._tracking,
                log=self._log,
            )
            self._running.append((delivery, asyncio.create_task(delivery.run())))

    async def change(self, settings: Settings, directories: Directories) -> None:
        """New mail goes as these settings say; what is under way is finished as it began."""
        if self._settings is not None and _matters(settings) == _matters(self._settings):
            return
        before, self._running = self._running, []
        self.start(settings, directories)
        for delivery, task in before:
            ending = asyncio.create_task(_ended(delivery, task, _CHANGE_SECONDS))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    def give_up(self, queue_id: str, why: str) -> bool:
        """The message goes back to its sender. False when it is not here."""
        return any(delivery.give_up(queue_id, why) for delivery, _ in self._running)

    async def stop(self, grace_seconds: float) -> None:
        """What is under way may end within the grace; the rest is put back."""
        await asyncio.gather(
            *self._ending, *(_ended(delivery, task, grace_seconds) for delivery, task in self._running)
        )


def _matters(settings: Settings) -> tuple[object, ...]:
    """What deliveries depend on; with all of it as before they simply go on."""
    listening = [server.listen for server in settings.smtp.values()]
    routes = settings.routes, settings.oauth
    return settings.hostname, routes, settings.domains, settings.retry, settings.mailboxes, listening


async def _ended(delivery: Delivery, task: asyncio.Task[None], grace_seconds: float) -> None:
    await delivery.stop(grace_seconds)
    await task
