"""Reads the folders of a Maildir."""

from __future__ import annotations

import errno
import os
import stat
import time
from array import array
from bisect import bisect
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gatepost.pop3 import content
from gatepost.store import mailindex
from gatepost.store.mailindex import Listing, listing_of
from gatepost.store.uidl import UniqueNames, key, virtual_size

_SUFFIX: Final = {"new": b"/n", "cur": b"/c"}
_FOLDER: Final = {b"/n": b"/new/", b"/c": b"/cur/"}
_TRIES: Final = 4
# With more changes than these it is quicker to begin anew.
_FEW_CHANGES: Final = 1000


def path(mailbox: Path, entry: bytes) -> bytes:
    """Where the file of an entry lies."""
    return os.fsencode(str(mailbox)) + _FOLDER[entry[-2:]] + entry[:-2]


def open_entry(mailbox: Path, entry: bytes) -> int:
    """A descriptor for reading the message. Raises: FileNotFoundError, OSError: as `open_file`."""
    return open_file(path(mailbox, entry))


def open_file(at: bytes | Path) -> int:
    """A descriptor for reading; never through a link that leads elsewhere.

    Raises:
        FileNotFoundError: nothing is there, or no plain file.
        OSError: it can't be opened.
    """
    file = os.open(at, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise FileNotFoundError(errno.ENOENT, "no plain file", at)


def find(mailbox: Path, keys: Iterable[bytes]) -> dict[bytes, bytes]:
    """The entries that bear these keys now. Raises: OSError."""
    wanted = set(keys)
    return {found: entry for entry in _entries(mailbox) if (found := key(entry[:-2])) in wanted}


def listing(mailbox: Path, *, locked: bool) -> Listing:
    """All messages, from the index when it is still good, else from the folders.

    Only with the mailbox `locked` are two files of one key told apart, which renames one of them.

    Raises:
        OSError: the folders can't be read.
    """
    for _try in range(_TRIES):
        at = mailindex.times(mailbox)
        kept = mailindex.load(mailbox, at)
        if kept is not None:
            return kept
        read_at_ns = time.time_ns()
        found = _read(mailbox, locked=locked)
        # Somebody renamed while we read: a file may have been passed over or seen twice.
        if mailindex.times(mailbox) == at:
            if locked:
                mailindex.save(mailbox, found, at, read_at_ns)
            return found
    return found


def _entries(mailbox: Path) -> list[bytes]:
    """Unsorted. new comes first: a file that moves to cur meanwhile is then seen twice, but never missed."""
    entries: list[bytes] = []
    for folder, suffix in _SUFFIX.items():
        entries += [name + suffix for name in os.listdir(os.fsencode(mailbox / folder))]
    return entries


def _read(mailbox: Path, *, locked: bool) -> Listing:
    entries = _entries(mailbox)
    lying = len(entries)
    together = b"\n".join(entries)
    if b"\n." in together or together.startswith(b".") or together.count(b"\n") >= max(1, lying):
        # Dot files are none of a Maildir's messages; a line end can't stand in the index.
        entries = [entry for entry in entries if entry[0] != 0x2E and b"\n" not in entry]
    old = mailindex.load(mailbox, None)
    return (old and _updated(old, entries, lying)) or _read_anew(mailbox, entries, old, lying, locked=locked)


def _updated(old: Listing, entries: list[bytes], lying: int) -> Listing | None:
    """The old listing with the few changes since; None when they are many or not plain."""
    now, before = set(entries), set(old.entries)
    added, removed = sorted(now - before), before - now
    if old.foreign or not before or len(added) + len(removed) > _FEW_CHANGES:
        return None
    kept, sizes = old.entries, old.sizes
    if removed:
        places = [place for place, entry in enumerate(kept) if entry not in removed]
        kept, sizes = [kept[place] for place in places], array("Q", [sizes[place] for place in places])
    for entry in added:
        size = virtual_size(entry[:-2])
        place = bisect(kept, entry)
        if size is None or _has_twin(kept, entry):
            return None
        kept.insert(place, entry)
        sizes.insert(place, size)
    return listing_of(kept, sizes, lying - len(kept))


def _has_twin(entries: list[bytes], entry: bytes) -> bool:
    """Whether one of the sorted entries bears the same key: those stand together."""
    of_key = key(entry[:-2])
    place = bisect(entries, of_key)
    while place < len(entries) and entries[place].startswith(of_key):
        if key(entries[place][:-2]) == of_key:
            return True
        place += 1
    return False


def _read_anew(
    mailbox: Path, entries: list[bytes], old: Listing | None, lying: int, *, locked: bool
) -> Listing:
    entries.sort()
    keys = [key(entry[:-2]) for entry in entries]
    if len(set(keys)) < len(keys):
        entries = (
            _single(mailbox, entries) if locked else list(dict(zip(keys, entries, strict=True)).values())
        )
    sizes = [virtual_size(entry[:-2]) for entry in entries]
    if None in sizes:
        entries, sizes = _measured(mailbox, entries, sizes, old)
    return listing_of(entries, (size for size in sizes if size is not None), lying - len(entries))


def _measured(
    mailbox: Path, entries: list[bytes], sizes: list[int | None], old: Listing | None
) -> tuple[list[bytes], list[int | None]]:
    """Sizes that no name tells: those known from last time, else read. What is no file is left out."""
    known = {} if old is None else {key(e[:-2]): s for e, s in zip(old.entries, old.sizes, strict=True)}
    pairs = [
        (entry, size if size is not None else known.get(key(entry[:-2])) or _measure(mailbox, entry))
        for entry, size in zip(entries, sizes, strict=True)
    ]
    pairs = [(entry, size) for entry, size in pairs if size is not None]
    return [entry for entry, _size in pairs], [size for _entry, size in pairs]


def _measure(mailbox: Path, entry: bytes) -> int | None:
    try:
        file = open_entry(mailbox, entry)
    except OSError:
        return None
    with os.fdopen(file, "rb") as opened:
        return content.size_bytes(opened.read())


def _single(mailbox: Path, entries: list[bytes]) -> list[bytes]:
    """Of entries with one key one keeps it; another file gets a name of its own, as Dovecot does it."""
    kept: dict[bytes, bytes] = {}
    names = UniqueNames("duplicate")
    for entry in entries:
        there = kept.get(key(entry[:-2]))
        if there is None:
            kept[key(entry[:-2])] = entry
            continue
        first, second = _inode(mailbox, there), _inode(mailbox, entry)
        if first is None:
            kept[key(entry[:-2])] = entry
        elif second == first:
            os.unlink(path(mailbox, entry))
        elif second is not None:
            fresh = names.make(time.time()) + entry[len(key(entry[:-2])) :]
            os.rename(path(mailbox, entry), path(mailbox, fresh))
            kept[key(fresh[:-2])] = fresh
    return sorted(kept.values())


def _inode(mailbox: Path, entry: bytes) -> int | None:
    try:
        return os.lstat(path(mailbox, entry)).st_ino
    except FileNotFoundError:
        return None
