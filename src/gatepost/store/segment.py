"""One segment while the spool is open: how much of it lives, and where its parts are."""

from __future__ import annotations

import os
from pathlib import Path

from gatepost.store.index import Index, index_path, read_index
from gatepost.store.outcomes import OutcomeFile
from gatepost.store.record import Key, segment_path


class Segment:
    """Belongs to the event loop.

    `size` are the bytes known to be whole and synced. `live` counts messages not done. `busy`
    counts those of them that somebody has in memory. `is_noted`: the next commit will write its
    outcomes. A sealed segment takes no more messages; its
    index lies on the disk, that of an open one is `index`.
    """

    __slots__ = (
        "busy",
        "fd",
        "folder",
        "index",
        "index_path",
        "is_moving",
        "is_noted",
        "is_sealed",
        "key",
        "live",
        "live_bytes",
        "max_id",
        "min_id",
        "number",
        "outcomes",
        "path",
        "size",
    )

    def __init__(self, folder: Path, number: int, key: Key, *, size: int, outcomes_size: int = 0) -> None:
        self.folder = folder
        self.path = segment_path(folder, number)
        self.index_path = index_path(folder, number)
        self.number = number
        self.key = key
        self.size = size
        self.live = 0
        self.live_bytes = 0
        self.busy = 0
        self.is_sealed = False
        self.is_moving = False
        self.is_noted = False
        self.index: Index | None = None
        self.min_id = 1 << 62
        self.max_id = 0
        self.fd = -1
        self.outcomes = OutcomeFile(folder, number, key, outcomes_size)

    @property
    def is_finished(self) -> bool:
        """Nothing in it is wanted any more and nothing more will come."""
        return self.is_sealed and self.live == 0 and self.busy == 0

    @property
    def count(self) -> int:
        """Messages in an open segment, done ones too."""
        return 0 if self.index is None else len(self.index)

    def place(self, offset: int) -> int:
        """Where the message at `offset` is, among all segments."""
        return self.number << 32 | offset

    def add(self, ids: list[int], offsets: list[int], sizes: list[int]) -> None:
        """Whole records of an open segment are synced. The lists are one column each."""
        index = self.index
        assert index is not None  # only open segments take messages
        index.ids.extend(ids)
        index.offsets.extend(offsets)
        index.sizes.extend(sizes)
        self.live += len(ids)
        self.live_bytes += sum(sizes)
        self.min_id = min(self.min_id, *ids)
        self.max_id = max(self.max_id, *ids)

    def read_index(self) -> Index | None:
        """The index, from memory or from the disk."""
        return self.index if self.index is not None else read_index(self.index_path, self.size)

    def record_size(self, offset: int) -> int:
        """Bytes of the record at `offset` as the index has it; 0 when it does not know it."""
        index = self.read_index()
        if index is None or offset not in index.offsets:
            return 0
        return index.sizes[index.offsets.index(offset)]

    def close(self) -> None:
        """It is sealed; its writing descriptor is closed."""
        self.is_sealed = True
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
