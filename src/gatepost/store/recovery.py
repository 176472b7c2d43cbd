"""What a start finds: every message that was synced and is not done, when each is due.

Torn tails are dropped: nobody was told that what they hold was kept. Damage in the middle of a file
is skipped, its bytes are kept in a `.corrupt` file, and it is reported. A message that was found
in two segments (a move was cut off) counts where it was moved to.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.store import index as indexes
from gatepost.store.disk import Disk, append_file
from gatepost.store.failure import Report
from gatepost.store.index import Index, index_path, moved_messages, read_index, write_index
from gatepost.store.outcomes import DONE, Positions, frames, outcome_path, read_outcome_header, replay
from gatepost.store.queueid import id_number
from gatepost.store.record import (
    FILE_HEADER_BYTES,
    Damage,
    Record,
    read_file_header,
    scan,
    segment_path,
)
from gatepost.store.schedule import Schedule
from gatepost.store.segment import Segment
from gatepost.store.state import decode_due, decode_state


@dataclass(slots=True)
class Recovered:
    """`segments` are all sealed. `done_with` are the numbers of those in which nothing lives."""

    segments: dict[int, Segment] = field(default_factory=dict)
    schedule: Schedule = field(default_factory=Schedule)
    held: int = 0
    highest_number: int = 0
    highest_id: int = 0


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """What an outcome file says. `size` are its bytes up to a torn tail."""

    positions: Positions
    data: bytes
    size: int


class Recovery:
    """Reads one spool folder. Runs in a thread; nobody else has the folder open."""

    def __init__(self, folder: Path, disk: Disk, report: Report) -> None:
        self._folder = folder
        self._disk = disk
        self._report = report
        self._found = Recovered()
        self._superseded: dict[int, set[int]] = {}
        self._large = self._large_ids()
        self._large_live: set[int] = set()

    def run(self) -> Recovered:
        """The spool as it is. Raises: OSError."""
        numbers = sorted(int(path.stem) for path in self._folder.glob("*.seg"))
        self._found.highest_number = self._highest_number()
        known = set(numbers)
        for number in numbers:
            self._note_moves(number, known)
        for number in sorted(known):
            self._load(number)
        self._remove_orphans()
        return self._found

    def _highest_number(self) -> int:
        """Numbers are never used twice, not even those of which only an outcome file is left."""
        # By name, not by digits alone: the queue id in a large content's name may be all digits.
        stems = (path.stem for path in self._folder.iterdir() if path.suffix in {".seg", ".out", ".idx"})
        return max((int(stem) for stem in stems if stem.isdigit()), default=0)

    def _large_ids(self) -> set[int]:
        ids = (id_number(path.stem) for path in self._folder.glob("*.large"))
        return {number for number in ids if number is not None}

    def _note_moves(self, number: int, known: set[int]) -> None:
        segment = self._segment(number)
        if segment is None:
            known.discard(number)
            return
        for due in moved_messages(self._index(segment)).values():
            if due.origin >> 32 in known:
                self._superseded.setdefault(due.origin >> 32, set()).add(due.origin & 0xFFFFFFFF)

    def _segment(self, number: int) -> Segment | None:
        """The segment, if its header can be read; one with a damaged header is set aside."""
        path = segment_path(self._folder, number)
        with path.open("rb") as file:
            header = file.read(FILE_HEADER_BYTES)
            size = os.fstat(file.fileno()).st_size
        key = read_file_header(header) or indexes.key_in_index(index_path(self._folder, number))
        if key is None:
            if size <= FILE_HEADER_BYTES:
                path.unlink()  # torn at birth: no message was ever synced in it
            elif size > 0:
                os.replace(path, path.with_suffix(".seg.corrupt"))
                self._report("spool-segment-unreadable", segment=number, kept=f"{path.name}.corrupt")
            return None
        segment = Segment(self._folder, number, key, size=size)
        segment.is_sealed = True
        return segment

    def _index(self, segment: Segment) -> Index:
        index = read_index(segment.index_path, segment.size)
        if index is None:
            index = self._scan(segment)
            with contextlib.suppress(OSError):  # a full disk must not keep us from starting
                write_index(self._disk, segment.index_path, index, segment.key, segment.size)
        return index

    def _scan(self, segment: Segment) -> Index:
        index = Index()
        if segment.size <= FILE_HEADER_BYTES:
            return index
        tail: Damage | None = None
        with segment.path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            with data:
                for found in scan(data, segment.key):
                    if isinstance(found, Record):
                        self._add(index, found, data)
                    else:
                        self._keep_damage(segment.path, data, found)
                        tail = found if found.is_tail else None
        if tail is not None:
            with contextlib.suppress(OSError):
                os.truncate(segment.path, tail.start)
                segment.size = tail.start
        return index

    def _add(self, index: Index, record: Record, data: mmap.mmap) -> None:
        index.add(record.id, record.at, record.size)
        if record.is_moved:
            extra = record.extra_bytes(data[record.at : record.at + record.head_size])
            state = decode_state(extra[8:]) if len(extra) > 8 else None
            index.add_moved(
                record.at,
                int.from_bytes(extra[:8], "little"),
                state.retry_at if state else 0.0,
                held=bool(state and state.held),
            )

    def _keep_damage(self, path: Path, data: mmap.mmap | bytes, damage: Damage) -> None:
        """Bytes that may be somebody's message are kept; those of a torn write are nobody's."""
        size = damage.end - damage.start
        if damage.is_torn:
            self._report("spool-torn-tail", file=path.name, at=damage.start, size_bytes=size)
            return
        kept = path.with_name(path.name + ".corrupt")
        self._report("spool-corrupt", file=path.name, at=damage.start, size_bytes=size, kept=kept.name)
        with contextlib.suppress(OSError):
            append_file(self._disk, kept, [bytes(data[damage.start : damage.end])])

    def _load(self, number: int) -> None:
        segment = self._segment(number)
        if segment is None:
            return
        index = self._index(segment)
        outcomes = self._outcomes(segment)
        self._fill(segment, index, outcomes)
        self._found.segments[number] = segment

    def _outcomes(self, segment: Segment) -> _Outcomes:
        path = outcome_path(self._folder, segment.number)
        positions: Positions = {}
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return _Outcomes(positions, b"", 0)
        key = read_outcome_header(data)
        if key is None:
            self._report("spool-outcomes-unreadable", segment=segment.number)
            os.replace(path, path.with_name(path.name + ".corrupt"))
            return _Outcomes(positions, b"", 0)
        size = len(data)
        for frame in frames(data, key):
            if isinstance(frame, Damage):
                self._keep_damage(path, data, frame)
                size = frame.start if frame.is_tail else size
            else:
                replay(frame, positions)
        return _Outcomes(positions, data, size)

    def _fill(self, segment: Segment, index: Index, outcomes: _Outcomes) -> None:
        """The segment's living messages are counted and scheduled."""
        segment.outcomes.size = outcomes.size
        superseded = self._superseded.get(segment.number, set())
        moved = moved_messages(index)
        ready: array[int] = array("Q")
        base = segment.number << 32
        positions = outcomes.positions
        add = self._found.schedule.add
        for number, offset, size in zip(index.ids, index.offsets, index.sizes, strict=True):
            position = positions.get(offset)
            if position == DONE:
                continue
            if offset in superseded:
                segment.outcomes.done(offset)
                continue
            segment.live += 1
            segment.live_bytes += size
            if number in self._large:
                self._large_live.add(number)
            if position is None and offset not in moved:
                ready.append(base | offset)
                ready.append(0)
                continue
            due = moved[offset].when if position is None else decode_due(outcomes.data, position)
            if due is None:
                self._found.held += 1
            else:
                add(due, base | offset, position or 0)
        self._found.schedule.add_ready(ready)
        if index.ids:
            segment.min_id, segment.max_id = min(index.ids), max(index.ids)
            self._found.highest_id = max(self._found.highest_id, segment.max_id)

    def _remove_orphans(self) -> None:
        """What no living message needs: drafts, files beside vanished segments, large contents."""
        for path in self._folder.iterdir():
            is_draft = path.suffix == ".new"
            is_beside = path.suffix in {".out", ".idx"} and int(path.stem) not in self._found.segments
            number = id_number(path.stem) if path.suffix == ".large" else None
            is_large = number is not None and number not in self._large_live
            if is_draft or is_beside or is_large:
                path.unlink()


def recover(folder: Path, disk: Disk, report: Report) -> Recovered:
    """See `Recovery.run`."""
    return Recovery(folder, disk, report).run()
