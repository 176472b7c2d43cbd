"""Puts a message of our own making into the spool: reports, and what an alias sends on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from gatepost.mail.envelope import Envelope
from gatepost.store.incoming import Incoming


class Intake(Protocol):
    """The door into the spool."""

    def incoming(self) -> Incoming: ...


class Respool:
    """Spools messages through the same door as those that come from outside."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

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
            return await incoming.commit(envelope, b"")
        finally:
            incoming.abandon()
