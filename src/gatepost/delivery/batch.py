"""The queue of a next hop that is no connection: mailboxes and capture folders.

One piece of work at a time takes all that waits, up to a limit: while the disk is busy with one batch the
next one gathers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from gatepost.delivery.parcel import Parcel

_BATCH = 128

Work = Callable[[Sequence[Parcel]], Awaitable[None]]


class BatchLane:
    """`work` settles every parcel that it is given, and never raises."""

    def __init__(self, work: Work, *, batch: int = _BATCH) -> None:
        self._work = work
        self._batch = batch
        self._waiting: deque[Parcel] = deque()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.done = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def is_unused(self) -> bool:
        return not self._waiting and self._task is None

    def add(self, parcel: Parcel) -> None:
        """The parcel goes with one of the next batches."""
        self._waiting.append(parcel)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting and not self._stopping:
                count = min(len(self._waiting), self._batch)
                await self._work([self._waiting.popleft() for _ in range(count)])
                self.done += count
        finally:
            self._task = None

    def stop(self) -> list[Parcel]:
        """No new batch begins; gives back what waits."""
        self._stopping = True
        waiting, self._waiting = self._waiting, deque()
        return list(waiting)

    def abort(self, reason: str) -> None:
        """The batch in hand ends by itself: it waits for a disk, not for a peer."""
