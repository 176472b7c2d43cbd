"""What an operator asks: which messages are there; hold, release, retry or delete one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from gatepost.mail.address import Address
from gatepost.mail.codec import decode
from gatepost.mail.envelope import Envelope
from gatepost.mail.outcome import Outcome
from gatepost.store.failure import SpoolCorrupt
from gatepost.store.outcomes import DONE
from gatepost.store.queue import Order, Queue
from gatepost.store.queueid import BITS, LOW, id_number, id_seconds, id_text
from gatepost.store.reading import read_job, read_state, read_stored
from gatepost.store.record import Record
from gatepost.store.segment import Segment
from gatepost.store.state import State

_POSITIONS_KEPT = 4  # segments whose positions stay in memory for the next order


class ItemState(Enum):
    """`ACTIVE`: being delivered, or due and never tried. `DEFERRED`: to be tried again. `HELD`: kept."""

    ACTIVE = "active"
    DEFERRED = "deferred"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Item:
    """A message in the queue as it is listed.

    `recipients` are those that remain. `next_attempt` is Unix seconds, 0 for at once, None while it
    is being delivered or held.
    """

    id: str
    envelope: Envelope
    remaining: tuple[int, ...]
    state: ItemState
    attempts: int
    next_attempt: float | None
    last_outcomes: tuple[Outcome, ...]
    size_bytes: int

    @property
    def sender(self) -> Address | None:
        return self.envelope.sender

    @property
    def recipients(self) -> tuple[Address, ...]:
        return tuple(self.envelope.recipients[index].address for index in self.remaining)

    @property
    def user(self) -> str | None:
        return self.envelope.origin.user

    @property
    def peer(self) -> str:
        return self.envelope.origin.peer

    @property
    def accepted_at(self) -> float:
        """Unix seconds."""
        return self.envelope.origin.received_at.timestamp()

    @property
    def last_error(self) -> str | None:
        """The words of the last outcome, with its code and host."""
        if not self.last_outcomes:
            return None
        last = self.last_outcomes[-1]
        where = f"{last.host}: " if last.host else ""
        return f"{where}{last.code} {last.enhanced} {last.text}"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages there are; `total` is their sum."""

    active: int
    deferred: int
    held: int
    total: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A message of the queue, where it lies and how far it has come."""

    segment: Segment
    record: Record
    offset: int
    envelope: Envelope
    state: State


class Orders:
    """An operator's verbs on one queue. Each gives False when it has nothing to do it to.

    An order for a message that is being delivered is carried out when it is given back, one for a
    message that is being moved to another segment as soon as it has arrived there.
    """

    __slots__ = ("_later", "_queue", "_recent")

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._recent: list[Segment] = []
        self._later: list[Callable[[], object]] = []

    def hold(self, queue_id: str) -> bool:
        """The message is not tried until released."""
        if queue_id in self._queue.busy:
            self._queue.orders.setdefault(queue_id, Order.HOLD)
            return True
        found = self._find(queue_id)
        if found is None or found.state.held:
            return found is not None
        if self._must_wait(found, lambda: self.hold(queue_id)):
            return True
        self._queue.held += 1
        self._queue.restate(found.segment, found.offset, replace(found.state, held=True))
        return True

    def release(self, queue_id: str) -> bool:
        """The message is held no longer and is due at once. False when it was not held."""
        if self._queue.orders.get(queue_id) is Order.HOLD:
            del self._queue.orders[queue_id]
            return True
        found = self._find(queue_id)
        if found is None or not found.state.held:
            return False
        if self._must_wait(found, lambda: self.release(queue_id)):
            return True
        self._queue.held -= 1
        self._queue.restate(found.segment, found.offset, replace(found.state, held=False, retry_at=0.0))
        return True

    def retry(self, queue_id: str) -> bool:
        """The message is due at once; False when it is held."""
        if queue_id in self._queue.busy:
            return True
        found = self._find(queue_id)
        if found is None or found.state.held:
            return False
        if self._must_wait(found, lambda: self.retry(queue_id)):
            return True
        self._queue.restate(found.segment, found.offset, replace(found.state, retry_at=0.0))
        return True

    def expedite(self, queue_id: str) -> bool:
        """The message is due at once: a held one too, and one under way as soon as it comes back."""
        if queue_id in self._queue.busy:
            self._queue.orders[queue_id] = Order.EXPEDITE
            return True
        return self.release(queue_id) or self.retry(queue_id)

    def delete(self, queue_id: str) -> bool:
        """The message is gone without a report; one under way is not tried again."""
        if queue_id in self._queue.busy:
            self._queue.orders[queue_id] = Order.DELETE
            return True
        found = self._find(queue_id)
        if found is None:
            return False
        if self._must_wait(found, lambda: self.delete(queue_id)):
            return True
        if found.state.held:
            self._queue.held -= 1
        if found.record.is_large:
            self._queue.gone[self._queue.large_path(queue_id)] = found.segment
        self._queue.drop(found.segment, found.offset, found.record.size)
        return True

    def find(self, queue_id: str) -> Item | None:
        """The message as it is listed."""
        found = self._find(queue_id)
        return None if found is None else self._item(found)

    def header(self, queue_id: str) -> bytes | None:
        """The header fields of the message as stored, in wire form; None when it is not in the queue.

        Raises: SpoolCorrupt, OSError.
        """
        job = self._queue.busy.get(queue_id)
        if job is None:
            found = self._find(queue_id)
            if found is None:
                return None
            job = read_job(self._queue.files, found.segment, found.offset, 0)
        return job.header_bytes

    def items(self) -> Iterator[Item]:
        """Every message, oldest segment first. One at a time in memory; the queue may change
        between two of them, and a message that then moves may be missed or come twice.
        """
        for segment in list(self._queue.segments.values()):
            index = segment.read_index()
            if index is None:
                continue
            positions = segment.outcomes.load_positions()
            for offset in index.offsets:
                position = positions.get(offset, 0)
                if position == DONE and offset in positions:
                    continue
                found = self._read(segment, offset, position)
                if found is not None:
                    yield self._item(found)
            self._keep_recent(segment)

    def live(self) -> Iterator[list[int]]:
        """Every message, a segment at a time: `id_order(id) << 64 | place`. Reads no message."""
        for segment in list(self._queue.segments.values()):
            index = segment.read_index() if segment.live else None
            if index is None:
                continue
            position, base = segment.outcomes.load_positions().get, segment.place(0)
            self._keep_recent(segment)
            # id_order written out: a call for each of a hundred thousand would take longer than the rest
            yield [
                ((number & LOW) << 8 | number >> BITS) << 64 | base | offset
                for number, offset in zip(index.ids, index.offsets, strict=True)
                if position(offset) != DONE
            ]

    def item_at(self, place: int) -> Item | None:
        """The message there, None when it has gone since or cannot be read."""
        segment, offset = self._queue.segments.get(place >> 32), place & 0xFFFFFFFF
        if segment is None:
            return None
        position = segment.outcomes.load_positions().get(offset)
        self._keep_recent(segment)
        found = None if position == DONE else self._read(segment, offset, position or 0)
        return None if found is None else self._item(found)

    def oldest(self) -> float | None:
        """When the oldest message came in, Unix seconds. Reads indexes, no message."""
        lowest: int | None = None
        for segment in list(self._queue.segments.values()):
            # an id carries its time, so a segment of newer ones need not be looked into
            if segment.live and (lowest is None or segment.min_id < lowest):
                lowest = min(filter(None, (lowest, self._oldest_in(segment))), default=None)
        return None if lowest is None else id_seconds(lowest)

    def _oldest_in(self, segment: Segment) -> int | None:
        index = segment.read_index()
        if index is None:
            return None
        positions = segment.outcomes.load_positions()
        self._keep_recent(segment)
        rows = zip(index.ids, index.offsets, strict=True)
        return min((number for number, offset in rows if positions.get(offset) != DONE), default=None)

    def counts(self) -> Counts:
        """How many messages there are. `deferred` counts those with a time still to come."""
        queue = self._queue
        live = [segment for segment in queue.segments.values() if segment.live]
        total = sum(segment.live for segment in live)
        deferred = min(queue.deferred, total - queue.held - len(queue.busy))
        size = sum(segment.live_bytes for segment in live)
        return Counts(total - queue.held - deferred, deferred, queue.held, total, size)

    def moved(self) -> None:
        """No segment is being moved any more: orders that waited for it are carried out."""
        later, self._later = self._later, []
        for order in later:
            order()

    def _must_wait(self, found: _Found, order: Callable[[], object]) -> bool:
        if found.segment.is_moving:
            self._later.append(order)
        return found.segment.is_moving

    def _find(self, queue_id: str) -> _Found | None:
        number = id_number(queue_id)
        if number is None:
            return None
        for segment in reversed(list(self._queue.segments.values())):
            if segment.live and segment.min_id <= number <= segment.max_id:
                found = self._find_in(segment, number)
                if found is not None:
                    return found
        return None

    def _find_in(self, segment: Segment, number: int) -> _Found | None:
        index = segment.read_index()
        row = None if index is None else index.row(number)
        if index is None or row is None:
            return None
        offset = index.offsets[row]
        positions = segment.outcomes.load_positions()
        self._keep_recent(segment)
        position = positions.get(offset, 0)
        if position == DONE and offset in positions:
            return None
        return self._read(segment, offset, position)

    def _keep_recent(self, segment: Segment) -> None:
        if segment in self._recent:
            return
        self._recent.append(segment)
        if len(self._recent) > _POSITIONS_KEPT:
            self._recent.pop(0).outcomes.positions = None

    def _read(self, segment: Segment, offset: int, position: int) -> _Found | None:
        try:
            stored = read_stored(self._queue.files, segment, offset)
            envelope = decode(stored.record.envelope(stored.data))
            state = read_state(self._queue.files, segment.outcomes, position, stored)
        except (SpoolCorrupt, OSError, ValueError):
            return None  # it is set aside and reported when it is due
        if state is None:
            state = State(tuple(range(len(envelope.recipients))))
        return _Found(segment, stored.record, offset, envelope, state)

    def _item(self, found: _Found) -> Item:
        queue_id = id_text(found.record.id)
        state = found.state
        if queue_id in self._queue.busy:
            kind = ItemState.ACTIVE
        elif state.held:
            kind = ItemState.HELD
        elif state.attempts or state.retry_at:
            kind = ItemState.DEFERRED
        else:
            kind = ItemState.ACTIVE
        return Item(
            queue_id,
            found.envelope,
            state.remaining,
            kind,
            state.attempts,
            None if kind is ItemState.HELD or queue_id in self._queue.busy else state.retry_at,
            state.errors,
            found.record.message_size,
        )
