"""Mailboxes as POP3 sessions use them: opened, read and expunged off the loop.

The disk may take its time, so everything that touches it runs in a few threads. What a session holds in
memory is bounded: small messages are read ahead up to a budget, large ones go through in pieces.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from gatepost.pop3 import content, event
from gatepost.pop3.reply import Reply
from gatepost.pop3.surrogate import surrogate
from gatepost.pop3.topcut import TopCut
from gatepost.pop3.view import View
from gatepost.store.maildir import MailboxError, MailboxFailed, Removed, Session

LAST_LOGIN: Final = "gatepost-login"
# Up to this size a message is sent as one reply, larger ones in pieces of it.
WHOLE_BYTES: Final = 128 * 1024
_AHEAD_BYTES: Final = 256 * 1024
_AHEAD_MESSAGES: Final = 64
# What the system holds in memory is read on the spot: a thread would cost ten times as much. A file that took
# longer was not there after all; the next ones are left to the threads.
_ON_THE_SPOT_SECONDS: Final = 0.002
_LEFT_TO_THREADS: Final = 256
# Where a mailbox was opened in a thread so short ago, its folder is in memory: it may be opened on the spot.
_LATELY_SECONDS: Final = 3600
_REMEMBERED: Final = 20_000
# A listing of more messages is put together in a thread.
_SHORT_LISTING: Final = 500

T = TypeVar("T")


class Mailboxes(Protocol):
    """The folder of all mailboxes."""

    def folder(self, account: str) -> Path: ...

    def open(self, account: str) -> Session:
        """Waits for the disk."""

    def open_at_hand(self, account: str) -> Session | None:
        """Does not, and gives None where it would have to."""


@dataclass(frozen=True, slots=True)
class TooSoon:
    """The last login was so short ago that the next must wait so long (RFC 2449 §6.5)."""

    seconds: float


class Maildrops:
    """Opens mailboxes in `threads` threads. `clock` gives seconds since the epoch."""

    def __init__(
        self, mailboxes: Mailboxes, *, threads: int = 4, clock: Callable[[], float] = time.time
    ) -> None:
        self._mailboxes = mailboxes
        self._clock = clock
        self._lately: dict[str, float] = {}
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="maildrop")

    async def open(self, account: str, *, delay_seconds: float = 0) -> Maildrop | TooSoon:
        """The mailbox, ours alone until it is closed; with a delay, this login counts for the next.

        Raises:
            MailboxInUse: another session has it.
            MailboxFailed: the disk failed.
        """
        if not delay_seconds and (at_hand := self._at_hand(account)) is not None:
            return Maildrop(at_hand, self._threads)
        opening = asyncio.get_running_loop().run_in_executor(
            self._threads, self._opened, account, delay_seconds
        )
        try:
            session = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_unwanted)
            raise
        if isinstance(session, TooSoon):
            return session
        self._remember(account)
        return Maildrop(session, self._threads)

    def _at_hand(self, account: str) -> Session | None:
        """Whoever polls every few minutes is served without a thread. Raises: MailboxInUse."""
        began = time.monotonic()
        if began - self._lately.get(account, -math.inf) > _LATELY_SECONDS:
            return None
        session = self._mailboxes.open_at_hand(account)
        if time.monotonic() - began > _ON_THE_SPOT_SECONDS:
            del self._lately[account]
        return session

    def _remember(self, account: str) -> None:
        if len(self._lately) >= _REMEMBERED:
            self._lately.clear()
        self._lately[account] = time.monotonic()

    def close(self) -> None:
        """What was begun is finished, an expunge above all."""
        self._threads.shutdown()

    def _opened(self, account: str, delay_seconds: float) -> Session | TooSoon:
        session = self._mailboxes.open(account)
        if not delay_seconds:
            return session
        try:
            wait = _still_to_wait(self._mailboxes.folder(account) / LAST_LOGIN, delay_seconds, self._clock())
        except OSError as problem:
            session.close()
            raise MailboxFailed(str(problem)) from problem
        if wait is None:
            return session
        session.close()
        return TooSoon(wait)


class Maildrop:
    """One open mailbox with the marks of its session. One call at a time, `close` at any."""

    __slots__ = ("_ahead", "_ahead_count", "_next", "_session", "_slow", "_threads", "_working", "view")

    def __init__(self, session: Session, threads: ThreadPoolExecutor) -> None:
        self._session = session
        self._threads = threads
        self._working: asyncio.Future[object] | None = None
        self._ahead: dict[int, bytes] = {}
        self._ahead_count = 1
        self._next = -1
        self._slow = 0
        self.view = View(session.sizes, session.uidls, session.usage.size_bytes)

    def is_long(self, request: event.List | event.Uidl) -> bool:
        """Whether the answer is long enough for a thread."""
        return request.number is None and self.view.count > _SHORT_LISTING

    async def listing(self, request: event.List | event.Uidl) -> Reply:
        """What `view.answer` says, put together off the loop."""
        return await self._work(lambda: self.view.answer(request))

    def size_bytes(self, index: int) -> int:
        """What LIST tells for the message."""
        return self._session.sizes[index]

    def is_large(self, index: int) -> bool:
        """Whether the message is to be sent by `pieces`."""
        return self.size_bytes(index) > WHOLE_BYTES

    def at_hand(self, index: int) -> bytes | None:
        """The stored message, if it was read ahead already or the system holds it in memory."""
        message = self._ahead.pop(index, None)
        if message is None and not self._ahead:
            message = self._on_the_spot(index)
        if message is not None:
            self._next = index + 1
        return message

    def _on_the_spot(self, index: int) -> bytes | None:
        if self._slow:
            self._slow -= 1
            return None
        began = time.perf_counter()
        message = self._session.content_at_hand(index)
        if message is None or time.perf_counter() - began > _ON_THE_SPOT_SECONDS:
            self._slow = _LEFT_TO_THREADS
        return message

    async def message(self, index: int) -> bytes:
        """The stored message. Who reads one after another has the next ones read ahead.

        Raises: MessageGone, MailboxFailed.
        """
        self._ahead.clear()
        sequential = index == self._next
        self._ahead_count = min(self._ahead_count * 4, _AHEAD_MESSAGES) if sequential else 1
        self._next = index + 1
        messages = await self._work(lambda: self._read(index, self._ahead_count))
        message = messages.pop(index)
        self._ahead = messages
        return message

    async def pieces(
        self, index: int, lines: int | None = None, *, utf8: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """The body of the reply to RETR, or to TOP with so many lines, in pieces of about 128 KiB.

        Without `utf8` its header is in ASCII.

        Raises: MessageGone, MailboxFailed.
        """
        pieces = self._wire(index, lines, utf8)
        while (piece := await self._work(lambda: next(pieces, None))) is not None:
            yield piece

    async def expunge(self) -> tuple[Removed, ...]:
        """The marked messages are gone, all of them, even if the session ends meanwhile.

        Raises: MailboxFailed: some may be left; those go at the next opening or not at all.
        """
        marked = self.view.deleted()
        return await self._work(lambda: self._session.expunge(marked)) if marked else ()

    def close(self) -> None:
        """The mailbox is free for the next session, once what is under way is done."""
        self._ahead.clear()
        if self._working is None or self._working.done():
            self._session.close()
        else:
            self._working.add_done_callback(lambda _done: self._session.close())

    async def _work(self, work: Callable[[], T]) -> T:
        working = asyncio.get_running_loop().run_in_executor(self._threads, work)
        working.add_done_callback(_seen)
        self._working = working  # type: ignore[assignment]  # a future of anything is one of object
        # An expunge that was asked for is finished though the peer be gone.
        return await asyncio.shield(working)

    def _read(self, first: int, count: int) -> dict[int, bytes]:
        """The message and some of those behind it; one of those that can't be read waits for its turn."""
        session = self._session
        messages = {first: session.content(first)}
        room = _AHEAD_BYTES
        for index in range(first + 1, min(first + count, len(session))):
            room -= session.sizes[index]
            if room < 0:
                break
            try:
                messages[index] = session.content(index)
            except MailboxError:
                break
        return messages

    def _wire(self, index: int, lines: int | None, utf8: bool) -> Iterator[bytes]:
        wire, cut = content.Wire(), None if lines is None else TopCut(lines)
        for number, stored in enumerate(self._session.pieces(index, WHOLE_BYTES)):
            piece = stored if number or utf8 else surrogate(stored)
            yield wire.stuff(piece if cut is None else cut.take(piece))
            if cut is not None and cut.done:
                break
        yield wire.close()


def _still_to_wait(mark: Path, delay_seconds: float, now: float) -> float | None:
    """None when the login may go on: `mark` has its time. The mailbox must be locked. Raises: OSError."""
    try:
        passed = now - mark.stat().st_mtime
    except FileNotFoundError:
        passed = delay_seconds
    if 0 <= passed < delay_seconds:  # a clock that went back locks nobody out
        return delay_seconds - passed
    os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    os.utime(mark, (now, now))
    return None


def _close_unwanted(opening: asyncio.Future[Session | TooSoon]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        session = opening.result()
        if isinstance(session, Session):
            session.close()


def _seen(working: asyncio.Future[T]) -> None:
    if not working.cancelled():
        working.exception()  # whoever asked may be gone
