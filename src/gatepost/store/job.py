"""A message that somebody is delivering."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Protocol
from zlib import crc32

from gatepost.mail.envelope import Envelope
from gatepost.mail.outcome import Outcome
from gatepost.store.disk import Disk, append_file
from gatepost.store.failure import SpoolCorrupt
from gatepost.store.segment import Segment

_CHUNK_BYTES = 256 * 1024
_HEADER_LIMIT_BYTES = 256 * 1024


class Source(Protocol):
    """Where the bytes of a message come from."""

    def read(self) -> bytes: ...

    def start(self, limit: int) -> bytes: ...

    def chunks(self) -> AsyncIterator[bytes]: ...


class Job:
    """One message to deliver, taken from the spool until it is recorded.

    `remaining` are indexes of the recipients not yet done. `attempts` counts earlier ones.
    `warned`: its sender has had a delay warning. `last_outcomes` are those of the last attempt.
    `size_bytes` is the size in wire form, header fields of ours with it. What follows is the
    spool's own: `segment`, `offset` and `record_size` of the record, `source` of its bytes,
    `position` of its state, `charge` on the memory budget.
    """

    __slots__ = (
        "attempts",
        "charge",
        "envelope",
        "id",
        "last_outcomes",
        "offset",
        "position",
        "record_size",
        "remaining",
        "segment",
        "size_bytes",
        "source",
        "warned",
    )

    def __init__(
        self,
        queue_id: str,
        envelope: Envelope,
        remaining: tuple[int, ...],
        size_bytes: int,
        segment: Segment,
        offset: int,
        record_size: int,
        source: Source | list[bytes],
        charge: int = 0,
    ) -> None:
        self.id = queue_id
        self.envelope = envelope
        self.remaining = remaining
        self.attempts = 0
        self.warned = False
        self.last_outcomes: tuple[Outcome, ...] = ()
        self.size_bytes = size_bytes
        self.segment = segment
        self.offset = offset
        self.record_size = record_size
        self.source = source
        self.position = 0
        self.charge = charge

    @property
    def place(self) -> int:
        return self.segment.number << 32 | self.offset

    def __repr__(self) -> str:
        return f"<Job {self.id} remaining={self.remaining} attempts={self.attempts}>"

    @property
    def accepted_at(self) -> float:
        """Unix seconds."""
        return self.envelope.origin.received_at.timestamp()

    @property
    def header_bytes(self) -> bytes:
        """The header fields as stored, ours on top, without the empty line; at most 256 KiB.

        Raises: SpoolCorrupt, OSError.
        """
        source = self.source
        start = b"".join(source) if isinstance(source, list) else source.start(_HEADER_LIMIT_BYTES)
        end = start.find(b"\r\n\r\n")
        return start[: end + 2] if end >= 0 else start[:_HEADER_LIMIT_BYTES]

    def content(self) -> bytes:
        """The whole message in dot-stuffed wire form, without the final dot. For small ones.

        Raises: SpoolCorrupt, OSError.
        """
        source = self.source
        return b"".join(source) if isinstance(source, list) else source.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The same in pieces of at most 256 KiB. The last piece comes only after the whole was
        found to be undamaged, so that no final dot follows bad content.

        Raises: SpoolCorrupt, OSError.
        """
        source = self.source
        if isinstance(source, list):
            yield b"".join(source)
            return
        async for chunk in source.chunks():
            yield chunk


@dataclass(frozen=True, slots=True)
class StoredContent:
    """Content inside a segment file, read when asked for."""

    path: Path
    top: bytes
    at: int
    size: int
    crc: int

    def read(self) -> bytes:
        return self.top + self._content()

    def start(self, limit: int) -> bytes:
        return self.read()[:limit]

    async def chunks(self) -> AsyncIterator[bytes]:
        yield await asyncio.get_running_loop().run_in_executor(None, self.read)

    def _content(self) -> bytes:
        with self.path.open("rb", buffering=0) as file:
            content = os.pread(file.fileno(), self.size, self.at)
        if len(content) != self.size or crc32(content) != self.crc:
            # The segment goes once the message is done; what was stored must not go with it.
            append_file(Disk(), self.path.with_name(self.path.name + ".corrupt"), [self.top, content])
            raise SpoolCorrupt(f"{self.path}: content at {self.at} does not match its checksum")
        return content


@dataclass(frozen=True, slots=True)
class LargeContent:
    """Content in a file of its own."""

    path: Path
    top: bytes
    size: int
    crc: int

    def read(self) -> bytes:
        content = self.path.read_bytes()
        if len(content) != self.size or crc32(content) != self.crc:
            raise self._corrupt()
        return self.top + content

    def start(self, limit: int) -> bytes:
        with self.path.open("rb", buffering=0) as file:
            return self.top + os.pread(file.fileno(), limit, 0)

    async def chunks(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        file = await loop.run_in_executor(None, self._open)
        try:
            waiting, crc, size = self.top, 0, 0
            while chunk := await loop.run_in_executor(None, file.read, _CHUNK_BYTES):
                yield waiting
                waiting, crc, size = chunk, crc32(chunk, crc), size + len(chunk)
            if size != self.size or crc != self.crc:
                raise self._corrupt()
            yield waiting
        finally:
            file.close()

    def _open(self) -> FileIO:
        return self.path.open("rb", buffering=0)

    def _corrupt(self) -> SpoolCorrupt:
        """The file keeps a second name, under which it stays when the message is done."""
        with contextlib.suppress(FileExistsError):
            os.link(self.path, self.path.with_name(self.path.name + ".corrupt"))
        return SpoolCorrupt(f"{self.path}: content does not match its checksum")
