"""Spools, messages and disks for the tests of the store."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gatepost.mail.address import Address
from gatepost.mail.envelope import Envelope, Origin, Recipient
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.aio import Done, KernelSync
from gatepost.store.disk import Buffer, Disk
from gatepost.store.spool import Job, Spool

NOW = 2_000_000_000.0
TOP = b"Received: by test\r\n"


def envelope(*names: str, user: str | None = "ann") -> Envelope:
    recipients = tuple(Recipient(Address(name, "example.net")) for name in names or ("bob",))
    origin = Origin("S1", "submission", "192.0.2.1", user, datetime(2026, 1, 1, tzinfo=UTC))
    return Envelope(Address("ann", "example.org"), recipients, origin)


def relayed(*recipients: int) -> list[Outcome]:
    return [Outcome(index, Disposition.RELAYED, 250, "2.0.0", "ok", "mx") for index in recipients]


def deferred(*recipients: int) -> list[Outcome]:
    return [Outcome(index, Disposition.DEFERRED, 451, "4.3.0", "later", "mx") for index in recipients]


@dataclass(slots=True)
class Faults:
    """What a spool reported."""

    events: list[str] = field(default_factory=list)

    def __call__(self, event: str, /, **fields: object) -> None:
        self.events.append(event)


@asynccontextmanager
async def spool(folder: Path, **settings: object) -> AsyncIterator[Spool]:
    opened = Spool(folder, worker=0, **settings)  # type: ignore[arg-type]
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


async def accept(where: Spool, content: bytes = b"Subject: a\r\n\r\nhi\r\n", *names: str) -> str:
    incoming = where.incoming()
    incoming.write(content)
    return await incoming.commit(envelope(*names), TOP)


def take_one(where: Spool, now: float = NOW) -> Job:
    (job,) = where.take(now, 10)
    return job


def files(folder: Path, suffix: str) -> list[Path]:
    return sorted((folder / "0").glob(f"*{suffix}"))


class FaultyDisk(Disk):
    """Real files, with the faults asked for. `write_limit`: most bytes of one write."""

    def __init__(self) -> None:
        self.write_error: int | None = None
        self.sync_error: int | None = None
        self.write_limit: int | None = None
        self.free: int | None = None
        self.syncs = 0
        self.folder_syncs = 0
        self.log: list[str] = []

    def write(self, fd: int, buffers: Sequence[Buffer]) -> int:
        if self.write_error is not None:
            super().write(fd, [b"".join(buffers)[:7]])  # a part got through
            raise OSError(self.write_error, os.strerror(self.write_error))
        if self.write_limit is not None:
            return super().write(fd, [b"".join(buffers)[: self.write_limit]])
        return super().write(fd, buffers)

    def sync(self, fd: int) -> None:
        self.syncs += 1
        if self.sync_error is not None:
            raise OSError(self.sync_error, os.strerror(self.sync_error))
        super().sync(fd)

    def begin_sync(self, syncs: KernelSync, fd: int, done: Done) -> None:
        self.syncs += 1
        if self.sync_error is not None:
            error = OSError(self.sync_error, os.strerror(self.sync_error))
            asyncio.get_running_loop().call_soon(done, error)
        else:
            super().begin_sync(syncs, fd, done)

    def sync_folder(self, folder: Path) -> None:
        self.folder_syncs += 1
        super().sync_folder(folder)

    def free_bytes(self, folder: Path) -> int:
        return super().free_bytes(folder) if self.free is None else self.free


EIO, ENOSPC = errno.EIO, errno.ENOSPC
