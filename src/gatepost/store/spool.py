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
import fcntl
import os
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.chores import Chores
from gatepost.store.commit import Arrival
from gatepost.store.disk import Disk, append_file
from gatepost.store.failure import Report, SpoolCorrupt, SpoolFailed, SpoolFull, SpoolLocked, log_report
from gatepost.store.files import Files
from gatepost.store.group import Group
from gatepost.store.incoming import Incoming
from gatepost.store.job import Job, LargeContent
from gatepost.store.queueid import first_id, id_text
from gatepost.store.reading import read_job
from gatepost.store.record import LARGE
from gatepost.store.recovery import recover
from gatepost.store.schedule import Schedule
from gatepost.store.segment import Segment
from gatepost.store.state import State

__all__ = ["Incoming", "Job", "Spool", "SpoolCorrupt", "SpoolFailed", "SpoolFull", "SpoolLocked"]

_JOB_BYTES = 1024  # what a message costs in memory beside its content
_SYNC_OUTCOMES_SECONDS = 0.25
_ROOM_SECONDS = 1.0  # a full disk is looked at again this often
_WAIT_SECONDS = 60.0
_GONE = -1  # of a place in `_current`: no entry of the schedule is good for it
_ONE = (0,)


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
        free_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self.folder = folder / str(worker)
        self.worker = worker
        self.disk = disk or Disk()
        self._report = report
        self._segment_bytes = segment_bytes
        self._memory_bytes = memory_bytes
        self._free_bytes = free_bytes
        self._memory_used = 0
        self._next_id = 0
        self._fresh: deque[Job] = deque()
        self._schedule = Schedule()
        self._busy: dict[str, Job] = {}
        # Places whose state changed while an older entry may still stand in the schedule: only the
        # entry with this position counts.
        self._current: dict[int, int] = {}
        self._held = 0
        self._finished: dict[int, Segment] = {}
        self._gone: dict[Path, Segment] = {}  # of done large messages
        self._waiters: list[asyncio.Future[None]] = []
        self._files = Files()
        self._sync_timer: asyncio.TimerHandle | None = None
        self._unsynced: dict[int, Segment] = {}
        self._room_checked_at = 0.0
        self._lock = -1

    async def open(self) -> None:
        """The spool is this process's alone, and everything it kept is scheduled.

        Raises: SpoolLocked, OSError.
        """
        self.loop = asyncio.get_running_loop()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        self.executor: Executor = ThreadPoolExecutor(4, thread_name_prefix="spool-large")
        found = await self.loop.run_in_executor(None, recover, self.folder, self.disk, self._report)
        self._schedule = found.schedule
        self._held = found.held
        self._next_id = first_id(self.worker, time.time_ns() // 1000, found.highest_id)
        self._chores = Chores(self.disk, self._report)
        self._group = Group(
            self.folder,
            self.disk,
            self._chores,
            self._report,
            self._kept,
            self._finish_segment,
            self._remove_finished,
            next_number=found.highest_number + 1,
            segment_bytes=self._segment_bytes,
            large_path=self.large_path,
        )
        self._group.segments.update(found.segments)
        self._group.free_bytes = self.disk.free_bytes(self.folder)
        for segment in found.segments.values():
            if not segment.outcomes.is_clean:
                self._note(segment)
            self._finish_segment(segment)
        await self.flush()

    async def close(self) -> None:
        """Everything noted is on the disk; the folder is free for another process."""
        await self.flush()
        if self._sync_timer is not None:
            self._sync_timer.cancel()
        self._group.close()
        self._sync_outcomes()
        await self._chores.finish()
        self.executor.shutdown()
        self._files.close()
        os.close(self._lock)
        self._lock = -1

    async def flush(self) -> None:
        """What was recorded until now is written (synced within a quarter of a second)."""
        await self._group.flush()

    def _take_lock(self) -> None:
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            self._lock = -1
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
        if free is not None and free < self._free_bytes:
            now = self.loop.time()
            if now - self._room_checked_at < _ROOM_SECONDS:
                return False
            self._room_checked_at = now
            free = self._group.free_bytes = self.disk.free_bytes(self.folder)
            return free >= self._free_bytes
        return True

    def large_path(self, queue_id: str) -> Path:
        """Where the content of a large message lies."""
        return self.folder / f"{queue_id}.large"

    def arrive(self, arrival: Arrival) -> None:
        """The message goes with the next commit."""
        self._group.add(arrival)

    def leave(self) -> None:
        """One message less is being taken in."""
        self._group.senders -= 1

    def _kept(self, segment: Segment, arrivals: list[Arrival]) -> None:
        for arrival in arrivals:
            segment.add(arrival.id, arrival.offset, arrival.record_size)
            if arrival.origin is not None:
                continue
            charge = _JOB_BYTES
            if not arrival.flags & LARGE:
                charge += arrival.content_size
            if self._memory_used + charge > self._memory_bytes:
                self._schedule.add(0, segment.place(arrival.offset), 0)
                continue
            self._memory_used += charge
            segment.busy += 1
            self._fresh.append(self._fresh_job(segment, arrival, charge))
        self._wake()

    def _fresh_job(self, segment: Segment, arrival: Arrival, charge: int) -> Job:
        count = len(arrival.envelope.recipients)
        source: LargeContent | list[bytes]
        if arrival.flags & LARGE:
            path = self.large_path(arrival.queue_id)
            source = LargeContent(path, arrival.top, arrival.content_size, arrival.content_crc)
        else:
            source = [arrival.top, *arrival.parts]
        job = Job(
            arrival.queue_id,
            arrival.envelope,
            _ONE if count == 1 else tuple(range(count)),
            len(arrival.top) + arrival.content_size,
            segment,
            arrival.offset,
            arrival.record_size,
            source,
        )
        job.charge = charge
        return job

    # The door out

    def take(self, now: float, limit: int) -> list[Job]:
        """Up to `limit` messages to deliver, yours until recorded or put back.

        Of many that are due a quarter are older ones, so that neither fresh nor deferred mail
        starves the other. `now` is Unix seconds.
        """
        jobs: list[Job] = []
        is_due = self._schedule.is_due(now)
        if is_due:
            self._take_due(now, (limit + 3) // 4, jobs)
        fresh, busy, current = self._fresh, self._busy, self._current
        while fresh and len(jobs) < limit:
            job = fresh.popleft()
            if current and job.place in current:
                self._let_go(job)
                continue
            busy[job.id] = job
            jobs.append(job)
        if is_due and len(jobs) < limit:
            self._take_due(now, limit - len(jobs), jobs)
        return jobs

    async def wait(self, now: float) -> None:
        """Something may be due; a minute at most has passed."""
        if self._fresh or self._schedule.is_due(now):
            return
        waiter: asyncio.Future[None] = self.loop.create_future()
        self._waiters.append(waiter)
        due = self._schedule.next_due()
        delay = _WAIT_SECONDS if due is None else min(max(due - now, 0.0), _WAIT_SECONDS)
        timer = self.loop.call_later(delay, self._wake)
        try:
            await waiter
        finally:
            timer.cancel()

    def record(
        self, job: Job, outcomes: Sequence[Outcome], *, retry_at: float | None, warned: bool = False
    ) -> None:
        """The outcomes stand; the job is no longer yours.

        With no recipient remaining the message is done. Otherwise it is due again at `retry_at`;
        with `retry_at` None it stays yours with those that remain (a part of it was recorded), and
        would be due at once after a restart. `warned` once true stays true.
        """
        over = {outcome.recipient for outcome in outcomes if outcome.disposition is not Disposition.DEFERRED}
        remaining = tuple(index for index in job.remaining if index not in over) if over else job.remaining
        if not remaining:
            self._done(job)
            return
        job.remaining = remaining
        job.warned = job.warned or warned
        job.last_outcomes = _latest(job, outcomes)
        if retry_at is not None:
            job.attempts += 1
        self._keep_state(job, retry_at)

    def put_back(self, job: Job) -> None:
        """The job was not tried and is due again at once."""
        self._busy.pop(job.id)
        self._let_go(job)
        self._schedule.add(0, job.place, job.position)
        self._wake()

    def _done(self, job: Job) -> None:
        self._busy.pop(job.id, None)
        self._let_go(job)
        segment = job.segment
        segment.outcomes.done(job.offset)
        segment.live -= 1
        segment.live_bytes -= job.record_size
        if self._current and job.place in self._current:
            self._current[job.place] = _GONE
        if isinstance(job.source, LargeContent):
            self._gone[job.source.path] = segment
        self._note(segment)
        if segment.is_finished:
            self._finish_segment(segment)

    def _keep_state(self, job: Job, retry_at: float | None) -> None:
        state = State(job.remaining, retry_at or 0.0, job.attempts, job.warned, False, job.last_outcomes)
        position = job.segment.outcomes.state(job.offset, state)
        job.position = position
        self._note(job.segment)
        if job.place in self._current:
            self._current[job.place] = position
        if retry_at is None:
            return
        self._busy.pop(job.id)
        self._let_go(job)
        self._schedule.add(retry_at, job.place, position)
        self._wake()

    def _take_due(self, now: float, limit: int, jobs: list[Job]) -> None:
        pairs = self._schedule.take(now, limit)
        for row in range(0, len(pairs), 2):
            place, position = pairs[row], pairs[row + 1]
            segment = self._group.segments.get(place >> 32)
            if segment is None or (self._current and self._current.get(place, position) != position):
                continue
            if segment.is_moving:
                self._schedule.add(now + 1, place, position)
                continue
            job = self._read_job(segment, place & 0xFFFFFFFF, position)
            if job is not None:
                segment.busy += 1
                self._busy[job.id] = job
                jobs.append(job)

    def _read_job(self, segment: Segment, offset: int, position: int) -> Job | None:
        try:
            job = read_job(self._files, segment, offset, position)
        except (SpoolCorrupt, OSError, ValueError) as error:
            self._set_aside(segment, offset, error)
            return None
        job.position = position
        return job

    def _set_aside(self, segment: Segment, offset: int, error: Exception) -> None:
        """A message that cannot be read is out of the queue; its bytes are kept and it is reported."""
        index = segment.read_index()
        row = index.offsets.index(offset) if index is not None else None
        size = index.sizes[row] if index is not None and row is not None else 0
        kept = segment.path.with_name(segment.path.name + ".corrupt")
        self._report("spool-corrupt", file=segment.path.name, at=offset, size_bytes=size, error=error)
        try:
            append_file(self.disk, kept, [os.pread(self._files.get(segment.path), size, offset)])
        except OSError as fault:
            self._report("spool-corrupt-not-kept", file=kept.name, error=fault)
            return  # it stays in its segment, and is seen again at the next start
        segment.outcomes.done(offset)
        segment.live -= 1
        segment.live_bytes -= size
        self._note(segment)
        self._finish_segment(segment)

    def _let_go(self, job: Job) -> None:
        """Nobody has the job in memory any more."""
        job.segment.busy -= 1
        self._memory_used -= job.charge
        job.charge = 0

    def _wake(self) -> None:
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

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
        gone = [path for path, segment in self._gone.items() if segment.number not in self._unsynced]
        for path in gone:
            del self._gone[path]
        if files or gone:
            self._chores.sync_outcomes(files, gone)
        if self._unsynced:
            self._sync_timer = self.loop.call_later(_SYNC_OUTCOMES_SECONDS, self._sync_outcomes)

    def _finish_segment(self, segment: Segment) -> None:
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
            self._files.forget(segment.path)
            self._files.forget(segment.outcomes.path)
            self._chores.remove(segment)
        if self._current:
            self._current = {p: state for p, state in self._current.items() if p >> 32 not in finished}


def _latest(job: Job, outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """For each remaining recipient its latest outcome, if it has one."""
    latest = {outcome.recipient: outcome for outcome in (*job.last_outcomes, *outcomes)}
    return tuple(latest[index] for index in job.remaining if index in latest)
