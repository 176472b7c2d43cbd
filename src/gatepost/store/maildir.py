"""A mailbox: a Maildir++ folder that Dovecot may have open at the same time.

One session a mailbox: a lock on a file of our own, which the kernel drops when we die and which nobody
else looks at. Deleting is one step: the list is written, synced and renamed into place, and only then are
files removed; a list that a crash left behind is completed at the next opening.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gatepost.store import expunge, mailindex, mailscan
from gatepost.store.disk import Disk
from gatepost.store.mailindex import Listing, Usage
from gatepost.store.uidl import key, uidl

FOLDERS: Final = ("tmp", "new", "cur")
LOCK: Final = "gatepost-lock"
# The Maildir specification: what nobody touched for 36 hours is a failed delivery.
_STALE_SECONDS: Final = 36 * 3600
_PIECE_BYTES: Final = 262_144


class MailboxError(Exception):
    """A mailbox could not do what was asked."""


class MailboxInUse(MailboxError):
    """Another session has it open: answer [IN-USE]."""


class MailboxFailed(MailboxError):
    """The disk failed: answer [SYS/TEMP]."""


class MessageGone(MailboxError):
    """Somebody else removed the message; answer -ERR and don't count it."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A message that an expunge removed."""

    uidl: str
    size_bytes: int


def create(mailbox: Path, disk: Disk) -> None:
    """The mailbox is there, and stays through a power cut. Raises: OSError."""
    for folder in (mailbox, *(mailbox / name for name in FOLDERS)):
        folder.mkdir(mode=0o700, parents=folder == mailbox, exist_ok=True)
    for folder in (mailbox, mailbox.parent, mailbox.parent.parent):
        disk.sync_folder(folder)


def usage(mailbox: Path) -> Usage:
    """What the mailbox holds now; nothing when it isn't there. Raises: MailboxFailed."""
    try:
        kept = mailindex.usage(mailbox, mailindex.times(mailbox))
        return kept or mailscan.listing(mailbox, locked=False).usage
    except FileNotFoundError:
        return Usage(0, 0)
    except OSError as error:
        raise MailboxFailed(str(error)) from error


def open_session(mailbox: Path, *, disk: Disk | None = None, now: Callable[[], float] = time.time) -> Session:
    """The mailbox, ours alone until `close`. A mailbox that isn't there is made.

    Raises:
        MailboxInUse: another session has it.
        MailboxFailed: the disk failed.
    """
    disk = disk or Disk()
    try:
        lock = _lock(mailbox, disk)
    except OSError as error:
        raise MailboxFailed(str(error)) from error
    try:
        expunge.complete(mailbox, disk)
        sweep(mailbox, now())
        return Session(mailbox, mailscan.listing(mailbox, locked=True), lock, disk)
    except BaseException as error:
        os.close(lock)
        if isinstance(error, OSError):
            raise MailboxFailed(str(error)) from error
        raise


