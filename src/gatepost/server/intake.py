"""A message being taken in: its content, what its header must not be, and its way to the disk.

From somebody who is no identity, an Authentication-Results field in our name is a forgery and does not
get in (RFC 8601 §5).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime
from typing import Final

from gatepost.mail.address import Address
from gatepost.mail.auth_results import Sieve, may_be_forged, without
from gatepost.mail.envelope import Body, Envelope, Origin, Recipient
from gatepost.mail.header import (
    HeaderError,
    from_addresses,
    header_block,
    received,
    received_count,
    submission_lines,
)
from gatepost.mail.subject import subject
from gatepost.policy.access import Right
from gatepost.policy.reasons import Reason
from gatepost.server.client import Client
from gatepost.smtp.command import Helo, Mail
from gatepost.store.incoming import LARGE_BYTES, Incoming
from gatepost.wire.dots import Unstuffer, unstuff

_BEHIND_BYTES: Final = 512 * 1024  # of a large message not yet written: the peer has to wait
_HEADER_LIMIT_BYTES: Final = 256 * 1024
# What programs of old put on top that take mail for an mbox: no field, so all behind it would be body.
_MBOX_LINES: Final = (b"From ", b">From ")
_MBOX_MARK: Final = b"X-Mailbox-Line: "


class Intake:
    """One message from its first octet to the commit; then its `envelope` is there.

    `holds_header`: until the commit the header may still be changed. It stays in memory so long.
    """

    __slots__ = (
        "_client",
        "_head",
        "_held",
        "_hostname",
        "_incoming",
        "_sieve",
        "_top",
        "envelope",
        "header_ended",
        "is_committing",
        "subject",
    )

    def __init__(
        self, incoming: Incoming, client: Client, hostname: str, *, holds_header: bool = False
    ) -> None:
        self._incoming = incoming
        self._client = client
        self._hostname = hostname
        self._head = b""
        self.header_ended = False
        self._sieve: Sieve | None = None
        self._held: bytes | None = b"" if holds_header else None
        self._top = b""
        self.envelope: Envelope | None = None
        self.is_committing = False
        self.subject: str | None = None

    @property
    def size_bytes(self) -> int:
        return self._incoming.size_bytes + len(self._held or b"")

    @property
    def queue_id(self) -> str:
        return self._incoming.queue_id

    def take(self, data: bytes) -> Awaitable[None] | None:
        """A part of the content; an awaitable when the disk must catch up before more is read."""
        incoming = self._incoming
        if not self.header_ended:
            data = self._header(data)
        if data:
            incoming.write(data)
        if incoming.size_bytes <= LARGE_BYTES:
            return None
        return incoming.drain() if incoming.pending_bytes > _BEHIND_BYTES else None

    def _header(self, data: bytes) -> bytes:
        """What goes on to the spool of a part in which there may be header."""
        is_first = not self._head
        if is_first and self._held is None and (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[: end + 2]
            if self._client.identity is not None or not may_be_forged(head):
                self._head, self.header_ended = head, True
                return data
        if is_first and self._client.identity is None:
            self._sieve = Sieve(self._hostname)
        if len(self._head) < _HEADER_LIMIT_BYTES:
            self._head = self._head + data if self._head else data
        if self._sieve is not None:
            data = self._sieve.feed(data)
            self.header_ended = self._sieve.done
        else:
            whole = self._head.startswith(b"\r\n") or b"\r\n\r\n" in self._head
            self.header_ended = whole or len(self._head) >= _HEADER_LIMIT_BYTES
        return data if self._held is None else self._hold(data)

    def _hold(self, data: bytes) -> bytes:
        """Keeps the header back; one too long for that goes on unchanged."""
        held, self._held = (self._held or b"") + data, b""
        if not self.header_ended and len(held) < _HEADER_LIMIT_BYTES:
            self._held = held
            return b""
        header = header_block(held)
        if not self.header_ended or len(header) > _HEADER_LIMIT_BYTES:
            self._held = None
            return held
        self._held = header
        return held[len(header) :]

    def whole(self) -> None:
        """The content has ended: what was held back of a header without end goes its way."""
        if not self.header_ended and self._sieve is not None:
            rest = self._sieve.finish()
            self.header_ended = True
            if rest := rest if self._held is None else self._hold(rest):
                self._incoming.write(rest)

    def abandon(self) -> None:
        """Nothing of it is kept, unless it is on its way to the disk already."""
        if not self.is_committing:
            self._incoming.abandon()

    async def plain(self) -> bytes | None:
        """The content without stuffing; None of one that is too large for memory: see `plain_pieces`."""
        if self.size_bytes > LARGE_BYTES:
            return None
        return unstuff((self._held or b"") + b"".join([piece async for piece in self._incoming.pieces()]))

    async def plain_pieces(self) -> AsyncIterator[bytes]:
        """The content without stuffing, in pieces. Raises: OSError."""
        unstuffer = Unstuffer()
        yield unstuffer.feed(self._held or b"")
        async for piece in self._incoming.pieces():
            yield unstuffer.feed(piece)
        yield unstuffer.finish()

    def put_on_top(self, lines: bytes, *, without_fields: tuple[str, ...]) -> None:
        """At the commit these lines go on top, and the fields of these names go if the header is held."""
        self._top = lines
        if self._held:
            self._held = without(self._held, without_fields)

    def objection(self, *, received_limit: int) -> tuple[Reason, Address | str | None] | None:
        """What is wrong with the header, and the address it is about."""
        header = header_block(self._head)
        if received_count(header) > received_limit:
            return Reason.MAIL_LOOP, None  # RFC 5321 §6.3
        client = self._client
        if client.identity is None or (client.senders is None and client.may(Right.ANY_SENDER).allowed):
            return None
        try:
            strange = [address for address in from_addresses(header) if not client.owns(address)]
        except HeaderError:
            return Reason.FROM_NOT_OWN, "something unreadable"
        if client.senders is not None:
            strange = [address for address in strange if not client.may_send_as(address).allowed]
        reason = Reason.FROM_NOT_OWN if client.senders is None else Reason.DEVICE_SENDER
        return (reason, strange[0]) if strange else None

    def read_subject(self) -> None:
        """`subject` is the message's; to be called before the commit."""
        self.subject = subject(header_block(self._head))

    def commit(
        self,
        mail: Mail,
        recipients: list[Recipient],
        helo: Helo,
        *,
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
            hostname=self._hostname,
            helo=helo.name,
            peer=origin.peer,
            protocol=self._protocol(helo, smtputf8=mail.smtputf8),
            queue_id=queue_id,
            tls=client.tls,
            at=at,
            for_=recipients[0].address if len(recipients) == 1 else None,
        )
        head, mark = self._head, b""
        if head.startswith(_MBOX_LINES):
            head, mark = head.partition(b"\r\n")[2], _MBOX_MARK
        if submitted:
            top += submission_lines(header_block(head), hostname=self._hostname, token=queue_id, at=at)
        top += mark
        if self._top or self._held:
            top = self._top + top + (self._held or b"")
        self.is_committing = True
        self._head = b""
        return self._incoming.commit(self.envelope, top)

    def _protocol(self, helo: Helo, *, smtputf8: bool) -> str:
        """The `with` of Received (RFC 3848, RFC 6531 §4.3)."""
        if not helo.extended:
            return "SMTP"
        word = "UTF8SMTP" if smtputf8 else "ESMTP"
        return word + ("S" if self._client.tls else "") + ("A" if self._client.identity else "")
