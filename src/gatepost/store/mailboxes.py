"""All mailboxes: who has one, what is in it, and the way in and out."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gatepost.store import maildir
from gatepost.store.disk import Disk
from gatepost.store.failure import Report, log_report
from gatepost.store.mailboxname import account_name, folder_name
from gatepost.store.maildelivery import Delivery, Postman, Result
from gatepost.store.mailimport import Importer
from gatepost.store.mailindex import Usage
from gatepost.store.usages import Usages


class Mailboxes:
    """The folder of all mailboxes. Those block that say nothing else: run them off the loop."""

    def __init__(
        self,
        root: Path,
        hostname: str,
        *,
        disk: Disk | None = None,
        now: Callable[[], float] = time.time,
        report: Report = log_report,
    ) -> None:
        self._root = root
        self._disk = disk or Disk()
        self._now = now
        self._usages = Usages(now)
        self._postman = Postman(hostname, self._usages, disk=self._disk, now=now, report=report)

    def folder(self, account: str) -> Path:
        """Where the mailbox of an account lies, or would lie; does not block. Raises: ValueError: no name."""
        return self._root / folder_name(account)

    def names(self) -> list[str]:
        """The accounts that have a mailbox, sorted. Raises: OSError."""
        try:
            folders = [entry.name for entry in os.scandir(self._root) if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return []
        return sorted(account for folder in folders if (account := account_name(folder)) is not None)

    def exists(self, account: str) -> bool:
        return (self.folder(account) / "new").is_dir()

    def create(self, account: str) -> Path:
        """The account has a mailbox; one that is there stays as it is. Raises: OSError."""
        mailbox = self.folder(account)
        if not self.exists(account):
            maildir.create(mailbox, self._disk)
        return mailbox

    def delete(self, account: str) -> None:
        """The mailbox and all in it is gone. Raises: MailboxInUse, MailboxFailed."""
        mailbox = self.folder(account)
        if not mailbox.is_dir():
            return
        with maildir.open_session(mailbox, disk=self._disk):
            try:
                # Renamed first: half of a mailbox is never seen as one. "~" stands in no account's folder.
                doomed = mailbox.with_name(f"~{os.getpid()}-{time.monotonic_ns()}")
                os.rename(mailbox, doomed)
                self._disk.sync_folder(self._root)
                # Those too that a crash left.
                for doomed in self._root.glob("~*"):
                    shutil.rmtree(doomed, ignore_errors=True)
            except OSError as error:
                raise maildir.MailboxFailed(str(error)) from error

    def usage(self, account: str) -> Usage:
        """What the mailbox holds, as of some seconds ago. Raises: MailboxFailed."""
        return self._usages.get(self.folder(account))

    def known_usage(self, account: str) -> Usage | None:
        """The same without asking the disk; None when what is known is too old."""
        return self._usages.known(self.folder(account))

    def open(self, account: str) -> maildir.Session:
        """The mailbox, ours alone until it is closed. Raises: MailboxInUse, MailboxFailed."""
        return maildir.open_session(self.folder(account), disk=self._disk, now=self._now)

    def open_at_hand(self, account: str) -> maildir.Session | None:
        """The same without waiting for the disk, or None (`maildir.open_at_hand`). Raises: MailboxInUse."""
        return maildir.open_at_hand(self.folder(account), disk=self._disk)

    def importer(self, account: str) -> Importer:
        """What brings old mail into the mailbox; while it works, nobody else may `deliver` here."""
        return Importer(self.folder(account), self._postman, disk=self._disk)

    def deliver(self, batch: Sequence[Delivery]) -> list[Result]:
        """What became of each delivery, in order; one call at a time."""
        return self._postman.deliver(batch)
