"""The group commit: one write and one sync for all messages that wait, in a thread.

A thread of its own rather than the loop: a sync takes from a fraction of a millisecond to seconds,
and the loop has other sessions. One commit is under way at a time; the loop gathers the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from gatepost.mail.envelope import Envelope
from gatepost.store.disk import Buffer, Disk, write_all
from gatepost.store.outcomes import OutcomeFile, append_frames
from gatepost.store.record import file_header
from gatepost.store.segment import Segment
from gatepost.store.state import State

_LOOK_SECONDS = 0.2  # between two looks at the room on the disk


@dataclass(slots=True)
class Move:
    """Where a message lay before it was copied, how far it had come, and where it lies then."""

    place: int
    state: State | None
    to: Segment | None = None
    offset: int = 0

    def note(self, segment: Segment, offset: int) -> None:
        """The copy is synced at this offset of the segment."""
        self.to, self.offset = segment, offset
        if segment.index is not None:
            retry_at = self.state.retry_at if self.state else 0.0
            held = self.state is not None and self.state.held
            segment.index.add_moved(offset, self.place, retry_at, held=held)


class Arrival:
    """A message that waits for its sync. `offset` is set when the commit is put together."""

    __slots__ = (
        "content_crc",
        "content_size",
        "envelope",
        "envelope_bytes",
        "flags",
        "future",
        "id",
        "moved_from",
        "offset",
        "parts",
        "queue_id",
        "record_size",
        "top",
    )

    def __init__(
        self,
        number: int,
        queue_id: str,
        envelope: Envelope,
        envelope_bytes: bytes,
        top: bytes,
        parts: list[bytes],
        content_size: int,
        content_crc: int,
        flags: int,
        future: asyncio.Future[str],
        moved_from: Move | None = None,
    ) -> None:
        self.id = number
        self.queue_id = queue_id
        self.envelope = envelope
        self.envelope_bytes = envelope_bytes
        self.top = top
        self.parts = parts
        self.content_size = content_size
        self.content_crc = content_crc
        self.flags = flags
        self.future = future
        self.moved_from = moved_from
        self.offset = 0
        self.record_size = 0


@dataclass(frozen=True, slots=True)
class OutcomeWrite:
    """Frames to append to one outcome file."""

    file: OutcomeFile
    path: Path
    frames: list[bytes]
    size: int


@dataclass(slots=True)
class Commit:
    """What is written at once, and what came of it.

    `error`: the messages were not kept and `segment` is not to be written any more.
    `is_clean_after_error`: nothing of them is left in it either.
    """

    segment: Segment | None = None
    is_new: bool = False
    buffers: list[Buffer] = field(default_factory=list)
    size: int = 0
    arrivals: list[Arrival] = field(default_factory=list)
    outcomes: list[OutcomeWrite] = field(default_factory=list)
    error: Exception | None = None
    is_clean_after_error: bool = True
    outcome_errors: list[OSError | None] = field(default_factory=list)
    free_bytes: int | None = None  # room on the disk, when it was looked at

    def perform(self, disk: Disk) -> None:
        """Everything is written and the messages are synced, or `error` says why not."""
        if self.segment is not None:
            try:
                self._write_messages(disk, self.segment)
            except OSError as error:
                self.error = error
                self._cut_off(disk, self.segment)
        for write in self.outcomes:
            self.outcome_errors.append(_append(disk, write))

    def _write_messages(self, disk: Disk, segment: Segment) -> None:
        if self.is_new:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
            segment.fd = os.open(segment.path, flags, 0o600)
            write_all(disk, segment.fd, [file_header(segment.number, segment.key)])
        write_all(disk, segment.fd, self.buffers)
        disk.sync(segment.fd)
        if self.is_new:
            # Before the first 250 of a segment its name must be on the disk as well.
            disk.sync_folder(segment.folder)

    def _cut_off(self, disk: Disk, segment: Segment) -> None:
        """Refused messages must not come back at the next start, if that can be helped."""
        self.is_clean_after_error = False
        if segment.fd < 0:
            self.is_clean_after_error = True
            return
        with contextlib.suppress(OSError):
            if self.is_new:
                segment.path.unlink()
            else:
                os.ftruncate(segment.fd, segment.size)
                disk.sync(segment.fd)
            self.is_clean_after_error = True


def _append(disk: Disk, write: OutcomeWrite) -> OSError | None:
    try:
        append_frames(disk, write.path, write.frames, write.size)
    except OSError as error:
        return error
    return None


class Writer:
    """The thread that performs commits, in the order given."""

    __slots__ = ("_disk", "_done", "_folder", "_look_at", "_loop", "_queue", "_thread")

    def __init__(self, disk: Disk, folder: Path, done: Callable[[Commit], None]) -> None:
        self._disk = disk
        self._folder = folder
        self._done = done
        self._look_at = 0.0
        self._queue: SimpleQueue[Commit | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._run, name="spool-commit", daemon=True)
        self._thread.start()

    def submit(self, commit: Commit) -> None:
        """It is performed in the thread; then `done` is called on the loop."""
        self._queue.put(commit)

    def stop(self) -> None:
        """Everything submitted was performed; the thread is gone."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (commit := self._queue.get()) is not None:
            try:
                commit.perform(self._disk)
                self._look_for_room(commit)
            except Exception as error:  # top of the thread: nobody may wait for ever
                commit.error = error
            self._loop.call_soon_threadsafe(self._done, commit)

    def _look_for_room(self, commit: Commit) -> None:
        now = time.monotonic()
        if now >= self._look_at or commit.error is not None:
            self._look_at = now + _LOOK_SECONDS
            with contextlib.suppress(OSError):
                commit.free_bytes = self._disk.free_bytes(self._folder)
