"""Whether a local recipient's mailbox has room, asked before the message comes: so nothing is bounced later.

What a mailbox holds is known for some seconds; only after that the disk is asked again, off the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from gatepost.config.schema import Mailboxes as MailboxSettings
from gatepost.config.schema import OnFull
from gatepost.directory.directory import Alias, Mailbox, Resolution
from gatepost.policy.reasons import Reason
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.maildir import MailboxFailed

_OURS_BYTES: Final = 1_024  # Received, Return-Path and the like, which nobody announces


@dataclass(frozen=True, slots=True)
class Limited:
    """A mailbox that may hold `quota_bytes`."""

    account: str
    quota_bytes: int


class Room:
    """Answers for the mailboxes of one state folder."""

    def __init__(self, settings: MailboxSettings, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes
        self._quota_bytes = settings.quota_bytes
        self.refusal = Reason.OVER_QUOTA if settings.when_full is OnFull.REFUSE else Reason.MAILBOX_FULL

    def for_mail(self, limited: Sequence[Limited], size_bytes: int) -> bool | Awaitable[bool]:
        """Whether one of these mailboxes can take a message of this size; 0 when it was not told."""
        unknown = []
        for mailbox in limited:
            usage = self._mailboxes.known_usage(mailbox.account)
            if usage is None:
                unknown.append(mailbox)
            elif _fits(usage.size_bytes, size_bytes, mailbox):
                return True
        return self._measured(unknown, size_bytes) if unknown else False

    def limited(self, resolution: Resolution) -> Sequence[Limited]:
        """The mailboxes behind a recipient that all have a quota; none when there is somebody without.

        An alias is full when all its mailboxes are and it leads nowhere else: one full member of a list
        does not keep the mail from the others.
        """
        if isinstance(resolution, Mailbox):
            mailboxes: Sequence[Mailbox] = (resolution,)
        elif isinstance(resolution, Alias) and not resolution.addresses:
            mailboxes = resolution.mailboxes
        else:
            return ()
        limited = []
        for mailbox in mailboxes:
            quota_bytes = self._quota_bytes if mailbox.quota_bytes is None else mailbox.quota_bytes
            if quota_bytes is None:
                return ()
            limited.append(Limited(mailbox.account, quota_bytes))
        return limited

    async def _measured(self, mailboxes: Sequence[Limited], size_bytes: int) -> bool:
        for mailbox in mailboxes:
            try:
                usage = await asyncio.to_thread(self._mailboxes.usage, mailbox.account)
            except MailboxFailed:
                return True  # the delivery will say what is wrong, and try again
            if _fits(usage.size_bytes, size_bytes, mailbox):
                return True
        return False


def _fits(used_bytes: int, size_bytes: int, mailbox: Limited) -> bool:
    return used_bytes + size_bytes + _OURS_BYTES <= mailbox.quota_bytes
