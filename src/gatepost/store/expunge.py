"""Removing messages in one step that a crash can't halve.

First the list of keys is written, synced and renamed into place; from then on they are gone, whatever
happens. Then the files are removed, and last the list.

Of messages that came a short while ago the list is kept: a crash may have left it unrecorded that they were
delivered, and the next try must find that out though they are gone.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from zlib import crc32

from gatepost.store import mailscan
from gatepost.store.disk import Disk, write_file
from gatepost.store.failure import SpoolFull, refusal
from gatepost.store.mailindex import INDEX
from gatepost.store.uidl import key, mark

JOURNAL: Final = "gatepost-expunge"
GONE: Final = "gatepost-gone"
# The queue records a delivery within a second; this leaves a hanging disk its time.
_REMEMBERED_SECONDS: Final = 3600
# The marks of an import, which keeps a list of its own: what it brought may be asked for again.
_IMPORTED: Final = re.compile(rb"[0-9a-f]{24}N[0-9]+")
_TRIES: Final = 8
_MAGIC: Final = b"gatepost-expunge 1 "


def remove(mailbox: Path, entries: Sequence[bytes], disk: Disk) -> set[bytes]:
    """The messages of these entries are gone. Gives the keys of those that were gone before.

    Raises:
        OSError: nothing is gone unless the list stands; then the rest goes when it is completed.
    """
    keys = [key(entry[:-2]) for entry in entries]
    listed = [*keys, *_young(gone(mailbox))]  # those of earlier lists are found nowhere, and that is well
    try:
        _write(mailbox, listed, disk)
    except OSError as error:
        if not isinstance(refusal(error), SpoolFull):
            raise
        # Deleting must work on a full disk. The index holds all names, so it leaves room for some keys.
        (mailbox / INDEX).unlink(missing_ok=True)
        _write(mailbox, listed, disk)
    missing = {of_key for of_key, entry in zip(keys, entries, strict=True) if not _unlink(mailbox, entry)}
    if missing:
        missing -= _remove_renamed(mailbox, missing)
    _finish(mailbox, disk, listed)
    return missing


def is_due(mailbox: Path) -> bool:
    """Whether a list was left behind; there is hardly ever one."""
    return os.path.lexists(f"{mailbox}/{JOURNAL}")


def complete(mailbox: Path, disk: Disk) -> None:
    """What a list left behind names is gone, and so is the list. Raises: OSError."""
    if not is_due(mailbox):
        return
    keys = _keys(mailbox / JOURNAL)
    _remove_renamed(mailbox, keys)
    _finish(mailbox, disk, keys)


def gone(mailbox: Path) -> list[bytes]:
    """The keys of messages that are deleted, of those that came within the last hour. Raises: OSError."""
    return [*_keys(mailbox / JOURNAL), *_keys(mailbox / GONE)]


def _keys(file: Path) -> list[bytes]:
    """Those of a list. It was renamed into place whole: only a damaged disk makes another, which is none."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return []
    head, _newline, body = content.partition(b"\n")
    return body.split(b"\n") if head == _MAGIC + b"%d" % crc32(body) else []


def _young(keys: Iterable[bytes]) -> list[bytes]:
    """Those of messages that were delivered with a mark a short while ago."""
    since = time.time() - _REMEMBERED_SECONDS
    return [one for one in keys if _is_of_queue(mark(one)) and int(one.partition(b".")[0]) > since]


def _is_of_queue(token: bytes | None) -> bool:
    return token is not None and _IMPORTED.fullmatch(token) is None


def _write(mailbox: Path, keys: Sequence[bytes], disk: Disk) -> None:
    body = b"\n".join(keys)
    write_file(disk, mailbox / JOURNAL, [_MAGIC, b"%d\n" % crc32(body), body])
    disk.sync_folder(mailbox)


def _remove_renamed(mailbox: Path, keys: Iterable[bytes]) -> set[bytes]:
    """Removes files by key, whatever they are called now; gives the keys that were found."""
    wanted, removed = set(keys), set[bytes]()
    # A file may be renamed once more between looking and removing; what can't be removed is no file.
    for _try in range(_TRIES):
        found = mailscan.find(mailbox, wanted - removed)
        if not found:
            break
        removed |= {of_key for of_key, entry in found.items() if _unlink(mailbox, entry)}
    return removed


def _unlink(mailbox: Path, entry: bytes) -> bool:
    try:
        os.unlink(mailscan.path(mailbox, entry))
    except (FileNotFoundError, IsADirectoryError):
        return False
    return True


def _finish(mailbox: Path, disk: Disk, listed: Iterable[bytes]) -> None:
    disk.sync_folder(mailbox / "new")
    disk.sync_folder(mailbox / "cur")
    # This need not be synced: completing it twice removes nothing more, for keys are never used again.
    if _young(listed):
        os.replace(mailbox / JOURNAL, mailbox / GONE)
    else:
        (mailbox / GONE).unlink(missing_ok=True)
        (mailbox / JOURNAL).unlink(missing_ok=True)
