"""Puts a message of our own making into the spool: reports, and what an alias sends on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from gatepost.mail.envelope import Envelope
from gatepost.store.incoming import Incoming

Note = Callable[[str, Envelope, int], None]


class Intake(Protocol):
    """The door into the spool."""

    def incoming(self) -> Incoming: ...


class Respool:
    """Spools messages through the same door as those that come from outside."""

    def __init__(self, intake: Intake, note: Note = lambda queue_id, envelope, size_bytes: None) -> None:
        """`note` hears of every message that is durable."""
        self._intake = intake
        self._note = note

    async def put(self, envelope: Envelope, chunks: AsyncIterator[bytes]) -> str:
        """The message (wire form) is durable; its queue id.

        Raises:
            SpoolError: it is not.
        """
        incoming = self._intake.incoming()
        try:
            async for chunk in chunks:
                incoming.write(chunk)
                await incoming.drain()
            queue_id = await incoming.commit(envelope, b"")
            self._note(queue_id, envelope, incoming.size_bytes)
            return queue_id
        finally:
            incoming.abandon()
