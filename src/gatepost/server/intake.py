"""A message being taken in: its content, what its header must not be, and its way to the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Final

from gatepost.mail.address import Address
from gatepost.mail.envelope import Body, Envelope, Origin, Recipient
from gatepost.mail.header import (
    HeaderError,
    from_addresses,
    header_block,
    received,
    received_count,
    submission_lines,
)
from gatepost.policy.access import Right
from gatepost.policy.reasons import Reason
from gatepost.server.client import Client
from gatepost.smtp.command import Helo, Mail
from gatepost.store.incoming import Incoming

_BEHIND_BYTES: Final = 512 * 1024  # of a large message not yet written: the peer has to wait
_HEADER_LIMIT_BYTES: Final = 256 * 1024


class Intake:
    """One message from its first octet to the commit; then its `envelope` is there."""

    __slots__ = ("_client", "_head", "_incoming", "envelope", "is_committing")

    def __init__(self, incoming: Incoming, client: Client) -> None:
        self._incoming = incoming
        self._client = client
        self._head = b""
        self.envelope: Envelope | None = None
        self.is_committing = False

    @property
    def size_bytes(self) -> int:
        return self._incoming.size_bytes

    def take(self, data: bytes) -> Awaitable[None] | None:
        """A part of the content; an awaitable when the disk must catch up before more is read."""
        incoming = self._incoming
        if incoming.size_bytes < _HEADER_LIMIT_BYTES and b"\r\n\r\n" not in self._head:
            self._head = self._head + data if self._head else data
        incoming.write(data)
        return incoming.drain() if incoming.pending_bytes > _BEHIND_BYTES else None

    def abandon(self) -> None:
        """Nothing of it is kept, unless it is on its way to the disk already."""
        if not self.is_committing:
            self._incoming.abandon()

    def objection(self, *, received_limit: int) -> tuple[Reason, Address | str | None] | None:
        """What is wrong with the header, and the address it is about."""
        header = header_block(self._head)
        if received_count(header) > received_limit:
            return Reason.MAIL_LOOP, None  # RFC 5321 §6.3
        client = self._client
        if client.identity is None or client.may(Right.ANY_SENDER).allowed:
            return None
        try:
            strange = [address for address in from_addresses(header) if not client.owns(address)]
        except HeaderError:
            return Reason.FROM_NOT_OWN, "something unreadable"
        return (Reason.FROM_NOT_OWN, strange[0]) if strange else None

    def commit(
        self,
        mail: Mail,
        recipients: list[Recipient],
        helo: Helo,
        *,
        hostname: str,
        virtual_server: str,
        submitted: bool,
        now: float,
    ) -> asyncio.Future[str]:
        """A future of the queue id, which comes true when the message is on the disk.

        `submitted`: it comes from one of ours, so a missing Date or Message-ID is added (RFC 6409 §8).
        Raises through the future: SpoolFull, SpoolFailed.
        """
        client, at = self._client, datetime.fromtimestamp(now, UTC)
        queue_id = self._incoming.queue_id
        origin = Origin(client.id, virtual_server, client.peer_text, client.user, at)
        self.envelope = Envelope(
            mail.sender,
            tuple(recipients),
            origin,
            mail.body or Body.EIGHT_BIT,
            mail.smtputf8,
            mail.require_tls,
            mail.ret,
            mail.envid,
        )
        top = received(
            hostname=hostname,
            helo=helo.name,
            peer=origin.peer,
            protocol=self._protocol(helo, smtputf8=mail.smtputf8),
            queue_id=queue_id,
            tls=client.tls,
            at=at,
            for_=recipients[0].address if len(recipients) == 1 else None,
        )
        if submitted:
            top += submission_lines(header_block(self._head), hostname=hostname, token=queue_id, at=at)
        self.is_committing = True
        self._head = b""
        return self._incoming.commit(self.envelope, top)

    def _protocol(self, helo: Helo, *, smtputf8: bool) -> str:
        """The `with` of Received (RFC 3848, RFC 6531 §4.3)."""
        if not helo.extended:
            return "SMTP"
        word = "UTF8SMTP" if smtputf8 else "ESMTP"
        return word + ("S" if self._client.tls else "") + ("A" if self._client.identity else "")
