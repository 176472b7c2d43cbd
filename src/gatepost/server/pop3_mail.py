"""The mailbox side of a POP3 session: listings, messages, marks, and the one step that deletes.

Replies that are large go out in pieces, each when the peer has read most of what was sent before.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Coroutine
from typing import Any, Final

from gatepost.policy.reasons import Reason
from gatepost.pop3 import content, event
from gatepost.pop3.reply import Reply, ok
from gatepost.pop3.server import Server
from gatepost.pop3.state import Sign
from gatepost.pop3.surrogate import surrogate
from gatepost.server.connection import Connection
from gatepost.server.maildrop import Maildrop
from gatepost.server.pop3_record import Pop3Record
from gatepost.store.maildir import MailboxFailed, MessageGone

_SLICE_BYTES: Final = 128 * 1024

Look = event.Stat | event.List | event.Uidl | event.Dele | event.Rset
Answer = Reply | Coroutine[Any, Any, Reply | None]


class Collection:
    """What a session does with its open mailbox. None in place of a reply: it was said already."""

    __slots__ = ("_connection", "_core", "_maildrop", "_record")

    def __init__(self, maildrop: Maildrop, core: Server, connection: Connection, record: Pop3Record) -> None:
        self._maildrop = maildrop
        self._core = core
        self._connection = connection
        self._record = record

    def look(self, asked: Look) -> Answer:
        """The answer to what needs no message."""
        if isinstance(asked, event.List | event.Uidl) and self._maildrop.is_long(asked):
            return self._long_listing(asked)
        return self._recorded(self._maildrop.view.answer(asked))

    def message(self, asked: event.Retr | event.Top) -> Answer:
        """The answer to RETR and TOP."""
        maildrop = self._maildrop
        index = maildrop.view.index(asked.number)
        if isinstance(index, Reply):
            return self._recorded(index)
        if maildrop.is_large(index):
            return self._readable(self._in_pieces(asked, index))
        message = maildrop.at_hand(index)
        if message is None:
            return self._readable(self._whole(asked, index))
        return self._shown(asked, index, message)

    @property
    def has_marks(self) -> bool:
        """Something is to be removed."""
        return bool(self._maildrop.view.deleted())

    def close(self) -> None:
        """The mailbox is free for the next session."""
        self._maildrop.close()

    def _recorded(self, reply: Reply) -> Reply:
        """A refusal of the mailbox's view gets its reason and stands on record."""
        if reply.sign is not Sign.ERR:
            return reply
        return self._record.refuse("mailbox", Reason.NO_SUCH_MESSAGE, words=reply.text)

    async def _long_listing(self, asked: event.List | event.Uidl) -> None:
        reply = await self._maildrop.listing(asked)
        whole = self._core.reply(reply)
        for start in range(0, len(whole), _SLICE_BYTES):
            await self._send(whole[start : start + _SLICE_BYTES])

    async def _readable(self, coming: Awaitable[Reply | None]) -> Reply | None:
        try:
            return await coming
        except MessageGone:
            return self._record.refuse("mailbox", Reason.NO_SUCH_MESSAGE, words="that message is gone")
        except MailboxFailed as problem:
            self._record.failed("mailbox-failed", problem)
            return self._record.refuse("mailbox", Reason.MAILBOX_UNAVAILABLE)

    async def _whole(self, asked: event.Retr | event.Top, index: int) -> Reply:
        return self._shown(asked, index, await self._maildrop.message(index))

    def _shown(self, asked: event.Retr | event.Top, index: int, message: bytes) -> Reply:
        size_bytes = self._maildrop.size_bytes(index)
        if not message.isascii() and not self._core.utf8:
            message = surrogate(message)
            size_bytes = content.size_bytes(message)
        if isinstance(asked, event.Top):
            return ok("", content.top(message, asked.lines))
        self._record.retrieved += 1
        return ok(f"{size_bytes} octets", content.wire(message))

    async def _in_pieces(self, asked: event.Retr | event.Top, index: int) -> None:
        lines = asked.lines if isinstance(asked, event.Top) else None
        async with contextlib.aclosing(self._maildrop.pieces(index, lines, utf8=self._core.utf8)) as pieces:
            first = await anext(pieces)  # nothing is promised before there is something
            head = "" if lines is not None else f"{self._maildrop.size_bytes(index)} octets"
            await self._send(self._core.reply(ok(head)) + first)
            await self._send_rest(pieces)
        self._record.retrieved += lines is None

    async def _send_rest(self, pieces: AsyncIterator[bytes]) -> None:
        try:
            async for piece in pieces:
                await self._send(piece)
        except MailboxFailed as problem:
            # Half a message was sent: only a broken connection tells the client so.
            self._record.failed("mailbox-failed", problem)
            self._connection.abort("the message could not be read to its end")

    async def _send(self, data: bytes) -> None:
        self._connection.send(data)
        self._connection.progressed()
        await self._connection.drained()

    async def update(self) -> Reply | None:
        """RFC 1939 §6: what is marked is gone and the mailbox free; the refusal if that failed."""
        try:
            removed = await self._maildrop.expunge()
        except MailboxFailed as problem:
            self._record.failed("mailbox-failed", problem)
            self.close()
            words = "some deleted messages not removed"  # RFC 1939 §6
            return self._record.refuse("quit", Reason.MAILBOX_UNAVAILABLE, words=words)
        self._record.deleted = len(removed)
        return None
