"""Reads one message back from its segment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from zlib import crc32

from gatepost.mail.codec import decode
from gatepost.store.failure import SpoolCorrupt
from gatepost.store.files import Files
from gatepost.store.job import Job, LargeContent, Source, StoredContent
from gatepost.store.outcomes import OutcomeFile
from gatepost.store.queueid import id_text
from gatepost.store.record import Record, head_is_whole, parse_head
from gatepost.store.segment import Segment
from gatepost.store.state import State, decode_state

_FIRST_READ_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Stored:
    """A record and its bytes: at least the head, the content too when it is small."""

    record: Record
    data: bytes


def read_stored(files: Files, segment: Segment, offset: int) -> Stored:
    """What lies at `offset`; its head is undamaged. Raises: SpoolCorrupt, OSError."""
    fd = files.get(segment.path)
    data = os.pread(fd, _FIRST_READ_BYTES, offset)
    record = parse_head(data, 0, segment.key)
    if record is None or record.head_size > segment.size:
        raise SpoolCorrupt(f"{segment.path}: no record at {offset}")
    if record.head_size > len(data):
        data = os.pread(fd, record.head_size, offset)
    if not head_is_whole(data, 0, record, segment.key):
        raise SpoolCorrupt(f"{segment.path}: the record at {offset} does not match its checksum")
    return Stored(record, data)


def read_state(files: Files, outcomes: OutcomeFile, position: int, stored: Stored) -> State | None:
    """How far the message has come; None when it was never tried. Raises: OSError, ValueError."""
    if position == 0:
        extra = stored.record.extra_bytes(stored.data)
        return decode_state(extra[8:]) if len(extra) > 8 else None
    fd = files.get(outcomes.path) if position < outcomes.size else -1
    return outcomes.read_state(fd, position)


def read_job(files: Files, segment: Segment, offset: int, position: int) -> Job:
    """The message at `offset`, ready to deliver. Raises: SpoolCorrupt, OSError, ValueError."""
    stored = read_stored(files, segment, offset)
    record = stored.record
    envelope = decode(record.envelope(stored.data))
    state = read_state(files, segment.outcomes, position, stored)
    remaining = state.remaining if state is not None else tuple(range(len(envelope.recipients)))
    job = Job(
        id_text(record.id),
        envelope,
        remaining,
        record.message_size,
        segment,
        offset,
        record.size,
        _source(segment, offset, stored),
    )
    job.position = position
    if state is not None:
        job.attempts = state.attempts
        job.warned = state.warned
        job.last_outcomes = state.errors
    return job


def _source(segment: Segment, offset: int, stored: Stored) -> Source | list[bytes]:
    record = stored.record
    top = record.top(stored.data)
    if record.is_large:
        path = segment.folder / f"{id_text(record.id)}.large"
        return LargeContent(path, top, record.content_size, record.content_crc)
    if record.size <= len(stored.data):
        content = stored.data[record.head_size : record.size]
        if crc32(content) == record.content_crc:
            return [top, content]
    return StoredContent(
        segment.path, top, offset + record.head_size, record.content_size, record.content_crc
    )
