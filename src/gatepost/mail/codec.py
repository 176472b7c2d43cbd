"""The envelope as octets, for the spool. Pure.

Version 1: version, flags, time of receipt as IEEE double (seconds since 1970), then texts in UTF-8
with NUL between them: the fields of the origin and of the envelope, then four for each recipient.
An absent text is an empty one: none of those that may be absent may be empty.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Final

from gatepost.mail.address import Address
from gatepost.mail.envelope import Body, Envelope, Origin, Recipient

_VERSION: Final = 1
_HEAD = struct.Struct("<BBd")
_EIGHT_BIT: Final = 1
_SMTPUTF8: Final = 2
_REQUIRE_TLS: Final = 4
_FIXED_TEXTS: Final = 8


class EnvelopeError(ValueError):
    """The octets are no envelope of a version this program knows, or the envelope cannot be kept."""


def encode(envelope: Envelope) -> bytes:
    """The octets of an envelope; `decode` gives it back.

    Raises:
        EnvelopeError: a text with a NUL.
    """
    origin, sender = envelope.origin, envelope.sender
    local, domain = ("", "") if sender is None else (sender.local, sender.domain)
    texts = (
        f"{origin.session_id}\0{origin.virtual_server}\0{origin.peer}\0{origin.user or ''}\0"
        f"{envelope.ret or ''}\0{envelope.envid or ''}\0{local}\0{domain}"
    )
    for recipient in envelope.recipients:
        address = recipient.address
        texts += f"\0{address.local}\0{address.domain}\0{recipient.notify or ''}\0{recipient.orcpt or ''}"
    text = texts.encode()
    if text.count(0) != _FIXED_TEXTS + 4 * len(envelope.recipients) - 1:
        raise EnvelopeError("an envelope with a NUL in it")
    return _HEAD.pack(_VERSION, _flags(envelope), origin.received_at.timestamp()) + text


def decode(octets: bytes) -> Envelope:
    """The envelope that was encoded.

    Raises:
        EnvelopeError: these are not the octets of one.
    """
    try:
        version, flags, received_at = _HEAD.unpack_from(octets)
        if version != _VERSION:
            raise EnvelopeError(f"an envelope of version {version}")
        return _envelope(flags, received_at, octets[_HEAD.size :].decode().split("\0"))
    except EnvelopeError:
        raise
    except (struct.error, ValueError, OverflowError, OSError) as error:
        raise EnvelopeError("a damaged envelope") from error


def _flags(envelope: Envelope) -> int:
    flags = _EIGHT_BIT if envelope.body is Body.EIGHT_BIT else 0
    if envelope.smtputf8:
        flags |= _SMTPUTF8
    if envelope.require_tls:
        flags |= _REQUIRE_TLS
    return flags


def _envelope(flags: int, received_at: float, texts: list[str]) -> Envelope:
    session, server, peer, user, ret, envid, local, domain = texts[:_FIXED_TEXTS]
    each = iter(texts[_FIXED_TEXTS:])
    recipients = tuple(
        Recipient(Address(to, at), notify or None, orcpt or None)
        for to, at, notify, orcpt in zip(each, each, each, each, strict=True)
    )
    return Envelope(
        Address(local, domain) if local or domain else None,
        recipients,
        Origin(session, server, peer, user or None, datetime.fromtimestamp(received_at, UTC)),
        Body.EIGHT_BIT if flags & _EIGHT_BIT else Body.SEVEN_BIT,
        bool(flags & _SMTPUTF8),
        bool(flags & _REQUIRE_TLS),
        ret or None,
        envid or None,
    )
