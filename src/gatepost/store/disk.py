"""The system calls that the spool rests on."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from gatepost.store.aio import Done, KernelSync

Buffer = bytes | memoryview

FREE_LEAST_BYTES = 64 * 1024 * 1024
"""With less room than that no mail is taken: a disk that is really full cannot even record a delivery."""

_BUFFERS_PER_WRITE = 1024  # IOV_MAX on Linux


class Disk:
    """Writes and syncs files. A test hands the spool one that fails where it says.

    `kernel_syncs`: `begin_sync` may be used where the machine has it.
    """

    kernel_syncs = True

    def write(self, fd: int, buffers: Sequence[Buffer]) -> int:
        """How many bytes were written; may be fewer than given. Raises: OSError."""
        return os.writev(fd, buffers)

    def sync(self, fd: int) -> None:
        """What was written to `fd` is on the disk. Raises: OSError."""
        os.fdatasync(fd)

    def begin_sync(self, syncs: KernelSync, fd: int, done: Done) -> None:
        """As `sync`, but the loop calls `done`, with the error if there is one. Raises: OSError."""
        syncs.begin(fd, done)

    def sync_folder(self, folder: Path) -> None:
        """Names made in or taken from `folder` are on the disk. Raises: OSError."""
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def free_bytes(self, folder: Path) -> int:
        """Room left for us on the file system of `folder`. Raises: OSError."""
        facts = os.statvfs(folder)
        return facts.f_bavail * facts.f_frsize


def write_all(disk: Disk, fd: int, buffers: Sequence[Buffer]) -> None:
    """All of `buffers` are written in order. Raises: OSError."""
    for start in range(0, len(buffers), _BUFFERS_PER_WRITE):
        group = buffers[start : start + _BUFFERS_PER_WRITE]
        written = disk.write(fd, group)
        if written < sum(map(len, group)):
            _write_rest(disk, fd, memoryview(b"".join(group))[written:])


def _write_rest(disk: Disk, fd: int, rest: memoryview) -> None:
    while rest:
        written = disk.write(fd, [rest])
        if written <= 0:
            raise OSError(errno.EIO, "nothing was written")
        rest = rest[written:]


def write_file(disk: Disk, path: Path, buffers: Sequence[Buffer]) -> None:
    """The file at `path` is there whole, or not at all. Raises: OSError."""
    draft = path.with_name(path.name + ".new")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(disk, fd, buffers)
        disk.sync(fd)
    finally:
        os.close(fd)
    os.replace(draft, path)


def append_file(disk: Disk, path: Path, buffers: Sequence[Buffer]) -> None:
    """The bytes stand at the end of the file, synced. Raises: OSError."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        write_all(disk, fd, buffers)
        disk.sync(fd)
    finally:
        os.close(fd)
