"""A segment: an append-only file of messages, each with its envelope and its content.

File header: magic, segment number, a random sync marker, a random checksum seed.
Record: marker, head checksum, content checksum, id, flags, four lengths, then envelope, top
(header fields put on by us), extra (a moved message's origin and state) and content in
dot-stuffed wire form. The content of a large message lies in a file of its own; its record
has the checksum and size of it.

Marker and seed are random for each file, so that a message which holds a forged record is never
taken for one when a damaged file is searched for the next whole record.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from zlib import crc32

from gatepost.store.disk import Buffer

_MAGIC = b"GPSEG\x001\n"
_FILE = struct.Struct("<8sQ4sI")
_MARK = struct.Struct("<4sI")
_HEAD = struct.Struct("<IQB3xIIIQ")
FILE_HEADER_BYTES = _FILE.size
RECORD_HEADER_BYTES = _MARK.size + _HEAD.size

LARGE = 1
MOVED = 2


@dataclass(frozen=True, slots=True)
class Key:
    """What tells the records of one file from any other bytes."""

    marker: bytes
    seed: int

    @classmethod
    def fresh(cls) -> Key:
        """A new random key. The marker never begins with a zero byte, as torn tails may."""
        entropy = os.urandom(8)
        return cls(bytes([entropy[0] | 0x80]) + entropy[1:4], int.from_bytes(entropy[4:]))


@dataclass(frozen=True, slots=True)
class Record:
    """Where the parts of one whole record lie. `at` is its offset in the file."""

    at: int
    id: int
    flags: int
    content_crc: int
    envelope_size: int
    top_size: int
    extra_size: int
    content_size: int

    @property
    def is_large(self) -> bool:
        return bool(self.flags & LARGE)

    @property
    def is_moved(self) -> bool:
        return bool(self.flags & MOVED)

    @property
    def head_size(self) -> int:
        """Bytes up to the content."""
        return RECORD_HEADER_BYTES + self.envelope_size + self.top_size + self.extra_size

    @property
    def size(self) -> int:
        """Bytes of the whole record in the segment."""
        return self.head_size + (0 if self.is_large else self.content_size)

    @property
    def message_size(self) -> int:
        """Bytes of the message as it is sent on."""
        return self.top_size + self.content_size

    def envelope(self, head: bytes) -> bytes:
        return head[RECORD_HEADER_BYTES : RECORD_HEADER_BYTES + self.envelope_size]

    def top(self, head: bytes) -> bytes:
        start = RECORD_HEADER_BYTES + self.envelope_size
        return head[start : start + self.top_size]

    def extra_bytes(self, head: bytes) -> bytes:
        start = RECORD_HEADER_BYTES + self.envelope_size + self.top_size
        return head[start : start + self.extra_size]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that are no whole record. `is_tail`: nothing whole comes after them.

    `is_torn`: they look like a write that was cut off, not like stored bytes that changed.
    """

    start: int
    end: int
    is_tail: bool
    is_torn: bool


def file_header(number: int, key: Key) -> bytes:
    return _FILE.pack(_MAGIC, number, key.marker, key.seed)


def read_file_header(data: bytes) -> Key | None:
    """The key of a segment from its first bytes; None when they are no segment's."""
    if len(data) < FILE_HEADER_BYTES:
        return None
    magic, _, marker, seed = _FILE.unpack_from(data)
    return Key(marker, seed) if magic == _MAGIC else None


def record_head(
    key: Key,
    message_id: int,
    flags: int,
    envelope: bytes,
    top: bytes,
    extra: bytes,
    content_crc: int,
    content_size: int,
) -> bytes:
    """The bytes of a record before its content."""
    sizes = len(envelope), len(top), len(extra)
    head = _HEAD.pack(content_crc, message_id, flags, *sizes, content_size) + envelope + top + extra
    return _MARK.pack(key.marker, crc32(head, key.seed)) + head


def parse_head(data: Buffer, at: int, key: Key) -> Record | None:
    """The lengths at `at`, not yet checked; None when no record begins there."""
    if at + RECORD_HEADER_BYTES > len(data) or bytes(data[at : at + 4]) != key.marker:
        return None
    crc, message_id, flags, envelope, top, extra, content = _HEAD.unpack_from(data, at + _MARK.size)
    return Record(at, message_id, flags, crc, envelope, top, extra, content)


def head_is_whole(data: Buffer, start: int, record: Record, key: Key) -> bool:
    """Whether the head that begins at `start` of `data` matches its checksum."""
    end = start + record.head_size
    if end > len(data):
        return False
    crc = _MARK.unpack_from(data, start)[1]
    return bool(crc32(data[start + _MARK.size : end], key.seed) == crc)


def read_record(data: Buffer, at: int, key: Key) -> Record | None:
    """The record at `at`, when all of it is there and matches its checksums."""
    record = parse_head(data, at, key)
    if record is None or at + record.size > len(data) or not head_is_whole(data, at, record, key):
        return None
    if not record.is_large and crc32(data[at + record.head_size : at + record.size]) != record.content_crc:
        return None
    return record


def scan(data: bytes | mmap, key: Key) -> Iterator[Record | Damage]:
    """Every whole record of a segment in order, and every stretch that is none."""
    with memoryview(data) as view:
        at = FILE_HEADER_BYTES
        while at < len(view):
            record = read_record(view, at, key)
            if record is not None:
                yield record
                at += record.size
                continue
            after = _next_whole(data, view, at + 1, key)
            is_torn = after is None and _is_torn(view, at, key)
            end = len(view) if after is None else after
            yield Damage(at, end, after is None, is_torn)
            at = end


def _next_whole(data: bytes | mmap, view: memoryview, at: int, key: Key) -> int | None:
    while (at := data.find(key.marker, at)) >= 0:
        if read_record(view, at, key) is not None:
            return at
        at += 1
    return None


def _is_torn(view: memoryview, at: int, key: Key) -> bool:
    """A cut-off write ends before its record does, or was never filled in (zeros)."""
    if len(view) - at < RECORD_HEADER_BYTES:
        return True
    record = parse_head(view, at, key)
    if record is None:
        return not any(view[at : at + RECORD_HEADER_BYTES])
    return at + record.size > len(view)


def segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.seg"