def open_at_hand(mailbox: Path, *, disk: Disk) -> Session | None:
    """The same, if that is little work: a small mailbox that did not change since it was last opened.

    None otherwise; then nothing has happened. What is read was read then and is in memory still.

    Raises: MailboxInUse.
    """
    try:
        lock = os.open(f"{mailbox}/{LOCK}", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        listing = None if expunge.is_due(mailbox) else mailindex.load_small(mailbox)
    except BlockingIOError:
        os.close(lock)
        raise MailboxInUse(str(mailbox)) from None
    except OSError:
        listing = None
    if listing is None:
        os.close(lock)
        return None
    return Session(mailbox, listing, lock, disk)


def sweep(mailbox: Path, now: float) -> None:
    """Deliveries that died in tmp more than 36 hours ago are gone. Raises: OSError."""
    for name in os.listdir(f"{mailbox}/tmp"):  # noqa: S108 - a Maildir's tmp, ours alone
        path = mailbox / "tmp" / name
        try:
            facts = path.lstat()
            if now - max(facts.st_mtime, facts.st_ctime) > _STALE_SECONDS:
                path.unlink()
        except (FileNotFoundError, IsADirectoryError, PermissionError):
            continue


def _lock(mailbox: Path, disk: Disk) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        lock = os.open(f"{mailbox}/{LOCK}", flags, 0o600)
    except FileNotFoundError:
        create(mailbox, disk)
        lock = os.open(f"{mailbox}/{LOCK}", flags, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise MailboxInUse(str(mailbox)) from None
    except BaseException:
        os.close(lock)
        raise
    return lock


class Uidls:
    """The identifiers, made when asked for."""

    __slots__ = ("_listing",)

    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    def __len__(self) -> int:
        return len(self._listing.sizes)

    def __getitem__(self, index: int, /) -> str:
        return uidl(key(self._listing.entries[index][:-2]))


class Session:
    """An open mailbox. Indexes count from 0 and never change; `uidls[i]` and `sizes[i]` belong to index i."""

    def __init__(self, mailbox: Path, listing: Listing, lock: int, disk: Disk) -> None:
        self._mailbox = mailbox
        self._listing = listing
        self._lock: int | None = lock
        self._disk = disk
        self.uidls: Final = Uidls(listing)

    def __len__(self) -> int:
        return len(self._listing.sizes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    @property
    def sizes(self) -> Sequence[int]:
        """How large each message is over POP3."""
        return self._listing.sizes

    @property
    def usage(self) -> Usage:
        return self._listing.usage

    @property
    def foreign(self) -> int:
        """How many things lie there that are no messages."""
        return self._listing.foreign

    def content(self, index: int) -> bytes:
        """The message as it is stored, whole. Raises: MessageGone, MailboxFailed."""
        file = self._open(index)
        try:
            # The stored form is never larger than what POP3 tells: one read has it all, unless the name lied.
            told_bytes = self.sizes[index] + 1
            message = os.read(file, told_bytes)
            while len(message) >= told_bytes and (more := os.read(file, _PIECE_BYTES)):
                message += more
            return message
        except OSError as error:
            raise MailboxFailed(str(error)) from error
        finally:
            os.close(file)

    def content_at_hand(self, index: int) -> bytes | None:
        """The message as it is stored, whole, if the system holds it in memory: no waiting for the disk.

        None otherwise, and whenever anything is unusual; then `content` tells. Opening alone may wait.
        """
        try:
            file = mailscan.open_entry(self._mailbox, self._listing.entries[index])
        except OSError:
            return None
        # Longer than told: the name lied, and there is more to read.
        space = bytearray(self.sizes[index] + 1)
        try:
            got = os.preadv(file, (space,), 0, os.RWF_NOWAIT)
            # A short answer is the end of the file, or of what lies in memory.
            if got == len(space) or os.preadv(file, (bytearray(1),), got, os.RWF_NOWAIT):
                return None
        except OSError:
            return None
        finally:
            os.close(file)
        return bytes(memoryview(space)[:got])

    def pieces(self, index: int, piece_bytes: int = _PIECE_BYTES) -> Iterator[bytes]:
        """The message as it is stored, in pieces. Raises: MessageGone, MailboxFailed."""
        file = self._open(index)
        try:
            left = os.fstat(file).st_size
            while left > 0 and (piece := os.read(file, min(left, piece_bytes))):
                left -= len(piece)
                yield piece
        except OSError as error:
            raise MailboxFailed(str(error)) from error
        finally:
            os.close(file)

    def arrived_at(self, index: int) -> float:
        """When the message came, in seconds since 1970. Raises: MessageGone, MailboxFailed."""
        file = self._open(index)
        try:
            return os.fstat(file).st_mtime
        finally:
            os.close(file)

    def name(self, index: int) -> bytes:
        """The file's name as it was when the session began."""
        return self._listing.entries[index][:-2]

    def expunge(self, indexes: Sequence[int]) -> tuple[Removed, ...]:
        """These messages are gone, all of them, even if we die on the way; gives those that were still there.

        Raises:
            MailboxFailed: the disk failed; either none is gone or the rest goes at the next opening.
        """
        if not indexes:
            return ()
        entries = self._listing.entries
        try:
            gone = expunge.remove(self._mailbox, [entries[index] for index in indexes], self._disk)
        except OSError as error:
            raise MailboxFailed(str(error)) from error
        return tuple(
            Removed(self.uidls[index], self.sizes[index])
            for index in indexes
            if key(entries[index][:-2]) not in gone
        )

    def close(self) -> None:
        """The mailbox is free for the next."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _open(self, index: int) -> int:
        entry = self._listing.entries[index]
        try:
            return mailscan.open_entry(self._mailbox, entry)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise MailboxFailed(str(error)) from error
        return self._open_renamed(index, key(entry[:-2]))

    def _open_renamed(self, index: int, wanted: bytes) -> int:
        """Others rename files as people read them: the key finds them again."""
        for _try in range(3):
            entry = mailscan.find(self._mailbox, {wanted}).get(wanted)
            if entry is None:
                break
            try:
                file = mailscan.open_entry(self._mailbox, entry)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise MailboxFailed(str(error)) from error
            self._listing.entries[index] = entry
            return file
        raise MessageGone(uidl(wanted))
