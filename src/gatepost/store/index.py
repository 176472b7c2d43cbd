"""The index of a segment: what lies where, so that a start need not read the messages.

Columns of ids, offsets and record sizes in the order of the records; of moved messages also where
they came from and when they are due. An index is only a copy: one that is missing, damaged or of
another size of its segment is made again from the segment.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from gatepost.store.disk import Disk, write_file
from gatepost.store.record import Key

_MAGIC = b"GPIDX1" + (b"<\n" if sys.byteorder == "little" else b">\n")
_FILE = struct.Struct("<8s4sIQQQI")  # magic, marker, seed, segment size, count, moved, checksum
_HELD = (1 << 64) - 1


class Index:
    """Columns of one segment. `moved` is offset, origin, due (milliseconds, or held), offset..."""

    __slots__ = ("ids", "moved", "offsets", "sizes")

    def __init__(self) -> None:
        self.ids: array[int] = array("Q")
        self.offsets: array[int] = array("I")
        self.sizes: array[int] = array("I")
        self.moved: array[int] = array("Q")

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, message_id: int, offset: int, size: int) -> None:
        self.ids.append(message_id)
        self.offsets.append(offset)
        self.sizes.append(size)

    def add_moved(self, offset: int, origin: int, retry_at: float, *, held: bool) -> None:
        """The record at `offset` was copied from the place `origin`."""
        due = _HELD if held else int(max(retry_at, 0.0) * 1000)
        self.moved.extend((offset, origin, due))

    def row(self, message_id: int) -> int | None:
        """Which row has this id."""
        try:
            return self.ids.index(message_id)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a moved message came from and when it is due; `when` is None for a held one."""

    origin: int
    when: float | None


def moved_messages(index: Index) -> dict[int, Moved]:
    """By offset."""
    moved = index.moved
    return {moved[row]: Moved(moved[row + 1], _when(moved[row + 2])) for row in range(0, len(moved), 3)}


def _when(due: int) -> float | None:
    return None if due == _HELD else due / 1000


def write_index(disk: Disk, path: Path, index: Index, key: Key, segment_size: int) -> None:
    """The index is in its file. Raises: OSError."""
    columns = [column.tobytes() for column in (index.ids, index.offsets, index.sizes, index.moved)]
    crc = 0
    for column in columns:
        crc = crc32(column, crc)
    head = _FILE.pack(_MAGIC, key.marker, key.seed, segment_size, len(index), len(index.moved), crc)
    write_file(disk, path, [head, *columns])


def read_index(path: Path, segment_size: int) -> Index | None:
    """The index, or None when it cannot be trusted for a segment of this size."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if len(data) < _FILE.size:
        return None
    magic, _, _, size, count, moved, crc = _FILE.unpack_from(data)
    columns = memoryview(data)[_FILE.size :]
    whole = len(columns) == 16 * count + 8 * moved and crc32(columns) == crc
    if magic != _MAGIC or size != segment_size or not whole:
        return None
    index = Index()
    index.ids.frombytes(columns[: 8 * count])
    index.offsets.frombytes(columns[8 * count : 12 * count])
    index.sizes.frombytes(columns[12 * count : 16 * count])
    index.moved.frombytes(columns[16 * count :])
    return index


def index_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.idx"


def key_in_index(path: Path) -> Key | None:
    """The key of the segment, when its own header cannot be read."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if len(data) < _FILE.size:
        return None
    magic, marker, seed, *_ = _FILE.unpack_from(data)
    return Key(marker, seed) if magic == _MAGIC else None
