"""Syncs many small files at once.

Each fsync is a commit of its own to a journaling file system; one syncfs is one commit for all. Since Linux
5.8 it reports failed writes as fsync does; before that, and elsewhere, each file is synced by itself.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Protocol

from gatepost.store.disk import Disk

# Below this, syncing each by itself is no slower and does not wait for what others wrote.
_FEW: Final = 3


class Syncs(Protocol):
    """Makes a batch durable."""

    def files(self, files: Iterable[int]) -> None:
        """What was written to these descriptors is on the disk. Raises: OSError."""

    def folders(self, folders: Iterable[str]) -> None:
        """The names in these folders are on the disk. Raises: OSError."""


class GroupSync:
    """Picks the cheaper way for each batch."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._syncfs = _syncfs()

    def files(self, files: Iterable[int]) -> None:
        """What was written to these descriptors is on the disk. Raises: OSError."""
        files = list(files)
        if self._syncfs is None or len(files) < _FEW:
            for file in files:
                self._disk.sync(file)
        else:
            self._by_device(files, self._syncfs)

    def folders(self, folders: Iterable[str]) -> None:
        """The names in these folders are on the disk. Raises: OSError."""
        folders = set(folders)
        if self._syncfs is None or len(folders) < _FEW:
            for folder in folders:
                self._disk.sync_folder(Path(folder))
            return
        opened: list[int] = []
        try:
            for folder in folders:
                opened.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            self._by_device(opened, self._syncfs)
        finally:
            for file in opened:
                os.close(file)

    def _by_device(self, files: Iterable[int], syncfs: Callable[[int], None]) -> None:
        for file in {os.fstat(file).st_dev: file for file in files}.values():
            syncfs(file)


def _syncfs() -> Callable[[int], None] | None:
    """The system call, where it can be trusted to tell of failures."""
    release = re.match(r"(\d+)\.(\d+)", platform.release())
    if sys.platform != "linux" or release is None or tuple(map(int, release.groups())) < (5, 8):
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if function is None:
        return None

    def syncfs(file: int) -> None:
        if function(file) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return syncfs
