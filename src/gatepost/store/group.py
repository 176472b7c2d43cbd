"""Gathers what waits for the disk and decides when the next commit goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from gatepost.store.chores import Chores
from gatepost.store.commit import Arrival, Commit, OutcomeWrite, writer
from gatepost.store.disk import Disk
from gatepost.store.failure import Report, refusal
from gatepost.store.incoming import fail
from gatepost.store.index import Index
from gatepost.store.record import FILE_HEADER_BYTES, LARGE, MOVED, Key, record_head
from gatepost.store.segment import Segment
from gatepost.store.state import encode_state

_LINGER_SECONDS = 0.001  # a sync costs more than a message
_OUTCOME_SECONDS = 0.01  # nobody waits for an outcome
_SEGMENT_MESSAGES = 32_768  # a start holds this many positions at a time
_RETRY_SECONDS = 1.0  # after outcomes could not be written


class Group:
    """Group commit on the loop's side.

    A lone session's message goes at once; when several send, up to a millisecond is waited for
    more. `kept` is called with a segment and the messages now synced in it, before their futures
    come true; `sealed` when a segment takes no more; `settled` when no commit is under way.
    """

    def __init__(
        self,
        folder: Path,
        disk: Disk,
        chores: Chores,
        report: Report,
        segments: dict[int, Segment],
        *,
        kept: Callable[[Segment, list[Arrival]], None],
        sealed: Callable[[Segment], None],
        settled: Callable[[], None],
        next_number: int,
        segment_bytes: int,
    ) -> None:
        self._folder = folder
        self._chores = chores
        self._report = report
        self._kept = kept
        self._sealed = sealed
        self._settled = settled
        self._next_number = next_number
        self._segment_bytes = segment_bytes
        self._loop = asyncio.get_running_loop()
        self._writer = writer(disk, folder, self._written)
        self._active: Segment | None = None
        self._pending: list[Arrival] = []
        self._noted: dict[int, Segment] = {}
        self._under_way: Commit | None = None
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None
        self._is_timer_slow = False
        self._oldest = 0.0
        self._last_count = 0
        self._after: list[asyncio.Future[None]] = []
        self.senders = 0  # messages being taken in that are not yet committed
        self.free_bytes = disk.free_bytes(folder)
        self.segments = segments

    def add(self, arrival: Arrival) -> None:
        """The message goes with the next commit."""
        if not self._pending:
            self._oldest = self._loop.time()
        self._pending.append(arrival)
        if self._under_way is None and (self._timer is None or self._is_timer_slow):
            self._start_timer()

    def note(self, segment: Segment) -> None:
        """The segment has outcomes to write."""
        segment.is_noted = True
        self._noted[segment.number] = segment
        if self._under_way is None and self._timer is None:
            self._is_timer_slow = True
            self._timer = self._loop.call_later(_OUTCOME_SECONDS, self._go)

    def forget(self, segment: Segment) -> None:
        """The segment is about to be removed: its outcomes need no writing."""
        self._noted.pop(segment.number, None)

    @property
    def is_idle(self) -> bool:
        """No commit is under way."""
        return self._under_way is None

    async def flush(self) -> None:
        """What was added and noted until now was tried to be written."""
        while self._pending or self._noted or self._under_way is not None:
            future: asyncio.Future[None] = self._loop.create_future()
            self._after.append(future)
            if self._under_way is None:
                self._go()
            await future
            if self._under_way is None and not self._pending and self._timer is not None:
                return  # outcomes that could not be written wait for their next try

    def close(self) -> None:
        """The open segment is sealed."""
        if self._timer is not None:
            self._timer.cancel()
        self._writer.stop()
        self._retire()

    def _start_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._is_timer_slow = False
        if self.senders == 0 and self._last_count < 2:
            self._timer = self._loop.call_soon(self._go)
        else:
            delay = self._oldest + _LINGER_SECONDS - self._loop.time()
            self._timer = self._loop.call_later(max(delay, 0.0), self._go)

    def _go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        commit = Commit()
        if self._pending:
            self._put_together(commit)
        for segment in self._noted.values():
            segment.is_noted = False
            file = segment.outcomes
            frames = file.pending()
            if frames:
                commit.outcomes.append(OutcomeWrite(file, file.path, frames, file.size))
        self._noted.clear()
        self._under_way = commit
        self._writer.submit(commit)

    def _put_together(self, commit: Commit) -> None:
        commit.arrivals, self._pending = self._pending, []
        segment = self._active
        if segment is None or segment.size >= self._segment_bytes or segment.count >= _SEGMENT_MESSAGES:
            self._retire()
            segment = self._new_segment()
            commit.is_new = True
        commit.segment = segment
        at = segment.size
        for arrival in commit.arrivals:
            head = _head(segment.key, arrival)
            commit.buffers.append(head)
            size = len(head)
            if not arrival.flags & LARGE:
                commit.buffers.extend(arrival.parts)
                size += arrival.content_size
            arrival.offset = at
            arrival.record_size = size
            at += size
        commit.size = at

    def _new_segment(self) -> Segment:
        segment = Segment(self._folder, self._next_number, Key.fresh(), size=FILE_HEADER_BYTES)
        segment.index = Index()
        self._next_number += 1
        self._active = segment
        return segment

    def _retire(self) -> None:
        segment, self._active = self._active, None
        if segment is not None and segment.number in self.segments:
            self._chores.seal(segment)
            self._sealed(segment)

    def _written(self, commit: Commit) -> None:
        self._under_way = None
        self._last_count = len(commit.arrivals)
        if commit.free_bytes is not None:
            self.free_bytes = commit.free_bytes
        if commit.segment is not None:
            if commit.error is None:
                self._accept(commit.segment, commit)
            else:
                self._refuse(commit.segment, commit, commit.error)
        has_failed = self._note_outcomes(commit)
        self._settled()
        after, self._after = self._after, []
        for future in after:
            if not future.done():
                future.set_result(None)
        if self._pending:
            self._start_timer()
        elif self._noted and self._timer is None:
            self._is_timer_slow = True
            delay = _RETRY_SECONDS if has_failed else _OUTCOME_SECONDS
            self._timer = self._loop.call_later(delay, self._go)

    def _accept(self, segment: Segment, commit: Commit) -> None:
        self.segments[segment.number] = segment
        segment.size = commit.size
        self._kept(segment, commit.arrivals)
        for arrival in commit.arrivals:
            if not arrival.future.done():
                arrival.future.set_result(arrival.queue_id)

    def _refuse(self, segment: Segment, commit: Commit, error: Exception) -> None:
        """The segment is abandoned: after a failed sync nobody knows what of it is on the disk."""
        self._report(
            "spool-commit-failed", segment=segment.number, messages=len(commit.arrivals), error=error
        )
        if not commit.is_clean_after_error:
            self.segments[segment.number] = segment
            for arrival in commit.arrivals:
                if arrival.moved_from is None:  # the other copy of a moved one still counts
                    segment.outcomes.done(arrival.offset)
            self.note(segment)
        self._retire()
        segment.close()
        for arrival in commit.arrivals:
            if arrival.flags & LARGE and arrival.moved_from is None:
                self._chores.unlink(self._folder / f"{arrival.queue_id}.large")
            fail(arrival.future, refusal(error))

    def _note_outcomes(self, commit: Commit) -> bool:
        has_failed = False
        for write, error in zip(commit.outcomes, commit.outcome_errors, strict=False):
            if error is None:
                write.file.written(write.frames)
            else:
                has_failed = True
                self._report("spool-outcomes-failed", segment=write.file.number, error=error)
                segment = self.segments.get(write.file.number)
                if segment is not None:
                    segment.is_noted = True
                    self._noted[segment.number] = segment
        return has_failed


def _head(key: Key, arrival: Arrival) -> bytes:
    extra = b""
    flags = arrival.flags
    if arrival.moved_from is not None:
        flags |= MOVED
        state = arrival.moved_from.state
        extra = arrival.moved_from.place.to_bytes(8, "little") + (encode_state(state) if state else b"")
    return record_head(
        key,
        arrival.id,
        flags,
        arrival.envelope_bytes,
        arrival.top,
        extra,
        arrival.content_crc,
        arrival.content_size,
    )
