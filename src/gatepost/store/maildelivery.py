"""Delivers into Maildirs, many messages in one go.

Each message is written into tmp, all are synced together, each is renamed into new, and the folders are
synced together: who asks has the answer only when all that is true.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from gatepost.store import expunge, maildir, mailscan
from gatepost.store.disk import Disk, write_all
from gatepost.store.failure import Report, SpoolError, SpoolFull, log_report, refusal
from gatepost.store.groupsync import GroupSync, Syncs
from gatepost.store.storedform import StoredPieces, stored_form
from gatepost.store.uidl import UniqueNames, key, mark, uidl
from gatepost.store.usages import Usages
from gatepost.wire.dots import unstuff

# So many files are open at once.
_GROUP: Final = 128


class Form(Enum):
    """`WIRE`: CRLF and dot-stuffed, without the closing dot. `PLAIN`: whole, any line ends, not stuffed."""

    WIRE = "wire"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one mailbox.

    `header` goes on top: lines ended by CRLF. `content` in pieces is wire form and holds no lone CR.
    `quota_bytes` None: no limit. `token` (at most 34 letters and digits, never used for another message to
    this mailbox) makes it known again: with `perhaps_there` it is looked for first, so that what a crash
    left unrecorded is not delivered twice. With `flags` (a Maildir's letters; "" for none) it goes into cur.
    `came_at` becomes the file's time.
    """

    mailbox: Path
    header: bytes
    content: bytes | Iterable[bytes]
    form: Form = Form.WIRE
    quota_bytes: int | None = None
    token: str = ""
    perhaps_there: bool = False
    flags: str | None = None
    came_at: float | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """The message is in the mailbox, and stays through a power cut. The size is what POP3 tells."""

    uidl: str
    size_bytes: int


class Undelivered(Enum):
    """Nothing of the message is in the mailbox."""

    DISK_FULL = "disk full"
    OVER_QUOTA = "over quota"
    DISK_FAILED = "disk failed"


Result = Delivered | Undelivered


@dataclass(slots=True)
class _Draft:
    """A message in tmp, its file still open."""

    place: int
    delivery: Delivery
    key: bytes
    file: int = -1
    stored_bytes: int = 0
    virtual_bytes: int = 0

    @property
    def draft_path(self) -> str:
        return f"{self.delivery.mailbox}/tmp/{self.key.decode()}"  # noqa: S108 - a Maildir's tmp, ours alone

    @property
    def folder(self) -> str:
        return f"{self.delivery.mailbox}/{'new' if self.delivery.flags is None else 'cur'}"

    @property
    def final_path(self) -> str:
        flags = self.delivery.flags
        info = "" if flags is None else ":2," + "".join(sorted(flags))
        return f"{self.folder}/{self.key.decode()},S={self.stored_bytes},W={self.virtual_bytes}{info}"


class _There:
    """What earlier tries left in mailboxes; each mailbox is read once."""

    def __init__(self) -> None:
        self._by_mailbox: dict[Path, dict[str, Delivered]] = {}

    def find(self, delivery: Delivery) -> Delivered | None:
        """The same message, when an earlier try already delivered it. Raises: OSError."""
        if not delivery.perhaps_there or not delivery.token:
            return None
        mailbox = delivery.mailbox
        if mailbox not in self._by_mailbox:
            self._by_mailbox[mailbox] = tokens(mailbox) if (mailbox / "new").is_dir() else {}
        return self._by_mailbox[mailbox].get(delivery.token)


