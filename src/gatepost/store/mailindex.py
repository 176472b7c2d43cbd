"""What lies in a Maildir, and a small file that spares reading it again.

The file is only a cache: it is trusted while neither folder changed since it was written; otherwise, and
when it is lost, cut or garbled, the folders are read. Identifiers don't depend on it.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import Final
from zlib import crc32

INDEX: Final = "gatepost-index"
_MAGIC: Final = b"gatepost-index 1 " + sys.byteorder.encode()
# A folder changed less than this before it was read may change again without its time telling.
_SETTLED_NS: Final = 1_000_000_000
_HEAD_LIMIT: Final = 256
_SMALL_BYTES: Final = 131_072  # some 1,500 messages


@dataclass(frozen=True, slots=True)
class Times:
    """When the folders last changed."""

    new_ns: int
    cur_ns: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a mailbox holds. Sizes are those POP3 tells."""

    messages: int
    size_bytes: int


class Listing:
    """All messages of a mailbox in the order they came.

    An entry is `NAME/n` or `NAME/c`: the file's name and whether it lies in new or cur. `foreign` counts what
    lay there and is no message.
    """

    __slots__ = ("_blob", "_entries", "foreign", "sizes", "total_bytes")

    def __init__(self, entries: list[bytes] | None, blob: bytes, sizes: array[int], foreign: int) -> None:
        self._entries = entries
        self._blob = blob
        self.sizes = sizes
        self.total_bytes = sum(sizes)
        self.foreign = foreign

    @property
    def entries(self) -> list[bytes]:
        """Cut apart only when asked for: many sessions want no more than STAT."""
        if self._entries is None:
            self._entries = self._blob.split(b"\n") if self._blob else []
        return self._entries

    @property
    def usage(self) -> Usage:
        return Usage(len(self.sizes), self.total_bytes)


def listing_of(entries: list[bytes], sizes: Iterable[int], foreign: int) -> Listing:
    """A listing just read from the folders."""
    return Listing(entries, b"", array("Q", sizes), foreign)


def times(mailbox: Path) -> Times:
    """When the folders last changed. Raises: OSError."""
    return Times(os.stat(f"{mailbox}/new").st_mtime_ns, os.stat(f"{mailbox}/cur").st_mtime_ns)


def save(mailbox: Path, listing: Listing, at: Times, read_at_ns: int) -> None:
    """The listing is kept for next time; a failure is no loss.

    It isn't synced: what a crash garbles, its checksum tells.
    """
    blob = listing.sizes.tobytes() + b"\n".join(listing.entries)
    numbers = (at.new_ns, at.cur_ns, read_at_ns, len(listing.sizes), listing.total_bytes, listing.foreign)
    head = _MAGIC + b" %d %d %d %d %d %d" % numbers
    head += b" %d" % crc32(head)
    draft = mailbox / "tmp" / f"{INDEX}.{os.getpid()}.{get_ident()}"
    try:
        draft.write_bytes(head + b" %d\n" % crc32(blob) + blob)
        os.replace(draft, mailbox / INDEX)
    except OSError:
        draft.unlink(missing_ok=True)


def load(mailbox: Path, at: Times | None) -> Listing | None:
    """The kept listing; None when there is none, or none for folders that last changed `at`.

    With `at` None any whole one is given: old, but its sizes are still good.
    """
    try:
        with open(f"{mailbox}/{INDEX}", "rb", buffering=0) as file:
            content = file.readall()
    except OSError:
        return None
    return _listing(content, at)


def load_small(mailbox: Path) -> Listing | None:
    """The kept listing, if it is good still and short enough to be read at once. Raises: OSError."""
    file = os.open(f"{mailbox}/{INDEX}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        content = os.read(file, _SMALL_BYTES)
    finally:
        os.close(file)
    return None if len(content) == _SMALL_BYTES else _listing(content, times(mailbox))


def _listing(content: bytes, at: Times | None) -> Listing | None:
    head, _newline, blob = content.partition(b"\n")
    facts = _facts(head)
    if facts is None or (at is not None and not _fresh(facts, at)):
        return None
    count, foreign, checksum = facts[3], facts[5], facts[7]
    if len(blob) < count * 8 or crc32(blob) != checksum:
        return None
    return Listing(None, blob[count * 8 :], array("Q", blob[: count * 8]), foreign)


def usage(mailbox: Path, at: Times) -> Usage | None:
    """What the mailbox holds, from the first line alone; None when the file is not for `at`."""
    try:
        with open(f"{mailbox}/{INDEX}", "rb", buffering=0) as file:
            facts = _facts(file.read(_HEAD_LIMIT).partition(b"\n")[0])
    except OSError:
        return None
    return Usage(facts[3], facts[4]) if facts is not None and _fresh(facts, at) else None


def _facts(head: bytes) -> tuple[int, ...] | None:
    """The numbers of the first line: new, cur, read at, count, total, foreign, its checksum, the rest's."""
    words = head.removeprefix(_MAGIC + b" ").split(b" ")
    if not head.startswith(_MAGIC) or len(words) != 8 or not all(word.isdigit() for word in words):
        return None
    facts = tuple(map(int, words))
    return facts if crc32(head.rsplit(b" ", 2)[0]) == facts[6] else None


def _fresh(facts: tuple[int, ...], at: Times) -> bool:
    newest_ns = max(at.new_ns, at.cur_ns)
    return (facts[0], facts[1]) == (at.new_ns, at.cur_ns) and newest_ns + _SETTLED_NS < facts[2]
