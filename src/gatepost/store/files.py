"""Descriptors for reading, a bounded number of them kept open."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

_OPEN_AT_MOST = 64


class Files:
    """Read-only descriptors by path, those used least recently closed first."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: OrderedDict[Path, int] = OrderedDict()

    def get(self, path: Path) -> int:
        """A descriptor that is good until the next call of `get`, `forget` or `close`. Raises: OSError."""
        fd = self._open.get(path)
        if fd is not None:
            self._open.move_to_end(path)
            return fd
        fd = os.open(path, os.O_RDONLY)
        self._open[path] = fd
        if len(self._open) > _OPEN_AT_MOST:
            os.close(self._open.popitem(last=False)[1])
        return fd

    def forget(self, path: Path) -> None:
        """The file is closed; its name may come to mean another."""
        fd = self._open.pop(path, None)
        if fd is not None:
            os.close(fd)

    def close(self) -> None:
        while self._open:
            os.close(self._open.popitem()[1])
