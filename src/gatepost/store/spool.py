"""The durable queue of one worker: a message is in it, synced to disk, before its 250.

A folder of segments (`record.py`) with an outcome file (`outcomes.py`) and, once sealed, an index
(`index.py`) beside each. `group.py` and `commit.py` write for all sessions at once; `recovery.py`
reads the folder at a start; `schedule.py` knows what is due. Everything here runs on the event
loop; what is not `async` is atomic.

Outcomes are written with the next commit and synced within a quarter of a second. A kill loses
none that were written; a power cut may forget the last ones, and then a message is delivered
twice, never lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from gatepost.mail.outcome import Outcome
from gatepost.store.chores import Chores
from gatepost.store.commit import Arrival
from gatepost.store.disk import FREE_LEAST_BYTES, Disk
from gatepost.store.failure import Report, SpoolCorrupt, SpoolFailed, SpoolFull, SpoolLocked, log_report
from gatepost.store.group import Group
from gatepost.store.incoming import Incoming, LargeFile
from gatepost.store.job import Job
from gatepost.store.listing import Listing
from gatepost.store.orders import Counts, Item, ItemState, Orders
from gatepost.store.queue import Queue
from gatepost.store.queueid import first_id, id_text
from gatepost.store.reclaim import Reclaim
from gatepost.store.recovery import recover
from gatepost.store.segment import Segment

__all__ = [
    "Counts",
    "Incoming",
    "Item",
    "ItemState",
    "Job",
    "Spool",
    "SpoolCorrupt",
    "SpoolFailed",
    "SpoolFull",
    "SpoolLocked",
]

_SYNC_OUTCOMES_SECONDS = 0.25
_ROOM_SECONDS = 1.0  # a full disk is looked at again this often
_RECLAIM_SECONDS = 30.0


class Spool:
    """One folder, one process.

    `memory_bytes` bounds the contents of fresh messages kept in memory for delivery. Below
    `free_bytes` of room on the file system new messages are refused.
    """

    def __init__(
        self,
        folder: Path,
        *,
        worker: int,
        report: Report = log_report,
        disk: Disk | None = None,
        segment_bytes: int = 64 * 1024 * 1024,
        memory_bytes: int = 64 * 1024 * 1024,
        free_bytes: int = FREE_LEAST_BYTES,
    ) -> None:
        self.folder = folder / str(worker)
        self.worker = worker
        self.disk = disk or Disk()
        self._report = report
        self._segment_bytes = segment_bytes
        self._memory_bytes = memory_bytes
        self._free_bytes = free_bytes
        self._next_id = 0
        self._finished: dict[int, Segment] = {}
        self._unsynced: dict[int, Segment] = {}
        self._sync_timer: asyncio.TimerHandle | None = None
        self._room_checked_at = 0.0
        self._lock = -1
        self.large_files: set[LargeFile] = set()  # being written

    async def open(self) -> None:
        """The spool is this process's alone, and everything it kept is scheduled.

        Raises: SpoolLocked, OSError.
        """
        self.loop = asyncio.get_running_loop()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        found = await self.loop.run_in_executor(None, recover, self.folder, self.disk, self._report)
        self.executor: Executor = ThreadPoolExecutor(4, thread_name_prefix="spool-large")
        self._chores = Chores(self.disk, self._report)
        self._queue = Queue(
            self.folder,
            self.disk,
            self._report,
            found.segments,
            found.schedule,
            held=found.held,
            memory_bytes=self._memory_bytes,
            note=self._note,
            finish=self._finish,
        )
        self._group = Group(
            self.folder,
            self.disk,
            self._chores,
            self._report,
            found.segments,
            kept=self._queue.keep,
            sealed=self._finish,
            settled=self._remove_finished,
            next_number=found.highest_number + 1,
            segment_bytes=self._segment_bytes,
        )
        self.arrive: Callable[[Arrival], None] = self._group.add
        self._orders = Orders(self._queue)
        self._reclaim = Reclaim(self._queue, self._group.add, self._finish, self._report)
        self._next_id = first_id(self.worker, time.time_ns() // 1000, found.highest_id)
        for segment in list(found.segments.values()):
            if not segment.outcomes.is_clean:
                self._note(segment)
            self._finish(segment)
        await self.flush()
        self._reclaiming = asyncio.create_task(self._reclaim_for_ever())

    async def close(self) -> None:
        """Everything noted is on the disk; the folder is free for another process."""
        self._reclaiming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reclaiming
        for large in list(self.large_files):
            await large.close()
        await self.flush()
        if self._sync_timer is not None:
            self._sync_timer.cancel()
        self._group.close()
        self._sync_outcomes()
        if self._sync_timer is not None:
            self._sync_timer.cancel()
        await self._chores.finish()
        self.executor.shutdown()
        self._queue.files.close()
        os.close(self._lock)

    async def flush(self) -> None:
        """What was recorded until now is written (synced within a quarter of a second)."""
        await self._group.flush()

    def _take_lock(self) -> None:
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise SpoolLocked(f"{self.folder} is open in another process") from error

    # The door in

    def incoming(self) -> Incoming:
        """A message begins to come in; it has its queue id from now on."""
        number = self._next_id
        self._next_id = number + 1
        self._group.senders += 1
        return Incoming(self, number, id_text(number))

    def has_room(self) -> bool:
        """Whether a message may be taken in: the disk is not nearly full."""
        free = self._group.free_bytes
        if free >= self._free_bytes:
            return True
        now = self.loop.time()
        if now - self._room_checked_at < _ROOM_SECONDS:
            return False
        self._room_checked_at = now
        self._group.free_bytes = self.disk.free_bytes(self.folder)
        return self._group.free_bytes >= self._free_bytes

    def large_path(self, queue_id: str) -> Path:
        """Where the content of a large message lies."""
        return self._queue.large_path(queue_id)

    def leave(self) -> None:
        """One message less is being taken in."""
        self._group.senders -= 1

    # The door out

    def take(self, now: float, limit: int) -> list[Job]:
        """Up to `limit` messages to deliver, yours until recorded or put back.

        Of many that are due a quarter are older ones, so that neither fresh nor deferred mail
        starves the other. `now` is Unix seconds.
        """
        return self._queue.take(now, limit)

    async def wait(self, now: float) -> None:
        """Something may be due, or a minute has passed."""
        await self._queue.wait(now)

    def record(
        self, job: Job, outcomes: Sequence[Outcome], *, retry_at: float | None, warned: bool = False
    ) -> None:
        """The outcomes stand; the job is no longer yours.

        With no recipient remaining the message is done. Otherwise it is due again at `retry_at`.
        With recipients remaining and `retry_at` None it stays yours (a part of it was recorded),
        and would be due at once after a restart. `warned` once true stays true.
        """
        self._queue.record(job, outcomes, retry_at, warned=warned)

    def put_back(self, job: Job) -> None:
        """The job was not tried and is due again at once."""
        self._queue.put_back(job)

    # The operator

    def hold(self, queue_id: str) -> bool:
        """The message is not tried until released; one under way is held when it comes back."""
        return self._orders.hold(queue_id)

    def release(self, queue_id: str) -> bool:
        """The message is held no longer and due at once; False when it was not held."""
        return self._orders.release(queue_id)

    def retry(self, queue_id: str) -> bool:
        """The message is due at once; False when it is not there or held."""
        return self._orders.retry(queue_id)

    def expedite(self, queue_id: str) -> bool:
        """The message is due at once, a held one too, one under way as soon as it comes back."""
        return self._orders.expedite(queue_id)

    def delete(self, queue_id: str) -> bool:
        """The message is gone, and nobody is told; one under way is not tried again."""
        return self._orders.delete(queue_id)

    def find(self, queue_id: str) -> Item | None:
        """The message as it is listed, None when it is not in the queue."""
        return self._orders.find(queue_id)

    def header(self, queue_id: str) -> bytes | None:
        """The header fields of the message in wire form, None when it is not in the queue.

        Raises: SpoolCorrupt, OSError.
        """
        return self._orders.header(queue_id)

    def items(self) -> Iterator[Item]:
        """Every message, oldest segment first, one at a time in memory."""
        return self._orders.items()

    def listing(self) -> Listing:
        """The messages that are here now, to be read in the order of time."""
        return Listing(self._orders)

    def oldest(self) -> float | None:
        """When the oldest message that is still here came in, Unix seconds; None when there is none."""
        return self._orders.oldest()

    def counts(self) -> Counts:
        """How many messages there are."""
        return self._orders.counts()

    # Segments

    async def reclaim(self) -> int:
        """What little lives in old segments was copied forward; how many segments that emptied."""
        try:
            return await self._reclaim.run()
        finally:
            self._orders.moved()

    async def _reclaim_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_RECLAIM_SECONDS)
            try:
                await self.reclaim()
            except Exception as error:  # top of a task: room not reclaimed is no reason to stop
                self._report("spool-reclaim-failed", error=error)

    def _note(self, segment: Segment) -> None:
        """The segment's outcomes are written with the next commit and synced soon after."""
        self._group.note(segment)
        self._unsynced[segment.number] = segment
        if self._sync_timer is None:
            self._sync_timer = self.loop.call_later(_SYNC_OUTCOMES_SECONDS, self._sync_outcomes)

    def _sync_outcomes(self) -> None:
        self._sync_timer = None
        files = [s.outcomes for s in self._unsynced.values() if s.outcomes.is_unsynced]
        self._unsynced = {n: s for n, s in self._unsynced.items() if not s.outcomes.is_clean}
        gone = [path for path, segment in self._queue.gone.items() if segment.number not in self._unsynced]
        for path in gone:
            del self._queue.gone[path]
        if files or gone:
            self._chores.sync_outcomes(files, gone)
        if self._unsynced:
            self._sync_timer = self.loop.call_later(_SYNC_OUTCOMES_SECONDS, self._sync_outcomes)

    def _finish(self, segment: Segment) -> None:
        """A sealed segment in which nothing lives is removed, once no commit may write beside it."""
        if not segment.is_finished:
            return
        self._finished[segment.number] = segment
        self._group.forget(segment)
        if self._group.is_idle:
            self._remove_finished()

    def _remove_finished(self) -> None:
        if not self._finished:
            return
        finished, self._finished = self._finished, {}
        for number, segment in finished.items():
            self._group.segments.pop(number, None)
            self._unsynced.pop(number, None)
            self._queue.files.forget(segment.path)
            self._queue.files.forget(segment.outcomes.path)
            self._chores.remove(segment)
        self._queue.forget(set(finished))
