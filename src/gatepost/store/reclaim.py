"""Copies what still lives in a mostly finished segment forward, so that its room comes back.

The order keeps every message through a crash at any point: the copy, with the message's state
inside it, is synced in the newest segment; only then the old segment is removed. When a start finds
both, the newer one counts, and the older is marked done before anything else happens.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass

from gatepost.mail.codec import decode
from gatepost.store.commit import Arrival, Move
from gatepost.store.failure import Report, SpoolCorrupt, SpoolError
from gatepost.store.files import Files
from gatepost.store.index import Index
from gatepost.store.outcomes import DONE
from gatepost.store.queue import Queue
from gatepost.store.queueid import id_text
from gatepost.store.reading import Stored, read_state, read_stored
from gatepost.store.record import LARGE
from gatepost.store.segment import Segment
from gatepost.store.state import State

_LIVE_SHARE = 4  # a segment is emptied when less than one part in so many lives


@dataclass(frozen=True, slots=True)
class _Living:
    """A message to be copied."""

    offset: int
    stored: Stored
    content: bytes
    state: State | None


def worth_moving(segment: Segment) -> bool:
    """Little of the segment lives, nobody has any of it in memory, and its outcomes are written."""
    return (
        segment.is_sealed
        and not segment.is_moving
        and 0 < segment.live_bytes * _LIVE_SHARE < segment.size
        and segment.busy == 0
        and segment.outcomes.is_clean
    )


class Reclaim:
    """Empties segments, one at a time. `add` puts a message into the next commit."""

    __slots__ = ("_add", "_finish", "_queue", "_report")

    def __init__(
        self,
        queue: Queue,
        add: Callable[[Arrival], None],
        finish: Callable[[Segment], None],
        report: Report,
    ) -> None:
        self._queue = queue
        self._add = add
        self._finish = finish
        self._report = report

    async def run(self) -> int:
        """How many segments were emptied of those that were worth it."""
        moved = 0
        for segment in list(self._queue.segments.values()):
            if worth_moving(segment):
                moved += await self._move(segment)
        return moved

    async def _move(self, segment: Segment) -> bool:
        segment.is_moving = True
        try:
            loop = asyncio.get_running_loop()
            index = segment.read_index()
            if index is None:
                return False
            living = await loop.run_in_executor(None, _read_living, segment, index)
            arrivals = [_arrival(segment, message, loop) for message in living]
            for arrival in arrivals:
                self._add(arrival)
            for arrival in arrivals:
                await arrival.future
        except (SpoolError, OSError, ValueError) as error:
            self._report("spool-reclaim-failed", segment=segment.number, error=error)
            return False
        finally:
            segment.is_moving = False
        self._take_over(segment, arrivals)
        return True

    def _take_over(self, segment: Segment, arrivals: list[Arrival]) -> None:
        """The copies are due when the originals were; nothing lives in the old segment."""
        segment.live = segment.live_bytes = 0
        self._finish(segment)
        for arrival in arrivals:
            move = arrival.moved_from
            if move is None or move.to is None or (move.state is not None and move.state.held):
                continue
            self._queue.schedule(move.to, move.offset, move.state.retry_at if move.state else 0.0)


def _read_living(segment: Segment, index: Index) -> list[_Living]:
    """In a thread; nothing changes in a segment that is being moved. Raises: SpoolCorrupt, OSError."""
    files = Files()
    try:
        positions = segment.outcomes.read_positions()
        living: list[_Living] = []
        for offset in index.offsets:
            position = positions.get(offset)
            if position == DONE:
                continue
            stored = read_stored(files, segment, offset)
            state = read_state(files, segment.outcomes, position or 0, stored)
            living.append(_Living(offset, stored, _content(files, segment, offset, stored), state))
        return living
    finally:
        files.close()


def _content(files: Files, segment: Segment, offset: int, stored: Stored) -> bytes:
    record = stored.record
    if record.is_large:
        return b""
    content = os.pread(files.get(segment.path), record.content_size, offset + record.head_size)
    if len(content) != record.content_size:
        raise SpoolCorrupt(f"{segment.path}: the record at {offset} is cut off")
    return content  # damaged or not it keeps its checksum


def _arrival(segment: Segment, message: _Living, loop: asyncio.AbstractEventLoop) -> Arrival:
    record, data = message.stored.record, message.stored.data
    envelope = record.envelope(data)
    return Arrival(
        record.id,
        id_text(record.id),
        decode(envelope),
        envelope,
        record.top(data),
        [message.content],
        record.content_size,
        record.content_crc,
        record.flags & LARGE,
        loop.create_future(),
        Move(segment.place(message.offset), message.state),
    )
