"""Brings old mail in and takes mail out, with progress; a broken-off import is simply run again.

Each message is known by a digest of its content and by which of its twins it is. The token stands in the
name of the file, and, once the message is safe, in a record beside the mailbox: so neither a crash nor
somebody who collected it meanwhile makes it come twice.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final, Self

from gatepost.pop3 import content
from gatepost.store import maildir, mailscan, mbox
from gatepost.store.disk import Disk, append_file
from gatepost.store.maildelivery import Delivered, Delivery, Form, Postman, Undelivered, tokens
from gatepost.store.uidl import flags
from gatepost.store.usages import Usages

RECORD: Final = "gatepost-imported"
_BATCH_MESSAGES: Final = 128
_BATCH_BYTES: Final = 8 << 20
_TOKEN: Final = re.compile(rb"[0-9a-f]{24}N[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. `done` of `total` are bytes of an mbox, or messages of a Maildir.

    `skipped` were there already. `unread` could not be read.
    """

    done: int
    total: int
    added: int = 0
    skipped: int = 0
    unread: int = 0


class ImportStopped(Exception):
    """It could not go on. What `progress` counts as added is safe; running it again goes on from there."""

    def __init__(self, why: Undelivered, progress: Progress) -> None:
        super().__init__(why.value)
        self.why = why
        self.progress = progress


class ImportRunning(Exception):
    """Another import into this mailbox is under way."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A message to bring in; None could not be read. `done` counts up to its end."""

    message: bytes | None
    flags: str
    came_at: float | None
    done: int


class Importer:
    """Imports into one mailbox. Its generators give progress after each batch; closing one stops it."""

    def __init__(self, mailbox: Path, postman: Postman, *, disk: Disk | None = None) -> None:
        self._mailbox = mailbox
        self._postman = postman
        self._disk = disk or Disk()

    @classmethod
    def into(cls, maildir: Path, hostname: str) -> Self:
        """Into a Maildir that is none of our mailboxes."""
        return cls(maildir, Postman(hostname, Usages(time.time)))

    def from_mbox(self, file: BinaryIO) -> Iterator[Progress]:
        """All messages of an mbox are in the mailbox.

        Raises:
            MboxError: it is no mbox.
            ImportRunning, ImportStopped, OSError: it could not begin, or not go on.
        """
        total = os.fstat(file.fileno()).st_size
        items = (_Item(m.content, m.flags, m.came_at, m.end) for m in mbox.messages(file))
        return self._bring(items, total)

    def from_maildir(self, source: Path) -> Iterator[Progress]:
        """All messages of another Maildir's new and cur are in the mailbox, with their flags and times.

        Raises:
            ImportRunning, ImportStopped, OSError: it could not begin, or not go on.
        """
        files = [source / folder / name for folder in ("new", "cur") for name in os.listdir(source / folder)]
        files = sorted((file for file in files if not file.name.startswith(".")), key=lambda file: file.name)
        return self._bring((_read(file, done) for done, file in enumerate(files, 1)), len(files))

    def forget(self) -> None:
        """What was imported before and is no longer there may come again. Raises: OSError."""
        (self._mailbox / RECORD).unlink(missing_ok=True)

    def _bring(self, items: Iterable[_Item], total: int) -> Iterator[Progress]:
        if not (self._mailbox / "new").is_dir():
            maildir.create(self._mailbox, self._disk)
        lock = os.open(self._mailbox / RECORD, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ImportRunning(str(self._mailbox)) from None
            yield from self._batches(items, total)
        finally:
            os.close(lock)

    def _batches(self, items: Iterable[_Item], total: int) -> Iterator[Progress]:
        known = self._known()
        twins: Counter[str] = Counter()
        batch: list[Delivery] = []
        size_bytes = 0
        progress = Progress(0, total)
        for item in items:
            progress, delivery = self._sorted(item, progress, twins, known)
            if delivery is not None:
                batch.append(delivery)
                size_bytes += len(delivery.content) if isinstance(delivery.content, bytes) else 0
            if len(batch) >= _BATCH_MESSAGES or size_bytes >= _BATCH_BYTES:
                progress = self._deliver(batch, progress)
                batch, size_bytes = [], 0
                yield progress
        yield self._deliver(batch, Progress(total, total, progress.added, progress.skipped, progress.unread))

    def _sorted(
        self, item: _Item, progress: Progress, twins: Counter[str], known: set[str]
    ) -> tuple[Progress, Delivery | None]:
        added, skipped, unread = progress.added, progress.skipped, progress.unread
        if item.message is None:
            return Progress(item.done, progress.total, added, skipped, unread + 1), None
        digest = blake2b(content.crlf(item.message), digest_size=12).hexdigest()
        twins[digest] += 1
        token = f"{digest}N{twins[digest]}"
        if token in known:
            return Progress(item.done, progress.total, added, skipped + 1, unread), None
        return Progress(item.done, progress.total, added, skipped, unread), Delivery(
            self._mailbox,
            b"",
            item.message,
            Form.PLAIN,
            token=token,
            flags=item.flags or None,
            came_at=item.came_at,
        )

    def _deliver(self, batch: list[Delivery], progress: Progress) -> Progress:
        results = self._postman.deliver(batch)
        safe = [d.token for d, result in zip(batch, results, strict=True) if isinstance(result, Delivered)]
        if safe:
            # The line end in front: a line cut by a crash stays a line of its own.
            append_file(self._disk, self._mailbox / RECORD, [b"\n" + "\n".join(safe).encode() + b"\n"])
        progress = Progress(
            progress.done, progress.total, progress.added + len(safe), progress.skipped, progress.unread
        )
        for result in results:
            if isinstance(result, Undelivered):
                raise ImportStopped(result, progress)
        return progress

    def _known(self) -> set[str]:
        lines = (self._mailbox / RECORD).read_bytes().split(b"\n")
        return {line.decode() for line in lines if _TOKEN.fullmatch(line)} | set(tokens(self._mailbox))


def _read(file: Path, done: int) -> _Item:
    try:
        opened = mailscan.open_file(file)
    except OSError:
        return _Item(None, "", None, done)
    with os.fdopen(opened, "rb") as stream:
        letters = re.sub(r"[^A-Za-z]", "", flags(os.fsencode(file.name)))
        return _Item(stream.read(), letters, os.fstat(opened).st_mtime, done)


def export_mbox(session: maildir.Session, file: BinaryIO) -> Iterator[Progress]:
    """All messages of an open mailbox stand in the file, oldest first; progress after each.

    Raises:
        MailboxFailed, OSError: the disk failed.
    """
    added = unread = 0
    for index in range(len(session)):
        try:
            file.write(mbox.record(session.content(index), session.arrived_at(index)))
            added += 1
        except maildir.MessageGone:
            unread += 1
        yield Progress(index + 1, len(session), added, 0, unread)
    file.flush()
