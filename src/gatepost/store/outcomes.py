"""The outcome file beside a segment: which of its messages are done, and how far the others are.

Beside each segment its own, so that removing a segment never forgets what became of another's
messages. Frames (marker, length, checksum) of entries: `D` offset, done; `S` offset, length, state.
The last entry of a message counts; done is final.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from gatepost.store.disk import Disk, write_all
from gatepost.store.record import Damage, Key
from gatepost.store.state import State, decode_state, encode_state

_MAGIC = b"GPOUT\x001\n"
_FILE = struct.Struct("<8sQ4sI")
_FRAME = struct.Struct("<4sII")
_DONE = struct.Struct("<BI")
_STATE = struct.Struct("<BII")
_D = ord("D")
_S = ord("S")
DONE = 0  # a position no state can have

Positions = dict[int, int]
"""By offset of the message in its segment: position of its last state, or DONE."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole frame: its entries begin at `start` of the file."""

    start: int
    entries: bytes


class OutcomeFile:
    """Appends for one segment. Everything but `write` and `sync` belongs to the event loop.

    Positions of states are known before they are written: frames are laid out as entries come.
    """

    __slots__ = ("_buffer", "_frames", "_key", "is_unsynced", "number", "path", "positions", "size")

    def __init__(self, folder: Path, number: int, key: Key, size: int = 0) -> None:
        self.path = outcome_path(folder, number)
        self.number = number
        self.size = size  # bytes of whole frames in the file; 0: the file is not there yet
        self.positions: Positions | None = None  # kept up to date when somebody filled it
        self.is_unsynced = False
        self._key = key
        self._frames: list[bytes] = []  # given to a commit that is not yet known to have worked
        self._buffer = bytearray()

    @property
    def is_clean(self) -> bool:
        """Everything noted is in the file."""
        return not self._buffer and not self._frames

    def done(self, offset: int) -> None:
        """The message at `offset` is done with, for ever, from the next commit on."""
        (self._buffer or self._begin()).extend(_DONE.pack(_D, offset))
        if self.positions is not None:
            self.positions[offset] = DONE

    def state(self, offset: int, state: State) -> int:
        """The message's state is this from the next commit on. Gives its position."""
        content = encode_state(state)
        buffer = self._buffer or self._begin()
        buffer.extend(_STATE.pack(_S, offset, len(content)))
        position = self._laid_out() + len(buffer)
        buffer.extend(content)
        if self.positions is not None:
            self.positions[offset] = position
        return position

    def _begin(self) -> bytearray:
        if self.size == 0 and not self._frames:
            header = _FILE.pack(_MAGIC, self.number, self._key.marker, self._key.seed)
            self._frames.append(header)
        self._buffer = bytearray(_FRAME.size)
        return self._buffer

    def _laid_out(self) -> int:
        return self.size + sum(map(len, self._frames))

    def pending(self) -> list[bytes]:
        """What is to be appended now: all that was noted and is not known to be written."""
        if self._buffer:
            entries = memoryview(self._buffer)[_FRAME.size :]
            crc = crc32(entries, self._key.seed)
            _FRAME.pack_into(self._buffer, 0, self._key.marker, len(entries), crc)
            entries.release()
            self._frames.append(bytes(self._buffer))
            self._buffer = bytearray()
        return list(self._frames)

    def written(self, frames: list[bytes]) -> None:
        """`frames`, as `pending` gave them, are in the file."""
        self.size += sum(map(len, frames))
        del self._frames[: len(frames)]
        self.is_unsynced = True

    def load_positions(self) -> Positions:
        """What the file and what waits for it say, kept up to date from now on. Raises: OSError."""
        if self.positions is None:
            positions = self.read_positions()
            at = self.size
            for waiting in (*self._frames, bytes(self._buffer)):
                if len(waiting) > _FRAME.size and waiting[:8] != _MAGIC:
                    replay(Frame(at + _FRAME.size, waiting[_FRAME.size :]), positions)
                at += len(waiting)
            self.positions = positions
        return self.positions

    def read_positions(self) -> Positions:
        """What the file says. Raises: OSError."""
        positions: Positions = {}
        data = self.path.read_bytes()[: self.size] if self.size else b""
        for frame in frames(data, self._key):
            if isinstance(frame, Frame):
                replay(frame, positions)
        return positions

    def read_state(self, fd: int, position: int) -> State:
        """The state at `position`, whether written or not. Raises: OSError, ValueError."""
        header = _STATE.size
        if position >= self.size:
            waiting = b"".join(self._frames) + bytes(self._buffer)
            at = position - self.size
            size = _STATE.unpack_from(waiting, at - header)[2]
            return decode_state(waiting[at : at + size])
        data = os.pread(fd, 1024, position - header)
        if len(data) < header:
            raise ValueError("no state there")
        size = _STATE.unpack_from(data)[2]
        if header + size > len(data):
            data = os.pread(fd, header + size, position - header)
        return decode_state(data[header:])


def append_frames(disk: Disk, path: Path, frames: list[bytes], size: int) -> None:
    """The frames stand at `size`, where the whole frames of the file end. Raises: OSError.

    What an earlier failed write left behind that place is cut off first.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.fstat(fd).st_size != size:
            os.ftruncate(fd, size)
        write_all(disk, fd, frames)
    finally:
        os.close(fd)


def read_outcome_header(data: bytes) -> Key | None:
    """The key of an outcome file; None when this is none."""
    if len(data) < _FILE.size:
        return None
    magic, _, marker, seed = _FILE.unpack_from(data)
    return Key(marker, seed) if magic == _MAGIC else None


def frames(data: bytes, key: Key) -> Iterator[Frame | Damage]:
    """Every whole frame of an outcome file in order, and every stretch that is none."""
    at = _FILE.size
    while at < len(data):
        entries = _whole_frame(data, at, key)
        if entries is not None:
            yield Frame(at + _FRAME.size, entries)
            at += _FRAME.size + len(entries)
            continue
        after = data.find(key.marker, at + 1)
        while after >= 0 and _whole_frame(data, after, key) is None:
            after = data.find(key.marker, after + 1)
        end = len(data) if after < 0 else after
        yield Damage(at, end, after < 0, after < 0)
        at = end


def _whole_frame(data: bytes, at: int, key: Key) -> bytes | None:
    if at + _FRAME.size > len(data):
        return None
    marker, length, crc = _FRAME.unpack_from(data, at)
    if marker != key.marker:
        return None
    entries = data[at + _FRAME.size : at + _FRAME.size + length]
    return entries if len(entries) == length and crc32(entries, key.seed) == crc else None


def replay(frame: Frame, positions: Positions) -> None:
    """`positions` knows what the frame says."""
    entries = frame.entries
    at = 0
    while at < len(entries):
        if entries[at] == _D:
            positions[_DONE.unpack_from(entries, at)[1]] = DONE
            at += _DONE.size
        else:
            _, offset, length = _STATE.unpack_from(entries, at)
            at += _STATE.size
            if positions.get(offset) != DONE:
                positions[offset] = frame.start + at
            at += length


def outcome_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.out"