class Postman:
    """Delivers batches. `deliver` blocks: run it off the loop, one call at a time."""

    def __init__(
        self,
        hostname: str,
        usages: Usages,
        *,
        disk: Disk | None = None,
        syncs: Syncs | None = None,
        now: Callable[[], float] = time.time,
        report: Report = log_report,
    ) -> None:
        self._disk = disk or Disk()
        self._syncs = syncs or GroupSync(self._disk)
        self._usages = usages
        self._now = now
        self._report = report
        self._names = UniqueNames(hostname)

    def deliver(self, batch: Sequence[Delivery]) -> list[Result]:
        """What became of each, in order. Nothing is raised: one that fails does not stop the others."""
        results: list[Result] = []
        for start in range(0, len(batch), _GROUP):
            results += self._group(batch[start : start + _GROUP])
        return results

    def _group(self, group: Sequence[Delivery]) -> list[Result]:
        results: list[Result] = [Undelivered.DISK_FAILED] * len(group)
        drafts: list[_Draft] = []
        there = _There()
        for place, delivery in enumerate(group):
            draft = _Draft(place, delivery, self._names.make(self._now(), delivery.token))
            try:
                results[place] = there.find(delivery) or self._write(draft)
                if draft.file >= 0:
                    drafts.append(draft)
            # SpoolError: content that comes in pieces is read from the spool as it is written.
            except (OSError, SpoolError, maildir.MailboxError) as error:
                results[place] = self._refused(draft, error)
        try:
            self._commit(drafts)
        except OSError as error:
            for draft in drafts:
                results[draft.place] = self._refused(draft, error)
        self._count(drafts, results)
        return results

    def _write(self, draft: _Draft) -> Result:
        """The message is in tmp, its file open; or it is refused."""
        delivery = draft.delivery
        if isinstance(delivery.content, bytes):
            plain = unstuff(delivery.content) if delivery.form is Form.WIRE else delivery.content
            form = stored_form(delivery.header + plain)
            draft.stored_bytes, draft.virtual_bytes = len(form.message), form.virtual_bytes
            if self._over_quota(draft):
                return Undelivered.OVER_QUOTA
            draft.file = self._create(draft)
            write_all(self._disk, draft.file, [form.message])
        else:
            draft.file = self._create(draft)
            self._write_pieces(draft, StoredPieces(delivery.header, delivery.content))
            if self._over_quota(draft):
                self._undo(draft)
                return Undelivered.OVER_QUOTA
        if delivery.came_at is not None:
            os.utime(draft.file, (delivery.came_at, delivery.came_at))
        return Delivered(uidl(draft.key), draft.virtual_bytes)

    def _write_pieces(self, draft: _Draft, pieces: StoredPieces) -> None:
        for piece in pieces:
            if piece:
                write_all(self._disk, draft.file, [piece])
        draft.stored_bytes, draft.virtual_bytes = pieces.stored_bytes, pieces.virtual_bytes

    def _create(self, draft: _Draft) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(draft.draft_path, flags, 0o600)
        except FileNotFoundError:
            maildir.create(draft.delivery.mailbox, self._disk)
            return os.open(draft.draft_path, flags, 0o600)

    def _over_quota(self, draft: _Draft) -> bool:
        quota_bytes, mailbox = draft.delivery.quota_bytes, draft.delivery.mailbox
        if quota_bytes is None:
            return False
        # Counted at once, so that a batch can't pass where each message alone would.
        over = self._usages.get(mailbox).size_bytes + draft.virtual_bytes > quota_bytes
        if not over:
            self._usages.add(mailbox, draft.virtual_bytes)
        return over

    def _commit(self, drafts: Sequence[_Draft]) -> None:
        """All drafts are messages now, for good. Raises: OSError: none may be taken as delivered."""
        self._syncs.files([draft.file for draft in drafts])
        for draft in drafts:
            # The key is new in this mailbox, so nothing can be overwritten.
            os.rename(draft.draft_path, draft.final_path)
        self._syncs.folders({draft.folder for draft in drafts})
        for draft in drafts:
            os.close(draft.file)
            draft.file = -1

    def _count(self, drafts: Sequence[_Draft], results: Sequence[Result]) -> None:
        for draft in drafts:
            if draft.delivery.quota_bytes is None and isinstance(results[draft.place], Delivered):
                self._usages.add(draft.delivery.mailbox, draft.virtual_bytes)

    def _refused(self, draft: _Draft, error: Exception) -> Undelivered:
        """Nothing of the message is left; what went wrong is reported."""
        self._undo(draft)
        full = isinstance(refusal(error), SpoolFull)
        self._report("delivery-failed", mailbox=draft.delivery.mailbox.name, error=str(error))
        return Undelivered.DISK_FULL if full else Undelivered.DISK_FAILED

    def _undo(self, draft: _Draft) -> None:
        if draft.file >= 0:
            os.close(draft.file)
            draft.file = -1
        for path in (draft.draft_path, draft.final_path):
            with suppress(OSError):
                os.unlink(path)


def tokens(mailbox: Path) -> dict[str, Delivered]:
    """The messages that lie there, or did a short while ago, by the token they were delivered with.

    Raises: OSError.
    """
    found: dict[str, Delivered] = {}
    for of_key in expunge.gone(mailbox):
        if (token := mark(of_key)) is not None:
            found[token.decode()] = Delivered(uidl(of_key), 0)
    listing = mailscan.listing(mailbox, locked=False)
    for entry, size in zip(listing.entries, listing.sizes, strict=True):
        of_key = key(entry[:-2])
        token = mark(of_key)
        if token is not None:
            found[token.decode()] = Delivered(uidl(of_key), size)
    return found
