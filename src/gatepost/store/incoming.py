"""A message that is being taken in."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Protocol
from zlib import crc32

from gatepost.mail.codec import encode
from gatepost.mail.envelope import Envelope
from gatepost.store.commit import Arrival
from gatepost.store.disk import Disk, write_all
from gatepost.store.failure import SpoolFull, refusal
from gatepost.store.record import LARGE

LARGE_BYTES = 256 * 1024
_PENDING_BYTES = 512 * 1024  # drain() waits while more than this is unwritten
_PIECE_BYTES = 256 * 1024


class Intake(Protocol):
    """What an incoming message needs of its spool."""

    loop: asyncio.AbstractEventLoop
    disk: Disk
    executor: Executor
    arrive: Callable[[Arrival], None]
    large_files: set[LargeFile]

    def large_path(self, queue_id: str) -> Path: ...

    def has_room(self) -> bool: ...

    def leave(self) -> None: ...


class Incoming:
    """Content is written in wire form, then committed or abandoned; both only once.

    `queue_id` is final from the beginning. Past 256 KiB the content goes into a file of its own;
    a caller that then reads on only after `drain` keeps memory flat.
    """

    __slots__ = ("_intake", "_is_over", "_large", "_number", "_parts", "queue_id", "size_bytes")

    def __init__(self, intake: Intake, number: int, queue_id: str) -> None:
        self._intake = intake
        self._number = number
        self.queue_id = queue_id
        self.size_bytes = 0
        self._parts: list[bytes] = []
        self._large: LargeFile | None = None
        self._is_over = False

    @property
    def pending_bytes(self) -> int:
        """Bytes on their way to the file of a large message."""
        return 0 if self._large is None else self._large.pending_bytes

    def write(self, chunk: bytes) -> None:
        """The chunk is the next part of the content."""
        self.size_bytes += len(chunk)
        if self._large is not None:
            self._large.write(chunk)
            return
        self._parts.append(chunk)
        if self.size_bytes > LARGE_BYTES:
            self._large = LargeFile(self._intake, self._intake.large_path(self.queue_id))
            self._large.write(b"".join(self._parts))
            self._parts = []

    async def drain(self) -> None:
        """Little enough is unwritten for more to be read. Never raises: `commit` tells."""
        if self._large is not None:
            await self._large.drain()

    async def pieces(self) -> AsyncIterator[bytes]:
        """What was written so far, in pieces: memory stays flat. Raises: OSError."""
        if self._large is None:
            yield b"".join(self._parts)
            return
        async for piece in self._large.pieces():
            yield piece

    def commit(self, envelope: Envelope, header: bytes) -> asyncio.Future[str]:
        """A future of the queue id, which comes true when the message is on the disk.

        `header` goes on top of the content.

        Raises: EnvelopeError at once (it may still be abandoned). Through the future: SpoolFull,
        SpoolFailed; then nothing is kept.
        """
        encoded = encode(envelope)
        self._end()
        intake, parts = self._intake, self._parts
        future: asyncio.Future[str] = intake.loop.create_future()
        arrival = Arrival(
            self._number, self.queue_id, envelope, encoded, header, parts, self.size_bytes, 0, 0, future
        )
        if not intake.has_room():
            fail(future, SpoolFull("the file system of the spool is nearly full"))
            self._drop_large()
        elif self._large is not None:
            self._large.finish(lambda error, crc: self._large_done(arrival, error, crc))
        else:
            crc = 0
            for part in parts:
                crc = crc32(part, crc)
            arrival.content_crc = crc
            intake.arrive(arrival)
        return future

    def abandon(self) -> None:
        """Nothing of it is kept. Does nothing after `commit` or a first `abandon`."""
        if not self._is_over:
            self._end()
            self._drop_large()

    def _end(self) -> None:
        if self._is_over:
            raise RuntimeError("this message was committed or abandoned already")
        self._is_over = True
        self._intake.leave()

    def _drop_large(self) -> None:
        if self._large is not None:
            self._large.drop()

    def _large_done(self, arrival: Arrival, error: OSError | None, crc: int) -> None:
        if error is not None:
            fail(arrival.future, refusal(error))
            self._drop_large()
            return
        arrival.flags = LARGE
        arrival.content_crc = crc
        self._intake.arrive(arrival)


def fail(future: asyncio.Future[str], error: Exception) -> None:
    """The future raises; nothing is logged when nobody looks (the session may be gone)."""
    if not future.done():
        future.set_exception(error)
        future.exception()


class LargeFile:
    """A file that is written off the loop, one write at a time."""

    __slots__ = (
        "_crc",
        "_drained",
        "_ended",
        "_error",
        "_fd",
        "_finish",
        "_intake",
        "_is_dropped",
        "_is_writing",
        "_parts",
        "_path",
        "pending_bytes",
    )

    def __init__(self, intake: Intake, path: Path) -> None:
        self._intake = intake
        self._path = path
        self._fd = -1
        self._crc = 0
        self._parts: list[bytes] = []
        self._error: OSError | None = None
        self._is_writing = False
        self._is_dropped = False
        self._finish: Callable[[OSError | None, int], None] | None = None
        self._drained: list[asyncio.Future[None]] = []
        self._ended: asyncio.Future[None] = intake.loop.create_future()
        self.pending_bytes = 0
        intake.large_files.add(self)

    async def close(self) -> None:
        """No work on the file is under way any more. One that was not finished is gone."""
        if self._finish is None and not self._is_dropped and not self._ended.done():
            self.drop()
        await self._ended

    def write(self, chunk: bytes) -> None:
        if self._error is None and not self._is_dropped:
            self._parts.append(chunk)
            self.pending_bytes += len(chunk)
            self._advance()

    async def drain(self) -> None:
        if self.pending_bytes > _PENDING_BYTES:
            drained: asyncio.Future[None] = self._intake.loop.create_future()
            self._drained.append(drained)
            await drained

    async def pieces(self) -> AsyncIterator[bytes]:
        """What was written so far, read from the file. Raises: OSError."""
        while self.pending_bytes:
            written: asyncio.Future[None] = self._intake.loop.create_future()
            self._drained.append(written)
            await written
        if self._error is not None:
            raise self._error
        file = await asyncio.to_thread(os.open, self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while piece := await asyncio.to_thread(os.read, file, _PIECE_BYTES):
                yield piece
        finally:
            os.close(file)

    def finish(self, done: Callable[[OSError | None, int], None]) -> None:
        """`done` is called with the checksum when all is synced, or with the error."""
        self._finish = done
        self._advance()

    def drop(self) -> None:
        """The file is gone, as soon as no write is under way."""
        self._is_dropped = True
        self._parts.clear()
        self._advance()

    def _advance(self) -> None:
        if self._is_writing:
            return
        if self._is_dropped:
            self._run(self._remove, [])
        elif self._parts and self._error is None:
            parts, self._parts = self._parts, []
            self._run(self._append, parts)
        elif self._finish is not None:
            if self._error is None:
                self._run(self._sync, [])
            else:
                self._call_finish()

    def _run(self, work: Callable[[list[bytes]], OSError | None], parts: list[bytes]) -> None:
        self._is_writing = True
        intake = self._intake
        future = intake.loop.run_in_executor(intake.executor, work, parts)
        future.add_done_callback(lambda done: self._ran(done.result(), work, sum(map(len, parts))))

    def _ran(self, error: OSError | None, work: object, size: int) -> None:
        self._is_writing = False
        self._error = self._error or error
        self.pending_bytes = 0 if self._error else self.pending_bytes - size
        if self.pending_bytes <= _PENDING_BYTES:
            drained, self._drained = self._drained, []
            for future in drained:
                if not future.done():
                    future.set_result(None)
        if work == self._remove:
            self._end()
        elif work == self._sync:
            if error is None:
                self._end()
            self._call_finish()
        else:
            self._advance()

    def _end(self) -> None:
        self._intake.large_files.discard(self)
        if not self._ended.done():
            self._ended.set_result(None)

    def _call_finish(self) -> None:
        if self._finish is not None:
            done, self._finish = self._finish, None
            done(self._error, self._crc)

    def _append(self, parts: list[bytes]) -> OSError | None:
        try:
            if self._fd < 0:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
                self._fd = os.open(self._path, flags, 0o600)
            write_all(self._intake.disk, self._fd, parts)
        except OSError as error:
            return error
        for part in parts:
            self._crc = crc32(part, self._crc)
        return None

    def _sync(self, _: list[bytes]) -> OSError | None:
        try:
            self._intake.disk.sync(self._fd)
            self._intake.disk.sync_folder(self._path.parent)
        except OSError as error:
            return error
        finally:
            self._close()
        return None

    def _remove(self, _: list[bytes]) -> OSError | None:
        self._close()
        with contextlib.suppress(OSError):
            self._path.unlink()
        return None

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
