"""A mailbox as one POP3 session sees it: numbers, sizes, identifiers and marks (RFC 1939 §5, §7). Pure.

Numbers count from 1 and never change during a session. A mark made by DELE is only a mark: whoever holds
the mailbox removes `deleted()` when the session ends with QUIT.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from gatepost.pop3 import event
from gatepost.pop3.reply import Reply, err, listing, ok

_NO_MESSAGE: Final = "no such message"
_DELETED: Final = "that message is deleted"


class Uidls(Protocol):
    """The unique identifier of each message, perhaps made only when it is asked for."""

    def __getitem__(self, index: int, /) -> str: ...


class View:
    """What a session sees. `sizes[i]` and `uidls[i]` belong to message number i + 1.

    `uidls` is not touched before a client asks for it, so it may be made on demand.
    """

    __slots__ = ("_deleted", "_deleted_size_bytes", "_sizes", "_total_bytes", "_uidls")

    def __init__(self, sizes: Sequence[int], uidls: Uidls, total_bytes: int | None = None) -> None:
        self._sizes = sizes
        self._uidls = uidls
        self._total_bytes = sum(sizes) if total_bytes is None else total_bytes
        self._deleted: set[int] = set()
        self._deleted_size_bytes = 0

    @property
    def count(self) -> int:
        """How many messages are not marked."""
        return len(self._sizes) - len(self._deleted)

    @property
    def size_bytes(self) -> int:
        """How large those are together."""
        return self._total_bytes - self._deleted_size_bytes

    def deleted(self) -> tuple[int, ...]:
        """The indexes (from 0) of the marked messages, in order."""
        return tuple(sorted(self._deleted))

    def answer(self, request: event.Stat | event.List | event.Uidl | event.Dele | event.Rset) -> Reply:
        """The reply to what needs no message content."""
        match request:
            case event.Stat():
                return ok(f"{self.count} {self.size_bytes}")
            case event.List():
                return self._listed(request.number)
            case event.Uidl():
                return self._identified(request.number)
            case event.Dele():
                return self._marked(request.number)
            case event.Rset():
                self._deleted.clear()
                self._deleted_size_bytes = 0
                return ok(self._summary())

    def index(self, number: int) -> int | Reply:
        """The index (from 0) of the message that RETR or TOP means, or the refusal."""
        if not 0 < number <= len(self._sizes):
            return err(_NO_MESSAGE)
        if number - 1 in self._deleted:
            return err(_DELETED)
        return number - 1

    def _listed(self, number: int | None) -> Reply:
        if number is None:
            sizes = self._sizes
            return listing(self._summary(), (b"%d %d" % (i + 1, sizes[i]) for i in self._present()))
        index = self.index(number)
        return index if isinstance(index, Reply) else ok(f"{number} {self._sizes[index]}")

    def _identified(self, number: int | None) -> Reply:
        uidls = self._uidls
        if number is None:
            return listing("", (f"{i + 1} {uidls[i]}".encode() for i in self._present()))
        index = self.index(number)
        return index if isinstance(index, Reply) else ok(f"{number} {uidls[index]}")

    def _marked(self, number: int) -> Reply:
        index = self.index(number)
        if isinstance(index, Reply):
            return index
        self._deleted.add(index)
        self._deleted_size_bytes += self._sizes[index]
        return ok(f"message {number} deleted")

    def _present(self) -> Iterator[int]:
        everything = range(len(self._sizes))
        if not self._deleted:
            return iter(everything)
        return (index for index in everything if index not in self._deleted)

    def _summary(self) -> str:
        return f"{self.count} messages ({self.size_bytes} octets)"
