"""The group commit: one write and one sync for all messages that wait.

The loop does not wait for the sync, which takes from a fraction of a millisecond to seconds: the kernel
does it, or a thread. One commit is under way at a time; the loop gathers the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Protocol

from gatepost.mail.envelope import Envelope
from gatepost.store.aio import KernelSync
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
                self._make_segment(disk, self.segment)
                write_all(disk, self.segment.fd, self.buffers)
                disk.sync(self.segment.fd)
                if self.is_new:
                    # Before the first 250 of a segment its name must be on the disk as well.
                    disk.sync_folder(self.segment.folder)
            except OSError as error:
                self.failed(disk, self.segment, error)
        self.append_outcomes(disk)

    def append_outcomes(self, disk: Disk) -> None:
        """The outcomes are in their files, or `outcome_errors` says why not."""
        for write in self.outcomes:
            self.outcome_errors.append(_append(disk, write))

    def failed(self, disk: Disk, segment: Segment, error: Exception) -> None:
        """The messages were not kept. They must not come back at the next start, if that can be helped."""
        self.error = error
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

    def _make_segment(self, disk: Disk, segment: Segment) -> None:
        if self.is_new:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
            segment.fd = os.open(segment.path, flags, 0o600)
            write_all(disk, segment.fd, [file_header(segment.number, segment.key)])


def _append(disk: Disk, write: OutcomeWrite) -> OSError | None:
    try:
        append_frames(disk, write.path, write.frames, write.size)
    except OSError as error:
        return error
    return None


class Writer(Protocol):
    """Performs commits in the order given, one at a time, and calls `done` on the loop after each."""

    def submit(self, commit: Commit) -> None: ...

    def stop(self) -> None:
        """Everything submitted was performed."""


class ThreadWriter:
    """Performs them in a thread of its own."""

    __slots__ = ("_disk", "_done", "_loop", "_queue", "_room", "_thread")

    def __init__(self, disk: Disk, folder: Path, done: Callable[[Commit], None]) -> None:
        self._disk = disk
        self._done = done
        self._room = _Room(disk, folder)
        self._queue: SimpleQueue[Commit | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._run, name="spool-commit", daemon=True)
        self._thread.start()

    def submit(self, commit: Commit) -> None:
        self._queue.put(commit)

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (commit := self._queue.get()) is not None:
            try:
                commit.perform(self._disk)
                self._room.look(commit)
            except Exception as error:  # top of the thread: nobody may wait for ever
                commit.error = error
            self._loop.call_soon_threadsafe(self._done, commit)


class LoopWriter:
    """Writes on the loop, into the page cache, and has the kernel sync. A new segment is a thread's."""

    __slots__ = ("_disk", "_done", "_loop", "_room", "_syncs", "_thread")

    def __init__(self, disk: Disk, folder: Path, done: Callable[[Commit], None], syncs: KernelSync) -> None:
        self._disk = disk
        self._done = done
        self._room = _Room(disk, folder)
        self._syncs = syncs
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadWriter(disk, folder, done)

    def submit(self, commit: Commit) -> None:
        segment = commit.segment
        if commit.is_new:
            self._thread.submit(commit)
            return
        if segment is None:
            self._loop.call_soon(self._synced, commit, None)
            return
        try:
            write_all(self._disk, segment.fd, commit.buffers)
            self._disk.begin_sync(self._syncs, segment.fd, partial(self._synced, commit))
        except Exception as error:  # nobody may wait for ever
            self._loop.call_soon(self._synced, commit, error)

    def stop(self) -> None:
        self._syncs.close()
        self._thread.stop()

    def _synced(self, commit: Commit, error: Exception | None) -> None:
        if error is not None and commit.segment is not None:
            commit.failed(self._disk, commit.segment, error)
        commit.append_outcomes(self._disk)
        self._room.look(commit)
        self._done(commit)


class _Room:
    """Looks from time to time how much room there is."""

    __slots__ = ("_disk", "_folder", "_look_at")

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder
        self._look_at = 0.0

    def look(self, commit: Commit) -> None:
        """The commit knows of the room if it is time, or if it failed."""
        now = time.monotonic()
        if now >= self._look_at or commit.error is not None:
            self._look_at = now + _LOOK_SECONDS
            with contextlib.suppress(OSError):
                commit.free_bytes = self._disk.free_bytes(self._folder)


def writer(disk: Disk, folder: Path, done: Callable[[Commit], None]) -> Writer:
    """The cheaper one that this machine can have."""
    if disk.kernel_syncs:
        with contextlib.suppress(OSError):
            return LoopWriter(disk, folder, done, KernelSync())
    return ThreadWriter(disk, folder, done)
