"""The messages of a spool that are not done: when they are due, who has them, what became of them."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.commit import Arrival
from gatepost.store.disk import Disk, append_file
from gatepost.store.failure import Report, SpoolCorrupt
from gatepost.store.files import Files
from gatepost.store.job import Job, LargeContent
from gatepost.store.reading import read_job
from gatepost.store.record import LARGE
from gatepost.store.schedule import Schedule
from gatepost.store.segment import Segment
from gatepost.store.state import State

_JOB_BYTES = 1024  # what a message costs in memory beside its content
_WAIT_SECONDS = 60.0
_GONE = -1  # in `_current`: no entry of the schedule is good for this place
_ONE = (0,)
_DEFERRED = Disposition.DEFERRED


class Order(Enum):
    """What is to happen to a message once whoever delivers it gives it back."""

    HOLD = "hold"
    DELETE = "delete"
    EXPEDITE = "expedite"


class Queue:
    """Belongs to the event loop.

    `note` is called when a segment has outcomes to write, `finish` when one may have nothing living
    in it any more.
    """

    def __init__(
        self,
        folder: Path,
        disk: Disk,
        report: Report,
        segments: dict[int, Segment],
        schedule: Schedule,
        *,
        held: int,
        memory_bytes: int,
        note: Callable[[Segment], None],
        finish: Callable[[Segment], None],
    ) -> None:
        self._folder = folder
        self._disk = disk
        self._report = report
        self._note = note
        self._finish = finish
        self._schedule = schedule
        self._memory_bytes = memory_bytes
        self._memory_used = 0
        self._fresh: deque[Job] = deque()
        self._waiters: list[asyncio.Future[None]] = []
        # Places whose state changed while an older entry may still stand in the schedule: only the
        # entry with this position counts.
        self._current: dict[int, int] = {}
        self._loop = asyncio.get_running_loop()
        self.files = Files()
        self.segments = segments
        self.busy: dict[str, Job] = {}
        self.orders: dict[str, Order] = {}
        self.gone: dict[Path, Segment] = {}  # contents of done large messages
        self.held = held

    # In

    def keep(self, segment: Segment, arrivals: list[Arrival]) -> None:
        """The messages are synced in the segment, and due."""
        segment.add(
            [arrival.id for arrival in arrivals],
            [arrival.offset for arrival in arrivals],
            [arrival.record_size for arrival in arrivals],
        )
        for arrival in arrivals:
            if arrival.moved_from is not None:
                arrival.moved_from.note(segment, arrival.offset)
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
        if self._waiters:
            self._wake()

    def schedule(self, segment: Segment, offset: int, due: float, position: int = 0) -> None:
        """The message is due then."""
        self._schedule.add(due, segment.place(offset), position)
        if self._waiters:
            self._wake()

    def _fresh_job(self, segment: Segment, arrival: Arrival, charge: int) -> Job:
        count = len(arrival.envelope.recipients)
        source: LargeContent | list[bytes]
        if arrival.flags & LARGE:
            path = self.large_path(arrival.queue_id)
            source = LargeContent(path, arrival.top, arrival.content_size, arrival.content_crc)
        else:
            source = [arrival.top, *arrival.parts]
        return Job(
            arrival.queue_id,
            arrival.envelope,
            _ONE if count == 1 else tuple(range(count)),
            len(arrival.top) + arrival.content_size,
            segment,
            arrival.offset,
            arrival.record_size,
            source,
            charge,
        )

    # Out

    def take(self, now: float, limit: int) -> list[Job]:
        """See `Spool.take`."""
        jobs: list[Job] = []
        is_due = self._schedule.is_due(now)
        if is_due:
            self._take_due(now, (limit + 3) // 4, jobs)
        fresh, busy = self._fresh, self.busy
        while fresh and len(jobs) < limit:
            job = fresh.popleft()
            if self._current and job.place in self._current:
                self._let_go(job)
                self._finish(job.segment)
                continue
            busy[job.id] = job
            jobs.append(job)
        if is_due and len(jobs) < limit:
            self._take_due(now, limit - len(jobs), jobs)
        return jobs

    async def wait(self, now: float) -> None:
        """See `Spool.wait`."""
        if self._fresh or self._schedule.is_due(now):
            return
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append(waiter)
        due = self._schedule.next_due()
        delay = _WAIT_SECONDS if due is None else min(max(due - now, 0.0), _WAIT_SECONDS)
        timer = self._loop.call_later(delay, self._wake)
        try:
            await waiter
        finally:
            timer.cancel()

    def record(self, job: Job, outcomes: Sequence[Outcome], retry_at: float | None, *, warned: bool) -> None:
        """See `Spool.record`."""
        if len(outcomes) == 1:
            outcome = outcomes[0]
            if outcome.disposition is not _DEFERRED and job.remaining == (outcome.recipient,):
                self._done(job)
                return
        over = {outcome.recipient for outcome in outcomes if outcome.disposition is not _DEFERRED}
        remaining = tuple([index for index in job.remaining if index not in over])
        if not remaining or self.orders.get(job.id) is Order.DELETE:
            self._done(job)
            return
        job.remaining = remaining
        job.warned = job.warned or warned
        job.last_outcomes = _latest(job, outcomes)
        if retry_at is not None:
            job.attempts += 1
            self._give_back(job, retry_at)
        else:
            self._keep_state(job, 0.0, held=False)

    def put_back(self, job: Job) -> None:
        """See `Spool.put_back`."""
        order = self.orders.get(job.id)
        if order is Order.DELETE:
            self._done(job)
        elif order is Order.HOLD:
            self._give_back(job, 0.0)
        else:
            del self.busy[job.id]
            self.orders.pop(job.id, None)
            self._let_go(job)
            self.schedule(job.segment, job.offset, 0, job.position)

    def _done(self, job: Job) -> None:
        del self.busy[job.id]
        if self.orders:
            self.orders.pop(job.id, None)
        self._let_go(job)
        segment = job.segment
        segment.outcomes.done(job.offset)
        segment.live -= 1
        segment.live_bytes -= job.record_size
        if self._current and job.place in self._current:
            self._current[job.place] = _GONE
        if type(job.source) is LargeContent:
            self.gone[job.source.path] = segment
        if not segment.is_noted:
            self._note(segment)
        if not segment.live:
            self._finish(segment)

    def _give_back(self, job: Job, retry_at: float) -> None:
        order = self.orders.pop(job.id, None)
        is_held = order is Order.HOLD
        if order is Order.EXPEDITE:
            retry_at = 0.0
        self._keep_state(job, retry_at, held=is_held)
        del self.busy[job.id]
        self._let_go(job)
        if is_held:
            self.held += 1
            self._current[job.place] = job.position
        else:
            self.schedule(job.segment, job.offset, retry_at, job.position)

    def _keep_state(self, job: Job, retry_at: float, *, held: bool) -> None:
        state = State(job.remaining, retry_at, job.attempts, job.warned, held, job.last_outcomes)
        job.position = job.segment.outcomes.state(job.offset, state)
        self._note(job.segment)
        if job.place in self._current:
            self._current[job.place] = job.position

    def _let_go(self, job: Job) -> None:
        """Nobody has the job in memory any more."""
        job.segment.busy -= 1
        self._memory_used -= job.charge
        job.charge = 0

    def _take_due(self, now: float, limit: int, jobs: list[Job]) -> None:
        pairs = self._schedule.take(now, limit)
        for row in range(0, len(pairs), 2):
            place, position = pairs[row], pairs[row + 1]
            segment = self.segments.get(place >> 32)
            if segment is None or not segment.live:
                continue  # moved or removed since
            if self._current and self._current.get(place, position) != position:
                continue
            if segment.is_moving:
                self._schedule.add(now + 1, place, position)
                continue
            job = self._read_job(segment, place & 0xFFFFFFFF, position)
            if job is not None:
                segment.busy += 1
                self.busy[job.id] = job
                jobs.append(job)

    def _read_job(self, segment: Segment, offset: int, position: int) -> Job | None:
        try:
            return read_job(self.files, segment, offset, position)
        except (SpoolCorrupt, OSError, ValueError) as error:
            self._set_aside(segment, offset, error)
            return None

    def _set_aside(self, segment: Segment, offset: int, error: Exception) -> None:
        """A message that cannot be read is out of the queue; its bytes are kept and it is reported."""
        size = segment.record_size(offset)
        kept = segment.path.with_name(segment.path.name + ".corrupt")
        fields = {"file": segment.path.name, "at": offset, "size_bytes": size, "kept": kept.name}
        try:
            append_file(self._disk, kept, [os.pread(self.files.get(segment.path), size, offset)])
        except OSError as fault:
            # It stays in its segment, which then is not removed, and is seen at the next start.
            self._report("spool-corrupt-not-kept", **fields, error=fault)
            return
        self._report("spool-corrupt", **fields, error=error)
        self.drop(segment, offset, size)

    # For orders

    def drop(self, segment: Segment, offset: int, size: int) -> None:
        """A message that nobody is delivering is done."""
        segment.outcomes.done(offset)
        segment.live -= 1
        segment.live_bytes -= size
        self._current[segment.place(offset)] = _GONE
        self._note(segment)
        self._finish(segment)

    def restate(self, segment: Segment, offset: int, state: State) -> None:
        """The state of a message that nobody is delivering is this; held or due accordingly."""
        position = segment.outcomes.state(offset, state)
        self._current[segment.place(offset)] = position
        self._note(segment)
        if not state.held:
            self.schedule(segment, offset, state.retry_at, position)

    def forget(self, numbers: set[int]) -> None:
        """These segments are removed."""
        if self._current:
            self._current = {p: state for p, state in self._current.items() if p >> 32 not in numbers}

    @property
    def deferred(self) -> int:
        """Entries of the schedule whose time is still to come."""
        return self._schedule.later

    def large_path(self, queue_id: str) -> Path:
        """Where the content of a large message lies."""
        return self._folder / f"{queue_id}.large"

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


def _latest(job: Job, outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """For each remaining recipient its latest outcome, if it has one."""
    latest = {outcome.recipient: outcome for outcome in (*job.last_outcomes, *outcomes)}
    return tuple([latest[index] for index in job.remaining if index in latest])
