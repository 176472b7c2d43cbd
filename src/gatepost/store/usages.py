"""How full mailboxes are, remembered for some seconds.

Others may add to a mailbox and take from it at any time, so what is known grows old quickly; what is
delivered meanwhile is added by whoever delivers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from gatepost.store import maildir
from gatepost.store.mailindex import Usage

_GOOD_SECONDS: Final = 5.0
_AT_MOST: Final = 10_000


class Usages:
    """Usage by mailbox. `now` gives seconds that only grow."""

    __slots__ = ("_known", "_now")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._known: dict[Path, tuple[float, Usage]] = {}

    def get(self, mailbox: Path) -> Usage:
        """What the mailbox holds, as of some seconds ago. Raises: MailboxFailed."""
        known = self._known.get(mailbox)
        now = self._now()
        if known is not None and now < known[0]:
            return known[1]
        if len(self._known) >= _AT_MOST:
            self._known.clear()
        usage = maildir.usage(mailbox)
        self._known[mailbox] = (now + _GOOD_SECONDS, usage)
        return usage

    def known(self, mailbox: Path) -> Usage | None:
        """The same without asking the disk; None when what is known is too old."""
        known = self._known.get(mailbox)
        return known[1] if known is not None and self._now() < known[0] else None

    def add(self, mailbox: Path, size_bytes: int) -> None:
        """One more message lies there."""
        known = self._known.get(mailbox)
        if known is not None:
            until, usage = known
            self._known[mailbox] = (until, Usage(usage.messages + 1, usage.size_bytes + size_bytes))
